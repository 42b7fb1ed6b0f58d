"""Allocation: a bill is split to the last token and the last digit."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel import Usage
from token_otel.flow.allocation import allocate as laid
from token_otel.flow.allocation import largest_remainder
from token_otel.flow.layout import Layout
from token_otel.flow.producer import Producer, SpanRef
from token_otel.flow.reading import RESOLUTION
from token_otel.flow.split import Group, Share
from token_otel.prices import Rates, Tariff, cost_of
from token_otel.prices.cost import UNPRICED, Cost

SONNET = Tariff(
    steps=(
        (
            0,
            Rates(
                input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write_5m=Decimal("3.75"), cache_write_1h=Decimal(6)
            ),
        ),
    ),
    source="test",
    version="1",
    model="sonnet",
)


Piece = tuple[Group, bool, float]


def piece(origin: str, weight: float, *, new: bool = True, producer: Producer | None = None) -> Piece:
    return Group(origin, producer), new, weight


def allocate(pieces: Sequence[Piece], usage: Usage, cost: Cost) -> tuple[Share, ...]:
    layout = Layout(None, 0, head_new=False)
    for group, new, weight in pieces:
        layout.add(group, round(weight * RESOLUTION), new=new)
    return laid(layout, usage, cost).shares


def split(shares: tuple[Share, ...]) -> dict[str, tuple[int, int, int, int]]:
    return {share.origin: (share.cache_read, share.cache_write_1h, share.cache_write_5m, share.fresh) for share in shares}


def test_the_cache_lies_along_the_prefix():
    """First what was read, then what was written for an hour, then for five minutes, then the rest; worked out by hand."""
    usage = Usage(input=1000, output=0, cache_read=400, cache_write_1h=100, cache_write_5m=200)
    shares = allocate([piece("tools", 200), piece("system", 100), piece("user", 100), piece("self", 100)], usage, cost_of(usage, SONNET))

    # 500 of weight make 1000 tokens, 2 each: tools 0-400, system 400-600, user 600-800, self 800-1000;
    # read 0-400, one hour 400-500, five minutes 500-700, fresh 700-1000
    assert split(shares) == {"tools": (400, 0, 0, 0), "system": (0, 100, 100, 0), "user": (0, 0, 100, 100), "self": (0, 0, 0, 200)}
    assert {share.origin: share.cost_usd for share in shares} == {
        "tools": Decimal("0.00012"),  # 400 x $0.30
        "system": Decimal("0.000975"),  # 100 x $6 + 100 x $3.75
        "user": Decimal("0.000675"),  # 100 x $3.75 + 100 x $3
        "self": Decimal("0.0006"),  # 200 x $3
    }


def test_pieces_of_one_origin_are_one_share():
    """Unless one is new and the other is not, or their producers differ."""
    one, two = (Producer("agent", "a", SpanRef(digit * 32, digit * 16)) for digit in "12")
    pieces = [
        piece("agent:a", 1, producer=one),
        piece("user", 1),
        piece("agent:a", 1, producer=one),
        piece("agent:a", 1, producer=two),
        piece("agent:a", 1, producer=two, new=False),
    ]
    shares = allocate(pieces, Usage(input=100, output=0), UNPRICED)

    assert [(share.origin, share.producer, share.new, share.tokens) for share in shares] == [
        ("agent:a", one, True, 40),
        ("user", None, True, 20),
        ("agent:a", two, True, 20),
        ("agent:a", two, False, 20),
    ]


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (10, [5, 3, 2], [5, 3, 2]),
        (100, [1, 2], [33, 67]),  # 33.3 and 66.7
        (1, [0.4, 0.6], [0, 1]),
        (7, [0, 0], [0, 7]),
        (0, [1, 1], [0, 0]),
        (5, [], []),
        (2**60 + 1, [1, 1], [2**59 + 1, 2**59]),
    ],
)
def test_the_largest_remainder_takes_the_rest(total: int, weights: list[float], shares: list[int]):
    """Floors first; where all weigh nothing, the last takes all."""
    assert largest_remainder(total, weights) == shares


@given(st.integers(0, 2**63), st.lists(st.floats(0, 1e12), min_size=1))
def test_a_split_sums_to_its_total(total: int, weights: list[float]):
    """And no share is further than one token from its quota."""
    shares = largest_remainder(total, weights)

    assert sum(shares) == total
    assert min(shares) >= 0


def test_without_pieces_all_is_unexplained():
    """A bill for a prompt that nobody showed us."""
    [share] = allocate([], Usage(input=50, output=0), UNPRICED)

    assert (share.origin, share.tokens, share.new) == ("unexplained", 50, True)


def test_pieces_without_weight_still_take_the_bill():
    """Empty texts, and a bill all the same."""
    assert split(allocate([piece("system", 0), piece("user", 0)], Usage(input=50, output=0, cache_read=20), UNPRICED)) == {
        "user": (20, 0, 0, 30)
    }


def test_an_unpriced_call_has_shares_without_a_cost():
    """Not a cost of 0."""
    [share] = allocate([piece("user", 1)], Usage(input=50, output=0), UNPRICED)

    assert share.cost_usd is None


def test_a_cost_known_in_total_alone_is_not_split():
    """Of what a provider states there is no rate."""
    [share] = allocate([piece("user", 1)], Usage(input=50, output=0), Cost(status="priced", total_usd=Decimal(1), source="provider"))

    assert share.cost_usd is None


def test_what_audio_costs_more_than_text_belongs_to_the_media():
    """So that the sum is the input's cost, to the last digit."""
    rates = Rates(input=Decimal(1), audio_input=Decimal(10))
    usage = Usage(input=100, output=0, audio_input=40)
    cost = cost_of(usage, Tariff(steps=((0, rates),), source="t", version="1", model="m"))
    shares = allocate([piece("user", 60), piece("media", 40)], usage, cost)

    # user 60 x $1; media 40 x $1 and the 40 x $9 that text does not cost
    assert {share.origin: share.cost_usd for share in shares} == {"user": Decimal("0.00006"), "media": Decimal("0.0004")}
    assert cost.input_usd == Decimal("0.00046")


def test_without_media_it_belongs_to_the_largest_share():
    """Someone must pay it."""
    rates = Rates(input=Decimal(1), audio_input=Decimal(10))
    usage = Usage(input=100, output=0, audio_input=10)
    cost = cost_of(usage, Tariff(steps=((0, rates),), source="t", version="1", model="m"))
    shares = allocate([piece("system", 10), piece("user", 90)], usage, cost)

    # system 10 x $1; user 90 x $1 and 10 x $9
    assert {share.origin: share.cost_usd for share in shares} == {"system": Decimal("0.00001"), "user": Decimal("0.00018")}
