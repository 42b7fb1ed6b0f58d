"""Runs: how far a hit is extended, what is stepped over, and where that ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.flow.matching.texts import made_up

from token_otel.flow.matching.index import Text
from token_otel.flow.matching.runs import AGREE, DROP, SKIP, SLIP, STEP_COST, Run, bridge_steps, run_at, same_after, same_before

LONG = "".join(made_up(1, 60)).encode()  # 180 bytes
REST = "".join(made_up(2, 60)).encode()


def source(squeezed: bytes) -> Text:
    """A text of which nothing else matters."""
    return Text("s", squeezed, 1, b"", b"")


def bridged(query: bytes, squeezed: bytes, at: int = 0, text_at: int = 0) -> Run:
    """The run through a place of each, what differs stepped over."""
    run = run_at(query, at, source(squeezed), text_at)
    for _ in bridge_steps(query, run):
        pass
    return run


@given(a=st.binary(max_size=300), b=st.binary(max_size=300), i=st.integers(0, 300), j=st.integers(0, 300), common=st.binary(max_size=300))
def test_as_much_is_the_same_as_letter_by_letter(a: bytes, b: bytes, i: int, j: int, common: bytes):
    """Doubling steps and halving them find the very byte, on either side."""
    a, b = a + common + a[::-1], b + common + b[::-1]
    i, j = min(i, len(a)), min(j, len(b))
    after = next((n for n in range(min(len(a) - i, len(b) - j)) if a[i + n] != b[j + n]), min(len(a) - i, len(b) - j))
    before = next((n for n in range(min(i, j)) if a[i - n - 1] != b[j - n - 1]), min(i, j))

    assert same_after(a, i, b, j) == after
    assert same_before(a, i, b, j) == before


def test_a_run_alone_steps_over_nothing():
    """From the first letter that agrees to the last."""
    run = run_at(b"xx" + LONG + b"yy", 90, source(LONG), 88)

    assert (run.start, run.end, run.text_start, run.text_end, run.steps) == (2, 182, 0, 180, 0)
    assert run.is_whole


def test_an_insertion_is_stepped_over():
    """Up to 24 bytes that stand in the query alone, at the cost of one step; those of more than 8 are not the text's."""
    run = bridged(LONG + b"!" * SKIP + REST, LONG + REST)

    assert (run.start, run.end, run.steps) == (0, 180 + 24 + 180, 1)
    assert run.foreign == ((180, 204),)
    assert run.agreement == 384 - STEP_COST


def test_a_slip_is_the_texts_own():
    """Up to 8 bytes."""
    assert bridged(LONG + b"!" * SLIP + REST, LONG + REST).foreign == ()


def test_an_omission_is_stepped_over():
    """Up to 24 bytes that stand in the text alone."""
    run = bridged(LONG + REST, LONG + b"!" * SKIP + REST)

    assert (run.end, run.text_end, run.steps, run.foreign) == (360, 384, 1, ())


def test_an_exchange_is_stepped_over():
    """Different bytes on either side, in one step."""
    run = bridged(LONG + b"!" * 9 + REST, LONG + b"?" * 4 + REST)

    assert (run.end, run.text_end, run.steps, run.foreign) == (369, 364, 1, ())


def test_more_than_that_ends_a_run():
    """25 bytes of insertion, or 11 that agree behind them."""
    assert bridged(LONG + b"!" * (SKIP + 1) + REST, LONG + REST).end == 180
    assert bridged(LONG + b"!" + REST[: AGREE - 1], LONG + REST).end == 180


def test_what_differs_is_stepped_over_backwards_too():
    """The same from the other end, the places in order."""
    query = LONG + b"!" * 20 + REST + b"?" * 10 + LONG
    run = bridged(query, LONG + REST + LONG, len(query) - 1, 539)

    assert (run.start, run.end, run.text_start, run.text_end, run.steps) == (0, 570, 0, 540, 2)
    assert run.foreign == ((180, 200), (380, 390))


def test_a_run_ends_where_steps_cost_more_than_they_gain():
    """Each 12 bytes that agree, less 16 for the step before, lose 4: after 96 it is given up, and ends where it was best."""
    islands = [REST[at : at + AGREE] for at in range(0, 180, AGREE)] * 3
    query, text = LONG + b"".join(islands), LONG + b"".join(b"?" + island for island in islands)
    run = run_at(query, 0, source(text), 0)
    *_, steps = [*enumerate(bridge_steps(query, run), 1)]

    assert run.end == 180
    assert run.steps == 0
    assert steps[0] == DROP // (STEP_COST - AGREE) + 1


def test_a_run_goes_on_where_steps_gain():
    """20 bytes between two steps of 16 are worth it, without end."""
    islands = [bytes([65 + number % 26, 65 + number // 26 % 26]) * 10 for number in range(500)]
    run = bridged(LONG + b"".join(islands), LONG + b"".join(b"?" + island for island in islands))

    assert (run.end, run.steps) == (180 + 500 * 20, 500)


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 30), st.binary(max_size=30)), max_size=8))
def test_a_run_stays_within_both_texts(seed: int, cuts: list[tuple[int, int, bytes]]):
    """Whatever was put in or left out: places are in order, and what agrees at its ends agrees."""
    text = "".join(made_up(seed, 200)).encode()
    query = text
    for at, left_out, put_in in cuts:
        query = query[:at] + put_in + query[at + left_out :]
    for at in range(0, min(len(query), len(text)), 50):
        run = bridged(query, text, at, at)
        assert 0 <= run.start <= at <= run.end <= len(query)
        assert 0 <= run.text_start <= at <= run.text_end <= len(text)
        edges = [run.start, *[edge for pair in run.foreign for edge in pair], run.end]
        assert edges == sorted(edges)
        if run.start < run.end:
            assert query[run.start] == text[run.text_start] or run.start == at
