"""`Break`: a call that read again what had been in the cache, and had to pay for it anew.

A prefix that was changed and a cache that has expired look the same on the spans; the idle time before the call is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.report import values
from token_otel.report.calls import Call
from token_otel.report.rates import Rates, rounded
from token_otel.report.tree import SpanKey, key_of

SHORTEST_PREFIX = 1024  # tokens: no provider caches less
STEP = 128  # of OpenAI's cache: less is lost by rounding alone

Lane = tuple[str, str, str]
"""Conversation, agent and model: calls in one lane share their prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A call whose prefix was broken, or whose cache had expired.

    Attributes:
        span: The call that paid.
        agent: Who made it.
        conversation: In which conversation, or trace.
        model: Which model answered.
        cached: Tokens that the call before had read from the cache or written to it.
        tokens: Of these, what this call read again without the cache.
        cost_usd: What that cost more than a read from the cache; `None` where no span says what a read costs.
        idle_s: Seconds since the end of the call before.
    """

    span: SpanKey
    agent: str
    conversation: str
    model: str
    cached: int
    tokens: int
    cost_usd: Decimal | None
    idle_s: float


def breaks(calls: Sequence[Call]) -> tuple[Break, ...]:
    """Return the breaks, the dearest first."""
    lanes: dict[Lane, list[Call]] = {}
    for call in sorted(calls, key=lambda call: call.span.start_ns):
        lanes.setdefault((call.scope, call.agent, model_of(call)), []).append(call)
    read_rates = {model_of(call): call.rates.read for call in calls if call.rates.read is not None}
    found = [each for lane, own in lanes.items() for each in _breaks(lane, own, read_rates)]
    return tuple(sorted(found, key=lambda each: (-(each.cost_usd or Decimal()), -each.tokens, each.span)))


def charged(calls: Sequence[Call], found: Sequence[Break]) -> tuple[Call, ...]:
    """Return the calls with what breaking their prefix cost in their totals."""
    by_span = {each.span: each for each in found}
    return tuple([_charged(call, by_span.get(key_of(call.span))) for call in calls])


def model_of(call: Call) -> str:
    """Return the model that answered, else the one that was asked."""
    return values.text(call.span, sc.RESPONSE_MODEL) or values.text(call.span, sc.REQUEST_MODEL) or call.span.name


def _breaks(lane: Lane, calls: Sequence[Call], read_rates: Mapping[str, Decimal]) -> Iterator[Break]:
    scope, agent, model = lane
    for number, call in enumerate(calls):
        # What ran at the same time could not yet be read.
        earlier = (calls[index] for index in range(number - 1, -1, -1))
        before = next((each for each in earlier if each.span.end_ns <= call.span.start_ns and each.totals.input), None)
        if before is None:
            continue
        cached = before.totals.cache_read + before.totals.cache_write
        lost = min(cached, call.totals.reread) - call.totals.cache_read
        if cached < SHORTEST_PREFIX or lost < STEP:
            continue
        read_rate = call.rates.read or before.rates.read or read_rates.get(model)
        yield Break(
            span=key_of(call.span),
            agent=agent,
            conversation=scope,
            model=model,
            cached=cached,
            tokens=lost,
            cost_usd=_cost(lost, call.totals.cache_write, call.rates, read_rate),
            idle_s=(call.span.start_ns - before.span.end_ns) / 1e9,
        )


def _cost(lost: int, written: int, rates: Rates, read_rate: Decimal | None) -> Decimal | None:
    """Return what the tokens after the cached prefix cost more: first come those that were written anew, then the fresh ones."""
    write = min(lost, written)
    if read_rate is None or (write and rates.write is None) or (lost > write and rates.fresh is None):
        return None
    return rounded(write * (rates.write or 0) + (lost - write) * (rates.fresh or 0) - lost * read_rate)


def _charged(call: Call, found: Break | None) -> Call:
    if found is None:
        return call
    totals = replace(call.totals, broken_tokens=found.tokens, broken_usd=found.cost_usd or Decimal())
    return replace(call, totals=totals)
