"""`agent()`, `tool()`, `retrieval()`, `step()`: blocks of your own code that are runs, and `handoff()` between agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar
from uuid import uuid4

from token_otel.bills import Put, current, put, take_back
from token_otel.bills.budget import money
from token_otel.events import (
    AgentKind,
    AgentStarted,
    Attribute,
    End,
    Ended,
    Handoff,
    Part,
    RetrievalStarted,
    Start,
    StepStarted,
    ToolStarted,
)
from token_otel.manual.decorating import decorated
from token_otel.manual.messages import document_parts, result_parts
from token_otel.manual.outcome import verdict
from token_otel.recorder import Recorder

P = ParamSpec("P")
R = TypeVar("R")
Tags = Mapping[str, Attribute]


class Block:
    """A `with` or `async with` block that is one run; as a decorator, each call of the function is one.

    Attributes:
        run_id: The run's id, from when the block is entered.
    """

    def __init__(self, *, conversation: str | None = None, tags: Tags | None = None, recorder: Recorder | None = None) -> None:
        self.run_id = ""
        self.conversation = conversation
        self.tags = dict(tags or {})
        self._asked = recorder
        self._recorder: Recorder | None = None
        self._tagged: Put | None = None
        self._inside: AbstractContextManager[None] | None = None
        self._over = False

    @property
    def recorder(self) -> Recorder:
        """The recorder it reports to: the one asked for, else that of the block around, else the shared one."""
        if self._recorder is None:
            around = current().recorder
            self._recorder = self._asked or (around if isinstance(around, Recorder) else Recorder.shared())
        return self._recorder

    def __enter__(self) -> Self:
        self.open()
        self.go_in()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.go_out()
        self.leave(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function, plain or async, a generator or an async one: each call is a run of its own."""
        return decorated(self.again, function)

    def again(self) -> Self:
        """Return another block like this: a run of its own."""
        other = type(self).__new__(type(self))
        other.__dict__ |= self.__dict__ | {"run_id": "", "_recorder": None, "_tagged": None, "_inside": None, "_over": False}
        return other

    def open(self) -> None:
        """Report the start.

        Raises:
            RuntimeError: It is entered already; a block is one run.
        """
        if self.run_id and not self._over:
            raise RuntimeError("this block is entered already: make one for each `with`")
        self.run_id, self._recorder, self._over = uuid4().hex, None, False
        tagged = put(tags=self.tags) if self.tags else None
        try:
            self.recorder.record(self.started())
        finally:
            if tagged is not None:
                take_back(tagged)

    def go_in(self) -> None:
        """Let what follows belong to this run, until `go_out`."""
        self._tagged = put(tags=self.tags) if self.tags else None
        self._inside = self.recorder.activate(self.run_id)
        self._inside.__enter__()

    def go_out(self) -> None:
        """Let what follows belong to what was around."""
        if self._inside is not None:
            self._inside.__exit__(None, None, None)
        if self._tagged is not None:
            take_back(self._tagged)
        self._inside = self._tagged = None

    def leave(self, error: BaseException | None) -> None:
        """Report the end, unless it is reported: with an error, if one has come through the block."""
        if not self._over:
            self.finish(self.ended(*verdict(error)))

    def finish(self, event: End) -> None:
        """Report an end."""
        self._over = True
        self.recorder.record(event)

    def started(self) -> Start:
        """Return how it starts."""
        return StepStarted(run_id=self.run_id, conversation_id=self.conversation)

    def ended(self, status: Any, error_type: str | None) -> End:
        """Return how it ends where nothing else is said."""
        return Ended(run_id=self.run_id, status=status, error_type=error_type)

    def returned(self, result: Any) -> None:
        """Take what a decorated function returns."""

    def read(self, read: Any, *args: Any) -> tuple[Part, ...]:
        """Return what is read of what the program hands over; what cannot be read costs itself alone."""
        try:
            return read(*args)
        except Exception as error:
            self.recorder.failed(error)
            return ()


class Step(Block):
    """A group of runs; it has no span."""


class Agent(Block):
    """A block in which an agent, or a workflow of agents, is at work."""

    def __init__(self, name: str, kind: AgentKind, **options: Any) -> None:
        super().__init__(**options)
        self.name = name
        self.kind: AgentKind = kind

    def started(self) -> Start:
        """Return how it starts."""
        return AgentStarted(run_id=self.run_id, conversation_id=self.conversation, name=self.name, kind=self.kind)


class Tool(Block):
    """A block in which a tool runs."""

    def __init__(self, name: str, call_id: str | None, **options: Any) -> None:
        super().__init__(**options)
        self.name = name
        self.call_id = call_id

    def started(self) -> Start:
        """Return how it starts."""
        return ToolStarted(run_id=self.run_id, conversation_id=self.conversation, name=self.name, call_id=self.call_id)

    def end(self, result: R = None, *, cost_usd: Decimal | str | float | None = None) -> R:
        """Say what the tool has returned, and return it.

        Args:
            result: A text, blocks as a provider takes them, or anything that JSON can say; it goes no further than the store.
            cost_usd: What the tool itself has cost.

        Raises:
            ValueError: The cost is none.
        """
        usd = None if cost_usd is None else money(cost_usd, "cost_usd")
        if not self._over:
            output = self.read(result_parts, result, self.call_id)
            self.finish(Ended(run_id=self.run_id, output=output, cost_usd=usd))
        return result

    def returned(self, result: Any) -> None:
        """Take what a decorated function returns."""
        self.end(result)


class Retrieval(Block):
    """A block in which documents are looked for."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.name = name

    def started(self) -> Start:
        """Return how it starts."""
        return RetrievalStarted(run_id=self.run_id, conversation_id=self.conversation, name=self.name)

    def end(self, documents: R) -> R:
        """Say what was found, and return it: texts, or objects that have one under `page_content`, `text` or `content`."""
        if not self._over:
            self.finish(Ended(run_id=self.run_id, output=self.read(document_parts, documents)))
        return documents

    def returned(self, result: Any) -> None:
        """Take what a decorated function returns."""
        self.end(result)


def agent(
    name: str,
    *,
    conversation: str | None = None,
    tags: Tags | None = None,
    kind: AgentKind = "agent",
    recorder: Recorder | None = None,
) -> Agent:
    """Let what runs inside a `with` block, or inside a decorated function, belong to an agent.

    Args:
        name: The agent's name: the same one each time it runs.
        conversation: The conversation, thread or session; inherited where absent.
        tags: What to see on its span and on every span beneath. They leave the process as they are.
        kind: `workflow` for what coordinates agents and is none itself.
        recorder: A recorder of your own instead of the shared one.
    """
    return Agent(name, kind, conversation=conversation, tags=tags, recorder=recorder)


def tool(
    name: str,
    *,
    call_id: str | None = None,
    conversation: str | None = None,
    tags: Tags | None = None,
    recorder: Recorder | None = None,
) -> Tool:
    """Let what runs inside a `with` block, or inside a decorated function, belong to a tool; `end` says what it returned.

    Args:
        name: The tool's name.
        call_id: The id of the model's call that asked for it.
        conversation: As for `agent`, as are `tags` and `recorder`.
        tags: What to see on its span and on every span beneath.
        recorder: A recorder of your own instead of the shared one.
    """
    return Tool(name, call_id, conversation=conversation, tags=tags, recorder=recorder)


def retrieval(name: str, *, conversation: str | None = None, tags: Tags | None = None, recorder: Recorder | None = None) -> Retrieval:
    """Let a `with` block, or a decorated function, be a search for documents; `end` says what it found."""
    return Retrieval(name, conversation=conversation, tags=tags, recorder=recorder)


def step(*, conversation: str | None = None, tags: Tags | None = None, recorder: Recorder | None = None) -> Step:
    """Keep together what runs inside a `with` block, under the same tags and in the same conversation; it has no span."""
    return Step(conversation=conversation, tags=tags, recorder=recorder)


def handoff(to_agent: str) -> None:
    """Say that the agent at work passes control on; outside any agent, it says nothing."""
    around = current()
    if around.runs and isinstance(recorder := around.recorder, Recorder):
        recorder.record(Handoff(run_id=around.runs[-1][1], to_agent=to_agent))
