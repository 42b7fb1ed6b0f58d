"""`Scripted`: a chat model that answers at once what it is told to, and reports usage as OpenAI's client does."""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCall
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

CHUNKS = 50

Reply = Callable[[Sequence[BaseMessage]], AIMessage]


class Scripted(BaseChatModel):
    """Costs next to nothing, so that what is left is LangChain's own work, and the watcher's.

    Attributes:
        reply: What to answer.
        pause_s: How long a stream waits before each chunk.
    """

    reply: Reply
    pause_s: float = 0

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": "gpt-5", "model_name": "gpt-5", "temperature": 0.2}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": "gpt-5", "ls_model_type": "chat", "ls_temperature": 0.2}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Send the schemas along, as the clients do."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.reply(messages))])

    async def _agenerate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return self._generate(messages)

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        yield from _chunks(self.reply(messages))

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(self.reply(messages)):
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
            yield chunk


def answer(text: str, input_tokens: int, *, calls: Sequence[ToolCall] = (), name: str | None = None) -> AIMessage:
    """Return a message with all that OpenAI's client puts on one."""
    return AIMessage(
        text,
        name=name,
        tool_calls=[*calls],
        response_metadata=_about("tool_calls" if calls else "stop") | {"token_usage": _report(input_tokens, 20 + len(text) // 5)},
        usage_metadata=_usage(input_tokens, 20 + len(text) // 5),
    )


def _about(reason: str) -> dict[str, Any]:
    return {
        "model_provider": "openai",
        "model_name": "gpt-5-2025-08-07",
        "finish_reason": reason,
        "id": "chatcmpl-BqK3yPz0aWmT5uV8xD2nE7hJ",
        "service_tier": "default",
    }


def _usage(input_tokens: int, output_tokens: int) -> UsageMetadata:
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "input_token_details": {"audio": 0, "cache_read": input_tokens // 2},
        "output_token_details": {"audio": 0, "reasoning": 0},
    }


def _report(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """Return what OpenAI itself reports, which LangChain's client leaves in the metadata, but for streams."""
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": input_tokens // 2, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    text = str(message.content)
    step = -(-len(text) // (CHUNKS - 1))
    for start in range(0, step * (CHUNKS - 1), step):
        yield ChatGenerationChunk(message=AIMessageChunk(content=text[start : start + step]))
    about = {name: value for name, value in message.response_metadata.items() if name != "token_usage"}
    last = AIMessageChunk(content="", response_metadata=about, usage_metadata=message.usage_metadata)
    yield ChatGenerationChunk(message=last)
