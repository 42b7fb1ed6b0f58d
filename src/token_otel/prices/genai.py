"""`GenaiBook`: genai-prices' data as a price book. Its own arithmetic is not used: that is the oracle of our tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any, TypeAlias

from token_otel.prices.names import book_provider, model_spellings
from token_otel.prices.rates import Rates, Tariff

Price: TypeAlias = Any  # Decimal or genai_prices' TieredPrices: imported late, since its module costs 0.4 s

_FIELD_OF_KEY = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "cache_audio_read_mtok": "audio_cache_read",
    "input_image_mtok": "image_input",
    "output_image_mtok": "image_output",
}
_FEE_OF_KEY = {"requests_kcount": "request_usd", "web_searches_kcount": "web_search_usd"}
_THOUSAND = Decimal(1000)


class GenaiBook:
    """The prices that ship with genai-prices. Loading it takes about 0.4 s: make and use it off the hot path first."""

    def __init__(self) -> None:
        from genai_prices import data_snapshot

        self._snapshot = data_snapshot.get_snapshot()
        self._version = version("genai-prices")

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff in force at `at_ns`, tiers by the size of the prompt included."""
        match = self._match(book_provider(provider), model)
        if match is None:
            return None
        book_name, info = match
        when = datetime.fromtimestamp(at_ns / 1e9, UTC)
        prices: Mapping[str, Price] = info.get_prices(when, _context(service_tier)).__dict__
        steps = tuple((above, _rates(prices, above)) for above in sorted({0} | _thresholds(prices)))
        return Tariff(steps=steps, source="genai-prices", version=self._version, model=f"{book_name}/{info.id}")

    def _match(self, provider: str | None, model: str) -> tuple[str, Any] | None:
        for name in model_spellings(model):
            attempts = [(provider, name)]
            if provider is None and "/" in name:
                attempts.append((book_provider(name.split("/", 1)[0]), name.split("/", 1)[1]))
            for provider_id, ref in attempts:
                try:
                    found, info = self._snapshot.find_provider_model(ref, None, provider_id, None)
                except LookupError:
                    continue
                return found.id, info
        return None


def _context(service_tier: str | None) -> dict[str, str] | None:
    if service_tier is None:
        return None
    return {"processing": "batch"} if service_tier == "batch" else {"service_tier": service_tier}


def _thresholds(prices: Mapping[str, Price]) -> set[int]:
    return {tier.start for price in prices.values() if hasattr(price, "tiers") for tier in price.tiers}


def _at(price: Price, above: int) -> Decimal:
    """Return the price for a prompt of more than `above` tokens, up to the next threshold."""
    if not hasattr(price, "tiers"):
        return price
    chosen = price.base
    for tier in price.tiers:
        if above >= tier.start and above > 0:
            chosen = tier.price
    return chosen


def _rates(prices: Mapping[str, Price], above: int) -> Rates:
    fields: dict[str, Decimal] = {}
    for key, field in _FIELD_OF_KEY.items():
        if prices.get(key) is not None:
            fields[field] = _at(prices[key], above)
    for key, field in _FEE_OF_KEY.items():
        if prices.get(key) is not None:
            fields[field] = _at(prices[key], above) / _THOUSAND
    return Rates(**fields)
