"""`Origins`: whose the texts of a producing span are."""

from __future__ import annotations

from token_otel.otel import semconv as sc
from token_otel.report import values
from token_otel.report.calls import absolute
from token_otel.report.tree import CALLS, SpanKey, Tree, agent_name, operation_of


class Origins:
    """Who produced what stands on a span: the span says so, or, if it is not here, the links of its readers."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._linked: dict[SpanKey, str] = {}
        for span in tree.spans:
            for link in span.links:
                origin = link.attributes.get(sc.LINK_ORIGIN)
                if link.attributes.get(sc.LINK_TYPE) == sc.INFORMED_BY and isinstance(origin, str):
                    self._linked[(link.trace_id, link.span_id)] = absolute(origin, agent_name(span))

    def of(self, producer: SpanKey) -> str | None:
        """Return the origin of what a span produced, under its name for every reader."""
        span = self._tree.find(producer)
        operation = operation_of(span) if span is not None else None
        if span is None or operation not in (*CALLS, "execute_tool", "retrieval"):
            return self._linked.get(producer)
        if operation == "retrieval":
            return "document"
        return f"tool:{values.text(span, sc.TOOL_NAME) or span.name}" if operation == "execute_tool" else f"agent:{agent_name(span)}"
