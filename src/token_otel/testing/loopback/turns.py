"""Turns: one request with the reply that the script gave it, as strings and token counts."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from token_otel.testing.loopback.answers import Answer, ToolCall, compact, new_id
from token_otel.testing.loopback.prompts import Cached, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call as it goes out: with its id, arguments as JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a reply."""

    text: str
    calls: tuple[Call, ...]
    reasoning: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Output tokens by part, over all choices."""

    text: int
    tool_calls: int
    reasoning: int

    @property
    def total(self) -> int:
        """The tokens billed as output."""
        return self.text + self.tool_calls + self.reasoning


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What one stream event says of the reply. `call` is the number of the tool call in its choice; None is text."""

    text: str
    choice: int = 0
    call: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event. The first `terminal` one ends the reply; from there on all is sent in one piece."""

    data: bytes
    delta: Delta | None = None
    terminal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A request and its reply, or as much of it as was sent."""

    body: dict[str, Any]
    model: str
    answers: tuple[Answer, ...]
    prompt: Prompt
    cached: Cached
    choices: tuple[Choice, ...]
    parts: Parts
    response_id: str
    request_id: str
    created: int
    service_tier: str

    @property
    def chunk_chars(self) -> int:
        """The length of a content chunk of the stream."""
        return self.answers[0].chunk_chars


def speak(answer: Answer, *, n: int, call_prefix: str) -> tuple[Choice, ...]:
    """Make the choices of an answer; every tool call without an id gets a new one in each choice."""
    return tuple(
        Choice(
            text=answer.text,
            calls=tuple(
                Call(id=call.id or new_id(call_prefix), name=call.name, arguments=compact(dict(call.arguments)))
                for call in answer.tool_calls
            ),
            reasoning=answer.reasoning_tokens,
        )
        for _ in range(answer.choices or n)
    )


def measure(choices: Sequence[Choice], count: Callable[[str], int]) -> Parts:
    """Count a reply: its text, its tool calls by name and arguments, its reasoning as scripted."""
    return Parts(
        text=sum(count(choice.text) for choice in choices),
        tool_calls=sum(count(call.name) + count(call.arguments) for choice in choices for call in choice.calls),
        reasoning=sum(choice.reasoning for choice in choices),
    )


def sent(choices: Sequence[Choice], deltas: Sequence[Delta]) -> tuple[Choice, ...]:
    """Give as much of a reply as `deltas` say was sent; reasoning comes before all else and is whole."""
    partial: list[Choice] = []
    for number, choice in enumerate(choices):
        mine = [delta for delta in deltas if delta.choice == number]
        opened = sorted({delta.call for delta in mine if delta.call is not None})
        partial.append(
            Choice(
                text="".join(delta.text for delta in mine if delta.call is None),
                calls=tuple(
                    Call(
                        id=choice.calls[at].id,
                        name=choice.calls[at].name,
                        arguments="".join(delta.text for delta in mine if delta.call == at),
                    )
                    for at in opened
                ),
                reasoning=choice.reasoning,
            )
        )
    return tuple(partial)


def tool_calls(choices: Sequence[Choice]) -> tuple[ToolCall, ...]:
    """Give the calls of a reply that are complete."""
    complete: list[ToolCall] = []
    for choice in choices:
        for call in choice.calls:
            try:
                complete.append(ToolCall(call.name, json.loads(call.arguments), call.id))
            except json.JSONDecodeError:  # a stream that was cut within the arguments
                continue
    return tuple(complete)


def chunks(text: str, size: int) -> Iterator[str]:
    """Split a text for a stream."""
    for at in range(0, len(text), size):
        yield text[at : at + size]


def sse(payload: object, *, event: str | None = None) -> bytes:
    """Write one server-sent event with a JSON payload."""
    name = "" if event is None else f"event: {event}\n"
    return f"{name}data: {compact(payload)}\n\n".encode()
