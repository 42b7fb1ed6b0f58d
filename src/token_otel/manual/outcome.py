"""How a block ends."""

from __future__ import annotations

from token_otel.events import Status, ended_by


def verdict(error: BaseException | None) -> tuple[Status, str | None]:
    """Return the status with which a block is left, and the class of the error that came through it."""
    return ("ok", None) if error is None else ended_by(error)
