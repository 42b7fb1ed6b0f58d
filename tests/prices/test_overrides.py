"""`OverrideBook`: the prices of a file over those of another book."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from token_otel import Usage
from token_otel.prices import PriceBook, Rates, Tariff, cost_of
from token_otel.prices.overrides import OverrideBook
from token_otel.prices.price_file import parse

MTOK = Usage(input=1_000_000, output=0)
MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Shelf:
    """Knows `gpt`, and its flex tier, at two sizes."""

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        if model != "gpt":
            return None
        usd = Decimal("0.5") if service_tier == "flex" else Decimal(2)
        small = Rates(input=usd, output=8 * usd, cache_read=usd / 2, web_search_usd=Decimal("0.01"))
        steps = ((0, small), (200_000, small.times(Decimal(2))))
        return Tariff(steps=steps, source="shelf", version="7", model=f"{provider or 'openai'}/gpt")


def book(text: str, beneath: PriceBook | None = None) -> OverrideBook:
    return OverrideBook(parse(text, name="prices.toml", form="toml"), beneath or Shelf())


def usd(
    prices: PriceBook,
    model: str,
    usage: Usage = MTOK,
    provider: str | None = None,
    at: datetime = MONDAY,
    tier: str | None = None,
) -> Decimal | None:
    at_ns = int(at.timestamp()) * 1_000_000_000
    return cost_of(usage, prices.find(provider=provider, model=model, at_ns=at_ns, service_tier=tier)).total_usd


def test_prices_a_call():
    """USD per million tokens, read as decimals; fees apiece."""
    prices = book(
        """
        [[model]]
        match = "my-model-*"
        input = 0.1
        output = 2
        cache_read = 0.01
        cache_write = 0.2
        per_request = 0.003
        web_search = 0.02
        """
    )
    usage = Usage(input=1_000_000, output=100_000, cache_read=500_000, cache_write_5m=100_000, web_searches=1)

    # 400,000 x $0.10 = 0.04; read 500,000 x $0.01 = 0.005; written 100,000 x $0.20 = 0.02; out 100,000 x $2 = 0.2; fees 0.023
    assert usd(prices, "My-Model-7", usage) == Decimal("0.288")


def test_says_that_it_is_an_override():
    """With the file's name, not its path, and the pattern that matched."""
    tariff = book('[[model]]\nmatch = "Mine-*"\ninput = 1').find(provider=None, model="mine-1", at_ns=0)

    assert tariff is not None
    assert (tariff.source, tariff.version, tariff.model) == ("override", "prices.toml", "Mine-*")


def test_what_the_file_does_not_price_is_left_as_it_is():
    """The book beneath answers, or nobody."""
    prices = book('[[model]]\nmatch = "mine"\ninput = 1')

    assert usd(prices, "gpt") == 4  # above 200,000: twice $2
    assert usd(prices, "unheard-of") is None


def test_the_last_entry_that_matches_wins():
    """So that an exception stands below its rule."""
    prices = book('[[model]]\nmatch = "*"\ninput = 1\n[[model]]\nregex = "^b"\ninput = 2')

    assert usd(prices, "a") == 1
    assert usd(prices, "B1") == 2


def test_a_name_is_found_under_its_wrappings():
    """As in every book."""
    prices = book('[[model]]\nmatch = "us-gov.anthropic.*"\ninput = 1')

    assert usd(prices, "arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.anthropic.claude-3") == 1


def test_a_pattern_is_for_the_whole_name():
    """`gpt-4` is no price of `my-gpt-4`; a regular expression says itself where it begins."""
    prices = book('[[model]]\nmatch = "gpt-4"\ninput = 1\n[[model]]\nregex = "nova"\ninput = 2')

    assert [usd(prices, name) for name in ("gpt-4", "my-gpt-4", "gpt-4-mini")] == [1, None, None]
    assert usd(prices, "eu.nova-2") == 2


def test_a_provider_narrows_an_entry():
    """Under any of its names."""
    prices = book('[[model]]\nprovider = "azure_openai"\nmatch = "gpt-5"\ninput = 1')

    assert usd(prices, "gpt-5", provider="azure.ai.openai") == 1
    assert usd(prices, "gpt-5", provider="openai") is None
    assert usd(prices, "gpt-5") is None


def test_free_is_a_price():
    """0 is known."""
    assert usd(book('[[model]]\nmatch = "m"\ninput = 0\noutput = 0'), "m", Usage(input=9, output=9)) == 0


def test_a_fee_can_be_the_whole_price():
    """A model that is sold by the call."""
    assert usd(book('[[model]]\nmatch = "m"\nper_request = 0.02'), "m", Usage(input=9, output=9)) == Decimal("0.02")


def test_tiers_are_a_cliff():
    """Above the threshold the whole prompt pays the tier's rate; what a tier does not state stays."""
    prices = book('[[model]]\nmatch = "m"\ninput = 1\noutput = 5\ntiers = [{ above = 1000, input = 3 }]')

    assert usd(prices, "m", Usage(input=1_000, output=100)) == Decimal("0.0015")  # 1,000 x $1 + 100 x $5
    assert usd(prices, "m", Usage(input=1_001, output=100)) == Decimal("0.003503")  # 1,001 x $3 + 100 x $5


def test_like_takes_over_what_is_not_stated():
    """At every size of the prompt, in the tier of the response."""
    prices = book('[[model]]\nmatch = "mine"\nlike = "openai/gpt"\ninput = 1')
    usage = Usage(input=300_000, output=100_000, cache_read=100_000)

    # above 200,000: 200,000 x $1 + 100,000 x $2 (read) + 100,000 x $32
    assert usd(prices, "mine", usage) == Decimal("3.6")
    # flex: 200,000 x $1 + 100,000 x $0.50 + 100,000 x $8
    assert usd(prices, "mine", usage, tier="flex") == Decimal("1.05")


def test_like_and_tiers_meet_at_every_threshold():
    """The stated rate holds from its threshold on, the inherited one from its own."""
    prices = book('[[model]]\nmatch = "mine"\nlike = "openai/gpt"\ntiers = [{ above = 100000, input = 3 }]')

    assert usd(prices, "mine", Usage(input=100_000, output=0)) == Decimal("0.2")  # $2, inherited
    assert usd(prices, "mine", Usage(input=200_000, output=100_000)) == Decimal("2.2")  # $3 stated, $16 inherited
    assert usd(prices, "mine", Usage(input=300_000, output=100_000)) == Decimal("4.1")  # $3 stated, $32 inherited


def test_a_star_in_like_stands_for_the_one_in_match():
    """One entry for a whole family."""
    prices = book('[[model]]\nmatch = "gov.*"\nlike = "openai/*"\nmultiplier = 1.2')

    assert usd(prices, "gov.gpt", Usage(input=100_000, output=0)) == Decimal("0.24")  # 100,000 x $2 x 1.2
    assert usd(prices, "gov.unheard-of") is None


def test_like_nothing_is_no_price():
    """What is stated beside it would be half a price, and pass for a whole one."""
    assert usd(book('[[model]]\nmatch = "mine"\nlike = "openai/gtp"\ninput = 1\noutput = 1'), "mine") is None


def test_a_multiplier_is_a_discount_on_list_prices():
    """Fees included; the provider's own multiplier takes the place of the general one. What the file states is what is paid."""
    prices = book(
        """
        settings.multiplier = 0.5
        provider.azure_openai.multiplier = 0.9
        [[model]]
        match = "stated"
        input = 1
        [[model]]
        match = "mine"
        like = "openai/gpt"
        """
    )
    small = Usage(input=100_000, output=0, web_searches=1)

    assert usd(prices, "gpt", small) == Decimal("0.105")  # half of 100,000 x $2 + $0.01
    assert usd(prices, "gpt", small, provider="azure") == Decimal("0.189")  # 0.9 x 0.21
    assert usd(prices, "mine", small, provider="azure") == Decimal("0.189")
    assert usd(prices, "stated") == 1


def test_a_multiplier_is_said():
    """With the version of the price that was multiplied; a model's provider counts where the call's is not known."""
    tariff = book("provider.openai.multiplier = 0.90").find(provider=None, model="gpt", at_ns=0)

    assert tariff is not None
    assert (tariff.source, tariff.version, tariff.rates(0).input) == ("shelf", "7 x 0.9", Decimal("1.80"))


def test_files_lie_over_each_other():
    """A discount in one applies to the prices that the one beneath states."""
    lower = book('[[model]]\nmatch = "mine"\ninput = 4')
    upper = book('settings.multiplier = 0.5\n[[model]]\nmatch = "other"\nlike = "mine"', lower)

    assert usd(upper, "mine") == 2
    assert usd(upper, "other") == 2


@pytest.mark.parametrize(("at", "price"), [((2026, 11, 30, 23), 1), ((2026, 12, 1, 0), 2), ((2027, 1, 1, 0), 3)])
def test_the_newest_price_that_has_begun_holds(at: tuple[int, int, int, int], price: int):
    """In whatever order they stand."""
    prices = book(
        '[[model]]\nmatch = "m"\ninput = 3\nfrom = 2027-01-01\n'
        '[[model]]\nmatch = "m"\ninput = 2\nfrom = 2026-12-01\n'
        '[[model]]\nmatch = "m"\ninput = 1'
    )

    assert usd(prices, "m", at=datetime(*at, tzinfo=UTC)) == price


def test_a_price_that_has_not_begun_is_none():
    """The book beneath has the one before."""
    assert usd(book('[[model]]\nmatch = "gpt"\ninput = 3\nfrom = 2027-01-01'), "gpt") == 4


@pytest.mark.parametrize(("tier", "price"), [(None, 3), ("default", 3), ("flex", 1), ("Flex", 1), ("batch", 2)])
def test_a_price_for_a_tier(tier: str | None, price: int):
    """Of the response; a batch is one."""
    prices = book(
        '[[model]]\nmatch = "m"\ninput = 3\n'
        '[[model]]\nmatch = "m"\nwhen.service_tier = "flex"\ninput = 1\n'
        '[[model]]\nmatch = "m"\nwhen.batch = true\ninput = 2'
    )

    assert usd(prices, "m", tier=tier) == price


def test_a_price_for_all_but_batches():
    """`false` is a condition too."""
    prices = book('[[model]]\nmatch = "m"\nwhen.batch = false\ninput = 3')

    assert usd(prices, "m") == 3
    assert usd(prices, "m", tier="batch") is None


@pytest.mark.parametrize(
    ("at", "price"),
    [
        ("2026-11-02T00:30", 1),
        ("2026-11-02T00:29", 2),
        ("2026-11-02T01:00", 2),
        ("2026-11-02T03:59", 2),
        ("2026-11-02T04:00", 1),
        ("2026-11-02T23:00", 2),
        ("2026-11-07T02:00", 1),
        ("2026-11-08T23:30", 1),
    ],
)
def test_a_price_for_hours_of_working_days(at: str, price: int):
    """In UTC, over midnight too; November 2, 2026 is a Monday, the 7th a Saturday."""
    prices = book(
        """
        [[model]]
        match = "m"
        input = 1
        [[model]]
        match = "m"
        input = 2
        when = { days = "mon-fri", hours = "01:00-04:00, 23:00-00:30" }
        """
    )

    assert usd(prices, "m", at=datetime.fromisoformat(f"{at}+00:00")) == price
