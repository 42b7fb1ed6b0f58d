"""What adapters say: the events of a run, as plain data.

An adapter translates its framework's hooks into these events and hands each to `Recorder.record`. Events can be
stored, replayed and compared, so adapters are tested without OpenTelemetry and the core without frameworks.
A run has one start and one end; between them it may report a first chunk and usage seen so far.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from token_otel.usage import Usage

Scalar: TypeAlias = str | bool | int | float
Attribute: TypeAlias = Scalar | tuple[str, ...]
Attributes: TypeAlias = Mapping[str, Attribute]

PartKind: TypeAlias = Literal["system", "tools", "user", "assistant", "tool_call", "tool_result", "document", "reasoning", "media"]
Operation: TypeAlias = Literal["chat", "text_completion", "embeddings"]
AgentKind: TypeAlias = Literal["agent", "workflow"]
Status: TypeAlias = Literal["ok", "error", "cancelled", "interrupted"]
MediaKind: TypeAlias = Literal["image", "audio", "video", "file"]
Detail: TypeAlias = Literal["low", "medium", "high", "original"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture, a sound, a film or a file, by what its price may depend on; `None` is unknown.

    Attributes:
        width: In pixels, as is `height`.
        seconds: How long it plays.
        pages: Of a file.
        bytes: Of the thing itself, never of its encoding as text.
        detail: The resolution that the request asks for; `None` leaves it to the provider.
    """

    kind: MediaKind
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    pages: int | None = None
    bytes: int | None = None
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a prompt or of an answer.

    Attributes:
        kind: What it is: `tool_call` is a call's name and arguments, `tools` the schemas sent along.
        text: Its text, by reference; empty for media.
        message_id: The id under which the framework keeps the message.
        call_id: The id of the tool call it makes (`tool_call`) or answers (`tool_result`); of sealed reasoning, its key.
        name: The tool's name, or the name of whoever speaks.
        media: What it is made of, for media.
        sealed_tokens: Of reasoning that comes back sealed or signed, its tokens as the call that made it has reported them, since
            its text is a summary or nothing; `None` where the text is all of it.
        opens: Whether it is the first part of its message, so that it carries the message's framing.
        digest: A hash of all this, in this process: a part that is read again is known by it.
    """

    kind: PartKind
    text: str = ""
    message_id: str | None = None
    call_id: str | None = None
    name: str | None = None
    media: Media | None = None
    sealed_tokens: int | None = None
    opens: bool = True
    digest: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = (self.kind, self.text, self.message_id, self.call_id, self.name, self.media, self.sealed_tokens, self.opens)
        try:
            digest = hash(fields)
        except TypeError:
            digest = id(self)  # not even a text: known by itself alone
        object.__setattr__(self, "digest", digest)

    def __reduce__(self) -> tuple[object, ...]:
        # The digest is good in this process alone.
        return _part, (self.kind, self.text, self.message_id, self.call_id, self.name, self.media, self.sealed_tokens, self.opens)


def _part(kind: PartKind, text: str, *more: Any) -> Part:
    message_id, call_id, name, media, sealed_tokens, opens = more
    return Part(
        kind=kind, text=text, message_id=message_id, call_id=call_id, name=name, media=media, sealed_tokens=sealed_tokens, opens=opens
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Something begins.

    Attributes:
        run_id: Unique among runs that are open or ended lately.
        parent_id: The run it is a part of; `None` for a root.
        at_ns: Nanoseconds since the epoch; `None` lets the recorder stamp it.
        conversation_id: Thread or session; inherited from the parent when absent.
        attributes: What the user asked to see on the span (user, tenant, tags).
    """

    run_id: str
    parent_id: str | None = None
    at_ns: int | None = None
    conversation_id: str | None = None
    attributes: Attributes = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted(Started):
    """A named agent, or a workflow that coordinates agents, begins; `None` names nothing meaningful."""

    name: str | None
    kind: AgentKind = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStarted(Started):
    """A request to a model is issued.

    Attributes:
        model: The model asked for; `None` if the framework does not say.
        provider: Its provider in the names of semconv (`openai`, `anthropic`, `aws.bedrock`, ...).
        prompt: Everything the call reads, in the order in which it is sent: tools, system, messages.
        attempt: 1 for a first try, 2 for its first retry.
        request: Request parameters by what follows `gen_ai.request.` in their semconv names: `temperature`, `max_tokens`, ...
    """

    model: str | None
    provider: str | None = None
    operation: Operation = "chat"
    prompt: tuple[Part, ...] = ()
    attempt: int = 1
    request: Attributes = field(default_factory=dict[str, Attribute])

    def without_prompt(self) -> ModelStarted:
        """Return the same event without what the call reads, so that no text is kept alive by it."""
        return ModelStarted(
            run_id=self.run_id,
            parent_id=self.parent_id,
            at_ns=self.at_ns,
            conversation_id=self.conversation_id,
            attributes=self.attributes,
            model=self.model,
            provider=self.provider,
            operation=self.operation,
            attempt=self.attempt,
            request=self.request,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Started):
    """A tool begins; `call_id` is the id of the model's call that asked for it."""

    name: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalStarted(Started):
    """A retriever begins to look for documents."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Started):
    """A group of runs begins: it has no span, it keeps the ancestry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstChunk:
    """The first chunk of a stream has arrived."""

    run_id: str
    at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSeen:
    """A stream has reported usage so far: what is billed if it is broken off.

    Attributes:
        usage: Cumulative since the start of the call.
        model: The responding model, when known.
    """

    run_id: str
    usage: Usage
    model: str | None = None
    at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEnded:
    """A model call is over, well or badly.

    Attributes:
        usage: What the provider reported; `None` if it reported nothing.
        output: What the model produced, under the ids by which it comes back.
        model: The model that answered; `None` if the answer does not say.
        response_id: The provider's id of the answer.
        finish_reasons: One for each choice.
        service_tier: The tier of the *response* (`default`, `flex`, `priority`, `batch`, ...).
        cost_usd: The cost that the provider itself reported, if it does.
        local_cache: The answer came from the framework's own cache: nothing was called.
        error_type: The class of the exception; never its text.
    """

    run_id: str
    at_ns: int | None = None
    status: Status = "ok"
    error_type: str | None = None
    usage: Usage | None = None
    output: tuple[Part, ...] = ()
    model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None
    cost_usd: Decimal | None = None
    local_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An agent, tool, retrieval or step is over.

    Attributes:
        output: What a tool or retriever returned.
        cost_usd: What the tool itself has cost, such as a search that is billed apiece.
    """

    run_id: str
    at_ns: int | None = None
    status: Status = "ok"
    error_type: str | None = None
    output: tuple[Part, ...] = ()
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Control passes from the agent that runs `run_id` to another."""

    run_id: str
    to_agent: str
    at_ns: int | None = None


Start: TypeAlias = AgentStarted | ModelStarted | ToolStarted | RetrievalStarted | StepStarted
End: TypeAlias = ModelEnded | Ended
Event: TypeAlias = Start | FirstChunk | UsageSeen | End | Handoff

_CANCELLED = (GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError, concurrent.futures.CancelledError)


def ended_by(error: BaseException) -> tuple[Status, str | None]:
    """Return the status with which an exception ends a run, and its class if it is an error: never its text."""
    return ("cancelled", None) if isinstance(error, _CANCELLED) else ("error", class_of(error))


def class_of(error: BaseException) -> str:
    """Return an exception's class, qualified unless it is built in."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
