"""Booking: from the end of a model call to its posting."""

from __future__ import annotations

from typing import Any

from token_otel.events import ModelEnded, ModelStarted
from token_otel.flow.book import FlowBook
from token_otel.ledger.postings import Posting, UsageStatus
from token_otel.ledger.run import Run
from token_otel.prices import Cost, PriceBook, cost_of
from token_otel.prices.cost import UNPRICED
from token_otel.usage import COUNTS, Usage


def book(run: Run, start: ModelStarted, end: ModelEnded, *, prices: PriceBook, flow: FlowBook | None, estimate: bool) -> Posting:
    """Book one model call: its tokens as the provider reported them, their cost, and whom they came from.

    Args:
        run: The call, with what its stream has reported so far, the prompt it read, and what was booked already if it was
            closed before its end came: then the rest is booked.
        start: How it started.
        end: How it ended.
        prices: Finds the tariff, by the model that answered, else by the one that was asked.
        flow: Splits the bill; `None` leaves it whole.
        estimate: Whether our estimate takes the place of a report that never came.
    """
    usage, status = _reported(run, start, end)
    model = end.model or (run.seen.model if run.seen is not None else None) or start.model
    if end.local_cache:
        # Nothing was called: what the answer once used and cost is what was saved.
        saved = Posting(usage=usage, usage_status=status, cost=_price(prices, start, end, usage, model), model=model)
        return Posting(usage=None, usage_status="reported", cost=Cost(status="cached"), model=model, saved=saved, first=run.posting)
    refused = usage is None and end.status == "error"
    estimated = None
    if usage is None and not refused and flow is not None and run.reading is not None:
        estimated = flow.estimate(run.reading, end.output, model or "", start.provider or "")
        if estimate:
            usage, status = Usage(input=estimated[0], output=estimated[1]), "estimated"
    cost = _price(prices, start, end, usage, model)
    first = run.posting
    if first is not None:
        # The whole is priced, since its size decides on the tier and its fees are paid once.
        cost = cost.less(first.cost)
        if usage is not None and first.usage is not None:
            usage = lacking(first.usage, usage)
    split, method, output = None, None, None
    if usage is not None and flow is not None:
        if run.reading is not None and usage.input is not None:
            split, method = flow.split(run.reading, usage, cost, model or "", start.provider or "")
        if usage.output is not None:
            output = flow.split_output(end.output, usage)
    return Posting(
        usage=usage,
        usage_status=status,
        cost=cost,
        model=model,
        split=split,
        method=method,
        output=output,
        estimated=estimated,
        refused=refused,
        first=first,
    )


def unsplit(run: Run, start: ModelStarted, end: ModelEnded) -> Posting:
    """Book one model call by its report alone, when its price or its flow cannot be found for a failure of ours."""
    usage: object = end.usage
    if not isinstance(usage, Usage):
        return Posting(usage=None, usage_status="unreported", cost=UNPRICED, model=start.model, first=run.posting)
    status = _reported(run, start, end)[1]
    if run.posting is not None and run.posting.usage is not None:
        usage = lacking(run.posting.usage, usage)
    return Posting(usage=usage, usage_status=status, cost=UNPRICED, model=start.model, first=run.posting)


def lacking(first: Usage, full: Usage) -> Usage | None:
    """Return what `full` has and `first` had not; `None` if it has nothing more."""
    more: dict[str, Any] = {}
    for name in COUNTS:
        difference = (getattr(full, name) or 0) - (getattr(first, name) or 0)
        if difference > 0:
            more[name] = difference
    try:
        return Usage(**more) if more else None
    except ValueError:
        # A part grew by more than its total: the totals are what is billed.
        return Usage(**{name: more[name] for name in ("input", "output") if name in more}) or None


def _reported(run: Run, start: ModelStarted, end: ModelEnded) -> tuple[Usage | None, UsageStatus]:
    if end.usage:
        whole = end.usage.complete or start.operation == "embeddings"
        return end.usage, "reported" if whole else "partial"
    if run.seen is not None and run.seen.usage:
        return run.seen.usage, "partial"
    return None, "unreported"


def _price(prices: PriceBook, start: ModelStarted, end: ModelEnded, usage: Usage | None, model: str | None) -> Cost:
    if usage is None:
        # A provider may say what a call cost without saying what it used.
        return UNPRICED if end.cost_usd is None else cost_of(Usage(), None, reported_usd=end.cost_usd)
    tariff = None
    for name in dict.fromkeys((model, start.model)):
        if name and tariff is None:
            tariff = prices.find(provider=start.provider, model=name, at_ns=start.at_ns or 0, service_tier=end.service_tier)
    return cost_of(usage, tariff, reported_usd=end.cost_usd, provider=start.provider)
