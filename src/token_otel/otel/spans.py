"""`SpanWriter`: opens a span for each run and closes it once.

Parents are passed explicitly and the ambient context is never changed: a framework may report the start and the end of
a run from different threads or tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Token

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from token_otel.events import ModelStarted, RetrievalStarted, StepStarted
from token_otel.flow.producer import SpanRef
from token_otel.ledger import Closed, Run
from token_otel.otel import profiles
from token_otel.otel import semconv as sc
from token_otel.otel.attributes import end_attributes, span_name, start_attributes
from token_otel.otel.flows import informing
from token_otel.otel.names import Names
from token_otel.otel.values import Values, encodable, encodable_text

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class SpanWriter:
    """Writes runs as spans.

    Args:
        tracer: Where spans are started.
        names: How names leave.
        cost_profiles: The backends in whose words the cost is said too.
        baggage_keys: Baggage entries that are copied to spans.
        cache_write_name: `new`, `old` or `both`.
        model_spans: Whether model calls get spans of their own.
    """

    def __init__(
        self,
        tracer: trace.Tracer,
        names: Names,
        *,
        cost_profiles: Sequence[str] = ("openlit",),
        baggage_keys: Sequence[str] = (),
        cache_write_name: str = "new",
        model_spans: bool = True,
    ) -> None:
        self._tracer = tracer
        self._names = names
        self._profiles = tuple(cost_profiles)
        self._baggage_keys = tuple(baggage_keys)
        self._cache_write_name = cache_write_name
        self._model_spans = model_spans

    def start(self, run: Run) -> None:
        """Open the span of a run beneath its parent's, a root's beneath the caller's current span.

        Sets `run.handle` to the context in which the run is current, and `run.span` if the span is sampled.
        """
        if isinstance(run.event, StepStarted) or (isinstance(run.event, ModelStarted) and not self._model_spans):
            if run.parent is None:
                run.handle = context.get_current()
            return
        parent = context.get_current() if run.by_block else around(run.parent)
        span = self._open(run, parent, [_caused_by(run.caused_by)] if run.caused_by is not None else None)
        run.handle = trace.set_span_in_context(span, parent)
        run.span = _ref(span.get_span_context())
        run.open_span = span

    def end(self, closed: Closed) -> None:
        """Close the span of a run, if it has one that is open; a late end gets a span of its own, linked to the first."""
        run = closed.run
        span: Span | None
        span, run.open_span = run.open_span, None
        if closed.late and run.handle is not None and isinstance(run.event, ModelStarted) and self._model_spans:
            first = trace.get_current_span(run.handle).get_span_context()
            parent = run.handle if run.parent is None else around(run.parent)
            span = self._open(run, parent, [Link(first, {sc.LINK_TYPE: sc.CONTINUES})])
        if span is None:
            return
        try:
            if span.is_recording():
                self._write(span, closed)
        finally:
            # Children that start later still find their parent, but what it carried can go.
            if not closed.late:
                run.handle = trace.set_span_in_context(NonRecordingSpan(span.get_span_context()), run.handle)
            span.end(end_time=closed.event.at_ns)

    def attach(self, run: Run) -> tuple[Token[Context], Context]:
        """Make a run's span current, until `detach`; a step has none, so its parent's."""
        inside = around(run)
        return context.attach(inside), inside

    def detach(self, attached: tuple[Token[Context], Context], *, still: bool = False) -> None:
        """Make what was current before it current again; with `still`, only if it is current still."""
        token, inside = attached
        if not still or context.get_current() is inside:
            context.detach(token)

    def _open(self, run: Run, parent: Context | None, links: Sequence[Link] | None) -> Span:
        values = start_attributes(run, self._names)
        values |= self._carried(parent)
        values |= profiles.operation_attributes(self._profiles, str(values[sc.OPERATION_NAME]), _text(values.get(sc.CONVERSATION_ID)))
        return self._tracer.start_span(
            encodable_text(span_name(run, self._names)),
            context=parent,
            kind=SpanKind.CLIENT if isinstance(run.event, ModelStarted | RetrievalStarted) else SpanKind.INTERNAL,
            attributes=encodable(values),
            links=links,
            start_time=run.event.at_ns,
        )

    def _write(self, span: Span, closed: Closed) -> None:
        values = end_attributes(closed, self._names, cache_write_name=self._cache_write_name)
        if closed.posting is not None:
            values |= profiles.cost_attributes(self._profiles, closed.posting)
            for producer, attributes in informing(closed.posting.split, self._names):
                span.add_link(_context(producer), encodable(attributes))
        span.set_attributes(encodable(values))
        if closed.event.status == "error":
            # The error's text may quote a prompt: its type is all that leaves.
            span.set_status(Status(StatusCode.ERROR))

    def _carried(self, parent: Context | None) -> Values:
        if not self._baggage_keys:
            return {}
        entries = baggage.get_all(parent)
        return {key: str(entries[key]) for key in self._baggage_keys if key in entries}


def around(run: Run | None) -> Context:
    """Return the context in which `run` is current; where it has none, that of the nearest run above, else the caller's."""
    while run is not None:
        if run.handle is not None:
            return run.handle
        run = run.parent
    return context.get_current()


def _ref(span_context: SpanContext) -> SpanRef | None:
    if not span_context.is_valid or not span_context.trace_flags.sampled:
        return None
    return SpanRef(trace.format_trace_id(span_context.trace_id), trace.format_span_id(span_context.span_id))


def _context(ref: SpanRef) -> SpanContext:
    return SpanContext(int(ref.trace_id, 16), int(ref.span_id, 16), is_remote=False, trace_flags=_SAMPLED)


def _caused_by(ref: SpanRef) -> Link:
    return Link(_context(ref), {sc.LINK_TYPE: sc.CAUSED_BY_GENERATION})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
