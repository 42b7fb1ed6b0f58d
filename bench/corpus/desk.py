"""`Desk`: where a case is drafted: its chance, its pens, and a shelf of texts that everybody else wrote."""

from __future__ import annotations

from functools import cache
from random import Random

from bench.corpus.pen import Pen, Topic
from bench.corpus.texts import KINDS, TONGUES, write

_SHELF_WORDS = (40, 150, 600)


class Desk:
    """One case's source of chance and of texts."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.rng = Random(f"{seed}/{name}")

    def pen(self, topic: Topic | None = None) -> Pen:
        """A fresh pen: what it writes is nobody's until it is produced."""
        return Pen(self.rng, topic)

    def write(self, kind: str, words: int, topic: Topic | None = None) -> str:
        """Write a text of a kind."""
        return write(kind, words, self.rng, topic)

    def others(self, kind: str) -> list[str]:
        """Return texts that others wrote: some of the same kind, some not."""
        kinds = [kind, kind, *self.rng.sample(KINDS, 2)]
        return [self.rng.choice(shelf(self.seed, one)) for one in kinds]

    def cut(self, kind: str, text: str, words: int) -> str:
        """Return `words` words in a row from anywhere in a text."""
        between = 0 if kind not in TONGUES else TONGUES[kind].characters_per_word
        if between:
            length = round(words * between)
            start = self.rng.randrange(max(1, len(text) - length))
            return text[start : start + length].strip()
        ends = [at for at, character in enumerate(text) if character.isspace()]
        starts = [0, *(at + 1 for at in ends)]
        first = self.rng.randrange(max(1, len(starts) - words))
        last = first + words
        return text[starts[first] : ends[last - 1] if last <= len(ends) else len(text)].strip()


@cache
def shelf(seed: int, kind: str) -> tuple[str, ...]:
    """The texts of a kind that others wrote: the same ones for every case of a seed."""
    rng = Random(f"{seed}/shelf/{kind}")
    return tuple(write(kind, words, rng) for words in _SHELF_WORDS)
