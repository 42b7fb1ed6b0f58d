"""`Repriced`: one model call of a trace file, at other prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.prices import Cost, PriceBook, Rates, Tariff, cost_of
from token_otel.report import values
from token_otel.report.tree import CALLS, Tree, operation_of
from token_otel.reprice.usage import hour_writes, searches, sum_of, usage_of
from token_otel.usage import Usage

PROVIDER = "provider"  # the source of a price that the provider itself charged: no book knows better


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """One model call at other prices.

    Attributes:
        usage: The tokens on its span: all of the call, or what its late end brought.
        before_usd: Its cost as it stood on the span; `None` if it was unknown.
        cost: What it costs now.
        guessed: Whether something it was charged for, a lifetime of the cache or a fee, is not told by its span.
        late: Whether it is the late end of a call that has a span of its own.
    """

    span: SpanRecord
    usage: Usage
    before_usd: Decimal | None
    cost: Cost
    guessed: bool
    late: bool

    @property
    def same_amounts(self) -> bool:
        """Whether every amount is what it was, so that the flow, which is exact, can stay as it is."""
        amounts = (
            (sc.COST_INPUT, self.cost.input_usd),
            (sc.COST_TOTAL, self.cost.total_usd),
            (sc.COST_CACHE_READ, self.cost.cache_read_usd),
            (sc.COST_CACHE_WRITE, self.cost.cache_write_usd),
        )
        return all(_double(values.usd(self.span, name)) == _double(usd) for name, usd in amounts)

    @property
    def model(self) -> str:
        """The provider and the model that answered, as a person calls them."""
        named = (values.text(self.span, sc.PROVIDER_NAME), _models(self.span)[0] if _models(self.span) else "no model")
        return "/".join(name for name in named if name)


def repriced(tree: Tree, now: PriceBook, then: PriceBook) -> Iterator[Repriced]:
    """Price the calls whose tokens are known anew; those that a provider itself put a price on stay.

    Args:
        tree: All spans of the file.
        now: The prices to apply.
        then: The prices that were probably applied: they tell what a span leaves out, by what it once cost.
    """
    for span in tree.spans:
        if operation_of(span) in CALLS and not is_kept(span):
            usage = usage_of(span)
            if usage is not None:
                yield _repriced(tree, span, usage, now, then)


def is_kept(span: SpanRecord) -> bool:
    """Whether a call's cost is not ours to work out: the provider stated it, or nothing was called."""
    return span.attributes.get(sc.LOCAL_CACHE) is True or span.attributes.get(sc.PRICE_SOURCE) == PROVIDER


def _repriced(tree: Tree, span: SpanRecord, usage: Usage, now: PriceBook, then: PriceBook) -> Repriced:
    first = _first(tree, span)
    booked = usage_of(first) if first is not None else None
    whole = usage if booked is None else sum_of(booked, usage)
    tariff = _find(now, span)
    candidates = [found.rates(whole.input or 0) for found in (_find(then, span), tariff) if found is not None]
    cost, guessed = _cost(span, usage, whole, tariff, candidates)
    if booked is not None:
        cost = cost.less(cost_of(booked, tariff, provider=values.text(span, sc.PROVIDER_NAME)))
    return Repriced(
        span=span,
        usage=usage,
        before_usd=values.usd(span, sc.COST_TOTAL),
        cost=cost,
        guessed=guessed,
        late=span.attributes.get(sc.LATE) is True or first is not None,
    )


def _cost(span: SpanRecord, usage: Usage, whole: Usage, tariff: Tariff | None, candidates: list[Rates]) -> tuple[Cost, bool]:
    """Price the whole of a call; also whether its span leaves open what it was charged for."""
    hours = hour_writes(usage.cache_write or 0, values.usd(span, sc.COST_CACHE_WRITE), candidates)
    if hours:
        whole = replace(whole, cache_write_5m=(whole.cache_write_5m or 0) - hours, cache_write_1h=hours)
    fees_usd = values.usd(span, sc.COST_FEES)
    web = searches(fees_usd, candidates)
    cost = cost_of(replace(whole, web_searches=web or None), tariff, provider=values.text(span, sc.PROVIDER_NAME))
    if web is None and cost.total_usd is not None:
        # Nobody knows what was paid for: it is not for free.
        total_usd = cost.total_usd - (cost.fees_usd or Decimal()) + (fees_usd or Decimal())
        cost = replace(cost, fees_usd=fees_usd, total_usd=total_usd)
    return cost, web is None or (hours is None and _lifetime_matters(tariff, whole))


def _lifetime_matters(tariff: Tariff | None, usage: Usage) -> bool:
    if tariff is None:
        return False
    rates = tariff.rates(usage.input or 0)
    return rates.of("cache_write_5m") != rates.of("cache_write_1h")


def _find(book: PriceBook, span: SpanRecord) -> Tariff | None:
    provider, tier = values.text(span, sc.PROVIDER_NAME), values.text(span, sc.OPENAI_SERVICE_TIER)
    for model in _models(span):
        tariff = book.find(provider=provider, model=model, at_ns=span.start_ns, service_tier=tier)
        if tariff is not None:
            return tariff
    return None


def _models(span: SpanRecord) -> list[str]:
    named = (values.text(span, sc.RESPONSE_MODEL), values.text(span, sc.REQUEST_MODEL))
    return list(dict.fromkeys(name for name in named if name is not None))


def _first(tree: Tree, span: SpanRecord) -> SpanRecord | None:
    """Return the span that was closed before this call's real end came, which this one continues."""
    for link in span.links:
        if link.attributes.get(sc.LINK_TYPE) == sc.CONTINUES:
            return tree.find((link.trace_id, link.span_id))
    return None


def _double(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)
