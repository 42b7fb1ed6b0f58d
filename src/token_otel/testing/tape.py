"""`Tape`: events on a tape, to be kept, replayed and compared."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from token_otel.events import Event


class Sink(Protocol):
    """What takes events: a `Recorder` or a `Tape`."""

    def record(self, event: Event) -> None:
        """Take one event."""
        ...


class Tape:
    """Records events instead of booking them; an adapter under test writes to it as to a recorder.

    Args:
        events: What is already on it.
    """

    def __init__(self, events: list[Event] | None = None) -> None:
        self.events: list[Event] = [] if events is None else list(events)

    def record(self, event: Event) -> None:
        """Append one event."""
        self.events.append(event)

    def now_ns(self) -> int | None:
        """Return no time: what is on a tape is the same each time it is recorded."""
        return None

    def record_later(self, event: Event) -> None:
        """Append one event, from a destructor."""
        self.events.append(event)

    def activate(self, run_id: str) -> AbstractContextManager[None]:
        """Make nothing current: a tape has no spans."""
        return nullcontext()

    def check_budget(self, parent_id: str | None = None) -> None:
        """Let every call start."""

    def failed(self, error: Exception) -> None:
        """Raise what went wrong in the adapter: a test is to see it."""
        raise error

    def play(self, sink: Sink) -> None:
        """Give every event to `sink`, in order: a bug report becomes a test."""
        for event in self.events:
            sink.record(event)
