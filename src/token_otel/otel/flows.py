"""Who produced the input of a call, as attributes and links."""

from __future__ import annotations

from heapq import nlargest
from itertools import repeat
from operator import itemgetter
from typing import TypeVar

from token_otel.flow.producer import SpanRef
from token_otel.flow.split import Split
from token_otel.otel import semconv as sc
from token_otel.otel.names import Names
from token_otel.otel.values import Values

K = TypeVar("K", str, SpanRef)

TOP = 16
OTHER = "other"
_ROLE_OF_KIND = {"agent": "agents", "tool": "tool_results", "document": "documents"}


def flow_attributes(split: Split | None, names: Names) -> Values:
    """Return who produced the input: scalars by role, arrays by origin and by producing span."""
    if split is None or not any(split.tokens):
        return {}
    by = _Sums(split)
    roles: dict[str, int] = {}
    whole = new = 0
    for origin, row in by.origins.items():
        kind = origin.partition(":")[0]
        role = sc.INPUT_BY_ROLE[_ROLE_OF_KIND.get(kind, kind)]
        roles[role] = roles.get(role, 0) + row[0]
        whole += row[0]
        new += row[1]
    values: Values = {**roles, sc.INPUT_NEW: new, sc.INPUT_REREAD: whole - new}
    if whole > new and split.costs is not None:
        values[sc.COST_REREAD] = split.usd(by.reread_cost)
    order = [*by.origins]
    if len(order) > 1:
        order.sort(key=lambda origin: (-by.origins[origin][0], origin))
    rows = [by.origins[origin] for origin in order[:TOP]]
    shown = [names.origin(origin) for origin in order[:TOP]]
    if len(order) > TOP:
        rows.append([sum(column) for column in zip(*[by.origins[origin] for origin in order[TOP:]], strict=True)])
        shown.append(OTHER)
    values[sc.FLOW_ORIGINS] = shown
    values[sc.FLOW_TOKENS] = [row[0] for row in rows]
    values[sc.FLOW_CACHE_READ] = [row[2] for row in rows]
    values[sc.FLOW_NEW] = [row[1] for row in rows]
    if split.costs is not None:
        values[sc.FLOW_COST] = [split.usd(row[3]) for row in rows]
    if by.spans:
        _add_producers(values, split, by.spans)
    if by.external:
        first = _largest(by.external)
        values[sc.FLOW_EXTERNAL_IDS] = [names.id(message_id) for message_id in first]
        values[sc.FLOW_EXTERNAL_TOKENS] = [by.external[message_id] for message_id in first]
    return values


class _Sums:
    """The columns of a split summed by origin, span and message of another process, in one pass: there may be hundreds of entries.

    Attributes:
        origins: Tokens, new tokens, tokens read from the cache and cost of each origin.
        spans: Tokens of each producing span.
        external: Tokens of each message that another process produced.
        reread_cost: What was read before has cost.
    """

    __slots__ = ("external", "origins", "reread_cost", "spans")

    def __init__(self, split: Split) -> None:
        self.origins: dict[str, list[int]] = {}
        self.spans: dict[SpanRef, int] = {}
        self.external: dict[str, int] = {}
        self.reread_cost = 0
        origins, spans = self.origins, self.spans
        costs = split.costs if split.costs is not None else repeat(0)
        read = split.cache_read
        reads = read if isinstance(read, list) else repeat(0)
        for group, label, new, tokens, cost, cached in zip(split.groups, split.labels, split.new, split.tokens, costs, reads):  # noqa: B905
            if not tokens:
                continue
            row = origins.get(group[0])
            if row is None:
                row = origins[group[0]] = [0, 0, 0, 0]
            row[0] += tokens
            row[2] += cached
            row[3] += cost
            if new:
                row[1] += tokens
            else:
                self.reread_cost += cost
            if isinstance(label, SpanRef):
                spans[label] = spans.get(label, 0) + tokens
            elif group[2] is not None:
                self.external[group[2]] = self.external.get(group[2], 0) + tokens
        if isinstance(read, dict):
            for place, tokens in filter(itemgetter(1), read.items()):
                origins[split.groups[place][0]][2] += tokens


def _largest(sums: dict[K, int]) -> list[K]:
    """Return the 16 with most tokens, most first."""
    top = nlargest(TOP, sums, key=sums.__getitem__) if len(sums) > TOP else [*sums]
    top.sort(key=lambda key: (-sums[key], key))
    return top


def _add_producers(values: Values, split: Split, spans: dict[SpanRef, int]) -> None:
    """Add the 16 spans of which most was read."""
    top = _largest(spans)
    values[sc.FLOW_PRODUCERS] = [str(span) for span in top]
    values[sc.FLOW_PRODUCER_TOKENS] = [spans[span] for span in top]
    if split.costs is not None:
        costs = dict.fromkeys(top, 0)
        for label, cost in zip(split.labels, split.costs, strict=True):
            if cost and isinstance(label, SpanRef) and label in costs:
                costs[label] += cost
        values[sc.FLOW_PRODUCER_COST] = [split.usd(costs[span]) for span in top]


def informing(split: Split | None, names: Names) -> list[tuple[SpanRef, Values]]:
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
