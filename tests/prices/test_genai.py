"""`GenaiBook`: our arithmetic on genai-prices' data, against its own."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, data_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from token_otel import Usage
from token_otel.prices import cost_of
from token_otel.prices.genai import GenaiBook

BOOK = GenaiBook()
WHEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHEN_NS = int(WHEN.timestamp()) * 1_000_000_000
MODELS = [(provider.id, model.id) for provider in data_snapshot.get_snapshot().providers for model in provider.models]
THEIR_NAMES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "output_reasoning_tokens",
    "audio_input": "input_audio_tokens",
    "audio_output": "output_audio_tokens",
    "image_input": "input_image_tokens",
    "image_output": "output_image_tokens",
    "web_searches": "web_searches",
}


def theirs(usage: Usage, provider: str, model: str) -> Decimal:
    counts = {name: getattr(usage, ours) for ours, name in THEIR_NAMES.items() if getattr(usage, ours) is not None}
    if usage.cache_write is not None:
        counts["cache_write_tokens"] = usage.cache_write
    return calc_price(TheirUsage(**counts), model, provider_id=provider, genai_request_timestamp=WHEN).total_price


def ours(usage: Usage, provider: str | None, model: str) -> Any:
    return cost_of(usage, BOOK.find(provider=provider, model=model, at_ns=WHEN_NS))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    size = draw(st.integers(0, 5_000) | st.sampled_from([128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 1_000_000]))
    read = draw(st.integers(0, size))
    written = draw(st.integers(0, size - read))
    for_an_hour = draw(st.integers(0, written))
    output = draw(st.integers(0, 5_000))
    kind = draw(st.sampled_from(["plain", "cached", "reasoning", "audio", "image", "searches"]))
    parts = {
        "plain": {},
        "cached": {"cache_read": read, "cache_write_5m": written - for_an_hour, "cache_write_1h": for_an_hour},
        "reasoning": {"reasoning": draw(st.integers(0, output))},
        "audio": {"audio_input": draw(st.integers(0, size)), "audio_output": draw(st.integers(0, output))},
        "image": {"image_input": draw(st.integers(0, size)), "image_output": draw(st.integers(0, output))},
        "searches": {"web_searches": draw(st.integers(0, 9))},
    }
    return Usage(input=size, output=output, **parts[kind])


@given(st.sampled_from(MODELS), usages())
@settings(max_examples=500)
def test_our_total_is_theirs(named: tuple[str, str], usage: Usage):
    """On every model of theirs, at every size; where they take a missing rate for free, we say that it is not priced."""
    try:
        wanted = theirs(usage, *named)
    except LookupError:
        return  # listed, but no name leads to it
    cost = ours(usage, *named)

    assert cost.total_usd == wanted if cost.status == "priced" else cost.total_usd is None


def test_most_models_are_priced():
    """The property above is not empty: all but those without a price for input or output."""
    statuses = [ours(Usage(input=10, output=10), *named).status for named in MODELS]

    assert statuses.count("priced") > 0.8 * len(MODELS)


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


@pytest.mark.parametrize("model", ["no-such-model-anywhere", "", "half a pair: \ud800", "x" * 10_000])
def test_what_is_not_in_the_book_is_absent(model: str):
    """And is no error."""
    assert BOOK.find(provider="openai", model=model, at_ns=WHEN_NS) is None


@pytest.mark.parametrize(
    ("provider", "model", "entry"),
    [
        (None, "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        (None, "gpt-5", "openai/gpt-5"),
        ("openai", "GPT-5", "openai/gpt-5"),
        ("google_genai", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
    ],
)
def test_finds_a_model_under_the_names_of_frameworks(provider: str | None, model: str, entry: str):
    """Wrappings and dates do not hide it."""
    tariff = BOOK.find(provider=provider, model=model, at_ns=WHEN_NS)

    assert tariff is not None
    assert tariff.model == entry


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
