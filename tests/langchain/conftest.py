"""A handler that writes to a tape, the tape drawn as a tree, and models that answer from a script."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import pytest

from token_otel.events import AgentStarted, End, Ended, Handoff, ModelEnded, ModelStarted, Started, ToolStarted
from token_otel.testing import Tape

# Without the framework there is nothing to translate; the minimal install is tested elsewhere.
collect_ignore_glob = [] if find_spec("langgraph") and find_spec("langchain") else ["test_*.py"]

_Event = TypeVar("_Event")


class Watch:
    """A handler on a tape, and the tape."""

    def __init__(self) -> None:
        from token_otel_langchain import TokenOtelHandler

        self.tape = Tape()
        self.handler = TokenOtelHandler(recorder=cast("Any", self.tape))
        self.handler.raise_error = True
        self.config: Any = {"callbacks": [self.handler]}

    def thread(self, thread_id: str) -> Any:
        """Return the config of one conversation."""
        return {**self.config, "configurable": {"thread_id": thread_id}}

    def of(self, kind: type[_Event]) -> list[_Event]:
        """Return the events of one kind."""
        return [event for event in self.tape.events if isinstance(event, kind)]

    @property
    def tree(self) -> list[str]:
        """The runs as an indented tree, in order of start; ends only where they are not `ok`, hand-offs as arrows."""
        starts = self.of(Started)
        ends = {event.run_id: event for event in self.tape.events if isinstance(event, ModelEnded | Ended)}
        lines: list[str] = []

        def draw(parent_id: str | None, depth: int) -> None:
            for start in starts:
                if start.parent_id == parent_id or (parent_id is None and start.parent_id not in {each.run_id for each in starts}):
                    lines.append("  " * depth + _line(start, ends.get(start.run_id)))
                    lines.extend("  " * depth + f"  -> {event.to_agent}" for event in self.of(Handoff) if event.run_id == start.run_id)
                    draw(start.run_id, depth + 1)

        draw(None, 0)
        return lines

    def names(self) -> list[str]:
        """The names of the agents, in order of start."""
        return [event.name or "" for event in self.of(AgentStarted) if event.kind == "agent"]


def _line(start: Started, end: End | None) -> str:
    match start:
        case AgentStarted():
            label = f"{start.kind} {start.name}"
        case ModelStarted():
            label = "chat" if start.operation == "chat" else start.operation
        case ToolStarted():
            label = f"tool {start.name}"
        case _:
            label = type(start).__name__.removesuffix("Started").lower()
    if end is None:
        return f"{label} (open)"
    return label if end.status == "ok" else f"{label} ({end.status}{' ' + end.error_type if end.error_type else ''})"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def new_watch() -> Callable[[], Watch]:
    return Watch


@pytest.fixture
def call() -> Callable[..., Any]:
    """Make an answer that calls one tool."""
    from langchain_core.messages import AIMessage

    def make(name: str, call_id: str = "call_1", /, **arguments: Any) -> Any:
        return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": call_id}])

    return make


@pytest.fixture
def scripted() -> Callable[..., Any]:
    """Make a chat model that gives its answers one after the other, the last for ever, each billed 10 + 5 tokens."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
    from langchain_core.utils.function_calling import convert_to_openai_tool

    class Scripted(BaseChatModel):
        answers: list[Any]
        model_name: str = "scripted-1"
        choices: int = 1
        given: int = 0

        @property
        def _llm_type(self) -> str:
            return "scripted"

        @property
        def _identifying_params(self) -> dict[str, Any]:
            return {"model_name": self.model_name}

        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

        def _next(self) -> AIMessage:
            answer = self.answers[min(self.given, len(self.answers) - 1)]
            self.given += 1
            if isinstance(answer, BaseException):
                raise answer
            message = answer if isinstance(answer, AIMessage) else AIMessage(answer)
            bill = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
            about = {"model_name": self.model_name, "finish_reason": "stop", **message.response_metadata}
            return message.model_copy(update={"usage_metadata": message.usage_metadata or bill, "response_metadata": about})

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=self._next()) for _ in range(self.choices)])

        def _chunks(self) -> Iterator[AIMessageChunk]:
            answer = self._next()
            for word in str(answer.content).split():
                yield AIMessageChunk(content=f"{word} ")
            calls = [
                {"name": made["name"], "args": json.dumps(made["args"]), "id": made["id"], "index": place, "type": "tool_call_chunk"}
                for place, made in enumerate(answer.tool_calls)
            ]
            yield AIMessageChunk(
                content="",
                tool_call_chunks=cast("Any", calls),
                usage_metadata=answer.usage_metadata,
                response_metadata=answer.response_metadata,
            )

    class Streaming(Scripted):
        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
            for message in self._chunks():
                chunk = ChatGenerationChunk(message=message)
                if run_manager is not None:
                    run_manager.on_llm_new_token(message.text, chunk=chunk)
                yield chunk

        async def _astream(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
        ) -> AsyncIterator[ChatGenerationChunk]:
            for message in self._chunks():
                chunk = ChatGenerationChunk(message=message)
                if run_manager is not None:
                    await run_manager.on_llm_new_token(message.text, chunk=chunk)
                yield chunk

    def make(*answers: Any, streams: bool = False, **fields: Any) -> Any:
        return (Streaming if streams else Scripted)(answers=list(answers), **fields)

    return make
