"""The search: which of several texts is meant, and work that is linear in whatever is read."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.matching.texts import MADE_UP, claimed, index_of, made_up, result_of, steps_of, text_of, wild

from token_otel.flow.matching import TextIndex
from token_otel.flow.matching.canonical import encoded

Case: TypeAlias = tuple[list[str], str]
PAGE = text_of(1, 60)  # 180 letters
OTHER = text_of(2, 60)


def owners(index: TextIndex, text: str) -> list[object]:
    """Whose each claim is."""
    return [claim.source for claim in index.find(text)]


def test_a_text_is_found_among_others():
    """And what stands around it is nobody's."""
    index = index_of(*[text_of(number, 60) for number in range(9)])

    assert claimed(f"Look: {PAGE}\nEnd.", index.find(f"Look: {PAGE}\nEnd.")) == [(1, PAGE)]


def test_seven_words_hold_a_shingle():
    """Wherever they are cut out of a text, 7 words in a row are enough to find it: here the 50 letters that stand for themselves."""
    words = [word * 3 for word in made_up(3, 60)]
    index = index_of(" ".join(words))

    for at in range(len(words) - 7):
        quote = " ".join(words[at : at + 7])
        assert claimed(quote, index.find(quote)) == [(0, quote)]


def test_of_two_who_said_the_same_the_last_is_meant():
    """However they are followed by others."""
    assert owners(index_of(PAGE, PAGE, OTHER), PAGE) == [1]


def test_one_that_is_preferred_wins_over_the_last():
    """The caller says who."""
    claims = result_of(index_of(PAGE, PAGE, PAGE).find_steps(PAGE, prefer=lambda source: source == 1))

    assert [claim.source for claim in claims] == [1]


def test_nobody_is_preferred_where_nobody_else_could_be_meant():
    """One text alone is not asked about, so that whoever asks knows that the answer hung on it."""
    asked: list[object] = []
    for _ in index_of(PAGE, OTHER).find_steps(f"{PAGE} {OTHER}", prefer=lambda source: bool(asked.append(source))):
        pass

    assert asked == []


def test_the_longest_is_meant():
    """A later text that has a part of it is not."""
    assert owners(index_of(f"{PAGE} {OTHER}", PAGE), f"{PAGE} {OTHER}") == [0]


def test_a_text_goes_on_where_it_was_read():
    """Both have the second half; the first text's first half stands before it."""
    first, second = f"{PAGE} {OTHER}", f"{text_of(4, 60)} {OTHER}"
    text = f"{PAGE} {text_of(5, 12)} {OTHER}"

    assert owners(index_of(first, second), text) == [0, 0]


@pytest.mark.parametrize("count", [2, 4, 9])
@pytest.mark.parametrize("form", ["# worker {}: {}", "{1}, says number {0}"])
def test_texts_that_differ_at_one_end_alone_are_told_apart(form: str, count: int):
    """By a number at the head or the tail: a few letters more are no chance where they make a text whole."""
    texts = [form.format(number, PAGE) for number in range(count)]
    index = index_of(*texts)

    for number in range(max(0, count - 4), count):  # the newest four places of each shingle
        assert owners(index, f"Here it is.\n{texts[number]}\nDone.") == [number]


def test_versions_are_told_apart():
    """Seven versions, each with another word changed: the newest four that have a shingle are kept, and known for themselves."""
    versions = [made_up(6, 120)]
    for number in range(6):
        versions.append([*versions[-1]])
        versions[-1][10 + 15 * number] = "changed"
    index = index_of(*[" ".join(version) for version in versions])

    for number in (3, 4, 5, 6):
        assert owners(index, f"Now: {' '.join(versions[number])}.") == [number]


def test_a_relayed_quote_is_the_relays():
    """By rule: the last who said it."""
    assert owners(index_of(PAGE, f"He says {PAGE}, no more."), f"Is it true that {PAGE}?") == [1]


def periods(n: int) -> Case:
    """Texts that repeat themselves, each after another number of words."""
    return [" ".join((MADE_UP * 9)[:period] * (n // period)) for period in (5, 7, 11, 13)], " ".join(MADE_UP[:31] * (n // 31))


def same(n: int) -> Case:
    """A thousand sources with the same text."""
    return [PAGE] * 1_000, f"{PAGE} and so on and on. " * (n // 64)


def near_misses(n: int) -> Case:
    """Each hit has 6 words: 18 letters, and 28 would be a run."""
    words, other = made_up(7, n), made_up(8, n)
    return [" ".join(word for at in range(0, n, 6) for word in words[at : at + 6] + other[at : at + 9])] * 4, " ".join(words)


def every_word_twice(n: int) -> Case:
    """A source that repeats each word of the prompt."""
    words = made_up(9, n)
    return [" ".join(word for word in words for _ in "12")], " ".join(words)


def bridges(n: int) -> Case:
    """Versions that differ at every twelfth word: each run goes on to the end of the text."""
    words = made_up(10, n)
    return [" ".join("new" if at % 12 == version else word for at, word in enumerate(words)) for version in range(8)], " ".join(words)


def bridges_in_vain(n: int) -> Case:
    """Steps that lose: a run would go on to the end, be worth less than another of 60 letters, and begin anew with each block."""
    words, dice = made_up(11, n), Random(11)
    put_in = [f"{dice.choice(MADE_UP)}q" if at // 4 % 40 > 3 else "" for at in range(0, n, 4)]
    text = " ".join(word for at in range(0, n, 4) for word in [*words[at : at + 4], put_in[at // 4]])
    pieces = [" ".join(words[at : at + 20]) for at in range(0, n, 20)]
    dice.shuffle(pieces)
    return [text, " zzz ".join(pieces)], " ".join(words)


def logs(n: int) -> Case:
    """Lines of one service, but for their numbers."""
    dice = Random(12)
    texts = [
        "\n".join(f"{dice.random()} INFO service.worker handled {dice.random()} in 12 ms, 200" for _ in range(n // 12)) for _ in range(6)
    ]
    return texts[1:], texts[0]


HOSTILE = [periods, same, near_misses, every_word_twice, bridges, bridges_in_vain, logs]


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.__name__)
def test_work_is_linear(case: Callable[[int], Case]):
    """Four times the text takes at most about four times the steps."""
    small, large = [steps_of(index_of(*texts), text) for texts, text in (case(1_500), case(6_000))]

    assert large <= 4 * 1.6 * small + 100


def test_a_run_is_bridged_in_steps():
    """Some thousand bridges are not built in one step: each is one of its own."""
    texts, text = bridges(6_000)

    assert steps_of(index_of(texts[0]), text) >= 6_000 // 12 - 10


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(wild, max_size=5), text=wild, spliced=st.booleans())
def test_any_text_can_be_added_and_searched(texts: list[str], text: str, spliced: bool):
    """In any order; and each step moves forward, so that there is an end to them: no more than some for each KB and source."""
    index = index_of(*texts)
    if spliced:
        text = "".join(text[at * 9 : at * 9 + 9] + other for at, other in enumerate(texts))
    size = len(encoded(text)) + sum(len(encoded(each)) for each in texts)

    assert steps_of(index, text) <= 60 + size


@given(order=st.permutations(range(6)))
def test_texts_are_found_in_whatever_order_they_came(order: list[int]):
    """None hides another."""
    texts = [text_of(number, 40) for number in range(6)]
    index = index_of(*[(number, texts[number]) for number in order])

    assert [source for source, _ in claimed(" / ".join(texts), index.find(" / ".join(texts)))] == [0, 1, 2, 3, 4, 5]
