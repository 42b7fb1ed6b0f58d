"""`Unread`: what was put out, and no later call at hand has read.

What was rewritten before it was read is not recognised, so that it counts here; documents are left out, since they usually are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.calls import UNTRACED, Call, run_status
from token_otel.report.messages import Message
from token_otel.report.tree import AGENTS, SpanKey, Tree, key_of, operation_of, scope_of

UnreadKind: TypeAlias = Literal["final", "unread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """An output that nobody at hand has read.

    Attributes:
        span: The model call, or the tool's run, that put it out.
        kind: `final` is the last output of a run that nothing of ours called, and that ended well: its reader is the user.
        origin: `agent:<name>` or `tool:<name>`.
        tokens: What the call put out; `None` for a tool's result, of which no span knows the size. Likewise `cost_usd`.
        status: How the run ended.
    """

    span: SpanKey
    kind: UnreadKind
    origin: str
    tokens: int | None
    cost_usd: Decimal | None
    status: str


def unread(tree: Tree, calls: Sequence[Call], messages: Iterable[Message]) -> tuple[Unread, ...]:
    """Return the outputs that nobody has read, the dearest first, but for those that a call may have read without a word of it."""
    known = list(messages)
    read = {message.producer for message in known if message.producer is not None}
    put_out = [*_answers(calls), *_results(tree)]
    last: dict[SpanKey, SpanRecord] = {}
    for span, _ in put_out:
        root = key_of(_root(tree, span))
        if root not in last or last[root].end_ns <= span.end_ns:
            last[root] = span
    final = {key_of(span) for span in last.values()}
    # A result without its id is read under the name of its tool alone.
    nameless = {(message.origin, scope) for message in known if message.producer is None for scope in message.new_in}
    used = {*read, *_run_as_tools(tree)}
    hiding: dict[str, list[Call]] = {}
    for call in calls:
        if call.hides or _untraced(call):
            hiding.setdefault(call.scope, []).append(call)
    found = [
        _unread(span, origin, "final" if key_of(span) in final and run_status(span) == "ok" else "unread")
        for span, origin in put_out
        if not used.intersection((key_of(span), *_continued(span)))
        and (origin, scope_of(span)) not in nameless
        and not any(_may_hide(call, span) for call in hiding.get(scope_of(span), ()))
    ]
    return tuple(sorted(found, key=lambda each: (-(each.cost_usd or Decimal()), -(each.tokens or 0), each.span)))


def _answers(calls: Iterable[Call]) -> Iterator[tuple[SpanRecord, str]]:
    return ((call.span, f"agent:{call.agent}") for call in calls if call.totals.output)


def _results(tree: Tree) -> Iterator[tuple[SpanRecord, str]]:
    # What comes out of a tool beneath which agents ran is theirs.
    of_agents: set[SpanKey] = set()
    for span in tree.spans:
        above = tree.parent(span) if operation_of(span) in AGENTS else None
        while above is not None and key_of(above) not in of_agents:
            of_agents.add(key_of(above))
            above = tree.parent(above)
    for span in tree.spans:
        if operation_of(span) == "execute_tool" and run_status(span) == "ok" and key_of(span) not in of_agents:
            yield span, f"tool:{values.text(span, sc.TOOL_NAME) or span.name}"


def _run_as_tools(tree: Tree) -> Iterator[SpanKey]:
    """Yield the calls whose output tools have run on."""
    for span in tree.spans:
        for link in span.links:
            if link.attributes.get(sc.LINK_TYPE) == sc.CAUSED_BY_GENERATION:
                yield link.trace_id, link.span_id


def _continued(span: SpanRecord) -> Iterator[SpanKey]:
    """Yield the first span of a call of which this is the late end."""
    return ((link.trace_id, link.span_id) for link in span.links if link.attributes.get(sc.LINK_TYPE) == sc.CONTINUES)


def _root(tree: Tree, span: SpanRecord) -> SpanRecord:
    while (above := tree.parent(span)) is not None:
        span = above
    return span


def _may_hide(call: Call, span: SpanRecord) -> bool:
    size = values.count(span, sc.OUTPUT_TOKENS) or 0
    if _untraced(call):
        return span.end_ns <= call.span.start_ns
    return size <= call.hides and span.end_ns <= call.span.end_ns


def _untraced(call: Call) -> bool:
    """Whether nobody looked for what a call has read."""
    return any(flow.origin == UNTRACED for flow in call.flows)


def _unread(span: SpanRecord, origin: str, kind: UnreadKind) -> Unread:
    return Unread(
        span=key_of(span),
        kind=kind,
        origin=origin,
        tokens=values.count(span, sc.OUTPUT_TOKENS),
        cost_usd=values.usd(span, sc.COST_OUTPUT),
        status=run_status(span),
    )
