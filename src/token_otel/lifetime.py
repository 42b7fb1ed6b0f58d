"""Lifetime: what becomes of a recorder when its provider is flushed or shut down, and when the process forks, exits or collects garbage."""

from __future__ import annotations

import atexit
import gc
import os
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import Any, Protocol


class Watched(Protocol):
    """A recorder, as far as it is looked after here."""

    def flush(self) -> None:
        """Close what has outlived its parents."""
        ...

    def settle(self) -> None:
        """Close every open run."""
        ...

    def before_fork(self) -> None:
        """Finish what a child must not inherit by halves."""
        ...

    def forked(self) -> None:
        """Begin anew in a child process."""
        ...


def watch(recorder: Watched) -> None:
    """Settle a recorder when the interpreter exits, before the providers made earlier shut down; renew its lock after a fork."""
    reference = weakref.ref(recorder)

    def call(method: str) -> None:
        alive = reference()
        if alive is not None:
            getattr(alive, method)()

    atexit.register(call, "settle")
    at_fork(lambda: call("forked"), before=lambda: call("before_fork"))


def at_fork(in_child: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> None:
    """Have functions called before each fork, and in the child after it, where there are forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_child=in_child)


def collecting() -> bool:
    """Tell whether this thread collects garbage.

    What is said then comes from a destructor, such as that of a stream which somebody has dropped. It may run between any two
    lines, while this thread holds a lock: ours, the SDK's, or an exporter's.
    """
    return _collector is not None and _collector == get_ident()


def _note_collection(phase: str, _info: object) -> None:
    global _collector
    _collector = get_ident() if phase == "start" else None


_collector: int | None = None
gc.callbacks.append(_note_collection)


def settle_with(provider: Any, recorder: Watched) -> bool:
    """Have a recorder's open runs closed before the provider's processors are flushed or shut down, at exit too.

    Returns:
        Whether the provider is one that can be shut down: the API's own, before another is set, is not.
    """
    if not hasattr(provider, "shutdown"):
        return False
    known: weakref.WeakSet[Watched] | None = getattr(provider, _SETTLES, None)
    if known is None:
        known = weakref.WeakSet()
        _wrap(provider, known)
    if recorder not in known:
        known.add(recorder)
        # The provider registers its own shutdown when it is made: whoever comes later goes first.
        reference = weakref.ref(recorder)
        atexit.register(lambda: (alive := reference()) is not None and alive.settle())
    return True


def _wrap(provider: Any, recorders: weakref.WeakSet[Watched]) -> None:
    flush, shutdown = provider.force_flush, provider.shutdown

    def force_flush(*args: Any, **kwargs: Any) -> Any:
        for recorder in list(recorders):
            recorder.flush()
        return flush(*args, **kwargs)

    def shut_down(*args: Any, **kwargs: Any) -> Any:
        for recorder in list(recorders):
            recorder.settle()
        return shutdown(*args, **kwargs)

    provider.force_flush, provider.shutdown = force_flush, shut_down
    setattr(provider, _SETTLES, recorders)


_SETTLES = "_token_otel_settles"
