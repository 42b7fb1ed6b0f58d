"""`Places`: where in the report a span stands, in a few words."""

from __future__ import annotations

from token_otel.report import words
from token_otel.report.layout import Label
from token_otel.report.model import Report
from token_otel.report.traces import Node
from token_otel.report.tree import SpanKey


class Places:
    """The spans of a report by what identifies them."""

    def __init__(self, report: Report) -> None:
        self._nodes: dict[SpanKey, tuple[int, Node]] = {
            (trace.trace_id, node.span_id): (number, node) for number, trace in enumerate(report.traces, start=1) for node in trace.nodes
        }

    def of(self, span: SpanKey) -> str:
        """Return what a span has put out, and on which trace it stands."""
        trace_id, span_id = span
        if span not in self._nodes:
            return f"{words.shown(span_id[:8])}, trace {words.shown(trace_id[:8])} not here"
        number, node = self._nodes[span]
        what = "tool call " if node.output_is_call else "answer " if node.cost_status is not None else ""
        return f"{what}{span_id[:8]}, trace {number}"


def origin_label(origin: str | None, *, note: str, below: str = "") -> Label:
    """Return the label of what somebody put out."""
    name = origin or ""
    return Label(
        name=words.origin(name) if name else "a text",
        style="cyan" if name.startswith("agent:") else "magenta" if name.startswith("tool:") else "",
        note=note,
        below=below,
    )
