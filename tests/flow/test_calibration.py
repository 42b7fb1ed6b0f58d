"""Calibration: a bill is `factor x counted + hidden`, learnt bill by bill; what neither explains is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel.flow.calibration import Calibration, Counted
from token_otel.flow.families import Family, family_of


def test_a_bill_as_expected_teaches_nothing():
    """100 counted and 3 hidden make 103."""
    calibration = Calibration(Family(), tools=False)
    estimate = calibration.explain(Counted(100), 103)

    assert (estimate.factor, estimate.hidden, estimate.unexplained) == (1.0, 3.0, 0.0)


def test_a_bill_outside_the_band_is_unexplained_and_not_learnt():
    """Beyond four deviations something is billed that we do not see."""
    calibration = Calibration(Family(), tools=False)
    estimate = calibration.explain(Counted(100), 1000)

    # expected 103; deviation: sqrt((0.25 x 100)^2 + 8^2 + (0.05 x 1000 + 6)^2) = sqrt(625 + 64 + 3,136) = 61.8, four of them 247 < 897
    assert (estimate.factor, estimate.hidden, estimate.unexplained) == (1.0, 3.0, 897.0)
    assert calibration.expect(Counted(100)) == 103.0


@pytest.mark.parametrize(("model", "unexplained"), [("gpt-4o", 1_500.0), ("claude-sonnet-4-5", 0.0)])
def test_another_encoding_leaves_a_bill_more_room(model: str, unexplained: float):
    """A Chinese prompt costs more than the factor of English says, where the encoding is not ours; where it is, something is hidden."""
    family = family_of(model)
    calibration = Calibration(family, tools=False)
    for counted in (500, 10_000, 2_000) * 10:
        calibration.explain(Counted(counted), round(calibration.expect(Counted(counted))))

    # four deviations of a bill of some 11,500: 4 x (0.02 x 11,500 + 6) = 944 < 1,500 < 4 x (0.05 x 12,500 + 6) = 2,524
    estimate = calibration.explain(Counted(10_000), round(calibration.expect(Counted(10_000))) + 1_500)

    assert estimate.unexplained == pytest.approx(unexplained, abs=1)


def test_a_bill_far_below_is_not_learnt_either():
    """And nothing is unexplained: the shares simply shrink."""
    calibration = Calibration(family_of("gpt-5"), tools=False)
    estimate = calibration.explain(Counted(10_000), 5_000)

    # expected 10,002; four deviations: 4 x sqrt((0.04 x 10,000)^2 + 8^2 + (0.02 x 5,000 + 6)^2) = 1,656 < 5,003
    assert estimate.unexplained == 0.0
    assert calibration.expect(Counted(10_000)) == 10_002.0


def test_a_bill_far_below_has_no_room_for_a_preamble():
    """A gateway that adds none must not have its bill explained by one: the text that is there comes first."""
    calibration = Calibration(Family(hidden_tools=1000, hidden_tools_deviation=10), tools=True)

    # expected 1,100; four deviations: 4 x sqrt((0.25 x 100)^2 + 10^2 + (0.05 x 120 + 6)^2) = 118 < 980
    estimate = calibration.explain(Counted(100), 120)

    assert (estimate.factor, estimate.hidden, estimate.unexplained) == (1.0, 20.0, 0.0)


def test_learns_a_tokenizer_and_a_preamble():
    """Prompts of different sizes tell the factor from the constant."""
    calibration = Calibration(Family(), tools=True)
    for counted in (200, 5_000, 300, 8_000, 400, 2_000) * 5:
        calibration.explain(Counted(counted), round(1.2 * counted + 50))

    assert calibration.factor == pytest.approx(1.2, rel=0.02)
    assert calibration.hidden == pytest.approx(50, abs=15)


@given(st.lists(st.tuples(st.floats(0, 1e15), st.integers(0, 2**62)), max_size=30))
def test_no_bill_breaks_it(bills: list[tuple[float, int]]):
    """Whatever comes, factor and hidden stay usable as weights."""
    calibration = Calibration(Family(), tools=True)
    for counted, billed in bills:
        estimate = calibration.explain(Counted(counted), billed)

        assert estimate.factor > 0
        assert estimate.hidden >= 0
        assert estimate.unexplained >= 0
