"""`integration`: one processor for every run of the process, and a watch at the doors of OpenAI's models and of the runner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import wraps
from inspect import signature
from typing import Any

from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from agents.tracing import add_trace_processor

from token_otel import Recorder
from token_otel_openai_agents.conversation import conversing
from token_otel_openai_agents.door import Call, current
from token_otel_openai_agents.processor import TokenOtelProcessor


class Integration:
    """Watches the OpenAI Agents SDK, process-wide.

    Attributes:
        framework: The module whose import makes it useful.
    """

    framework = "agents"

    def __init__(self) -> None:
        self._processor: TokenOtelProcessor | None = None
        self._unwrap: list[Callable[[], bool]] = []

    @property
    def recorder(self) -> Recorder | None:
        """Where runs are reported, while they are."""
        return self._processor.recorder if self._processor is not None and self._processor.enabled else None

    def instrument(self, recorder: Recorder) -> None:
        """Report every run of the process to `recorder`; beside an explicit processor on the same recorder, once."""
        if self._processor is None:
            self._processor = TokenOtelProcessor(recorder=recorder)
            add_trace_processor(self._processor)
        self._processor.watch(recorder)
        if not self._unwrap:
            for model in (OpenAIResponsesModel, OpenAIChatCompletionsModel):
                self._unwrap += [self._watch_response(model), self._watch_stream(model)]
            self._unwrap += [_name_run(), _name_start("run_sync"), _name_start("run_streamed")]

    def uninstrument(self) -> None:
        """Report nothing more that begins."""
        if self._processor is not None:
            self._processor.enabled = False  # the SDK gives no processor back
        # A wrapper that somebody else has wrapped in turn stays, and lets everything through.
        self._unwrap = [unwrap for unwrap in self._unwrap if not unwrap()]

    def _call(self, original: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """Return a call that passes a model's door now; none where it is not watched, or has passed one already."""
        recorder = self.recorder
        if recorder is None or current(recorder) is not None:
            return None
        try:
            return Call(recorder, signature(original).bind(*args, **kwargs).arguments)
        except TypeError:
            return None  # the call itself will say so

    def _watch_response(self, model: type[Any]) -> Callable[[], bool]:
        original = model.get_response

        @wraps(original)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            call = self._call(original, args, kwargs)
            if call is None:
                return await original(*args, **kwargs)
            try:
                with call:
                    answer = await original(*args, **kwargs)
            except BaseException as error:
                call.finish(error)
                raise
            call.finish(answer=answer)
            return answer

        return _replace(model, "get_response", watched)

    def _watch_stream(self, model: type[Any]) -> Callable[[], bool]:
        original = model.stream_response

        @wraps(original)
        async def watched(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            call = self._call(original, args, kwargs)
            stream = original(*args, **kwargs)
            if call is None:
                async for chunk in stream:
                    yield chunk
                return
            try:
                while True:
                    with call:  # between two chunks the context is the reader's
                        chunk = await anext(stream, _END)
                    if chunk is _END:
                        break
                    call.seen(chunk)
                    yield chunk
            except BaseException as error:
                try:
                    await stream.aclose()
                finally:
                    call.finish(error)
                raise
            call.finish()

        return _replace(model, "stream_response", watched)


_END = object()


def _name_run() -> Callable[[], bool]:
    original = vars(Runner)["run"].__func__

    @wraps(original)
    async def named(*args: Any, **kwargs: Any) -> Any:
        with conversing(kwargs):
            return await original(*args, **kwargs)

    return _replace(Runner, "run", classmethod(named))


def _name_start(name: str) -> Callable[[], bool]:
    original = vars(Runner)[name].__func__

    @wraps(original)
    def named(*args: Any, **kwargs: Any) -> Any:
        with conversing(kwargs):
            return original(*args, **kwargs)

    return _replace(Runner, name, classmethod(named))


def _replace(owner: type[Any], name: str, ours: Any) -> Callable[[], bool]:
    """Put `ours` in a method's place; what is returned puts the original back, if nobody has come in between."""
    original = vars(owner)[name]
    setattr(owner, name, ours)

    def unwrap() -> bool:
        if vars(owner)[name] is not ours:
            return False
        setattr(owner, name, original)
        return True

    return unwrap


integration = Integration()
