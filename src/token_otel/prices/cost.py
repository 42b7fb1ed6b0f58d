"""`Cost`: what one call cost, exactly, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from token_otel.prices.names import is_local
from token_otel.prices.rates import MTOK, Rates, Tariff
from token_otel.usage import Usage

CostStatus: TypeAlias = Literal["priced", "partial", "unpriced", "local", "cached"]

Part: TypeAlias = tuple[str, int]
"""What a token is charged as, and how many there are; parts are disjoint."""

DEAREST_USD = 1_000_000  # no call costs more, whatever a provider says: it would drown every sum

_READ = frozenset({"cache_read", "audio_cache_read", "image_cache_read", "video_cache_read"})
_WRITE = frozenset({"cache_write_5m", "cache_write_1h"})
_REASONING = frozenset({"reasoning"})
_FRESH = {"cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "input"} | {
    f"{modality}_cache_read": f"{modality}_input" for modality in ("audio", "image", "video")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """USD of one call, unrounded; `None` is unknown, never free.

    `cache_read_usd` and `cache_write_usd` are parts of `input_usd`, `reasoning_usd` of `output_usd`; `fees_usd` (per
    request, per web search) is in the total alone. `uncached_usd` is what the input would have cost without any cache, where
    there was one. `rates` are those really applied, for whoever splits the bill.
    """

    status: CostStatus
    input_usd: Decimal | None = None
    output_usd: Decimal | None = None
    fees_usd: Decimal | None = None
    total_usd: Decimal | None = None
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    reasoning_usd: Decimal | None = None
    uncached_usd: Decimal | None = None
    source: str | None = None
    version: str | None = None
    model: str | None = None
    rates: Rates | None = None

    def less(self, booked: Cost) -> Cost:
        """Return what this costs more than a part of it that is booked already."""
        return replace(
            self,
            input_usd=_less(self.input_usd, booked.input_usd),
            output_usd=_less(self.output_usd, booked.output_usd),
            fees_usd=_less(self.fees_usd, booked.fees_usd),
            total_usd=_less(self.total_usd, booked.total_usd),
            cache_read_usd=_less(self.cache_read_usd, booked.cache_read_usd),
            cache_write_usd=_less(self.cache_write_usd, booked.cache_write_usd),
            reasoning_usd=_less(self.reasoning_usd, booked.reasoning_usd),
            uncached_usd=_less(self.uncached_usd, booked.uncached_usd or booked.input_usd),
        )


def _less(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if whole is None else max(Decimal(), whole - (part or Decimal()))


UNPRICED = Cost(status="unpriced")
_NOTHING = Decimal()


def cost_of(usage: Usage, tariff: Tariff | None, *, reported_usd: Decimal | None = None, provider: str | None = None) -> Cost:
    """Price `usage`.

    Args:
        usage: The tokens of the call; only what is known is priced.
        tariff: What the price book says; `None` if it does not know the model.
        reported_usd: The cost that the provider itself reported: it wins, and then only the total is known.
        provider: A provider that runs on the caller's own machine costs no money per token: `local`.
    """
    if reported_usd is not None and reported_usd.is_finite() and 0 <= reported_usd <= DEAREST_USD:
        return Cost(status="priced", total_usd=reported_usd, source="provider")
    if tariff is None:
        return Cost(status="local") if is_local(provider) else UNPRICED
    rates = tariff.rates(usage.input or 0)
    if not usage or (rates.input is None and rates.output is None and rates.request_usd is None):
        return Cost(status="unpriced", source=tariff.source, version=tariff.version, model=tariff.model)
    if rates.input is not None and rates.output is not None and usage.plain:
        return _cost_of_text(usage, rates, tariff)
    input_usds = _charged(rates, _input_parts(usage)) if usage.input is not None else None
    output_usds = _charged(rates, _output_parts(usage)) if usage.output is not None else None
    input_usd, output_usd = _sum(input_usds), _sum(output_usds)
    fees_usd = _fees(usage, rates)
    missing = (usage.input is not None and input_usd is None) or (usage.output is not None and output_usd is None)
    if rates.input is None and rates.output is None:
        missing = False  # sold by the call: the fee is the whole price
    elif missing and input_usd is None and output_usd is None:
        return Cost(status="unpriced", source=tariff.source, version=tariff.version, model=tariff.model)
    return Cost(
        status="partial" if missing else "priced",
        input_usd=input_usd,
        output_usd=output_usd,
        fees_usd=fees_usd,
        total_usd=None if missing else (input_usd or _NOTHING) + (output_usd or _NOTHING) + (fees_usd or _NOTHING),
        cache_read_usd=_sum(input_usds, _READ) if usage.cache_read is not None else None,
        cache_write_usd=_sum(input_usds, _WRITE) if usage.cache_write is not None else None,
        reasoning_usd=_sum(output_usds, _REASONING) if usage.reasoning is not None else None,
        uncached_usd=_uncached(usage, rates),
        source=tariff.source,
        version=tariff.version,
        model=tariff.model,
        rates=rates,
    )


def _cost_of_text(usage: Usage, rates: Rates, tariff: Tariff) -> Cost:
    """Price a call that is all text, as most are: the same sums with fewer steps."""
    read_rate, hour_rate, write_rate, fresh_rate = rates.whole.units
    exponent = -rates.whole.decimals - 6
    read, hour, write = usage.cache_read, usage.cache_write_1h or 0, usage.cache_write_5m or 0
    read_units, write_units = (read or 0) * read_rate, hour * hour_rate + write * write_rate
    input_usd = output_usd = uncached_usd = None
    if usage.input is not None:
        input_usd = Decimal(usage.uncached * fresh_rate + read_units + write_units).scaleb(exponent)
        if read or hour or write:
            uncached_usd = Decimal(usage.input * fresh_rate).scaleb(exponent)
    thought = usage.reasoning
    thought_usd = (thought or 0) * (rates.of("reasoning") or _NOTHING) / MTOK
    if usage.output is not None:
        output_usd = (usage.output - (thought or 0)) * (rates.output or _NOTHING) / MTOK + thought_usd
    fees_usd = rates.request_usd or None
    return Cost(
        status="priced",
        input_usd=input_usd,
        output_usd=output_usd,
        fees_usd=fees_usd,
        total_usd=(input_usd or _NOTHING) + (output_usd or _NOTHING) + (fees_usd or _NOTHING),
        cache_read_usd=Decimal(read_units).scaleb(exponent) if read is not None else None,
        cache_write_usd=Decimal(write_units).scaleb(exponent) if usage.cache_write is not None else None,
        reasoning_usd=thought_usd if thought is not None else None,
        uncached_usd=uncached_usd,
        source=tariff.source,
        version=tariff.version,
        model=tariff.model,
        rates=rates,
    )


def _input_parts(usage: Usage) -> list[Part]:
    """Split the input into disjoint parts; of a modality, what is not known to be cached is taken for fresh, as far as it goes."""
    read, fresh = usage.cache_read or 0, usage.uncached
    parts: list[Part] = []
    for modality, total, cached in (
        ("audio", usage.audio_input, usage.audio_cache_read),
        ("image", usage.image_input, usage.image_cache_read),
        ("video", usage.video_input, usage.video_cache_read),
    ):
        if total:
            new = min(total - (cached or 0), fresh)
            old = min(total - new, read)
            parts += (f"{modality}_input", new), (f"{modality}_cache_read", old)
            fresh -= new
            read -= old
    parts += ("input", fresh), ("cache_read", read)
    parts += ("cache_write_5m", usage.cache_write_5m or 0), ("cache_write_1h", usage.cache_write_1h or 0)
    return parts


def _uncached(usage: Usage, rates: Rates) -> Decimal | None:
    if usage.input is None or not (usage.cache_read or usage.cache_write):
        return None
    fresh: dict[str, int] = {}
    for part, tokens in _input_parts(usage):
        name = _FRESH.get(part, part)
        fresh[name] = fresh.get(name, 0) + tokens
    return _sum(_charged(rates, [*fresh.items()]))


def _output_parts(usage: Usage) -> list[Part]:
    rest = usage.output or 0
    parts: list[Part] = []
    for part, tokens in (
        ("reasoning", usage.reasoning),
        ("citation", usage.citation),
        ("audio_output", usage.audio_output),
        ("image_output", usage.image_output),
        ("video_output", usage.video_output),
    ):
        if tokens:
            tokens = min(tokens, rest)
            parts.append((part, tokens))
            rest -= tokens
    parts.append(("output", rest))
    return parts


def _charged(rates: Rates, parts: list[Part]) -> dict[str, Decimal] | None:
    """Return what each part costs, in millionths of a USD; `None` if tokens meet no rate."""
    charged: dict[str, Decimal] = {}
    for part, tokens in parts:
        if tokens:
            rate = rates.of(part)
            if rate is None:
                return None
            charged[part] = tokens * rate
    return charged


def _sum(charged: dict[str, Decimal] | None, only: frozenset[str] | None = None) -> Decimal | None:
    """Return the exact USD of all parts, or of some."""
    if charged is None:
        return None
    return sum([usd for part, usd in charged.items() if only is None or part in only], _NOTHING) / MTOK


def _fees(usage: Usage, rates: Rates) -> Decimal | None:
    fees = rates.request_usd or _NOTHING
    if usage.web_searches and rates.web_search_usd is not None:
        fees += usage.web_searches * rates.web_search_usd
    return fees or None
