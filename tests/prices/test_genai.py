"""`GenaiBook`: our arithmetic on genai-prices' data, against its own, over its whole snapshot."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, data_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st

from token_otel import Usage
from token_otel.prices import Cost, cost_of
from token_otel.prices.genai import GenaiBook

BOOK = GenaiBook()
WHEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHEN_NS = int(WHEN.timestamp()) * 1_000_000_000
PROVIDERS = data_snapshot.get_snapshot().providers


def words(match: Any) -> Iterator[str]:
    """Yield the texts that a model's matching rule looks for."""
    rule: dict[str, Any] = match.__dict__
    for value in rule.values():
        if isinstance(value, str):
            yield value
        else:
            for clause in value:
                yield from words(clause)


def name_of(provider: Provider, model: ModelInfo) -> str:
    """Return a name under which genai-prices finds the model: for some, it is not their id."""
    return next((name for name in (model.id, *words(model.match)) if provider.find_model(name) is model), model.id)


MODELS = [(provider.id, model, name_of(provider, model)) for provider in PROVIDERS for model in provider.models]

# What a response can say. Two more conditions are no tier of a response: OpenRouter's `route` and Perplexity's `search_type`.
TIER_KEYS = {"service_tier", "processing", "speed"}

THEIR_NAMES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "output_reasoning_tokens",
    "citation": "output_citation_tokens",
    "audio_input": "input_audio_tokens",
    "audio_output": "output_audio_tokens",
    "audio_cache_read": "cache_audio_read_tokens",
    "image_input": "input_image_tokens",
    "image_output": "output_image_tokens",
    "image_cache_read": "cache_image_read_tokens",
    "video_input": "input_video_tokens",
    "video_output": "output_video_tokens",
    "video_cache_read": "cache_video_read_tokens",
    "web_searches": "web_searches",
}

Cells = Mapping[str, int]
IN = ("text", "audio", "image", "video", "text_read", "audio_read", "image_read", "video_read", "written_5m", "written_1h")
OUT = ("text_out", "reasoning", "citation", "audio_out", "image_out", "video_out")


def usage_of(cells: Cells, web_searches: int = 0) -> Usage:
    """Add disjoint cells up to the inclusive buckets."""
    n = {name: cells.get(name, 0) for name in (*IN, *OUT)}
    return Usage(
        input=sum(n[name] for name in IN),
        output=sum(n[name] for name in OUT),
        cache_read=n["text_read"] + n["audio_read"] + n["image_read"] + n["video_read"],
        cache_write_5m=n["written_5m"],
        cache_write_1h=n["written_1h"],
        reasoning=n["reasoning"],
        citation=n["citation"],
        audio_input=n["audio"] + n["audio_read"],
        audio_output=n["audio_out"],
        audio_cache_read=n["audio_read"],
        image_input=n["image"] + n["image_read"],
        image_output=n["image_out"],
        image_cache_read=n["image_read"],
        video_input=n["video"] + n["video_read"],
        video_output=n["video_out"],
        video_cache_read=n["video_read"],
        web_searches=web_searches,
    )


def theirs(usage: Usage, provider: str | None, model: str, at: datetime = WHEN, context: Mapping[str, str] | None = None) -> Decimal:
    counts = {name: getattr(usage, ours) for ours, name in THEIR_NAMES.items() if getattr(usage, ours) is not None}
    return calc_price(TheirUsage(**counts), model, provider_id=provider, genai_request_timestamp=at, price_context=context).total_price


def ours(usage: Usage, provider: str | None, model: str, at: datetime = WHEN, tier: str | None = None) -> Cost:
    at_ns = int(at.timestamp()) * 1_000_000_000
    return cost_of(usage, BOOK.find(provider=provider, model=model, at_ns=at_ns, service_tier=tier))


def prices_of(model: ModelInfo) -> list[ModelPrice]:
    standard = [model.prices] if isinstance(model.prices, ModelPrice) else [price.prices for price in model.prices]
    return standard + [variant.prices for variant in model.price_variants or ()]


@cache
def keys_of(model: str) -> frozenset[str]:
    [info] = {id(info): info for provider, info, _ in MODELS if f"{provider}/{info.id}" == model}.values()
    return frozenset(key for prices in prices_of(info) for key, price in prices.__dict__.items() if price is not None)


def times_of(model: ModelInfo) -> list[datetime]:
    """Return a time within each of the model's prices, and the seconds around each of their beginnings and ends."""
    constraints = [item.constraint for item in model.price_variants or ()]
    if not isinstance(model.prices, ModelPrice):
        constraints += [item.constraint for item in model.prices]
    edges: set[datetime] = set()
    for constraint in constraints:
        if isinstance(constraint, StartDateConstraint):
            edges.add(datetime.combine(constraint.start_date, time(), UTC))
        elif isinstance(constraint, TimeOfDateConstraint):
            edges |= {datetime.combine(WHEN.date(), edge).astimezone(UTC) for edge in (constraint.start_time, constraint.end_time)}
    return sorted({WHEN, *edges, *(edge - timedelta(seconds=1) for edge in edges)})


def contexts_of(model: ModelInfo) -> list[dict[str, str]]:
    found = [dict(variant.when) for variant in model.price_variants or () if set(variant.when) <= TIER_KEYS]
    return [context for i, context in enumerate(found) if context not in found[:i]]


def sizes_of(model: ModelInfo) -> list[int]:
    starts = {
        tier.start
        for prices in prices_of(model)
        for price in prices.__dict__.values()
        if isinstance(price, TieredPrices)
        for tier in price.tiers
    }
    return sorted({5_000} | starts | {start + 1 for start in starts})


def same(usage: Usage, provider: str, model: str, at: datetime, context: Mapping[str, str] | None) -> str:
    """Check one bill; return how it compares.

    Known exceptions: where genai-prices has no rate for input or output it takes those tokens for free; we say that they
    are not priced.
    """
    wanted = theirs(usage, provider, model, at, context)
    cost = ours(usage, provider, model, at, next(iter(context.values())) if context else None)
    if cost.status == "priced":
        assert cost.total_usd == wanted, (provider, model, at, context, usage)
        return "equal"
    assert cost.total_usd is None
    assert cost.model is not None
    lacking = {"input_mtok", "output_mtok"} - keys_of(cost.model)
    assert lacking, (provider, model)
    return "not sold by the token" if len(lacking) == 2 else "no rate for input or output"


def shapes(size: int) -> Iterator[Usage]:
    """Yield bills of one size: an embedding's, plain, cached, spoken, and with a little of everything."""
    yield usage_of({"text": size})
    yield usage_of({"text": size, "text_out": 300})
    yield usage_of({"text": size - 4_600, "text_read": 3_000, "written_5m": 1_000, "written_1h": 600, "text_out": 300, "reasoning": 77}, 3)
    yield usage_of({"text": size - 900, "text_read": 500, "audio": 300, "audio_read": 100, "audio_out": 200, "text_out": 100})
    everything = {name: 11 * i for i, name in enumerate((*IN, *OUT), 1)}
    yield usage_of(everything | {"text": size - sum(everything[name] for name in IN if name != "text")}, 1)


def test_our_total_is_theirs_on_the_whole_snapshot():
    """On every model, at every date and hour where its price changes, in every tier, on either side of every threshold."""
    seen: Counter[str] = Counter()
    for provider, model, name in MODELS:
        for at in times_of(model):
            for context in (None, *contexts_of(model)):
                for size in sizes_of(model):
                    for usage in shapes(size):
                        seen[same(usage, provider, name, at, context)] += 1

    assert seen["equal"] > 25_000
    assert seen["equal"] > 0.9 * seen.total()


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    names = draw(st.sets(st.sampled_from((*IN, *OUT)), max_size=6))
    cells = {name: draw(st.integers(0, 5_000)) for name in names}
    size = draw(st.sampled_from([0, 32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000])) + draw(
        st.sampled_from([0, 1, 777])
    )
    cells["text"] = max(0, size - sum(tokens for name, tokens in cells.items() if name in IN))
    return usage_of(cells, draw(st.integers(0, 9)))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, datetime, dict[str, str] | None]:
    provider, model, name = draw(st.sampled_from(MODELS))
    seconds = st.integers(1_672_531_200, 1_830_297_600)  # the years 2023 to 2027
    at = draw(st.sampled_from(times_of(model)) | seconds.map(lambda at: datetime.fromtimestamp(at, UTC)))
    context = draw(
        st.sampled_from([None, *contexts_of(model), {"service_tier": "flex"}, {"processing": "batch"}, {"service_tier": "imperial"}])
    )
    return provider, name, at, context


@given(calls(), usages())
@settings(max_examples=1_000)
def test_our_total_is_theirs_on_any_bill(call: tuple[str, str, datetime, dict[str, str] | None], usage: Usage):
    """Whatever was used, whenever, in whichever tier, sold there or not."""
    same(usage, call[0], call[1], call[2], call[3])


@pytest.mark.parametrize(
    ("provider", "model", "usage", "usd"),
    [
        # 1,000,000 x $2.50 + 100,000 x $10
        ("openai", "gpt-4o", Usage(input=1_000_000, output=100_000), "3.5"),
        # 600,000 x $2.50 + 400,000 x $1.25
        ("openai", "gpt-4o", Usage(input=1_000_000, output=0, cache_read=400_000), "2.0"),
        # 200,000 x $3, and one more token: 200,001 x $6
        ("anthropic", "claude-sonnet-4-5", Usage(input=200_000, output=0), "0.6"),
        ("anthropic", "claude-sonnet-4-5", Usage(input=200_001, output=0), "1.200006"),
        # 1,000 x $3.75 and 1,000 x $6
        ("anthropic", "claude-sonnet-4-5", Usage(input=2_000, output=0, cache_write_5m=1_000, cache_write_1h=1_000), "0.00975"),
        # 2 searches of $10 a thousand beside 1,000 x $3
        ("anthropic", "claude-sonnet-4-5", Usage(input=1_000, output=0, web_searches=2), "0.023"),
        # 10,000 x $1.25 + 1,000 x $10
        ("openai", "gpt-5", Usage(input=10_000, output=1_000), "0.0225"),
    ],
)
def test_a_bill_by_hand(provider: str, model: str, usage: Usage, usd: str):
    """At the rates of the price lists."""
    assert ours(usage, provider, model).total_usd == Decimal(usd)


def test_says_where_a_price_comes_from():
    """The book, its version and the entry that matched."""
    tariff = BOOK.find(provider="azure_openai", model="gpt-4o-2024-08-06", at_ns=WHEN_NS)

    assert tariff is not None
    assert (tariff.source, tariff.model.startswith("azure/gpt-4o")) == ("genai-prices", True)
    assert tariff.version[0].isdigit()


def test_the_service_tier_is_the_responses():
    """A tier that the book knows has its own rates; one it does not know leaves the standard ones."""
    usage = Usage(input=1_000_000, output=0)
    batch = cost_of(usage, BOOK.find(provider="openai", model="gpt-5", at_ns=WHEN_NS, service_tier="batch"))
    standard = cost_of(usage, BOOK.find(provider="openai", model="gpt-5", at_ns=WHEN_NS))
    unheard_of = cost_of(usage, BOOK.find(provider="openai", model="gpt-5", at_ns=WHEN_NS, service_tier="imperial"))

    wanted = calc_price(
        TheirUsage(input_tokens=1_000_000),
        "gpt-5",
        provider_id="openai",
        genai_request_timestamp=WHEN,
        price_context={"processing": "batch"},
    )
    assert batch.total_usd == wanted.total_price
    assert unheard_of.total_usd == standard.total_usd == Decimal("1.25")
