"""Claims: sorted, disjoint, at the ends of letters, and of what really stands in the source."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.matching.texts import claimed, index_of, made_up, result_of, text_of, wild

from token_otel.flow.matching import Claim, TextIndex
from token_otel.flow.matching.canonical import canonical, encoded, squeezed
from token_otel.flow.matching.runs import SKIP

PAGE = text_of(1, 60)
OTHER = text_of(2, 60)


def check(text: str, claims: list[Claim]) -> None:
    """Claims are in order, none over another, and none within a letter."""
    data, at = encoded(text), 0
    for claim in claims:
        assert at <= claim.start < claim.end <= len(data)
        data[claim.start : claim.end].decode("utf-8", "surrogatepass")
        at = claim.end


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(wild, min_size=1, max_size=4), dice=st.randoms(use_true_random=False))
def test_claims_are_sorted_and_disjoint(texts: list[str], dice: Random):
    """For any sources, cut, joined, escaped and changed in whatever way."""
    index = index_of(*texts)
    pieces: list[str] = []
    for _ in range(4):
        text = dice.choice(texts)
        piece = text[dice.randrange(len(text) + 1) :][: dice.randrange(400)]
        pieces.append(dice.choice([piece, json.dumps(piece), piece.upper(), piece.lower(), repr(piece), piece[::2]]))
    text = dice.choice(["", "\n", " é ", "\\"]).join(pieces)

    check(text, index.find(text))


@given(seed=st.integers(0, 10_000), changes=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 60), st.integers(0, 12)), max_size=6))
def test_a_claim_agrees_with_its_source_letter_by_letter(seed: int, changes: list[tuple[int, int, int]]):
    """But for what is stepped over: any 25 + 12 letters of it hold 12 in a row that the source has, wherever words were exchanged."""
    source = made_up(seed, 250)
    words = [*source]
    for at, left_out, put_in in changes:
        words[at : at + left_out] = [f"{word}x" for word in made_up(seed + at + 1, put_in)]
    text = " ".join(words)
    whole = squeezed(canonical(" ".join(source)))

    for _, said in claimed(text, index_of(" ".join(source)).find(text)):
        letters = squeezed(canonical(said))
        good = [at for at in range(len(letters) - 11) if letters[at : at + 12] in whole]
        assert good
        # Between stretches that agree lie at most a step, or a gap of which 40 % are found word by word.
        gaps = [after - before for before, after in pairwise(good)]
        assert max(gaps, default=0) <= 12 + 512
        assert sum(gap for gap in gaps if gap > 12 + SKIP) <= len(letters) // 2


@pytest.mark.parametrize(("length", "is_claimed"), [(49, False), (50, True)])
def test_fifty_letters_stand_for_themselves(length: int, is_claimed: bool):
    """Seven words of 7 letters are 49."""
    words = [word * 3 for word in made_up(5, 40)]
    quote = " ".join([word[:7] for word in words[:7]])
    quote += "z" * (length - 49)
    index = index_of(quote + " " + " ".join(words[10:]))

    assert bool(index.find(f"Is it true? {quote} I doubt it.")) is is_claimed


def test_fewer_letters_are_claimed_beside_a_longer_stretch():
    """Nine words of 3 letters, 27, are too few; ten, 30, are enough once the same source is known."""
    page, short, shorter = PAGE.split(), " ".join(PAGE.split()[40:50]), " ".join(PAGE.split()[40:49])
    index, long = index_of(PAGE), " ".join(page[:30])
    between = text_of(9, 200)

    for quote, expected in ((short, [long, short]), (shorter, [long])):
        text = f"{long} {between} {quote}"
        assert [said for _, said in claimed(text, index.find(text))] == expected
    assert index.find(f"{between} {short}") == []


def test_a_source_known_in_one_part_is_known_in_the_others():
    """The parts of a prompt are read together."""
    long, short = " ".join(PAGE.split()[:30]), " ".join(PAGE.split()[40:50])
    found = result_of(index_of(PAGE).find_all_steps([f"Well: {short}", f"Look: {long}"]))

    assert [len(claims) for claims in found] == [1, 1]


def test_a_claim_ends_where_words_end():
    """Letters of the next word that agree by chance are not claimed."""
    page = PAGE + " harbour"
    text = PAGE + " harvest begins"

    assert claimed(text, index_of(page).find(text)) == [(0, PAGE)]


@pytest.mark.parametrize("ending", [".", "!", "?", "\u3002", "\uff01", "\uff1f"])
def test_the_end_of_a_sentence_belongs_to_it(ending: str):
    """Though the source goes on there."""
    text = f"{PAGE}{ending} So what."

    assert claimed(text, index_of(f"{PAGE} {OTHER}").find(text)) == [(0, PAGE + ending)]


@pytest.mark.parametrize("form", ["{}", "Here:\n{}\nThere.", "> {}", "({})"])
def test_what_frames_a_whole_text_belongs_to_it(form: str):
    """Its own quotes and stops, no others."""
    page = f'"{PAGE}"...'
    text = form.format(page)

    assert claimed(text, index_of(page).find(text)) == [(0, page)]


def test_an_escaped_text_is_claimed_with_its_quotes():
    """The backslashes before them are theirs."""
    page = f'"{PAGE}"'
    text = json.dumps({"said": page})

    assert claimed(text, index_of(page).find(text)) == [(0, json.dumps(page)[1:-1])]


def test_what_was_put_in_stays_where_it_was():
    """Three words of the reader's, 15 letters, in the middle of a quote: two claims."""
    words = PAGE.split()
    first, second = " ".join(words[:30]), " ".join(words[30:])
    text = f"{first} QUITE RIGHT INDEED {second}"

    assert claimed(text, index_of(PAGE).find(text)) == [(0, first), (0, second)]


def test_a_longer_gap_is_filled_word_by_word():
    """Where every other word stands in the source's gap, in its order: more than 40 %."""
    words = PAGE.split()
    gap = [word if at % 2 else "qqq" for at, word in enumerate(words[20:40])]
    text = " ".join([*words[:20], *gap, *words[40:]])
    data = "".join(said for _, said in claimed(text, index_of(PAGE).find(text)))

    assert all(word in data for word in [*words[:20], *words[21:40:2], *words[40:]])
    assert "qqq" not in data


def test_a_gap_of_other_words_is_not_filled():
    """Fewer than 40 % of it are the source's."""
    words = PAGE.split()
    other = text_of(7, 30)
    text = " ".join([*words[:25], other, *words[35:]])

    assert claimed(text, index_of(PAGE).find(text)) == [(0, " ".join(words[:25])), (0, " ".join(words[35:]))]


def test_single_signs_do_not_fill_a_gap():
    """Each of them stands somewhere in a long text; two in a row do not."""
    dice = Random(4)
    signs = [chr(0x4E00 + number) for number in range(40)]
    page = "".join(dice.choices(signs, k=800))
    gap = "".join(signs[::-1])
    text = page[:60] + gap + page[700:]

    assert claimed(text, index_of(page).find(text)) == [(0, page[:60]), (0, page[700:])]


def test_neighbours_of_one_source_are_one_claim():
    """Where only blanks lie between."""
    words = PAGE.split()
    text = f"{' '.join(words[30:])}\n---\n{' '.join(words[:30])}"

    assert claimed(text, index_of(PAGE).find(text)) == [(0, text)]


def test_two_sources_in_turn():
    """Each has its own, to the letter."""
    text = f"A: {PAGE}\nB: {OTHER}\nA: {PAGE}"

    assert claimed(text, index_of(PAGE, OTHER).find(text)) == [(0, PAGE), (1, OTHER), (0, PAGE)]


def test_an_empty_index_knows_nothing():
    """And nothing is known of nothing."""
    assert TextIndex().find(PAGE) == []
    assert index_of(PAGE).find("") == []
    assert index_of("").find(PAGE) == []
