"""Joins: words that one process produced and another read, put back under the name of whoever produced them.

The reader knows of them nothing but the ids of their messages. Where the span that produced a message of that id is among
those at hand, its tokens move from `external` to its agent, as if one process had run it all. The reader's span has but one sum
for what all of them cost, and one for what of them was cached: since a cache is read from the front, what was said first is
taken to have been cached, and the rest of the cost is split by tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.calls import CUT_AT, OTHER, Call, Flow, Read, role_of
from token_otel.report.origins import Origins
from token_otel.report.rates import part as part_of
from token_otel.report.rates import rounded
from token_otel.report.tree import CALLS, SpanKey, Tree, key_of, operation_of

INSTANCE = "service.instance.id"  # a resource's, which OpenTelemetry's SDK makes up for each process
SHORTEST_GLOBAL_ID = 16  # shorter ones repeat across conversations


@dataclass(frozen=True, slots=True)
class _Words:
    """What one call read of one message that another process produced."""

    producer: SpanKey
    origin: str
    tokens: int
    said_ns: int


def joined(tree: Tree, calls: Sequence[Call]) -> tuple[Call, ...]:
    """Return the calls with what they read of messages from elsewhere under the name of whoever produced them."""
    wanted = {label for call in calls for label in values.texts(call.span, sc.FLOW_EXTERNAL_IDS)}
    if not wanted:
        return tuple(calls)
    known, origins = _Ids(tree.spans, wanted), Origins(tree)
    history = _History()
    found: dict[SpanKey, Call] = {}
    for call in sorted(calls, key=lambda each: each.span.end_ns):
        words = sorted(_words(call, known, origins), key=lambda each: each.said_ns)
        found[key_of(call.span)] = _moved(call, words, history) if words else call
        history.add(call, words)
    return tuple([found[key_of(call.span)] for call in calls])


class _Ids:
    """Which spans produced the messages, and the results of tools, that others name by their ids."""

    def __init__(self, spans: Iterable[SpanRecord], wanted: set[str]) -> None:
        self._spans: dict[str, list[SpanRecord]] = {}
        for span in spans:
            operation = operation_of(span)
            ids = values.texts(span, sc.MESSAGE_IDS) if operation in CALLS else ()
            if operation == "execute_tool":
                ids = (values.text(span, sc.TOOL_CALL_ID) or "",)
            for label in wanted.intersection(ids):
                self._spans.setdefault(label, []).append(span)

    def find(self, label: str, reader: SpanRecord) -> SpanRecord | None:
        """Return the span that produced a message, that of the reader's own conversation first.

        A process that has produced a message under this id and still calls it external has found other words under it.
        """
        conversation, instance = values.text(reader, sc.CONVERSATION_ID), reader.resource.get(INSTANCE)
        others = [
            span
            for span in self._spans.get(label, ())
            if key_of(span) != key_of(reader) and (instance is None or span.resource.get(INSTANCE) != instance)
        ]
        same = [span for span in others if values.text(span, sc.CONVERSATION_ID) == conversation]
        return next(iter(same or (others if len(label) >= SHORTEST_GLOBAL_ID else ())), None)


class _History:
    """Which producers each agent has read so far, in which process."""

    def __init__(self) -> None:
        self._read: set[tuple[str, str, SpanKey]] = set()
        self._marked: set[tuple[object, str, str, SpanKey]] = set()

    def add(self, call: Call, words: Iterable[_Words]) -> None:
        """Remember what a call has read."""
        for producer in [*[read.producer for read in call.reads], *[each.producer for each in words]]:
            self._read.add((call.agent, call.scope, producer))
        for each in words:
            self._marked.add((call.span.resource.get(INSTANCE), call.agent, call.scope, each.producer))

    def new(self, call: Call, producer: SpanKey) -> bool:
        """Whether the agent reads a producer's words for the first time."""
        return (call.agent, call.scope, producer) not in self._read

    def new_to_process(self, call: Call, producer: SpanKey) -> bool:
        """Whether its process thought so."""
        return (call.span.resource.get(INSTANCE), call.agent, call.scope, producer) not in self._marked


def _words(call: Call, known: _Ids, origins: Origins) -> Iterator[_Words]:
    labels = values.texts(call.span, sc.FLOW_EXTERNAL_IDS)
    for label, tokens in zip(labels, values.counts(call.span, sc.FLOW_EXTERNAL_TOKENS, len(labels)), strict=True):
        span = known.find(label, call.span)
        origin = origins.of(key_of(span)) if span is not None and tokens > 0 else None
        if span is not None and origin is not None:
            yield _Words(key_of(span), origin, tokens, span.end_ns)


def _moved(call: Call, words: Sequence[_Words], history: _History) -> Call:
    flows: dict[str, Flow] = {}
    for flow in call.flows:
        flows[flow.origin] = _plus(flows.get(flow.origin), flow)
    reads = {read.producer: read for read in call.reads}
    roles = dict(call.roles)
    reread, reread_usd = 0, Decimal()
    for origin, moving in _by_source(words, flows).items():
        role = "external" if origin == OTHER else role_of(origin, call.agent)
        for each, part in zip(moving, _parts(flows[origin], moving, call, history), strict=True):
            flows[origin] = _less(flows[origin], part)
            again = 0 if history.new(call, each.producer) else part.new
            reread += again
            if part.cost_usd is not None and part.tokens:
                reread_usd += part_of(part.cost_usd, again, part.tokens)
            arrived = replace(part, origin=each.origin, new=part.new - again)
            flows[each.origin] = _plus(flows.get(each.origin), arrived)
            reads[each.producer] = _read(reads.get(each.producer), each.producer, arrived)
            _move(roles, role, role_of(each.origin, call.agent), part.tokens)
    cut = _is_cut(call)
    totals = replace(call.totals, reread=call.totals.reread + reread)
    if not totals.unsplit:
        totals = replace(totals, new_usd=totals.new_usd - reread_usd, reread_usd=totals.reread_usd + reread_usd)
    return replace(
        call,
        totals=totals,
        flows=tuple(flow for flow in flows.values() if flow.tokens),
        reads=tuple(reads.values()),
        roles=roles,
        joined=True,
        externals_cut=cut,
        hides=max(call.hides, min(values.counts(call.span, sc.FLOW_EXTERNAL_TOKENS, CUT_AT)) if cut else 0),
    )


def _by_source(words: Iterable[_Words], flows: Mapping[str, Flow]) -> Mapping[str, list[_Words]]:
    """Group words by the origin under which the call has them; a tool's results stand under its name already."""
    groups: dict[str, list[_Words]] = {}
    for each in words:
        sources = (each.origin, "tool") if each.origin.startswith("tool:") else ()
        source = next((origin for origin in (*sources, "external", OTHER) if origin in flows), None)
        if source is not None:
            groups.setdefault(source, []).append(each)
    return groups


def _parts(source: Flow, moving: Sequence[_Words], call: Call, history: _History) -> Iterator[Flow]:
    """Yield what moves of one flow, in the order in which it was said; together no more than there is of it."""
    read_usd = min(source.cost_usd or Decimal(), rounded(source.cache_read * (call.rates.read or Decimal())))
    fresh = source.tokens - source.cache_read
    fresh_usd = (source.cost_usd or Decimal()) - read_usd
    tokens_before, cached_before, usd_before, new_left = 0, 0, Decimal(), source.new
    for each in moving:
        tokens = min(tokens_before + each.tokens, source.tokens)
        cached = min(tokens, source.cache_read)
        usd = part_of(read_usd, cached, max(1, source.cache_read)) + part_of(fresh_usd, tokens - cached, max(1, fresh))
        size = tokens - tokens_before
        new = min(size if history.new_to_process(call, each.producer) else 0, new_left)
        new_left -= new
        cost_usd = None if source.cost_usd is None else usd - usd_before
        yield Flow(origin=each.origin, tokens=size, cache_read=cached - cached_before, new=new, cost_usd=cost_usd)
        tokens_before, cached_before, usd_before = tokens, cached, usd


def _plus(flow: Flow | None, more: Flow) -> Flow:
    if flow is None:
        return more
    usd = None if flow.cost_usd is None or more.cost_usd is None else flow.cost_usd + more.cost_usd
    tokens, cache_read = flow.tokens + more.tokens, flow.cache_read + more.cache_read
    return Flow(origin=flow.origin, tokens=tokens, cache_read=cache_read, new=flow.new + more.new, cost_usd=usd)


def _less(flow: Flow, part: Flow) -> Flow:
    usd = None if flow.cost_usd is None or part.cost_usd is None else flow.cost_usd - part.cost_usd
    tokens, cache_read = flow.tokens - part.tokens, flow.cache_read - part.cache_read
    return Flow(origin=flow.origin, tokens=tokens, cache_read=cache_read, new=flow.new - part.new, cost_usd=usd)


def _read(before: Read | None, producer: SpanKey, part: Flow) -> Read:
    if before is None:
        return Read(producer=producer, tokens=part.tokens, cost_usd=part.cost_usd)
    usd = None if before.cost_usd is None or part.cost_usd is None else before.cost_usd + part.cost_usd
    return Read(producer=producer, tokens=before.tokens + part.tokens, cost_usd=usd)


def _move(roles: dict[str, int], source: str, target: str, tokens: int) -> None:
    if source in roles and source != target:
        roles[source] -= tokens
        roles[target] = roles.get(target, 0) + tokens
        if not roles[source]:
            del roles[source]


def _is_cut(call: Call) -> bool:
    """Whether more messages from elsewhere were read than the span has ids."""
    tokens = values.counts(call.span, sc.FLOW_EXTERNAL_TOKENS, len(values.texts(call.span, sc.FLOW_EXTERNAL_IDS)))
    return len(tokens) >= CUT_AT and sum(tokens) < call.roles.get("external", 0)
