"""The benchmark of the text matcher: its cases have a truth that can be trusted, and its measure counts as said."""

from __future__ import annotations

import pytest
from bench.corpus import rewriting, traps
from bench.corpus.case import Case, Segment
from bench.corpus.desk import Desk
from bench.corpus.measure import score
from bench.corpus.rows import ROWS, Row, cases
from bench.corpus.texts import KINDS, words, write
from bench.corpus.verdict import Outcome, accuracy
from bench.provenance import outcome, seeds_of

HONEST = tuple(row for row in ROWS if not row.is_trap)
NAMES = [row.name for row in ROWS]


def first(row: Row) -> Case:
    """A row's first case, a small one."""
    return next(cases(row, seed=7))


def prompt(*segments: tuple[str, str | None]) -> Case:
    return Case("by hand", "prose", True, (), tuple(Segment(*segment) for segment in segments))


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_seed_always_drafts_the_same_case(row: Row):
    """Or two runs could not be compared."""
    assert first(row) == first(row)


@pytest.mark.parametrize("row", HONEST, ids=[row.name for row in HONEST])
def test_the_truth_is_disjoint_and_of_producers(row: Row):
    """In order, within the prompt, and only of those who wrote something."""
    case = first(row)
    truth = list(case.truth())
    bounds = [offset for start, end, _ in truth for offset in (start, end)]

    assert bounds == sorted(bounds)
    assert 0 < len(case.prompt.encode()) >= bounds[-1]
    assert {producer for *_, producer in truth} <= {producer for producer, _ in case.sources}


@pytest.mark.parametrize("row", [row for row in ROWS if row.is_trap], ids=lambda row: row.name)
def test_in_a_trap_nothing_is_anybody_s(row: Row):
    """Whatever is claimed there is wrong."""
    case = first(row)

    assert case.prompt
    assert not list(case.truth())


def test_segments_make_up_the_prompt_in_bytes():
    """A letter of two bytes moves what stands behind it."""
    case = prompt(("é: ", None), ("hello", "a"), ("!", None))

    assert case.prompt == "é: hello!"
    assert list(case.truth()) == [(4, 9, "a")]


@pytest.mark.parametrize("name", ["verbatim", "two chained", "interleaved quotes"])
def test_whoever_knows_the_truth_gets_everything(name: str):
    """Precision and recall of 100 %, nothing wrong."""
    row = next(row for row in ROWS if row.name == name)
    found = outcome(row, [7], lambda case: case.truth(), small_only=True)

    assert found.all.precision == pytest.approx(100)
    assert found.small.recall == pytest.approx(100)
    assert found.all.wrong_share == 0
    assert not found.missed


def test_whoever_claims_nothing_gets_nothing():
    """A recall of 0 misses the target; there is no precision to speak of."""
    found = outcome(ROWS[0], [7], lambda case: (), small_only=True)

    assert (found.all.precision, found.all.recall) == (None, 0)
    assert found.missed == ["R", "R small"]


def test_a_mixed_up_producer_costs_both():
    """Four words of eight are given to another one: half of what was claimed, half of what is theirs."""
    case = prompt((" one two three four", "a"), (" one two three four", "b"))
    found = score(case, [(0, len(case.prompt), "a")])

    assert (found.claimed, found.right, found.wrong) == (8, 4, 4)
    assert (found.precision, found.recall, found.wrong_share) == (50, 50, 50)


def test_a_token_cut_in_two_counts_by_its_bytes():
    """Of " hello", six bytes, three are claimed."""
    found = score(prompt((" hello", "a")), [(0, 3, "a")])

    assert (found.claimed, found.recall) == (0.5, 50)


@pytest.mark.parametrize("claims", [[(0, 4, "a"), (3, 5, "a")], [(3, 3, "a")], [(0, 99, "a")]])
def test_claims_that_cannot_be_are_refused(claims: list[tuple[int, int, str]]):
    """Overlapping, empty, or beyond the prompt."""
    with pytest.raises(ValueError, match="in order, disjoint and of the prompt"):
        score(prompt(("hello there", "a")), claims)


def test_a_trap_is_measured_by_what_is_claimed():
    """One word of four, where 15 % are let pass."""
    row = next(row for row in ROWS if row.name == "trap: stock phrases")
    found = score(prompt((" one two three four", None)), [(0, 4, "a")])

    assert found.claimed_share == 25
    assert Outcome(row, found, found).missed == ["claimed"]


def test_every_row_is_in_the_table():
    """By its name, with a mark where a target is missed."""
    row_outcomes = [Outcome(row, found := score(first(row), ()), found) for row in ROWS]
    lines = accuracy(row_outcomes).splitlines()

    assert [line[:26].rstrip() for line in lines[1:-1]] == NAMES
    assert next(line.split()[0] for line in lines if "missed: R" in line) == "verbatim"


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_about_as_long_as_asked(kind: str):
    """Up to a sentence, a line or an object more."""
    text = write(kind, 120, Desk(7, kind).rng)

    assert 110 <= words(text) <= 210
    assert text == text.strip()


def test_a_paraphrase_shares_no_long_run_of_words():
    """Six words in a row would be a quote."""
    desk = Desk(7, "paraphrase")
    text = desk.write("prose", 400)
    runs = [tuple(said.lower().split()[at : at + 6]) for said in (text, traps.paraphrased(text, desk.pen())) for at in range(300)]

    assert not set(runs[:300]) & set(runs[300:])


def test_an_edit_leaves_the_ends_alone():
    """So that the edited words lie within the producer's text."""
    text = " ".join(f"word{number}" for number in range(100))
    edited = rewriting.edited(text, Desk(7, "edit").rng)

    assert edited != text
    assert edited.split()[:2] == ["word0", "word1"]
    assert edited.split()[-2:] == ["word98", "word99"]


@pytest.mark.parametrize(("text", "seeds"), [("1-3", [1, 2, 3]), ("11", [11])])
def test_seeds_are_read(text: str, seeds: list[int]):
    """A range, or one."""
    assert list(seeds_of(text)) == seeds
