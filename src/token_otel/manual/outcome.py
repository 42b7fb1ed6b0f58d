"""How a block ends."""

from __future__ import annotations

import asyncio
import concurrent.futures

from token_otel.events import Status

_CANCELLED = (GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError, concurrent.futures.CancelledError)


def verdict(error: BaseException | None) -> tuple[Status, str | None]:
    """Return the status with which an exception ends a run, and its class if it is an error: never its text."""
    if error is None:
        return "ok", None
    if isinstance(error, _CANCELLED):
        return "cancelled", None
    kind = type(error)
    return "error", kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
