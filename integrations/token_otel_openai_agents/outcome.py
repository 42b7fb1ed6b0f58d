"""How runs end: the SDK calls a processor in the middle of what ends a span, so the exception, if there is one, is at hand."""

from __future__ import annotations

import sys
from typing import Any

from agents import UserError

from token_otel.events import Status, class_of, ended_by

# What semconv says where a class is not known: the SDK tells its spans errors by their text alone.
_OTHER = "_OTHER"


def verdict(span: Any, around: BaseException | None) -> tuple[Status, str | None]:
    """Return the status with which a span ends now, and the class of its error.

    Args:
        span: The span, or the trace.
        around: The exception that was being handled when it began: the caller's.
    """
    error = sys.exception()
    if error is not None and error is not around:
        return of(error)
    return ("error", _OTHER) if getattr(span, "error", None) else ("ok", None)


def of(error: BaseException) -> tuple[Status, str | None]:
    """Return the status with which an exception ends a run, and its class if it is an error; the SDK wraps those of tools."""
    if isinstance(error, UserError) and error.__cause__ is not None:
        return "error", class_of(error.__cause__)
    return ended_by(error)
