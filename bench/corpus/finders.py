"""Finders: the matcher of token-otel with one case in its index, and with everything in one index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from bench.corpus.case import OTHERS, Case
from bench.corpus.measure import Span
from bench.corpus.pen import Topic
from bench.corpus.texts import KINDS, write

from token_otel.flow.matching import TextIndex


def alone(case: Case) -> Iterable[Span]:
    """Ask an index that has the case's texts and nothing else."""
    index = TextIndex()
    for producer, text in case.sources:
        index.add(producer, text)
    return [(claim.start, claim.end, str(claim.source)) for claim in index.find(case.prompt)]


class FullStore:
    """Asks an index that has many other texts, and the texts of all cases before."""

    def __init__(self, megabytes: int) -> None:
        self.index = TextIndex()
        self.texts = 0
        self._cases = 0
        size = 0
        for text in filler():
            self.index.add(OTHERS, text)
            self.texts += 1
            size += len(text.encode())
            if size >= megabytes * 1_000_000:
                break

    def __call__(self, case: Case) -> Iterable[Span]:
        """Add the case's own texts, and ask; what others wrote is there already."""
        self._cases += 1
        prefix = f"{self._cases}/"
        for producer, text in case.sources:
            if producer != OTHERS:
                self.index.add(prefix + producer, text)
        return [(claim.start, claim.end, str(claim.source).removeprefix(prefix)) for claim in self.index.find(case.prompt)]


def filler() -> Iterator[str]:
    """Texts of all kinds without end, several on a topic."""
    rng = Random("filler")
    while True:
        topic = Topic(rng)
        for kind in KINDS:
            yield write(kind, int(200 + 8_000 * rng.random() ** 2), rng, topic)
