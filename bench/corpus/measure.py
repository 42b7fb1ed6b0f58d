"""`Score`: how much of a prompt was given to the right producer, in tokens of o200k."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, TypeAlias

from bench.corpus.case import Case

from token_otel.tokens.encoding import encoding

Span: TypeAlias = "tuple[int, int, str]"
PIECE = 16_384  # characters; tiktoken is slow on long runs of one kind


class Finder(Protocol):
    """Whatever claims stretches of a prompt, given what was produced."""

    def __call__(self, case: Case, /) -> Iterable[Span]:
        """Return disjoint spans of bytes with their producers, in order."""
        ...


class Ruler:
    """Measures stretches of a text's bytes in tokens; a token that is cut counts by its share of bytes."""

    def __init__(self, text: str) -> None:
        tokenizer = encoding("o200k_base")
        lengths = [
            len(token)
            for at in range(0, len(text), PIECE)
            for token in tokenizer.decode_tokens_bytes(tokenizer.encode_ordinary(text[at : at + PIECE]))
        ]
        self._starts = [0, *accumulate(lengths)]
        self.bytes = self._starts[-1]

    @property
    def tokens(self) -> int:
        """The whole text's tokens."""
        return len(self._starts) - 1

    def upto(self, offset: int) -> float:
        """Tokens before an offset."""
        at = bisect_right(self._starts, offset) - 1
        if at >= self.tokens:
            return self.tokens
        return at + (offset - self._starts[at]) / (self._starts[at + 1] - self._starts[at])

    def between(self, start: int, end: int) -> float:
        """Tokens of a stretch."""
        return self.upto(end) - self.upto(start)


@dataclass
class Score:
    """Tokens: of all prompts, truly somebody's, claimed, rightly claimed, and claimed for another than their producer."""

    prompt: float = 0
    truth: float = 0
    claimed: float = 0
    right: float = 0
    wrong: float = 0
    cases: int = 0

    def add(self, other: Score) -> None:
        """Take another one in."""
        self.prompt += other.prompt
        self.truth += other.truth
        self.claimed += other.claimed
        self.right += other.right
        self.wrong += other.wrong
        self.cases += other.cases

    @property
    def precision(self) -> float | None:
        """Percent of what was claimed that is right; None where nothing was claimed."""
        return 100 * self.right / self.claimed if self.claimed else None

    @property
    def recall(self) -> float | None:
        """Percent of what is somebody's that was found; None where nothing is."""
        return 100 * self.right / self.truth if self.truth else None

    @property
    def wrong_share(self) -> float | None:
        """Percent of what is somebody's that another one got."""
        return 100 * self.wrong / self.truth if self.truth else None

    @property
    def claimed_share(self) -> float | None:
        """Percent of all tokens that were claimed."""
        return 100 * self.claimed / self.prompt if self.prompt else None


def score(case: Case, claims: Iterable[Span]) -> Score:
    """Hold claims against the truth.

    Raises:
        ValueError: The claims are not in order, or not disjoint, or not of the prompt.
    """
    ruler = Ruler(case.prompt)
    found, truth = list(claims), list(case.truth())
    last = 0
    for start, end, _ in found:
        if not last <= start < end <= ruler.bytes:
            raise ValueError(f"claims must be in order, disjoint and of the prompt: {start}-{end} after {last} of {ruler.bytes}")
        last = end
    result = Score(prompt=ruler.tokens, cases=1)
    result.truth = sum(ruler.between(start, end) for start, end, _ in truth)
    result.claimed = sum(ruler.between(start, end) for start, end, _ in found)
    for start, end, claimed, true in _overlaps(found, truth):
        if claimed == true:
            result.right += ruler.between(start, end)
        else:
            result.wrong += ruler.between(start, end)
    return result


def _overlaps(claims: Sequence[Span], truth: Sequence[Span]) -> Iterator[tuple[int, int, str, str]]:
    at = 0
    for start, end, producer in claims:
        while at < len(truth) and truth[at][1] <= start:
            at += 1
        here = at
        while here < len(truth) and truth[here][0] < end:
            yield max(start, truth[here][0]), min(end, truth[here][1]), producer, truth[here][2]
            here += 1
