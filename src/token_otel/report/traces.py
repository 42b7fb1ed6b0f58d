"""`Trace`: the spans of one trace as a reader sees them, with what was spent at and beneath each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.calls import Call, CostStatus, run_status
from token_otel.report.totals import Totals
from token_otel.report.tree import CALLS, SpanKey, Tree, agent_name, key_of, operation_of

_KINDS = {"invoke_agent": "agent", "invoke_workflow": "workflow", "execute_tool": "tool"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One span.

    Attributes:
        depth: How many spans of its trace are above it.
        kind: `agent`, `workflow`, `tool`, `chat`, `text_completion`, `embeddings`, `retrieval`, or what the span says.
        name: The agent, workflow, tool, retriever, or the model that answered.
        agent: The agent it belongs to.
        output_is_call: Whether a model call put out calls of tools alone, so that what others read of it are their arguments.
        handoffs: The agents to which it passed control.
        cost_status: For a model call, whether its cost is known; `None` for what only groups calls.
        totals: A model call's own; else the sum over the calls beneath.
    """

    span_id: str
    parent_id: str | None
    depth: int
    kind: str
    name: str
    agent: str
    status: str
    error_type: str | None
    start_ns: int
    end_ns: int
    output_is_call: bool
    handoffs: tuple[str, ...]
    cost_status: CostStatus | None
    totals: Totals

    @property
    def duration_s(self) -> float:
        """Seconds from start to end."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace: its spans, parents before their children, siblings by their start."""

    trace_id: str
    conversations: tuple[str, ...]
    nodes: tuple[Node, ...]
    totals: Totals

    @property
    def duration_s(self) -> float:
        """Seconds from the first start to the last end."""
        return (max(node.end_ns for node in self.nodes) - min(node.start_ns for node in self.nodes)) / 1e9


def traces(tree: Tree, calls: Sequence[Call]) -> tuple[Trace, ...]:
    """Return the traces in the order in which they began."""
    by_call = {key_of(call.span): call for call in calls}
    sums: dict[SpanKey, Totals] = {}
    for span in reversed(tree.spans):
        call = by_call.get(key_of(span))
        total = sums[key_of(span)] = sums.get(key_of(span), Totals()) + (call.totals if call is not None else Totals())
        parent = tree.parent(span)
        if parent is not None:
            sums[key_of(parent)] = sums.get(key_of(parent), Totals()) + total
    by_trace: dict[str, list[SpanRecord]] = {}
    for span in tree.spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    return tuple([_trace(trace_id, spans, tree, by_call, sums) for trace_id, spans in by_trace.items()])


def _trace(
    trace_id: str, spans: Sequence[SpanRecord], tree: Tree, by_call: Mapping[SpanKey, Call], sums: Mapping[SpanKey, Totals]
) -> Trace:
    conversations = dict.fromkeys(values.text(span, sc.CONVERSATION_ID) for span in spans)
    return Trace(
        trace_id=trace_id,
        conversations=tuple([name for name in conversations if name is not None]),
        nodes=tuple([_node(span, tree, by_call.get(key_of(span)), sums[key_of(span)]) for span in spans]),
        totals=sum((sums[key_of(span)] for span in spans if tree.parent(span) is None), Totals()),
    )


def _node(span: SpanRecord, tree: Tree, call: Call | None, totals: Totals) -> Node:
    parent = tree.parent(span)
    operation = operation_of(span)
    return Node(
        span_id=span.span_id,
        parent_id=parent.span_id if parent is not None else None,
        depth=tree.depth(span),
        kind=_KINDS.get(operation, operation),
        name=_name(span, operation),
        agent=agent_name(span),
        status=run_status(span),
        error_type=values.text(span, sc.ERROR_TYPE),
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        output_is_call=bool(values.count(span, sc.OUTPUT_TOOL_CALL)) and not values.count(span, sc.OUTPUT_TEXT),
        handoffs=values.texts(span, sc.AGENT_HANDOFFS),
        cost_status=call.cost_status if call is not None else None,
        totals=totals,
    )


def _name(span: SpanRecord, operation: str) -> str:
    if operation in CALLS:
        return values.text(span, sc.RESPONSE_MODEL) or values.text(span, sc.REQUEST_MODEL) or span.name
    named = {
        "invoke_agent": sc.AGENT_NAME,
        "invoke_workflow": sc.WORKFLOW_NAME,
        "execute_tool": sc.TOOL_NAME,
        "retrieval": sc.DATA_SOURCE_ID,
    }.get(operation)
    return (values.text(span, named) if named is not None else None) or span.name
