"""`Worker`: one background thread, for what a callback need not wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from typing import TypeAlias, cast

Job: TypeAlias = Callable[[], object]
"""What is to be done; a generator is gone through, in slices of time."""

MAX_WAITING = 10_000
SLICE_S = 0.0002  # of work, then a short sleep: a busy thread delays an event loop by the switch interval, 5 ms
SLEEP_S = 0.00001


class Worker:
    """Runs jobs in the order given, one at a time, on a daemon thread that starts with the first job.

    Args:
        tick: Called about once a second while the thread is idle.
        on_error: Is told of a job that failed.
        inline: Run each job at once in the caller's thread instead, so that everything is deterministic.
    """

    def __init__(self, tick: Job, *, on_error: Callable[[Exception], object], inline: bool = False) -> None:
        self._tick = tick
        self._on_error = on_error
        self._inline = inline
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> bool:
        """Run `job` soon. Beyond 10,000 waiting jobs it is dropped: none is needed for the books to balance.

        Returns:
            Whether it was taken.
        """
        if self._inline:
            self._do(job)
            return True
        if self._jobs.qsize() >= MAX_WAITING:
            return False
        self._jobs.put(job)
        if self._thread is None:
            self._start()
        return True

    def leave(self, job: Job) -> None:
        """Run `job` soon; at once where too many wait, since it must be done."""
        if not self.submit(job):
            self._do(job)

    def drain(self, timeout_s: float = 5.0) -> None:
        """Wait until the jobs given so far are done, at most `timeout_s`."""
        if self._inline or self._thread is None or self._thread is threading.current_thread():
            return
        done = threading.Event()
        self._jobs.put(done.set)
        done.wait(timeout_s)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(self._jobs,), name="token-otel", daemon=True)
                self._thread.start()

    def _run(self, jobs: SimpleQueue[Job]) -> None:
        while True:
            try:
                job = jobs.get(timeout=1.0)
            except Empty:
                job = self._tick
            self._do(job)

    def _do(self, job: Job) -> None:
        try:
            steps = job()
            if isinstance(steps, Generator):
                self._go_through(cast("Generator[object]", steps))
        except Exception as error:
            self._on_error(error)

    def _go_through(self, steps: Generator[object]) -> None:
        until = time.perf_counter() + SLICE_S
        for _ in steps:
            if not self._inline and time.perf_counter() > until:
                time.sleep(SLEEP_S)
                until = time.perf_counter() + SLICE_S

    def forked(self) -> None:
        """Begin anew in a child process: the thread stayed behind in the parent, perhaps in the middle of the queue."""
        self._lock = threading.Lock()
        self._jobs = SimpleQueue()
        self._thread = None
