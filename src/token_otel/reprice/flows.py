"""The cost of what a call read, by origin and by producing span, from the arrays on its span."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.prices.rates import MTOK, Rates
from token_otel.report import values
from token_otel.report.calls import absolute, parse_producer
from token_otel.report.origins import Origins
from token_otel.report.tree import agent_name
from token_otel.reprice.calls import Repriced
from token_otel.usage import Usage

_GRAIN = Decimal("1e-12")  # USD: fine enough for a token, coarse enough for a double to hold it to the last digit
_MEDIA = "media"


def origin_costs(call: Repriced) -> list[Decimal] | None:
    """Return what each origin cost; they sum to the input cost. `None` if the input is not priced, or not split.

    What an origin read from the cache is on the span; how its other tokens divide into fresh and written ones is not, so
    they all pay the average of the two.
    """
    origins = values.texts(call.span, sc.FLOW_ORIGINS)
    rates, input_usd = call.cost.rates, call.cost.input_usd
    if not origins or rates is None or input_usd is None:
        return None
    tokens = values.counts(call.span, sc.FLOW_TOKENS, len(origins))
    reads = values.counts(call.span, sc.FLOW_CACHE_READ, len(origins))
    read_rate, other_rate = rates.of("cache_read") or Decimal(), _unread_rate(call.usage, rates)
    costs = [((read * read_rate + (count - read) * other_rate) / MTOK).quantize(_GRAIN) for count, read in zip(tokens, reads, strict=True)]
    most = max(range(len(origins)), key=lambda i: (origins[i] == _MEDIA, tokens[i]))
    costs[most] += input_usd - sum(costs)
    return costs


def producer_costs(call: Repriced, costs: Sequence[Decimal], origins: Origins) -> list[Decimal]:
    """Return what each producing span cost: its part of its origin's cost, by what it cost before, else by its tokens."""
    span = call.span
    reader = agent_name(span)
    names = [absolute(origin, reader) for origin in values.texts(span, sc.FLOW_ORIGINS)]
    tokens = values.counts(span, sc.FLOW_TOKENS, len(names))
    before = values.usds(span, sc.FLOW_COST, len(names))
    producers = values.texts(span, sc.FLOW_PRODUCERS)
    read = values.counts(span, sc.FLOW_PRODUCER_TOKENS, len(producers))
    cost = values.usds(span, sc.FLOW_PRODUCER_COST, len(producers))
    found: list[Decimal] = []
    for label, count, was in zip(producers, read, cost, strict=True):
        key = parse_producer(label)
        origin = origins.of(key) if key is not None else None
        if origin in names:
            i = names.index(origin)
            found.append(_part(costs[i], (was, before[i]), (count, tokens[i])))
        else:
            found.append(_part(sum(costs, Decimal()), (None, None), (count, call.usage.input or 0)))
    return found


def reread_cost(call: Repriced, costs: Sequence[Decimal]) -> Decimal:
    """Return what the tokens that were read again cost: of each origin they are those that came from the cache, as far as they go."""
    rates = call.cost.rates
    read_rate = (rates.of("cache_read") if rates is not None else None) or Decimal()
    tokens = values.counts(call.span, sc.FLOW_TOKENS, len(costs))
    reads = values.counts(call.span, sc.FLOW_CACHE_READ, len(costs))
    new = values.counts(call.span, sc.FLOW_NEW, len(costs))
    found = Decimal()
    for usd, count, read, first in zip(costs, tokens, reads, new, strict=True):
        again = count - first
        cached = min(again, read)
        if again == count:
            found += usd
        elif again:
            read_usd = (read * read_rate / MTOK).quantize(_GRAIN)
            rest = (usd - read_usd) * (again - cached) / (count - read) if count > read else Decimal()
            found += (cached * read_rate / MTOK).quantize(_GRAIN) + rest.quantize(_GRAIN)
    return found


def _part(whole: Decimal, usd: tuple[Decimal | None, Decimal | None], tokens: tuple[int, int]) -> Decimal:
    if usd[0] is not None and usd[1]:
        return (whole * usd[0] / usd[1]).quantize(_GRAIN)
    return (whole * tokens[0] / tokens[1]).quantize(_GRAIN) if tokens[1] else Decimal()


def _unread_rate(usage: Usage, rates: Rates) -> Decimal:
    """Return what a token that was not read from the cache costs on average, per million."""
    parts = (("input", usage.uncached), ("cache_write_5m", usage.cache_write_5m or 0), ("cache_write_1h", usage.cache_write_1h or 0))
    total = sum(tokens for _, tokens in parts)
    usd = sum(((rates.of(part) or Decimal()) * tokens for part, tokens in parts), Decimal())
    return usd / total if total else Decimal()
