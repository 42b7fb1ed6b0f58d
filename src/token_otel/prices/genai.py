"""`GenaiBook`: genai-prices' data as a price book. Its own arithmetic is not used: that is the oracle of our tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any, TypeAlias

from token_otel.prices.book import CACHE_LIMIT
from token_otel.prices.names import ROUTERS, book_provider, is_local, model_spellings
from token_otel.prices.rates import Rates, Tariff

Price: TypeAlias = Any  # Decimal or genai_prices' TieredPrices: imported late, since its module costs 0.4 s

# In this order: where a write's lifetime is priced apart, it is the lifetime that counts.
_FIELD_OF_KEY = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "output_citation_mtok": "citation",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "cache_audio_read_mtok": "audio_cache_read",
    "input_image_mtok": "image_input",
    "output_image_mtok": "image_output",
    "cache_image_read_mtok": "image_cache_read",
    "input_video_mtok": "video_input",
    "output_video_mtok": "video_output",
    "cache_video_read_mtok": "video_cache_read",
}
_FEE_OF_KEY = {"requests_kcount": "request_usd", "web_searches_kcount": "web_search_usd"}
_THOUSAND = Decimal(1000)

# Their closed models are sold under the same names by whoever resells them; open ones have a price at each host.
_MAKERS = frozenset({"anthropic", "google", "openai"})


class GenaiBook:
    """The prices that ship with genai-prices. Loading it takes about 0.4 s: make and use it off the hot path first."""

    def __init__(self) -> None:
        from genai_prices import data_snapshot

        snapshot = data_snapshot.get_snapshot()
        self._providers = snapshot.providers
        self._find_provider = data_snapshot.find_provider_by_id
        self._version = version("genai-prices")
        if snapshot.from_auto_update:  # by another library in this process
            self._version += f"+{snapshot.timestamp:%Y-%m-%d}"
        self._matches: dict[tuple[str | None, str], tuple[Any, Any] | None] = {}

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff in force at `at_ns`, tiers by the size of the prompt included."""
        match = self._match(book_provider(provider), model)
        if match is None:
            return None
        seller, info = match
        when = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
        # A tier is the seller's own: at the list price of another provider it does not exist.
        own = any(info is model for model in seller.models)
        prices: Mapping[str, Price] = info.get_prices(when, _context(service_tier) if own else None).__dict__
        steps = tuple((above, _rates(prices, above)) for above in sorted({0} | _thresholds(prices)))
        return Tariff(steps=steps, source="genai-prices", version=self._version, model=f"{seller.id}/{info.id}")

    def _match(self, provider: str | None, model: str) -> tuple[Any, Any] | None:
        key = (provider, model)
        if key not in self._matches:
            if len(self._matches) >= CACHE_LIMIT:
                self._matches.clear()
            self._matches[key] = next(self._look_up(provider, model), None)
        return self._matches[key]

    def _look_up(self, provider: str | None, model: str) -> Iterator[tuple[Any, Any]]:
        """Yield what the model may be, likeliest first: by its provider, else by its own name, whose first half may name one."""
        if is_local(provider):
            return
        seller = None if provider is None or provider in ROUTERS else self._find_provider(self._providers, provider)
        anybody = provider is None or provider in ROUTERS
        for name in model_spellings(model):
            if seller is not None:
                yield from self._sold(seller, name)
                continue
            maker, _, rest = name.partition("/")
            named = self._find_provider(self._providers, book_provider(maker) or maker) if anybody and rest else None
            if named is not None:
                yield from self._sold(named, rest)
            for other in self._providers:
                if other.model_match is not None and other.model_match.is_match(name):
                    if anybody or (other.id in _MAKERS and "oss" not in name):
                        yield from self._sold(other, name)
                    break

    def _sold(self, seller: Any, name: str) -> Iterator[tuple[Any, Any]]:
        info = seller.find_model(name, all_providers=self._providers)
        if info is not None:
            yield seller, info


def _context(service_tier: str | None) -> dict[str, str] | None:
    """Return the tier under each of the names that prices depend on: Anthropic calls it speed."""
    if service_tier is None:
        return None
    tier = service_tier.lower()
    return {"service_tier": tier, "speed": tier, "processing": tier}


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
    stated = {field: _at(prices[key], above) for key, field in _FIELD_OF_KEY.items() if prices.get(key) is not None}
    fees = {field: _at(prices[key], above) / _THOUSAND for key, field in _FEE_OF_KEY.items() if prices.get(key) is not None}
    return Rates(**stated, **fees)
