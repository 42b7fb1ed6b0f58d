"""`Counter`: exact up to 32,768 characters, sampled above, and nothing makes it fail."""

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel.tokens import Counter
from token_otel.tokens.counter import EXACT_CHARACTERS, REMEMBERED
from token_otel.tokens.encoding import encoding

COUNTER = Counter()


def exact(text: str) -> int:
    """Count piece by piece: tiktoken panics on a million blanks."""
    encode = encoding("o200k_base").encode_ordinary
    return sum(len(encode(text[start : start + 100_000])) for start in range(0, len(text), 100_000))


@given(st.text(max_size=500))
def test_short_texts_are_counted_exactly(text: str):
    """As tiktoken counts them."""
    assert COUNTER.count(text) == len(encoding("o200k_base").encode_ordinary(text))


@given(st.text(alphabet="aB1 .,'\n\t\r\f/\u3000\u0301語é", max_size=60))
def test_white_space_is_counted_exactly(text: str):
    """However blanks, tabs and line ends stand side by side."""
    assert COUNTER.count(text) == len(encoding("o200k_base").encode_ordinary(text))


@pytest.mark.parametrize("path", ["README.md", "Makefile", "src/token_otel/recorder.py", "tests/tokens/test_counter.py"])
def test_what_is_added_up_word_by_word_is_what_the_encoder_says(path: str):
    """Prose, tables and code."""
    text = Path(path).read_text(encoding="utf-8")[:EXACT_CHARACTERS]

    assert Counter().count(text) == len(encoding("o200k_base").encode_ordinary(text))


def test_words_that_are_forgotten_are_counted_anew(monkeypatch: pytest.MonkeyPatch):
    """Also the empty one between two blanks, which another thread may ask for in between."""
    monkeypatch.setattr("token_otel.tokens.counter.WORDS", 2)
    text = " one  two three, four. five  six seven "

    assert Counter().measure(text) == len(encoding("o200k_base").encode_ordinary(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), (" ", 1), ("<|endoftext|>", 7), ("<|im_start|>system", 7)],
)
def test_special_tokens_are_text(text: str, tokens: int):
    """A prompt that quotes them is neither refused nor cut short."""
    assert COUNTER.count(text) == tokens


WORDS = ("ledger", "of", "the", "tokens", "that", "flow", "between", "agents", "written", "once", "for", "each", "call", "read", "often")
RANDOM = random.Random(7)
LONG = {
    "prose": " ".join(RANDOM.choice(WORDS) for _ in range(60_000)),
    "json": "[" + ", ".join(f'{{"id": {RANDOM.randrange(10**6)}, "name": "{RANDOM.choice(WORDS)}"}}' for _ in range(6_000)) + "]",
    "code": "\n".join(f"    def {RANDOM.choice(WORDS)}_{number}(self) -> int:\n        return {number}" for number in range(5_000)),
    "chinese": "".join(RANDOM.choice("代理之间流动的每一个词元都记在账上谁写的谁读的花了多少钱") for _ in range(80_000)),
    "log": "\n".join(
        f"2026-11-24T10:{RANDOM.randrange(60):02}:07Z INFO {RANDOM.choice(WORDS)} took {number} ms" for number in range(4_000)
    ),
}


@pytest.mark.parametrize("kind", LONG)
def test_long_texts_are_sampled_within_2_3_percent(kind: str):
    """Of the exact count, in every kind of text."""
    text = LONG[kind]

    assert len(text) > EXACT_CHARACTERS
    assert COUNTER.count(text) == pytest.approx(exact(text), rel=0.023)


@pytest.mark.parametrize("letter", [" ", "a", "\n", "=", "\\", "\ud800", "😀", "\x00", "ก"])
@pytest.mark.parametrize("length", [EXACT_CHARACTERS, EXACT_CHARACTERS + 1, 1_000_000])
def test_one_letter_a_million_times_is_counted(letter: str, length: int):
    """Where a tokenizer's regular expression runs out of stack."""
    assert 1 <= COUNTER.count(letter * length) <= 4 * length


def test_a_long_text_is_remembered_too():
    """Whatever its length, it is counted once; its words are not kept."""
    counter, text = Counter(), "a word " * 50_000

    assert counter.known(text) is None
    assert counter.known("") == 0
    count = counter.count(text)
    assert counter.known("a word " * 50_000) == count
    assert text not in vars(counter).values()


def test_what_is_remembered_is_bounded():
    """The oldest counts go first."""
    counter = Counter()
    for number in range(REMEMBERED + 10):
        counter.count(f"{number}")

    assert counter.known("9") is None
    assert counter.known("10") == 1


def test_threads_may_count_at_once():
    """And all count the same."""
    counter, seen = Counter(), list[int]()
    threads = [threading.Thread(target=lambda: seen.extend(counter.count(f"text {number}") for number in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == sorted(8 * [COUNTER.count(f"text {number}") for number in range(500)])
