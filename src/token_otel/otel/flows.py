"""Who produced the input of a call, as attributes and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from token_otel.flow.allocation import Share
from token_otel.flow.producer import SpanRef
from token_otel.otel import semconv as sc
from token_otel.otel.names import Names
from token_otel.otel.values import Value, Values

_Key = TypeVar("_Key")

TOP = 16
OTHER = "other"
_ROLE_OF_KIND = {"agent": "agents", "tool": "tool_results", "document": "documents"}


def flow_attributes(shares: Sequence[Share], names: Names) -> Values:
    """Return who produced the input: scalars by role, arrays by origin and by producing span."""
    if not shares:
        return {}
    priced = all(share.cost_usd is not None for share in shares)
    origins: dict[str, _Sum] = {}
    producers: dict[SpanRef, _Sum] = {}
    external: dict[str, _Sum] = {}
    for share in shares:
        _sum(origins, share.origin).add(share)
        if share.producer is not None and share.producer.span is not None:
            _sum(producers, share.producer.span).add(share)
        if share.external_id is not None:
            _sum(external, share.external_id).add(share)
    roles: dict[str, int] = {}
    for origin, group in origins.items():
        kind = origin.partition(":")[0]
        role = sc.INPUT_BY_ROLE[_ROLE_OF_KIND.get(kind, kind)]
        roles[role] = roles.get(role, 0) + group.tokens
    values: Values = {role: tokens for role, tokens in roles.items() if tokens}
    values[sc.INPUT_NEW] = new = sum(group.new for group in origins.values())
    values[sc.INPUT_REREAD] = sum(roles.values()) - new
    if priced and values[sc.INPUT_REREAD]:
        values[sc.COST_REREAD] = float(sum((share.cost_usd or Decimal() for share in shares if not share.new), Decimal()))
    rows, rest = _top(origins)
    named = [(names.origin(origin), group) for origin, group in rows] + ([(OTHER, rest)] if rest.tokens else [])
    values[sc.FLOW_ORIGINS] = [origin for origin, _ in named]
    values[sc.FLOW_TOKENS] = [group.tokens for _, group in named]
    values[sc.FLOW_CACHE_READ] = [group.cache_read for _, group in named]
    values[sc.FLOW_NEW] = [group.new for _, group in named]
    if priced:
        values[sc.FLOW_COST] = [float(group.cost_usd) for _, group in named]
    if producers:
        spans, _ = _top(producers)
        values[sc.FLOW_PRODUCERS] = [str(span) for span, _ in spans]
        values[sc.FLOW_PRODUCER_TOKENS] = [group.tokens for _, group in spans]
        if priced:
            values[sc.FLOW_PRODUCER_COST] = [float(group.cost_usd) for _, group in spans]
    if external:
        ids, _ = _top(external)
        values[sc.FLOW_EXTERNAL_IDS] = [message_id for message_id, _ in ids]
        values[sc.FLOW_EXTERNAL_TOKENS] = [group.tokens for _, group in ids]
    return values


class _Sum:
    """The sum of some shares, in tokens and USD."""

    __slots__ = ("cache_read", "cost_usd", "new", "tokens")

    def __init__(self) -> None:
        self.tokens = self.cache_read = self.new = 0
        self.cost_usd = Decimal()

    def add(self, share: Share) -> None:
        tokens = share.tokens
        self.tokens += tokens
        self.cache_read += share.cache_read
        if share.new:
            self.new += tokens
        if share.cost_usd is not None:
            self.cost_usd += share.cost_usd

    def merge(self, other: _Sum) -> None:
        self.tokens += other.tokens
        self.cache_read += other.cache_read
        self.new += other.new
        self.cost_usd += other.cost_usd


def _sum(sums: dict[_Key, _Sum], key: _Key) -> _Sum:
    found = sums.get(key)
    if found is None:
        found = sums[key] = _Sum()
    return found


def _top(sums: dict[_Key, _Sum]) -> tuple[list[tuple[_Key, _Sum]], _Sum]:
    """Return the 16 largest sums, most tokens first, and the sum of the rest."""
    ranked = sorted(sums.items(), key=lambda item: (-item[1].tokens, str(item[0])))
    rest = _Sum()
    for _, group in ranked[TOP:]:
        rest.merge(group)
    return ranked[:TOP], rest


def informing(shares: Sequence[Share], names: Names) -> list[tuple[SpanRef, Mapping[str, Value]]]:
    """Return the links of a call: the spans whose words it reads for the first time, most tokens first, at most 16."""
    first: dict[tuple[SpanRef, str], int] = {}
    for share in shares:
        if share.new and share.producer is not None and share.producer.span is not None and share.tokens:
            key = (share.producer.span, share.origin)
            first[key] = first.get(key, 0) + share.tokens
    ranked = sorted(first.items(), key=lambda item: (-item[1], str(item[0][0])))[:TOP]
    return [
        (span, {sc.LINK_TYPE: sc.INFORMED_BY, sc.LINK_TOKENS: tokens, sc.LINK_ORIGIN: names.origin(origin)})
        for (span, origin), tokens in ranked
    ]
