"""`integration`: one handler for every run of the process, and a boundary around every tool."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.tracers.context import register_configure_hook

from token_otel import Recorder
from token_otel_langchain.boundary import Boundary
from token_otel_langchain.handler import TokenOtelHandler
from token_otel_langchain.runs import Runs


class _ProcessHandler(TokenOtelHandler):
    """The handler that LangChain finds in every run. It cannot be taken back, so it can be switched off."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder=recorder)
        self.enabled = True

    def watch(self, recorder: Recorder) -> None:
        """Report to `recorder` from now on."""
        self.recorder, self._runs, self.enabled = recorder, Runs.of(recorder), True

    @property
    def ignore_llm(self) -> bool:
        return not self.enabled

    @property
    def ignore_chat_model(self) -> bool:
        return not self.enabled

    @property
    def ignore_chain(self) -> bool:
        return not self.enabled

    @property
    def ignore_agent(self) -> bool:
        return not self.enabled

    @property
    def ignore_retriever(self) -> bool:
        return not self.enabled


class Integration:
    """Watches LangChain and LangGraph, process-wide.

    Attributes:
        framework: The module whose import makes it useful.
    """

    framework = "langchain_core"

    def __init__(self) -> None:
        self._handler: _ProcessHandler | None = None
        self._unwrap: list[Callable[[], bool]] = []

    @property
    def recorder(self) -> Recorder | None:
        """Where runs are reported, while they are."""
        return self._handler.recorder if self._handler is not None and self._handler.enabled else None

    def instrument(self, recorder: Recorder) -> None:
        """Report every run of the process to `recorder`; beside an explicit handler on the same recorder, once."""
        if self._handler is not None:
            self._handler.watch(recorder)
        else:
            self._handler = _ProcessHandler(recorder)
            register_configure_hook(ContextVar("token_otel_langchain", default=self._handler), inheritable=True)
        if not self._unwrap:
            self._unwrap = [self._wrap_run(), self._wrap_arun()]

    def uninstrument(self) -> None:
        """Report no more, not even of runs that are under way."""
        if self._handler is not None:
            self._handler.enabled = False
        # A wrapper that somebody else has wrapped in turn stays, and lets everything through.
        self._unwrap = [unwrap for unwrap in self._unwrap if not unwrap()]

    def _wrap_run(self) -> Callable[[], bool]:
        run = BaseTool.run

        @wraps(run)
        def bounded(tool: BaseTool, *args: Any, **kwargs: Any) -> Any:
            recorder = self.recorder
            if recorder is None:
                return run(tool, *args, **kwargs)
            with Boundary(recorder):
                return run(tool, *args, **kwargs)

        return _replace("run", run, bounded)

    def _wrap_arun(self) -> Callable[[], bool]:
        arun = BaseTool.arun

        @wraps(arun)
        async def bounded(tool: BaseTool, *args: Any, **kwargs: Any) -> Any:
            recorder = self.recorder
            if recorder is None:
                return await arun(tool, *args, **kwargs)
            with Boundary(recorder):
                return await arun(tool, *args, **kwargs)

        return _replace("arun", arun, bounded)


def _replace(name: str, original: Any, ours: Any) -> Callable[[], bool]:
    """Put `ours` in a method's place; what is returned puts the original back, if nobody has come in between."""
    setattr(BaseTool, name, ours)

    def unwrap() -> bool:
        if getattr(BaseTool, name) is not ours:
            return False
        setattr(BaseTool, name, original)
        return True

    return unwrap


integration = Integration()
