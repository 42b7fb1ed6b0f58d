"""Servers that tell the whole usage anew with each chunk of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from token_otel import Usage
from token_otel.events import ModelEnded, UsageSeen
from token_otel.testing import Tape
from token_otel_langchain import TokenOtelHandler


class Retelling(BaseChatModel):
    """Streams words, each with a usage."""

    usages: list[tuple[int, int]]

    @property
    def _llm_type(self) -> str:
        return "retelling"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        raise AssertionError("only streams are asked for")

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for given, made in self.usages:
            usage = UsageMetadata(input_tokens=given, output_tokens=made, total_tokens=given + made)
            chunk = ChatGenerationChunk(message=AIMessageChunk(content="word ", usage_metadata=usage))
            if run_manager is not None:
                run_manager.on_llm_new_token("word ", chunk=chunk)
            yield chunk


def told(*usages: tuple[int, int]) -> tuple[list[Usage], Usage | None]:
    """What was seen under way, and what the end says."""
    tape = Tape()
    handler = TokenOtelHandler(recorder=tape)  # pyright: ignore[reportArgumentType]
    list(Retelling(usages=list(usages)).stream([HumanMessage(content="Say something.")], {"callbacks": [handler]}))
    [end] = [event for event in tape.events if isinstance(event, ModelEnded)]
    return [event.usage for event in tape.events if isinstance(event, UsageSeen)], end.usage


def test_a_whole_that_is_told_anew_is_not_added_up():
    """100 tokens are read once, however often the server says so: not 300."""
    seen, end = told((100, 1), (100, 2), (100, 3))

    assert seen[-1] == Usage(input=100, output=3)
    assert end == Usage(input=100, output=3)


def test_parts_are_added_up():
    """Input with the first chunk, output piece by piece: 100 and 1 + 1 + 1."""
    seen, end = told((100, 1), (0, 1), (0, 1))

    assert seen[-1] == Usage(input=100, output=3)
    assert end == Usage(input=100, output=3)
