"""The tokens of a call, back from its span: as much as `cost_of` needs of what the provider once reported."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.prices.rates import MTOK, Rates
from token_otel.report import values
from token_otel.usage import COUNTS, Usage

_CLOSE = Decimal("0.000001")  # a double holds 15 digits of what was exact


def usage_of(span: SpanRecord) -> Usage | None:
    """Return the tokens on a span, all cache writes as five minutes'; `None` if there are none, or they do not fit."""
    write = values.count(span, sc.CACHE_WRITE_TOKENS)
    try:
        usage = Usage(
            input=values.count(span, sc.INPUT_TOKENS),
            output=values.count(span, sc.OUTPUT_TOKENS),
            cache_read=values.count(span, sc.CACHE_READ_TOKENS),
            cache_write_5m=values.count(span, sc.CACHE_CREATION_TOKENS) if write is None else write,
            reasoning=values.count(span, sc.REASONING_TOKENS),
            audio_input=values.count(span, sc.AUDIO_INPUT_TOKENS),
            audio_output=values.count(span, sc.AUDIO_OUTPUT_TOKENS),
            image_input=values.count(span, sc.IMAGE_INPUT_TOKENS),
            image_output=values.count(span, sc.IMAGE_OUTPUT_TOKENS),
        )
    except ValueError:
        return None
    return usage or None


def sum_of(first: Usage, rest: Usage) -> Usage:
    """Return the whole of a call that was booked in two parts."""
    parts = {name: (getattr(first, name), getattr(rest, name)) for name in COUNTS}
    whole: dict[str, Any] = {name: (one or 0) + (other or 0) for name, (one, other) in parts.items() if (one, other) != (None, None)}
    return Usage(**whole)


def hour_writes(tokens: int, usd: Decimal | None, candidates: Sequence[Rates]) -> int | None:
    """Return how many of the tokens written to the cache were written for an hour, told by what they once cost.

    Spans hold one number for both lifetimes. `candidates` are rates that may have been charged; `None` if none fits.
    """
    if not tokens:
        return 0
    for rates in candidates if usd is not None else ():
        short, long = rates.of("cache_write_5m"), rates.of("cache_write_1h")
        if short is None or long is None:
            continue
        above = (usd or Decimal()) * MTOK - tokens * short
        found = _whole(above, long - short)
        if found is not None and found <= tokens:
            return found
    return None


def searches(fees_usd: Decimal | None, candidates: Sequence[Rates]) -> int | None:
    """Return how many web searches were paid for, told by the fees; `None` if no rate explains them."""
    if fees_usd is None:
        return 0
    for rates in candidates:
        found = _whole(fees_usd - (rates.request_usd or Decimal()), rates.web_search_usd or Decimal())
        if found is not None:
            return found
    return None


def _whole(amount: Decimal, each: Decimal) -> int | None:
    """Return how many times `each` is in `amount`, if it is a whole number of times."""
    if not each:
        return 0 if abs(amount) <= _CLOSE * _CLOSE else None
    count = amount / each
    nearest = round(count)
    return nearest if nearest >= 0 and abs(count - nearest) <= _CLOSE else None
