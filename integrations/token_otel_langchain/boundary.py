"""`Boundary`: a frame around one execution of a tool, which makes its span current and sees to it that it ends."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from uuid import UUID

from token_otel import Recorder
from token_otel_langchain.outcome import verdict
from token_otel_langchain.runs import Runs


class Boundary:
    """Stands around `BaseTool.run` or `arun`, in one thread and one context, so that attaching and detaching pair up.

    Only tools have one. Around a model it would be wrong: an async model starts and ends in different contexts.
    """

    __slots__ = ("_active", "_recorder", "_run_id", "_token")

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._run_id: UUID | None = None
        self._active: AbstractContextManager[None] | None = None
        self._token: Token[Boundary | None] | None = None

    def __enter__(self) -> None:
        self._token = _current.set(self)

    def claim(self, recorder: Recorder, run_id: UUID) -> None:
        """Take the first tool that starts within as the one it stands around, and make its span current."""
        if self._run_id is None and self._recorder is recorder:
            self._run_id = run_id
            self._active = recorder.activate(str(run_id))
            self._active.__enter__()

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if self._token is not None:
                _current.reset(self._token)
            if self._active is not None:
                self._active.__exit__(None, None, None)
        except ValueError:
            pass  # an abandoned coroutine is closed from another context: there is nothing to detach
        if self._run_id is not None:
            runs = Runs.of(self._recorder)
            run = runs.end(self._run_id)
            if run is not None:
                # LangChain reports no end for a tool that is cancelled or timed out.
                runs.close(run, *(verdict(exc) if exc is not None else ("ok", None)))


def enter_tool(recorder: Recorder, run_id: UUID) -> None:
    """Make a tool's span current until the boundary around it ends; without one, do nothing."""
    boundary = _current.get()
    if boundary is not None:
        boundary.claim(recorder, run_id)


_current: ContextVar[Boundary | None] = ContextVar("token_otel_langchain_boundary", default=None)
