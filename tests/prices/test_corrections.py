"""What we know better than genai-prices: each correction has a source, changes something, and is dropped once it does not."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files

import pytest

from token_otel.prices import Tariff
from token_otel.prices.genai import GenaiBook
from token_otel.prices.layers import corrections, list_prices

BOOK = list_prices()
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
    hour = 3_600_000_000_000
    examples = {"us-gov.anthropic.*": "us-gov.anthropic.claude-opus-5", "us-gov.amazon.nova-*": "us-gov.amazon.nova-pro-v1:0"}
    stale: list[str] = []
    for entry in corrections().entries:
        pattern = (
            entry.match.strip("^$").replace("(chat|reasoner)", "chat").replace("(-latest)?", "").replace("*:free", "qwen/qwq-32b:free")
        )
        model = examples.get(entry.match, pattern.replace("*", ""))
        starts = [at_ns(2026, 11, 16), at_ns(2026, 7, 6)] + (
            [int(entry.condition.start.timestamp()) * 10**9] if entry.condition.start else []
        )
        times = [start + hour * i for start in starts for i in range(7 * 24)]
        said = [BOOK.find(provider=entry.provider, model=model, at_ns=time) for time in times]
        assert any(tariff is not None and tariff.source == "corrections" for tariff in said), entry.place
        if all(
            usd(tariff) == usd(GENAI.find(provider=entry.provider, model=model, at_ns=time))
            for time, tariff in zip(times, said, strict=True)
        ):
            stale.append(entry.place)

    assert stale == []


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
