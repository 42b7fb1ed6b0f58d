"""The canonical form: what rewriting leaves alone, at equal length."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from tests.flow.matching.texts import wild

from token_otel.flow.matching.canonical import canonical, encoded, is_boundary, letters, singles, squeezed, words
from token_otel.flow.matching.query import Query, chunks


@given(text=wild)
def test_it_is_as_long_as_the_text(text: str):
    """Places need no table, whatever stands there."""
    assert len(canonical(text)) == len(encoded(text))


@given(text=wild)
def test_words_are_what_is_compared(text: str):
    """The words of a text in a row are its squeezed form, so that offsets can be counted in words."""
    canon = canonical(text)

    assert b"".join(words(canon)) == squeezed(canon)


@given(text=wild)
def test_chunks_are_the_text(text: str):
    """Cut at blanks or not, nothing is lost, and each piece has something."""
    found = [*chunks(text, 16)]

    assert "".join(found) == text
    assert all(found)


@given(text=wild)
def test_each_letter_has_its_place(text: str):
    """The place of a squeezed letter holds this letter, and a text goes on right behind it."""
    query = Query()
    for _ in query.steps(text):
        pass
    for offset in range(0, len(query.squeezed), 7):
        at = query.place(offset)
        assert query.canon[at] == query.squeezed[offset]
        assert query.end(offset + 1) == at + 1


@pytest.mark.parametrize("letter", ["İ", "Ⱥ", "Ⱦ"])
def test_letters_that_grow_in_lower_case_keep_their_place(letter: str):
    """Two grow by a byte each, and the Kelvin sign shrinks from 3 bytes to 1: the length is the same, but no place between them is."""
    text = f"{letter}{letter} word \u212a"

    assert canonical(text).index(b"word") == encoded(text).index(b"word")


def test_all_letters_that_grow_are_known():
    """Whatever Unicode this Python knows: whoever takes more bytes in lower case stays as it is."""
    capitals = [letter for letter in map(chr, range(sys.maxunicode + 1)) if letter.lower() != letter]
    growing = [letter for letter in capitals if len(encoded(letter.lower())) > len(encoded(letter))]

    assert growing
    for letter in growing:
        assert canonical(f"{letter}\u212a\u212a abc").endswith(b" abc")
        assert canonical(letter * 2 + "\u212a" + "abc").endswith(b"abc")


@pytest.mark.parametrize(
    ("text", "canon"),
    [
        ("Ab, c-1_2", b"ab  c 1 2"),
        ("a\\nb\\tc", b"a  b  c"),
        ("a&lt;b&amp;gt;c&#39;d", b"a    b        c     d"),
        ("“a”—b…", b"   a      b   "),
        ("a\uff0cb\u3002", b"a   b   "),
        ("\ufeffa", b"   a"),
    ],
)
def test_what_is_neither_letter_nor_digit_is_blank(text: str, canon: bytes):
    """Punctuation, escapes, entities, typography, and the signs of other scripts."""
    assert canonical(text) == canon


@pytest.mark.parametrize("text", ["café ÉTÉ", "你好 世界", "Ünïcödé 😀 x", "и\u0301з"])
def test_an_escaped_letter_reads_as_the_letter(text: str):
    """JSON for ASCII, and the same once more within another string."""
    plain = squeezed(canonical(text))

    assert squeezed(canonical(json.dumps(text))) == plain
    assert squeezed(canonical(json.dumps(json.dumps(text)))) == plain


@pytest.mark.parametrize("text", ["\\", "\\" * 9, "\\u", "\\u12", "\\ud83d", "\\ud83d\\n", "\\udc00\\ud800", "&", "&#x;", "&" * 9])
def test_half_an_escape_is_no_escape(text: str):
    """Of equal length all the same."""
    assert len(canonical(text)) == len(text)


def test_backslashes_without_end_are_blank():
    """An escape begins where they begin: 4,000 of them before `u00e9` are one letter."""
    assert canonical("\\u" + "\\" * 4_000) == b" u" + b" " * 4_000
    assert squeezed(canonical("a " + "\\" * 4_000 + "u00e9")) == "aé".encode()


@pytest.mark.parametrize("form", ["{}: x\n", "{}. x\n", "{}) x\n", "{}|x\n", "  {}\tx\n", "{} | x\n", "{}→x\n", "L{}: x\r\n", "> {}: x\n"])
def test_line_numbers_are_blank(form: str):
    """Three or more that count upward by one."""
    text = "".join(form.format(number) for number in range(9, 12))

    assert squeezed(canonical(text)) == b"xxx"


@pytest.mark.parametrize("numbers", [(1, 2), (1, 3, 5), (3, 2, 1), (7, 7, 7)])
def test_other_numbers_at_the_heads_of_lines_stay(numbers: tuple[int, ...]):
    """Two are too few, and a list that does not count is no numbering."""
    text = "".join(f"{number}: x\n" for number in numbers)

    assert squeezed(canonical(text)) == "".join(f"{number}x" for number in numbers).encode()


def test_line_numbers_are_blank_in_a_json_string():
    """There the lines are told by their escapes."""
    assert squeezed(canonical(json.dumps("1: x\n2: x\n3: x"))) == b"xxx"


def test_signs_are_words_of_their_own():
    """Chinese and Japanese put no blanks between words; Latin letters among them stay together."""
    canon = canonical("你好abc世")

    assert words(canon) == ["你".encode(), "好".encode(), b"abc", "世".encode()]
    assert singles(canon) == 3


def test_a_sign_counts_for_three_letters():
    """An alphabet's letter for one, whatever its bytes: 4 Russian letters are 8 bytes, 2 Chinese ones 6."""
    assert letters("тест".encode()) == 4
    assert letters("你好".encode()) == 6
    assert letters(b"test") == 4


def test_words_end_at_blanks_and_around_signs():
    """Never within a word of an alphabet."""
    canon = canonical("ab 你c")

    assert [at for at in range(len(canon) + 1) if is_boundary(canon, at)] == [0, 2, 3, 6, 7]
