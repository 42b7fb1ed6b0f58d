"""`Shared`: one thing for each pair of providers, made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import product
from typing import Generic, TypeVar

from token_otel.lifetime import at_fork

T = TypeVar("T")


class Shared(Generic[T]):
    """What is shared, by the providers it writes to."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], T] = {}
        self._lock = threading.RLock()  # a signal handler may ask in the middle of it
        at_fork(self._forked)

    def of(self, make: Callable[[], T], *asked: tuple[object, object | None]) -> T:
        """Return the one of these providers, each given as the global one and the one asked for."""
        keys = [*product(*[_known_as(default, provider) for default, provider in asked])]
        with self._lock:
            # What is this very provider's goes first.
            found = next((self._found[key] for key in reversed(keys) if key in self._found), None)
            return found or self._found.setdefault(keys[0], make())

    def _forked(self) -> None:
        self._lock = threading.RLock()


def _known_as(default: object, provider: object | None) -> tuple[object, ...]:
    """Return what a provider is known as: the global one by itself too, since it may have been used before it was the global one."""
    return (None, default) if provider is None or provider is default else (provider,)
