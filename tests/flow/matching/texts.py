"""Texts for the matcher's tests: words without meaning, wild texts, and a finder that tells what it did."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from token_otel.flow.matching import Claim, TextIndex
from token_otel.flow.matching.canonical import encoded

Result = TypeVar("Result")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MADE_UP = ["".join(Random(number).choices(LETTERS, k=3)) for number in range(3_000)]


def made_up(seed: int, count: int) -> list[str]:
    """Words of three letters, the same for a seed."""
    return Random(seed).choices(MADE_UP, k=count)


def text_of(seed: int, count: int) -> str:
    """A text of words of three letters."""
    return " ".join(made_up(seed, count))


def index_of(*texts: tuple[Hashable, str] | str, limit: int = 1 << 30) -> TextIndex:
    """An index of some texts; those without a source are called by their number."""
    index = TextIndex(limit)
    for number, text in enumerate(texts):
        source, words = (number, text) if isinstance(text, str) else text
        index.add(source, words)
    return index


def claimed(text: str, claims: Iterable[Claim]) -> list[tuple[Hashable, str]]:
    """What each claim says, and whose it is."""
    data = encoded(text)
    return [(claim.source, data[claim.start : claim.end].decode("utf-8", "surrogatepass")) for claim in claims]


def result_of(steps: Generator[None, None, Result]) -> Result:
    """What a search returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def steps_of(index: TextIndex, text: str) -> int:
    """How many steps it takes to search a text."""
    return sum(1 for _ in index.find_steps(text))


_PIECES = [
    *["the keeper closes the upper gate ten days after the first frost ", "alpha beta gamma delta epsilon zeta eta theta iota kappa "],
    *["水", "你好世界今天天气很好我们去公园散步吧", "สวัสดีชาวโลก", "مرحبا بالعالم ", "e\u0301", "ﬁ", "😀", "ΟΔΟΣ", "İ", "Ⱥ", "\u212a", "ẞ"],
    *["\\u00e9", "\\u4f60", "\\ud83d\\ude00", "\\ud83d", "\\u", "\\u00", "\\\\u4f60", "\\", "\\n", "\\\\n", "\\t"],
    *[
        "\n",
        "\r\n",
        "\r",
        "\t",
        " ",
        "\u2028",
        "\x85",
        "\0",
        "\ud800",
        "\udfff",
        "\ufeff",
        ">",
        "12",
        "1: ",
        "2: ",
        "3: ",
        "4.",
        "l5|",
        "\t6\t",
    ],
    *["{", "}", "[", "]", '"', "'", '{"', '{"a": 1, "b": "' + "x" * 60 + '", "c": [1, {"d": null}]}', "&amp;", "&amp;lt;", "&#x4f;", "&"],
    *["。", "\uff01", "»", "—", "…", ".", "x" * 60, "q" * 5_000],
]
wild = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(st.characters(exclude_categories=()), max_size=12)), max_size=40).map("".join)
