"""What we know better than genai-prices: each correction has a source, changes something, and is dropped once it does not."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files

import pytest

from token_otel.prices import Tariff
from token_otel.prices.genai import GenaiBook
from token_otel.prices.layers import corrections, list_prices

BOOK = list_prices()
HOUR_NS = 3_600_000_000_000

# A model for each pattern that is no name.
EXAMPLES = {
    "^deepseek-(chat|reasoner)$": "deepseek-chat",
    "^deepseek-flash(-latest)?$": "deepseek-flash",
    "^gpt-4o-audio-preview(?!-2024-10-01)": "gpt-4o-audio-preview",
    "ft:gpt-4o-2024-*": "ft:gpt-4o-2024-08-06",
    "ft:gpt-4o-mini-2024-*": "ft:gpt-4o-mini-2024-07-18",
    "us-gov.anthropic.*": "us-gov.anthropic.claude-opus-5",
    "us-gov.amazon.nova-*": "us-gov.amazon.nova-pro-v1:0",
    "*:free": "qwen/qwq-32b:free",
}
GENAI = GenaiBook()


def at_ns(*when: int) -> int:
    return int(datetime(when[0], when[1], when[2], *when[3:], tzinfo=UTC).timestamp()) * 1_000_000_000


def usd(tariff: Tariff | None) -> tuple[str, str, str] | None:
    if tariff is None:
        return None
    rates = tariff.rates(0)
    return f"{rates.input}", f"{rates.output}", f"{rates.cache_read}"


@pytest.mark.parametrize(
    ("provider", "model", "when", "prices"),
    [
        # Aliases that have moved on.
        ("deepseek", "deepseek-chat", (2025, 9, 6), ("0.56", "1.68", "0.07")),
        ("deepseek", "deepseek-reasoner", (2026, 7, 1, 2), ("0.28", "0.42", "0.028")),
        ("mistralai", "mistral-large-latest", (2026, 11, 24), ("0.5", "1.5", "0.05")),
        # Peaks: Tuesday at 2, at 5, Saturday at 2; in July there were none.
        ("deepseek", "deepseek-v4-pro", (2026, 11, 24, 2), ("1.32", "3.96", "0.044")),
        ("deepseek", "deepseek-v4-pro", (2026, 11, 24, 5), ("0.66", "1.98", "0.022")),
        ("deepseek", "deepseek-v4-pro", (2026, 11, 28, 2), ("0.66", "1.98", "0.022")),
        ("deepseek", "deepseek-v4-pro", (2026, 7, 1, 2), ("0.435", "0.87", "0.003625")),
        ("deepseek", "deepseek-v4-flash", (2026, 7, 1, 2), ("0.14", "0.28", "0.0028")),
        ("deepseek", "deepseek-v4-flash", (2026, 9, 1, 2), ("0.22", "0.66", "0.007")),
        ("deepseek", "deepseek-v4-flash", (2026, 11, 24, 9), ("0.3", "1.2", "0.006")),
        ("deepseek", "deepseek-flash", (2026, 11, 29, 9), ("0.15", "0.6", "0.003")),
        # GovCloud: 1.2 x $3, $15, $0.30; 1.2 x $5, $25, $0.50; 1.2 x $0.80, $3.20, $0.20.
        ("bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", (2026, 11, 24), ("3.6", "18.0", "0.36")),
        ("bedrock", "us-gov.anthropic.claude-opus-5", (2026, 11, 24), ("6.0", "30.0", "0.60")),
        ("bedrock", "us-gov.amazon.nova-pro-v1:0", (2026, 11, 24), ("0.96", "3.84", "0.24")),
        # Fine-tuned models read their cache at half price; a sibling at twice the price.
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc", (2026, 11, 24), ("3.75", "15", "1.875")),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", (2026, 11, 24), ("0.3", "1.2", "0.15")),
        ("google_vertexai", "gemini-3.8-flash-cyber", (2026, 11, 24), ("1.50", "7.50", "0.150")),
        # Free by name.
        ("openrouter", "deepseek/deepseek-r1:free", (2026, 11, 24), ("0", "0", "None")),
    ],
)
def test_corrects(provider: str, model: str, when: tuple[int, ...], prices: tuple[str, str, str]):
    """The price that the source states, where genai-prices has another or none."""
    tariff = BOOK.find(provider=provider, model=model, at_ns=at_ns(*when))

    assert usd(tariff) == prices
    assert tariff is not None
    assert (tariff.source, tariff.version) == ("corrections", corrections().version)


def test_each_correction_still_changes_something():
    """Drop an entry once genai-prices says the same at every hour of the weeks around its beginning and today."""
    for entry in corrections().entries:
        model, tier = EXAMPLES.get(entry.match, entry.match.rstrip("*")), entry.condition.service_tier
        starts = [at_ns(2026, 7, 6), at_ns(2026, 11, 16)]
        if entry.condition.start is not None:
            starts.append(int(entry.condition.start.timestamp()) * 1_000_000_000)
        changes = 0
        for time in [start + HOUR_NS * hour for start in starts for hour in range(7 * 24)]:
            corrected = BOOK.find(provider=entry.provider, model=model, at_ns=time, service_tier=tier)
            listed = GENAI.find(provider=entry.provider, model=model, at_ns=time, service_tier=tier)
            assert corrected is not None
            changes += corrected.source == "corrections" and (listed is None or corrected.steps != listed.steps)

        assert changes, entry.place


def test_audio_costs_what_audio_costs():
    """And text what it cost before."""
    tariff = BOOK.find(provider="openai", model="gpt-4o-audio-preview-2025-06-03", at_ns=at_ns(2026, 11, 24))

    assert tariff is not None
    assert (usd(tariff), tariff.rates(0).audio_input, tariff.rates(0).audio_output) == (("2.5", "10", "None"), 40, 80)


def test_the_ultrafast_tier_costs_six_times_as_much():
    """At every size of the prompt; the other tiers are genai-prices'."""
    prices = [
        BOOK.find(provider="openai", model="gpt-6-astra", at_ns=at_ns(2026, 11, 24), service_tier=tier)
        for tier in ("ultrafast", None, "flex")
    ]

    assert [[rates.input for _, rates in tariff.steps] for tariff in prices if tariff is not None] == [[60, 120], [10, 20], [5, 10]]


def test_each_correction_has_a_source():
    """A price without one cannot be checked."""
    text = (files("token_otel.prices") / "corrections.toml").read_text(encoding="utf-8")
    comments = [block for block in text.split("\n\n") if block.startswith("#") and "[[model]]" in block]

    assert len(comments) >= 5
    assert all("Source: https://" in block for block in comments)


def test_leaves_alone_what_it_does_not_know():
    """The rest is genai-prices'."""
    tariff = BOOK.find(provider="openai", model="gpt-5", at_ns=at_ns(2026, 11, 24))

    assert tariff is not None
    assert (tariff.source, tariff.rates(0).input) == ("genai-prices", Decimal("1.25"))
