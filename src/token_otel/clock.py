"""`Clock`: nanoseconds since the epoch."""

from __future__ import annotations

import time

LATEST_NS = 1 << 63  # in the year 2262: what is stamped later is no time


class Clock:
    """Nanoseconds since the epoch that never run backwards: an anchor, and the monotonic clock from there."""

    def __init__(self) -> None:
        self._anchor = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the time."""
        return self._anchor + time.monotonic_ns()
