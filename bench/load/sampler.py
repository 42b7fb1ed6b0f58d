"""`Sampler`: where the CPU of the main thread goes, by a timer signal; what the other threads take, by their own clocks."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any

EVERY_S = 0.001
HOST = "LangChain, the model and the test itself"

# The innermost frame that belongs to one of these has the time; what a library does for it is its own.
_PLACES = (
    ("/token_otel_langchain/", "the LangChain adapter"),
    ("/token_otel/flow/", "flow"),
    ("/token_otel/tokens/", "counting tokens"),
    ("/token_otel/prices/", "prices"),
    ("/token_otel/otel/", "span attributes and metrics"),
    ("/token_otel/", "recorder, ledger and events"),
    ("/opentelemetry/", "the SDK"),
)


class Sampler:
    """Takes samples of the main thread between entering and leaving; each weighs the CPU that the thread used since the one before.

    So a wait weighs nothing, and neither does what another thread does meanwhile.

    Attributes:
        places: Nanoseconds by place.
        lines: Nanoseconds by function of ours.
        threads: Nanoseconds of the other threads, by name.
    """

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.threads: Counter[str] = Counter()
        self._last = 0
        self._before: dict[int, int] = {}

    def __enter__(self) -> Sampler:
        self._before = _clocks()
        self._last = time.thread_time_ns()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, now in _clocks().items():
            self.threads[names.get(ident, "")] += now - self._before.get(ident, 0)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        now = time.thread_time_ns()
        weight, self._last = now - self._last, now
        place, line = _place(frame)
        self.places[place] += weight
        if line:
            self.lines[line] += weight


def _place(frame: FrameType | None) -> tuple[str, str]:
    while frame is not None:
        code = frame.f_code
        path = code.co_filename
        # A tool runs within the adapter's boundary: what is beyond it is the program's.
        if "/bench/" in path or code.co_name == "bounded":
            break
        for part, name in _PLACES:
            if part in path:
                return name, f"{path.rpartition('/')[2]}:{code.co_qualname}"
        frame = frame.f_back
    return HOST, ""


def _clocks() -> dict[int, int]:
    """Return the CPU of every thread but this one."""
    pthread: Any = time.pthread_getcpuclockid
    others = [thread.ident for thread in threading.enumerate() if thread is not threading.current_thread() and thread.ident is not None]
    return {ident: time.clock_gettime_ns(pthread(ident)) for ident in others}


def shares(counted: Mapping[str, int], calls: int) -> list[tuple[str, float]]:
    """Return microseconds a call, most first."""
    return [(name, ns / calls / 1_000) for name, ns in Counter(counted).most_common()]
