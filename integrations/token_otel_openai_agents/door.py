"""`Call`: a call of a model as it passes the model's own door, where more is told, and earlier, than on its span.

There the prompt is seen when it is sent, with the schemas of tools; the first chunk of a stream; and the ids of an answer
whose texts the trace is not to have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agents.tracing import GenerationSpanData, ResponseSpanData
from openai.types.responses import Response

from token_otel.events import FirstChunk, Status
from token_otel_openai_agents.calls import Answered, Asked, answered, parameters, provider_of, told
from token_otel_openai_agents.guard import guarded
from token_otel_openai_agents.items import plain
from token_otel_openai_agents.outcome import of, verdict
from token_otel_openai_agents.runs import Runs

if TYPE_CHECKING:
    from token_otel import Recorder
    from token_otel_openai_agents.models import Models
    from token_otel_openai_agents.runs import Run

UNSEEN = (
    "the OpenAI Agents SDK traces nothing here, so that nothing is seen: OPENAI_AGENTS_DISABLE_TRACING, set_tracing_disabled() or "
    "RunConfig(tracing_disabled=True) switch it off, and set_trace_processors() replaces the processors that were added before"
)

_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
_BEFORE = {"response.created", "response.queued", "response.in_progress"}
_SETTINGS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens", "reasoning")


class Call:
    """One call, from before its span begins until after it has ended.

    Attributes:
        run: What its span is called; `None` while it has none.
    """

    __slots__ = ("_answer", "_arguments", "_asked", "_data", "_ended", "_models", "_streaming", "_token", "recorder", "run")

    def __init__(self, recorder: Recorder, arguments: Mapping[str, Any]) -> None:
        self.recorder = recorder
        self.run: Run | None = None
        self._arguments = arguments
        self._models: Models | None = None
        self._asked = Asked()
        self._answer: Any = None
        self._data: object = None
        self._ended: tuple[Status, str | None] | None = None
        self._streaming = False
        self._token: Token[Call | None] | None = None

    def __enter__(self) -> None:
        self._token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            with suppress(ValueError):  # an abandoned coroutine is closed from another context: there is nothing to take back
                _current.reset(self._token)

    def started(self, models: Models, run: Run, data: object, orphan_of: str | None) -> None:
        """Take the span that has begun as this call's, and report what is asked."""
        self.run, self._models = run, models
        self._asked = models.read(Asked(), _asked, self._arguments, data)
        models.started(run, self._asked, orphan_of)

    @guarded
    def seen(self, chunk: Any) -> None:
        """Take an event of a stream."""
        form = getattr(chunk, "type", None)
        if form in _TERMINAL:
            self._answer = getattr(chunk, "response", None)
        if not self._streaming and self.run is not None and form not in _BEFORE:
            self._streaming = True
            self.recorder.record(FirstChunk(run_id=self.run.run_id))

    def closed(self, span: Any) -> None:
        """Take the end of its span."""
        if self.run is not None:
            self._data = span.span_data
            self._ended = verdict(span, self.run.around)

    @guarded
    def finish(self, error: BaseException | None = None, answer: Any = None) -> None:
        """Report what came of it, with the answer where it was not streamed. Without a span there is nothing to report it under."""
        run, models = self.run, self._models
        if run is None or models is None:
            Runs.of(self.recorder).say(UNSEEN)
            return
        status = self._ended or (of(error) if error is not None else ("ok", None))
        found = models.read(Answered(), _answered, self._data, self._answer or answer)
        models.ended(run, self._asked, found, *status, dark=not _is_told(self._arguments))


def current(recorder: Recorder) -> Call | None:
    """Return the call of a model that passes the door right now."""
    call = _current.get()
    return call if call is not None and call.recorder is recorder else None


def _is_told(arguments: Mapping[str, Any]) -> bool:
    tracing = arguments.get("tracing")
    return tracing is None or tracing.include_data()


def _asked(arguments: Mapping[str, Any], data: object) -> Asked:
    chat = isinstance(data, GenerationSpanData)
    config = (data.model_config if isinstance(data, GenerationSpanData) else None) or {}
    settings = arguments.get("model_settings")
    name = getattr(arguments.get("self"), "model", None)
    model = str(name) if name else None
    told = _is_told(arguments)
    return Asked(
        model=model,
        provider=provider_of(model, config.get("base_url")) if chat else "openai",
        schemas=tuple(_schemas(arguments, nested=chat)) if told else (),
        instructions=arguments.get("system_instructions") if told else None,
        given=arguments.get("input") if told else None,
        previous=arguments.get("previous_response_id"),
        conversation=arguments.get("conversation_id"),
        request=parameters({name: getattr(settings, name, None) for name in _SETTINGS}),
    )


def _schemas(arguments: Mapping[str, Any], *, nested: bool) -> Iterable[Mapping[str, Any]]:
    """Yield what is sent of tools, of hand-offs, and of the answer's format."""
    for tool in (*(arguments.get("tools") or ()), *(arguments.get("handoffs") or ())):
        if (parameters := getattr(tool, "params_json_schema", None)) is not None:
            told = {"name": tool.name, "description": tool.description, "parameters": parameters}
        elif (parameters := getattr(tool, "input_json_schema", None)) is not None:
            told = {"name": tool.tool_name, "description": tool.tool_description, "parameters": parameters}
        else:
            config: Any = getattr(tool, "tool_config", None)
            yield config if isinstance(config, Mapping) else {"type": getattr(tool, "name", "tool")}
            continue
        yield {"type": "function", "function": told} if nested else {"type": "function", **told}
    form = arguments.get("output_schema")
    if form is not None and not form.is_plain_text():
        yield {"type": "json_schema", "name": "final_output", "schema": form.json_schema()}


def _answered(data: object, answer: Any) -> Answered:
    """Read what a span has been told; of a stream its last event, and of an answer that the span is not to have, the ids."""
    if isinstance(data, ResponseSpanData) and isinstance(answer, Response):
        return answered(answer, data.usage)
    _, found = told(data)
    output = found.output or tuple(plain(item) for item in getattr(answer, "output", None) or ())
    return replace(found, output=output, response_id=found.response_id or getattr(answer, "response_id", None))


_current: ContextVar[Call | None] = ContextVar("token_otel_openai_agents_call", default=None)
