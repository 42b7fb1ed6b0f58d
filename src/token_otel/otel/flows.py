"""Who produced the input of a call, as attributes and links."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest

from token_otel.flow.producer import SpanRef
from token_otel.flow.split import Split
from token_otel.otel import semconv as sc
from token_otel.otel.names import Names
from token_otel.otel.values import Value, Values

TOP = 16
OTHER = "other"
_ROLE_OF_KIND = {"agent": "agents", "tool": "tool_results", "document": "documents"}


def flow_attributes(split: Split | None, names: Names) -> Values:
    """Return who produced the input: scalars by role, arrays by origin and by producing span."""
    if split is None or not any(split.tokens):
        return {}
    values: Values = {}
    origins = _Table(split)
    roles: dict[str, int] = {}
    for origin, tokens in zip(origins.names, origins.tokens, strict=True):
        kind = origin.partition(":")[0]
        role = sc.INPUT_BY_ROLE[_ROLE_OF_KIND.get(kind, kind)]
        roles[role] = roles.get(role, 0) + tokens
    values |= {role: tokens for role, tokens in roles.items() if tokens}
    values[sc.INPUT_NEW] = new = sum(origins.new)
    values[sc.INPUT_REREAD] = reread = sum(origins.tokens) - new
    if reread and split.costs is not None:
        again = [cost for cost, is_new in zip(split.costs, split.new, strict=True) if not is_new]
        values[sc.COST_REREAD] = split.usd(sum(again))
    order, rest = origins.ranked()
    others = [OTHER] if any(origins.tokens[i] for i in rest) else []
    values[sc.FLOW_ORIGINS] = [names.origin(origins.names[i]) for i in order] + others
    for name, column in ((sc.FLOW_TOKENS, origins.tokens), (sc.FLOW_CACHE_READ, origins.cache_read), (sc.FLOW_NEW, origins.new)):
        values[name] = [column[i] for i in order] + [sum([column[i] for i in rest]) for _ in others]
    if split.costs is not None:
        costs = [origins.costs[i] for i in order] + [sum([origins.costs[i] for i in rest]) for _ in others]
        values[sc.FLOW_COST] = [split.usd(cost) for cost in costs]
    values |= _producers(split, names)
    return values


class _Table:
    """The columns of a split, summed by origin."""

    def __init__(self, split: Split) -> None:
        rows: dict[str, int] = {}
        places = [rows.setdefault(group.origin, len(rows)) for group in split.groups]
        self.names = [*rows]
        self.tokens = _summed(places, split.tokens, len(rows))
        self.new = _summed(places, [tokens if new else 0 for tokens, new in zip(split.tokens, split.new, strict=True)], len(rows))
        self.costs = _summed(places, split.costs, len(rows)) if split.costs is not None else []
        self.cache_read = [0] * len(rows)
        read = split.cache_read
        if isinstance(read, dict):
            for place, tokens in read.items():
                self.cache_read[places[place]] += tokens
        else:
            self.cache_read = _summed(places, read, len(rows))

    def ranked(self) -> tuple[list[int], list[int]]:
        """Return the 16 largest, most tokens first, and the rest."""
        order = sorted([i for i, tokens in enumerate(self.tokens) if tokens], key=lambda i: (-self.tokens[i], self.names[i]))
        return order[:TOP], order[TOP:]


def _summed(places: list[int], column: list[int], rows: int) -> list[int]:
    sums = [0] * rows
    for place, value in zip(places, column, strict=True):
        sums[place] += value
    return sums


def _producers(split: Split, names: Names) -> Values:
    """Return the 16 spans, and the 16 messages of other processes, of which most was read."""
    values: Values = {}
    sums: dict[SpanRef, int] = {}
    external: dict[str, int] = {}
    for label, group, tokens in zip(split.labels, split.groups, split.tokens, strict=True):
        if tokens:
            external_id = group.external_id
            if isinstance(label, SpanRef):
                sums[label] = sums.get(label, 0) + tokens
            elif external_id is not None:
                external[external_id] = external.get(external_id, 0) + tokens
    if sums:
        top = nlargest(TOP, sums, key=sums.__getitem__)
        top.sort(key=lambda label: (-sums[label], label))
        values[sc.FLOW_PRODUCERS] = [str(span) for span in top]
        values[sc.FLOW_PRODUCER_TOKENS] = [sums[span] for span in top]
        if split.costs is not None:
            costs = dict.fromkeys(top, 0)
            for label, cost in zip(split.labels, split.costs, strict=True):
                if isinstance(label, SpanRef) and label in costs:
                    costs[label] += cost
            values[sc.FLOW_PRODUCER_COST] = [split.usd(costs[span]) for span in top]
    if external:
        first = sorted(external, key=lambda message_id: (-external[message_id], message_id))[:TOP]
        values[sc.FLOW_EXTERNAL_IDS] = [names.id(message_id) for message_id in first]
        values[sc.FLOW_EXTERNAL_TOKENS] = [external[message_id] for message_id in first]
    return values


def informing(split: Split | None, names: Names) -> list[tuple[SpanRef, Mapping[str, Value]]]:
    """Return the links of a call: the spans whose words it reads for the first time, most tokens first, at most 16."""
    if split is None:
        return []
    first: dict[tuple[SpanRef, str], int] = {}
    for (origin, producer, _), new, tokens in zip(split.groups, split.new, split.tokens, strict=True):
        if new and tokens and producer is not None and producer.span is not None:
            key = (producer.span, origin)
            first[key] = first.get(key, 0) + tokens
    ranked = sorted(first.items(), key=lambda item: (-item[1], item[0][0]))[:TOP]
    return [
        (span, {sc.LINK_TYPE: sc.INFORMED_BY, sc.LINK_TOKENS: tokens, sc.LINK_ORIGIN: names.origin(origin)})
        for (span, origin), tokens in ranked
    ]
