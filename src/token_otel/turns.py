"""`Turns`: what is asked of a recorder in the middle of its own work waits until that is done.

A signal handler, a log handler or a span processor may call it from the very thread that is inside, holding its lock or one of the
SDK's; a destructor may run between any two lines. What they ask for would wait for itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from token_otel.lifetime import collecting

MOST = 200  # at a time: a processor that answers each span with another must come to an end

Job: TypeAlias = Callable[[], object]


class Inside(threading.local):
    """Whether this thread is inside the recorder, and what it has been asked there."""

    now = False

    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()


class Turns:
    """Jobs that wait: those that any thread may do, in `waiting`, and those of each thread that is inside, which it does itself, in order.

    Args:
        on_error: Is told of a job that failed.
    """

    def __init__(self, on_error: Callable[[Exception], object]) -> None:
        self.inside = Inside()
        self.waiting: deque[Job] = deque()
        self._on_error = on_error

    def put_off(self, job: Job) -> bool:
        """Have something wait, if this thread may take no lock now; tell whether it does."""
        if collecting():
            self.waiting.append(job)
        elif self.inside.now:
            self.inside.waiting.append(job)
        else:
            return False
        return True

    def take(self, job: Job) -> None:
        """Do something, when this thread may, and then what it was asked meanwhile."""
        if self.put_off(job):
            return
        try:
            self.inside.now = True
            self._do(job)
            self.finish()
        finally:
            self.leave()

    def finish(self) -> None:
        """Do what this thread was asked while it was inside."""
        waiting = self.inside.waiting
        for _ in range(MOST):
            if not waiting:
                return
            self._do(waiting.popleft())
        waiting.clear()
        self._on_error(RecursionError("what is recorded has the program record more, without end"))

    def leave(self) -> None:
        """Note that this thread is outside; what it could not finish, others may."""
        self.inside.now = False
        if self.inside.waiting:
            self.waiting.extend(self.inside.waiting)
            self.inside.waiting.clear()

    def catch_up(self) -> None:
        """Do what waits for any thread; what comes of it waits for the next time."""
        for _ in range(len(self.waiting)):
            with suppress(IndexError):  # another thread was faster
                self._do(self.waiting.popleft())

    def _do(self, job: Job) -> None:
        try:
            job()
        except Exception as error:
            self._on_error(error)
