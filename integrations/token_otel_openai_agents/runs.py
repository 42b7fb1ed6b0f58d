"""`Runs`: the table of spans under way, and what is remembered of those that have ended."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from token_otel import Usage
from token_otel.events import ModelEnded, Part
from token_otel_openai_agents.history import History

if TYPE_CHECKING:
    from token_otel import Recorder
    from token_otel_openai_agents.door import Call

logger = logging.getLogger("token_otel")

MAX_RUNS = 20_000
SEALS = 4_096


@dataclass(slots=True)
class Run:
    """A span, or a trace, under way.

    Attributes:
        run_id: What it is called in events.
        parent: What it is a part of.
        at_ns: When it began.
        around: The exception that its caller was handling then.
        name: Of a tool.
        call_id: The model's call that a tool answers.
        call: Of a model, its passage through the door, if that is watched.
        current: Makes a tool's span the current one.
        read: Of a model, the messages it was asked with.
        asked: Of an agent, the calls of tools that its model has made and that have not begun, as names and ids.
        calls: Of a turn, how many calls of its model have ended.
        attempts: Of a turn, how many calls of its model have failed.
        spent: Of a turn, what the calls beneath have reported.
        unsaid: Of a turn, the ends of calls that have reported nothing.
    """

    run_id: str
    role: Literal["agent", "tool", "model", "turn", "step"]
    parent: Run | None = None
    at_ns: int = 0
    around: BaseException | None = None
    name: str = ""
    call_id: str | None = None
    call: Call | None = None
    current: AbstractContextManager[None] | None = None
    read: tuple[Part, ...] = ()
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    calls: int = 0
    attempts: int = 0
    spent: list[Usage] = field(default_factory=list[Usage])
    unsaid: list[ModelEnded] = field(default_factory=list[ModelEnded])

    def above(self) -> Iterator[Run]:
        """Yield what it is a part of, innermost first."""
        run = self.parent
        while run is not None:
            yield run
            run = run.parent

    @property
    def turn(self) -> Run | None:
        """The turn of its own agent that it is a part of, if the SDK traces turns."""
        nearest = next((run for run in self.above() if run.role in ("turn", "agent")), None)
        return nearest if nearest is not None and nearest.role == "turn" else None

    def within(self, role: str) -> Run | None:
        """Return the innermost of a role that it is a part of."""
        return next((run for run in self.above() if run.role == role), None)

    def claim(self, name: str) -> str | None:
        """Return the id of the call that a tool which begins now answers: the first of its name, since they begin in order."""
        calls = self.asked
        for place, (asked, call_id) in enumerate(calls):
            if asked == name or name.endswith(f".{asked}"):
                del calls[place]
                return call_id
        return None


class Runs:
    """Spans by id, shared by all processors of one recorder, so that a span which two of them see is one run."""

    def __init__(self) -> None:
        self.history = History()
        self.seals: dict[str, int] = {}
        self._runs: dict[str, Run] = {}
        self._said: set[str] = set()
        self._numbers = itertools.count()

    @staticmethod
    def of(recorder: Recorder) -> Runs:
        """Return the table of a recorder."""
        with _tables_lock:
            return _tables.setdefault(recorder, Runs())

    def __len__(self) -> int:
        return len(self._runs)

    def find(self, span_id: str | None) -> Run | None:
        """Return what is under way."""
        return self._runs.get(span_id) if span_id is not None else None

    def start(self, key: str, run: Run) -> Run | None:
        """Remember what begins; `None` if it is known: another processor has reported it."""
        return run if self._runs.setdefault(key, run) is run else None

    def end(self, key: str) -> Run | None:
        """Return what ends now; `None` if it is unknown or has ended."""
        return self._runs.pop(key, None)

    def overdue(self) -> Iterable[Run]:
        """Forget the oldest of too many, and return them: their ends are not expected any more."""
        while len(self._runs) > MAX_RUNS:
            run = self._runs.pop(next(iter(self._runs)), None)
            if run is not None:
                yield run
        while len(self.seals) > SEALS:
            self.seals.pop(next(iter(self.seals)), None)

    def say(self, sentence: str) -> None:
        """Log a sentence, once."""
        if sentence not in self._said:
            self._said.add(sentence)
            logger.warning(sentence)

    def number(self) -> int:
        """Return a number of its own for a trace: one that is resumed begins again under the same id."""
        return next(self._numbers)


def names_of(parts: Iterable[Part]) -> list[tuple[str, str]]:
    """Return the calls that a model has made, as names and ids."""
    return [(part.name or "", part.call_id) for part in parts if part.kind == "tool_call" and part.call_id]


_tables: WeakKeyDictionary[Recorder, Runs] = WeakKeyDictionary()
_tables_lock = threading.Lock()


def _forked() -> None:
    global _tables_lock
    _tables_lock = threading.Lock()
    for table in list(_tables.values()):
        table.history = History()  # its lock may have been held by a thread that stayed behind


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
