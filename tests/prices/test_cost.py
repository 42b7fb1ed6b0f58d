"""`cost_of` and `Rates`: the arithmetic of a bill, exactly, and what is unknown stays unknown."""

from decimal import Decimal
from typing import Any

import pytest

from token_otel import Usage
from token_otel.prices import Rates, Tariff, cost_of

SONNET = Rates(input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write_5m=Decimal("3.75"), cache_write_1h=Decimal(6))
DEAR = Rates(input=Decimal(6), output=Decimal("22.5"), cache_read=Decimal("0.6"))


def tariff(*steps: tuple[int, Rates]) -> Tariff:
    return Tariff(steps=steps, source="test", version="7", model="anthropic/sonnet")


FLAT = tariff((0, SONNET))


def test_each_bucket_pays_its_own_rate():
    """Uncached, read, written for five minutes, written for an hour, output."""
    cost = cost_of(Usage(input=10_000, output=500, cache_read=6_000, cache_write_5m=2_000, cache_write_1h=1_000), FLAT)

    # fresh 1,000 x $3 = 3,000; read 6,000 x $0.30 = 1,800; 5 min 2,000 x $3.75 = 7,500; 1 h 1,000 x $6 = 6,000; per million
    assert cost.input_usd == Decimal("0.0183")
    assert cost.cache_read_usd == Decimal("0.0018")
    assert cost.cache_write_usd == Decimal("0.0135")  # 7,500 + 6,000
    assert cost.output_usd == Decimal("0.0075")  # 500 x $15
    assert cost.total_usd == Decimal("0.0258")
    assert (cost.status, cost.source, cost.version, cost.model) == ("priced", "test", "7", "anthropic/sonnet")


@pytest.mark.parametrize(("size", "usd"), [(200_000, "0.6"), (200_001, "1.200006"), (0, "0")])
def test_the_tier_goes_by_the_whole_prompt(size: int, usd: str):
    """More than 200,000 tokens pay the dearer rate from the first token on."""
    assert cost_of(Usage(input=size, output=0), tariff((0, SONNET), (200_000, DEAR))).input_usd == Decimal(usd)


def test_without_a_cache_all_of_the_input_pays_the_fresh_rate():
    """10,000 x 3 USD per MTok, against 1,000 x 3 + 6,000 x 0.30 + 2,000 x 3.75 + 1,000 x 6 with it; nothing is said where no cache was."""
    cost = cost_of(Usage(input=10_000, cache_read=6_000, cache_write_5m=2_000, cache_write_1h=1_000), FLAT)

    assert (cost.uncached_usd, cost.input_usd) == (Decimal("0.03"), Decimal("0.0183"))
    assert cost_of(Usage(input=10_000, cache_read=0), FLAT).uncached_usd is None


def test_cached_tokens_count_for_the_tier():
    """190,000 read from the cache and 20,000 fresh are a prompt of 210,000."""
    cost = cost_of(Usage(input=210_000, output=1_000, cache_read=190_000), tariff((0, SONNET), (200_000, DEAR)))

    # 20,000 x $6 = 120,000; 190,000 x $0.60 = 114,000; 1,000 x $22.50 = 22,500
    assert cost.total_usd == Decimal("0.2565")


@pytest.mark.parametrize(
    ("part", "total"),
    [
        ("cache_read", "input"),
        ("cache_write_5m", "input"),
        ("cache_write_1h", "input"),
        ("audio_input", "input"),
        ("image_input", "input"),
        ("audio_cache_read", "input"),
        ("reasoning", "output"),
        ("audio_output", "output"),
        ("image_output", "output"),
    ],
)
def test_a_part_without_a_rate_pays_its_total(part: str, total: str):
    """Down to the last default."""
    rates = Rates(input=Decimal(2), output=Decimal(8))

    assert rates.of(part) == {"input": 2, "output": 8}[total]


def test_an_hour_pays_for_five_minutes_where_it_has_no_rate():
    """And audio read from the cache pays for text read from the cache."""
    rates = Rates(input=Decimal(2), cache_write_5m=Decimal(3), cache_read=Decimal(1))

    assert rates.of("cache_write_1h") == 3
    assert rates.of("audio_cache_read") == 1


def test_modalities_pay_their_own_rates():
    """Audio read from the cache is both audio and cached."""
    rates = Rates(
        input=Decimal(1),
        output=Decimal(2),
        cache_read=Decimal("0.1"),
        audio_input=Decimal(10),
        audio_cache_read=Decimal("0.5"),
        image_input=Decimal(5),
        audio_output=Decimal(20),
        image_output=Decimal(30),
        reasoning=Decimal(3),
    )
    usage = Usage(
        input=1_000,
        cache_read=300,
        audio_input=200,
        audio_cache_read=100,
        image_input=50,
        output=400,
        reasoning=100,
        audio_output=40,
        image_output=10,
    )
    cost = cost_of(usage, tariff((0, rates)))

    # text 1,000-300-100-50 = 550 x 1; audio 100 x 10; image 50 x 5; read text 200 x 0.1; read audio 100 x 0.5
    assert cost.input_usd == Decimal("0.00187")  # 550 + 1,000 + 250 + 20 + 50 = 1,870
    # text 400-100-40-10 = 250 x 2; reasoning 100 x 3; audio 40 x 20; image 10 x 30
    assert cost.output_usd == Decimal("0.0019")  # 500 + 300 + 800 + 300 = 1,900
    assert cost.reasoning_usd == Decimal("0.0003")


def test_fees_are_in_the_total_alone():
    """A fee for the request and one for each search."""
    rates = Rates(input=Decimal(1), output=Decimal(1), request_usd=Decimal("0.005"), web_search_usd=Decimal("0.01"))
    cost = cost_of(Usage(input=1_000, output=1_000, web_searches=3), tariff((0, rates)))

    assert (cost.input_usd, cost.output_usd) == (Decimal("0.001"), Decimal("0.001"))
    assert cost.fees_usd == Decimal("0.035")  # 0.005 + 3 x 0.01
    assert cost.total_usd == Decimal("0.037")


def test_what_the_provider_reports_wins_and_is_all_that_is_known():
    """A total, and no split that would be a guess."""
    cost = cost_of(Usage(input=1_000, output=1_000), FLAT, reported_usd=Decimal("0.25"))

    assert (cost.status, cost.source, cost.total_usd) == ("priced", "provider", Decimal("0.25"))
    assert (cost.input_usd, cost.output_usd, cost.rates) == (None, None, None)


def test_a_reported_cost_of_nothing_is_known_to_be_nothing():
    """0 is a price."""
    assert cost_of(Usage(input=1, output=1), None, reported_usd=Decimal(0)).total_usd == 0


@pytest.mark.parametrize("nonsense", ["NaN", "sNaN", "Infinity", "-1"])
def test_a_reported_cost_that_is_no_amount_is_not_believed(nonsense: str):
    """One NaN would spoil every sum above it for good."""
    assert cost_of(Usage(input=1_000, output=0), FLAT, reported_usd=Decimal(nonsense)).total_usd == Decimal("0.003")


def test_an_unknown_model_is_unpriced():
    """Not free: no amount is stated."""
    cost = cost_of(Usage(input=1_000, output=1_000), None, provider="openai")

    assert (cost.status, cost.total_usd, cost.input_usd, cost.output_usd) == ("unpriced", None, None, None)


@pytest.mark.parametrize("provider", ["ollama", "llamacpp", "vllm"])
def test_a_model_on_ones_own_machine_is_local(provider: str):
    """No money per token, and no 0 either."""
    cost = cost_of(Usage(input=1_000, output=1_000), None, provider=provider)

    assert (cost.status, cost.total_usd) == ("local", None)


def test_a_price_of_ones_own_for_a_local_model_counts():
    """Electricity, say."""
    assert cost_of(Usage(input=1_000, output=0), FLAT, provider="ollama").total_usd == Decimal("0.003")


@pytest.mark.parametrize(
    ("rates", "known", "unknown"),
    [(Rates(input=Decimal(1)), "input_usd", "output_usd"), (Rates(output=Decimal(1)), "output_usd", "input_usd")],
)
def test_half_a_price_is_partial(rates: Rates, known: str, unknown: str):
    """The half that is known is stated, the total is not."""
    cost = cost_of(Usage(input=1_000, output=1_000), tariff((0, rates)))

    assert cost.status == "partial"
    assert getattr(cost, known) == Decimal("0.001")
    assert (getattr(cost, unknown), cost.total_usd) == (None, None)


def test_a_book_without_a_rate_that_matters_is_unpriced():
    """It names the entry that matched all the same."""
    cost = cost_of(Usage(input=1_000, output=1_000), tariff((0, Rates())))

    assert (cost.status, cost.total_usd, cost.model) == ("unpriced", None, "anthropic/sonnet")


def test_no_tokens_need_no_rate():
    """An embedding has no output, and its price none either."""
    cost = cost_of(Usage(input=1_000), tariff((0, Rates(input=Decimal(1)))))

    assert (cost.status, cost.total_usd, cost.output_usd) == ("priced", Decimal("0.001"), None)


@pytest.mark.parametrize("usage", [Usage(), Usage(web_searches=3)])
def test_nothing_reported_is_unpriced(usage: Usage):
    """Nothing known costs nothing known."""
    assert cost_of(usage, FLAT).status == "unpriced"


def test_parts_nobody_reported_have_no_cost():
    """An unknown cache read costs no 0."""
    cost = cost_of(Usage(input=1_000, output=10), FLAT)

    assert (cost.cache_read_usd, cost.cache_write_usd, cost.reasoning_usd, cost.fees_usd) == (None, None, None, None)


def test_less_is_what_remains_to_be_booked():
    """The whole is priced, at its own tier; what was booked is taken off."""
    book = tariff((0, SONNET), (200_000, DEAR))
    first = cost_of(Usage(input=100_000, output=0), book)
    whole = cost_of(Usage(input=250_000, output=1_000), book)
    rest = whole.less(first)

    assert first.total_usd == Decimal("0.3")  # 100,000 x $3
    assert rest.input_usd == Decimal("1.2")  # 250,000 x $6 - 0.3
    assert rest.output_usd == Decimal("0.0225")  # 1,000 x $22.50
    assert rest.total_usd == Decimal("1.2225")


@pytest.mark.parametrize(
    ("whole", "booked", "usd"), [(FLAT, None, "0.003"), (None, FLAT, None)], ids=["booked without a price", "no price now"]
)
def test_less_of_an_unknown_takes_nothing_off(whole: Any, booked: Any, usd: str | None):
    """An amount can only be taken off an amount."""
    usage = Usage(input=1_000, output=0)
    rest = cost_of(usage, whole).less(cost_of(usage, booked))

    assert rest.total_usd == (None if usd is None else Decimal(usd))


def test_less_takes_off_each_part_that_is_known():
    """Where the output has no price there is no total, but the input is booked all the same, and only once."""
    book = tariff((0, Rates(input=Decimal(3))))
    first = cost_of(Usage(input=1_000, output=5), book)
    rest = cost_of(Usage(input=1_500, output=50), book).less(first)

    assert (first.status, first.input_usd, rest.status) == ("partial", Decimal("0.003"), "partial")
    assert rest.input_usd == Decimal("0.0015")
    assert (rest.output_usd, rest.total_usd) == (None, None)
