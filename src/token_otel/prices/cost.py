"""`Cost`: what one call cost, exactly, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from token_otel.prices.rates import MTOK, Rates, Tariff
from token_otel.usage import Usage

CostStatus: TypeAlias = Literal["priced", "partial", "unpriced", "local", "cached"]

LOCAL_PROVIDERS = frozenset({"ollama", "llamacpp", "llama.cpp", "vllm", "huggingface_pipeline", "local"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """USD of one call, unrounded; `None` is unknown, never free.

    `cache_read_usd` and `cache_write_usd` are parts of `input_usd`, `reasoning_usd` of `output_usd`; `fees_usd` (per
    request, per web search) is in the total alone. `rates` are those really applied, for whoever splits the bill.
    """

    status: CostStatus
    input_usd: Decimal | None = None
    output_usd: Decimal | None = None
    fees_usd: Decimal | None = None
    total_usd: Decimal | None = None
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    reasoning_usd: Decimal | None = None
    source: str | None = None
    version: str | None = None
    model: str | None = None
    rates: Rates | None = None

    def less(self, booked: Cost) -> Cost:
        """Return what this costs more than a part of it that is booked already."""
        if self.total_usd is None or booked.total_usd is None:
            return self
        return replace(
            self,
            input_usd=_less(self.input_usd, booked.input_usd),
            output_usd=_less(self.output_usd, booked.output_usd),
            fees_usd=_less(self.fees_usd, booked.fees_usd),
            total_usd=_less(self.total_usd, booked.total_usd),
            cache_read_usd=_less(self.cache_read_usd, booked.cache_read_usd),
            cache_write_usd=_less(self.cache_write_usd, booked.cache_write_usd),
            reasoning_usd=_less(self.reasoning_usd, booked.reasoning_usd),
        )


def _less(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if whole is None else max(Decimal(), whole - (part or Decimal()))


UNPRICED = Cost(status="unpriced")


def cost_of(usage: Usage, tariff: Tariff | None, *, reported_usd: Decimal | None = None, provider: str | None = None) -> Cost:
    """Price `usage`.

    Args:
        usage: The tokens of the call; only what is known is priced.
        tariff: What the price book says; `None` if it does not know the model.
        reported_usd: The cost that the provider itself reported: it wins, and then only the total is known.
        provider: A provider that runs on the caller's own machine costs no money per token: `local`.
    """
    if reported_usd is not None and reported_usd.is_finite() and reported_usd >= 0:
        return Cost(status="priced", total_usd=reported_usd, source="provider")
    if tariff is None:
        return Cost(status="local") if provider in LOCAL_PROVIDERS else UNPRICED
    rates = tariff.rates(usage.input or 0)
    input_parts = _input_parts(usage)
    output_parts = _output_parts(usage)
    read = _sum(rates, [part for part in input_parts if part[0] in ("cache_read", "audio_cache_read")])
    write = _sum(rates, [part for part in input_parts if part[0] in ("cache_write_5m", "cache_write_1h")])
    reasoning = _sum(rates, [part for part in output_parts if part[0] == "reasoning"])
    input_usd = _sum(rates, input_parts) if usage.input is not None else None
    output_usd = _sum(rates, output_parts) if usage.output is not None else None
    fees_usd = _fees(usage, rates)
    unpriced = (usage.input is not None and input_usd is None) or (usage.output is not None and output_usd is None)
    if not usage or (input_usd is None and output_usd is None):
        return Cost(status="unpriced", source=tariff.source, version=tariff.version, model=tariff.model)
    return Cost(
        status="partial" if unpriced else "priced",
        input_usd=input_usd,
        output_usd=output_usd,
        fees_usd=fees_usd,
        total_usd=None if unpriced else (input_usd or Decimal()) + (output_usd or Decimal()) + (fees_usd or Decimal()),
        cache_read_usd=read if usage.cache_read is not None else None,
        cache_write_usd=write if usage.cache_write is not None else None,
        reasoning_usd=reasoning if usage.reasoning is not None else None,
        source=tariff.source,
        version=tariff.version,
        model=tariff.model,
        rates=rates,
    )


def _input_parts(usage: Usage) -> list[tuple[str, int]]:
    audio_read = usage.audio_cache_read or 0
    rest = usage.uncached
    audio = min((usage.audio_input or 0) - audio_read, rest)
    image = min(usage.image_input or 0, rest - audio)
    return [
        ("input", rest - audio - image),
        ("audio_input", audio),
        ("image_input", image),
        ("cache_read", (usage.cache_read or 0) - audio_read),
        ("audio_cache_read", audio_read),
        ("cache_write_5m", usage.cache_write_5m or 0),
        ("cache_write_1h", usage.cache_write_1h or 0),
    ]


def _output_parts(usage: Usage) -> list[tuple[str, int]]:
    output, reasoning = usage.output or 0, usage.reasoning or 0
    audio = min(usage.audio_output or 0, output - reasoning)
    image = min(usage.image_output or 0, output - reasoning - audio)
    return [
        ("output", output - reasoning - audio - image),
        ("reasoning", reasoning),
        ("audio_output", audio),
        ("image_output", image),
    ]


def _sum(rates: Rates, parts: list[tuple[str, int]]) -> Decimal | None:
    """Return the exact USD of `(part, tokens)`; `None` if tokens meet no rate."""
    total = Decimal()
    for part, tokens in parts:
        if tokens:
            rate = rates.of(part)
            if rate is None:
                return None
            total += tokens * rate
    return total / MTOK


def _fees(usage: Usage, rates: Rates) -> Decimal | None:
    fees = rates.request_usd or Decimal()
    if usage.web_searches and rates.web_search_usd is not None:
        fees += usage.web_searches * rates.web_search_usd
    return fees or None
