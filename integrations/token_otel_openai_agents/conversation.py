"""The session or the conversation of a run that is about to begin, which the SDK does not tell its trace."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

conversation: ContextVar[str | None] = ContextVar("token_otel_openai_agents_conversation", default=None)


@contextmanager
def conversing(arguments: Mapping[str, Any]) -> Generator[None]:
    """Name the conversation of a run by what its runner is given."""
    token = conversation.set(_named(arguments))
    try:
        yield
    finally:
        with suppress(ValueError):  # an abandoned coroutine is closed from another context
            conversation.reset(token)


def _named(arguments: Mapping[str, Any]) -> str | None:
    try:
        named: object = arguments.get("conversation_id") or getattr(arguments.get("session"), "session_id", None)
    except Exception:  # a session at the provider has no id before its first use, and says so
        return None
    return named if isinstance(named, str) else None
