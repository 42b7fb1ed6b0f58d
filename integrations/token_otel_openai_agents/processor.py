"""`TokenOtelProcessor`: the spans of the OpenAI Agents SDK, translated into events."""

from __future__ import annotations

import sys
import time
from typing import Any

from agents.tracing import (
    AgentSpanData,
    FunctionSpanData,
    GenerationSpanData,
    HandoffSpanData,
    ResponseSpanData,
    Span,
    Trace,
    TracingProcessor,
    TurnSpanData,
    get_trace_provider,
)
from agents.tracing.traces import NoOpTrace

from token_otel import Recorder
from token_otel.events import AgentStarted, Attributes, Ended, Event, Handoff, StepStarted, ToolStarted
from token_otel_openai_agents.calls import Answered, Asked, told
from token_otel_openai_agents.conversation import conversation
from token_otel_openai_agents.door import UNSEEN, current
from token_otel_openai_agents.guard import guarded
from token_otel_openai_agents.items import plain, result_parts
from token_otel_openai_agents.models import Models
from token_otel_openai_agents.outcome import verdict
from token_otel_openai_agents.runs import Run, Runs

# What the SDK calls every run that is given no name.
_UNNAMED = "Agent workflow"


class TokenOtelProcessor(TracingProcessor):
    """Reports every agent, model call, tool and hand-off of the OpenAI Agents SDK to a recorder.

    It stands beside the processors that are there, and may be shared by threads and tasks. Only leaves have usage: what
    the SDK writes on tasks and turns are sums.

    Args:
        tracer_provider: Where spans go; the global one by default.
        meter_provider: Where metrics go; the global one by default.
        recorder: A recorder of your own instead.
    """

    def __init__(self, *, tracer_provider: Any = None, meter_provider: Any = None, recorder: Recorder | None = None) -> None:
        self.watch(recorder if recorder is not None else Recorder.shared(tracer_provider, meter_provider))
        if isinstance(get_trace_provider().create_trace("token-otel"), NoOpTrace):
            self._runs.say(UNSEEN)

    def watch(self, recorder: Recorder) -> None:
        """Report to `recorder` from now on."""
        self.recorder, self.enabled = recorder, True
        self._runs = Runs.of(recorder)
        self._models = Models(recorder, self._runs)

    @guarded
    def on_trace_start(self, trace: Trace) -> None:
        if not self.enabled:
            return
        run_id = f"{trace.trace_id}/{self._runs.number()}"
        run = self._runs.start(trace.trace_id, Run(run_id, "step", around=sys.exception()))
        if run is not None:
            name = trace.name if trace.name != _UNNAMED else None
            group: str | None = getattr(trace, "group_id", None) or conversation.get()
            about = self._attributes(getattr(trace, "metadata", None))
            self._record(AgentStarted(run_id=run_id, conversation_id=group, attributes=about, name=name, kind="workflow"))

    @guarded
    def on_trace_end(self, trace: Trace) -> None:
        run = self._runs.end(trace.trace_id)
        if run is not None:
            self._close(run, trace)

    @guarded
    def on_span_start(self, span: Span[Any]) -> None:
        if not self.enabled or self._runs.find(span.span_id) is not None:
            return
        parent = self._runs.find(span.parent_id or span.trace_id)
        parent_id = parent.run_id if parent is not None else span.parent_id or span.trace_id
        run = Run(span.span_id, "step", parent, time.time_ns(), sys.exception())
        self._runs.start(span.span_id, run)
        for old in self._runs.overdue():
            self._record(Ended(run_id=old.run_id, status="cancelled"))
        match span.span_data:
            case AgentSpanData() as data:
                run.role = "agent"
                self._record(AgentStarted(run_id=run.run_id, parent_id=parent_id, name=data.name))
            case FunctionSpanData() as data:
                run.role, run.name = "tool", data.name
                agent = run.within("agent")
                run.call_id = agent.claim(data.name) if agent is not None else None
                self._record(ToolStarted(run_id=run.run_id, parent_id=parent_id, name=data.name, call_id=run.call_id))
                # The SDK's own `with` block stands around a tool, in one task and one context.
                run.current = self.recorder.activate(run.run_id)
                run.current.__enter__()
            case GenerationSpanData() | ResponseSpanData():
                run.role = "model"
                run.call = current(self.recorder)
                if run.call is not None:
                    run.call.started(self._models, run, span.span_data, span.parent_id or span.trace_id)
            case _:
                run.role = "turn" if isinstance(span.span_data, TurnSpanData) else "step"
                self._record(StepStarted(run_id=run.run_id, parent_id=parent_id))

    @guarded
    def on_span_end(self, span: Span[Any]) -> None:
        run = self._runs.end(span.span_id)
        if run is None:
            return
        match span.span_data:
            case GenerationSpanData() | ResponseSpanData() as data:
                if run.call is not None:
                    run.call.closed(span)
                else:
                    self._told(run, span, data)
            case FunctionSpanData() as data:
                if run.current is not None:
                    run.current.__exit__(None, None, None)
                self._close(run, span, result_parts(data.output, run.call_id, run.name))
            case HandoffSpanData() as data:
                agent = run.within("agent")
                if agent is not None and data.to_agent:
                    self._record(Handoff(run_id=agent.run_id, to_agent=data.to_agent))
                self._close(run, span)
            case TurnSpanData() as data:
                self._models.turned(run, data.usage)
                self._close(run, span)
            case _:
                self._close(run, span)

    def shutdown(self) -> None:
        """Do nothing: runs are settled with the tracer provider."""

    def force_flush(self) -> None:
        """Do nothing: spans go out when they end."""

    def _told(self, run: Run, span: Span[Any], data: GenerationSpanData | ResponseSpanData) -> None:
        """Report a call of which only its span is seen: what it was asked stands there when it ends."""
        asked, answered = self._models.read((Asked(), Answered()), told, data)
        self._models.started(run, asked, span.parent_id or span.trace_id)
        dark = answered.usage is not None and not answered.output and asked.given is None
        self._models.ended(run, asked, answered, *verdict(span, run.around), dark=dark)

    def _close(self, run: Run, span: Any, output: Any = ()) -> None:
        status, error_type = verdict(span, run.around)
        self._record(Ended(run_id=run.run_id, status=status, error_type=error_type, output=output))

    def _attributes(self, metadata: Any) -> Attributes:
        """Return what the user wants to see of a trace's metadata."""
        wanted: tuple[str, ...] = getattr(getattr(self.recorder, "settings", None), "metadata", ())
        told = plain(metadata)
        found = {key: told[key] for key in wanted if told.get(key) is not None}
        return {key: value if isinstance(value, str | bool | int | float) else str(value) for key, value in found.items()}

    def _record(self, event: Event) -> None:
        self.recorder.record(event)
