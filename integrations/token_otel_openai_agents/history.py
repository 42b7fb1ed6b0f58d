"""`History`: what a provider keeps of a conversation, so that a call which names it is known by all that it reads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from token_otel.events import Part

RESPONSES = 512
CHARACTERS = 8_000_000


class History:
    """The messages behind a response or a conversation, within a bound; without instructions and tools, which are sent anew."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[tuple[Part, ...], int]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def before(self, *names: str | None) -> tuple[Part, ...]:
        """Return the messages behind the first of the names that is known."""
        return next((self._kept[name][0] for name in names if name is not None and name in self._kept), ())

    def keep(self, parts: tuple[Part, ...], *names: str | None) -> None:
        """Remember the messages that the next call with one of these names reads."""
        size = sum(len(part.text) for part in parts)
        with self._lock:
            for name in names:
                if name is not None:
                    self._characters += size - self._kept.pop(name, ((), 0))[1]
                    self._kept[name] = parts, size
            for oldest in self._oldest():
                self._characters -= self._kept.pop(oldest)[1]

    def _oldest(self) -> Iterator[str]:
        while len(self._kept) > RESPONSES or (self._characters > CHARACTERS and len(self._kept) > 1):
            yield next(iter(self._kept))
