"""The index: what it takes in, and that it stays within its bounds."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.matching.texts import claimed, index_of, text_of, wild

from token_otel.flow.matching import TextIndex
from token_otel.flow.matching.index import FULL, SHORTEST, add_steps

PAGE = text_of(1, 60)


def hexadecimal(number: int) -> str:
    """One word of 2,000 letters: no shingles."""
    return Random(number).randbytes(1_000).hex()


def base64_blob(number: int) -> str:
    """Few words."""
    return base64.b64encode(Random(number).randbytes(1_500)).decode()


def the_same(number: int) -> str:
    """One text again and again: no new shingles."""
    return f"{text_of(2, 500)} {number}"


def new_words(number: int) -> str:
    """Nothing but new shingles."""
    return text_of(number, 500)


def refrain(number: int) -> str:
    """Eight words, 60 times: all its shingles are skeleton."""
    return f"{text_of(number, 8)} " * 60


def single_letters(number: int) -> str:
    """Shingles of four letters."""
    return " ".join(text_of(number, 300).replace(" ", ""))


def listing(number: int) -> str:
    """Objects known by their content."""
    return json.dumps([{"id": each, "number": number, "note": "x" * 60} for each in range(20)])


def signs(number: int) -> str:
    """Three bytes and one word each."""
    return "".join(map(chr, Random(number).choices(range(0x4E00, 0x7000), k=700)))


KINDS = [hexadecimal, base64_blob, the_same, new_words, refrain, single_letters, listing, signs]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("limit", [1, 20_000, 300_000])
def test_memory_stays_within_its_limit(kind: Callable[[int], str], limit: int):
    """After each text, whatever it is made of; a small one is known when it is added last."""
    index = TextIndex(limit)
    for number in range(100 + 50 * (limit > 20_000)):
        index.add(number, kind(number))
        assert index.bytes <= limit
    index.add("last", PAGE)
    assert index.bytes <= limit
    if limit > 20_000:
        assert [claim.source for claim in index.find(PAGE)] == ["last"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_it_says_it_holds_is_what_it_holds(kind: Callable[[int], str]):
    """To a factor of 1.5: measured by the allocator."""
    tracemalloc.start()
    try:
        index = TextIndex(400_000)
        for number in range(100):
            index.add(number, kind(number))
        real, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert real <= 1.5 * index.bytes + 20_000


def test_the_oldest_are_forgotten():
    """A part at a time, never all."""
    index = TextIndex(200_000)
    for number in range(200):
        index.add(number, new_words(number))

    assert index.find(new_words(0)) == []
    assert [claim.source for claim in index.find(new_words(199))] == [199]
    assert [claim.source for claim in index.find(new_words(190))] == [190]
    assert index.bytes > 100_000


def test_one_long_text_does_not_drive_out_all_others():
    """Of a text that would fill the index, the head is taken in."""
    index = TextIndex(200_000)
    index.add("page", PAGE)
    index.add("book", text_of(3, 50_000))

    assert [claim.source for claim in index.find(f"{PAGE} / {text_of(3, 50_000)[:400]}")] == ["page", "book"]


def test_a_text_goes_on_in_the_next_segment():
    """It is known across the border."""
    index = TextIndex(FULL * 4 * 100)
    words = text_of(4, 90_000)
    index.add("long", words)

    assert claimed(words[60_000:200_000], index.find(words[60_000:200_000]))[0][0] == "long"
    assert len(index.find(words[60_000:200_000])) == 1


@pytest.mark.parametrize(("text", "is_taken"), [("a" * SHORTEST, True), ("a" * (SHORTEST - 1), False), ("- . -" * 99, False)])
def test_short_texts_are_not_taken_in(text: str, is_taken: bool):
    """Fewer than 28 letters: they could never be claimed."""
    assert bool(index_of(text).bytes) is is_taken


def test_a_text_is_taken_in_step_by_step():
    """Pieces of 4,096 characters: 40 of them take at least 80 steps, one to make each canonical and one to enter it."""
    text = text_of(5, 40 * 1_024)
    steps = sum(1 for _ in add_steps([], "s", text, 1, full=FULL, full_bytes=1 << 30))

    assert 80 <= steps <= 90


def test_a_text_that_is_being_taken_in_can_be_left():
    """A job may be dropped with its index: what is there so far is sound, and the next text is taken in as ever."""
    index = TextIndex()
    text = text_of(6, 9_000)
    half = index.add_steps("half", text)
    for _ in range(12):
        next(half)
    half.close()
    index.add("page", PAGE)

    assert [claim.source for claim in index.find(f"{text[:400]} {PAGE}")][-1] == "page"
    assert {claim.source for claim in index.find(text)} <= {"half"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(wild, min_size=1, max_size=12), limit=st.sampled_from([0, 1, 500, 5_000, 100_000]))
def test_any_texts_within_any_limit(texts: list[str], limit: int):
    """Added in any order, searched in between."""
    index = TextIndex(limit)
    for number, text in enumerate(texts):
        index.add(number, text)
        assert index.bytes <= limit
        index.find(texts[number // 2])


def test_indexes_share_nothing():
    """What one knows is unknown to another."""
    index_of(PAGE)

    assert index_of(text_of(7, 60)).find(PAGE) == []
