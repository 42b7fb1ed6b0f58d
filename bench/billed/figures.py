"""Figures: how far each origin's tokens are from the truth, call by call, and what is said of many of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.billed.talk import Api, Call


@dataclass(frozen=True, slots=True)
class Figure:
    """One origin of one call.

    Attributes:
        number: The how-manieth call of its model that is told tools, or the how-manieth that is told none.
        cached: What we say and the truth of what was read from the cache.
    """

    api: Api
    number: int
    origin: str
    ours: int
    truth: int
    cached: tuple[int, int]
    input: int
    what: str

    @property
    def error(self) -> float:
        """The distance from the truth, as a share of the call's input."""
        return abs(self.ours - self.truth) / self.input

    @property
    def cached_error(self) -> float:
        """The same of what was read from the cache."""
        return abs(self.cached[0] - self.cached[1]) / self.input


def figures(api: Api, calls: Iterable[Call]) -> Iterator[Figure]:
    """Hold each call of one world against its bill: every origin that was billed, and every one that we believe was."""
    numbers: dict[tuple[str, bool], int] = {}
    for call in calls:
        posting = call.closed.posting
        if posting is None:
            continue
        key = (call.bill.model, call.tools > 0)
        number = numbers[key] = numbers.get(key, 0) + 1
        truth = call.owners.truth(call.bill, call.reader)
        ours: dict[str, tuple[int, int]] = {}
        for share in posting.shares:
            tokens, cached = ours.get(share.origin, (0, 0))
            ours[share.origin] = tokens + share.tokens, cached + share.cache_read
        for origin in sorted(truth.keys() | ours.keys()):
            tokens, cached = ours.get(origin, (0, 0))
            true = truth.get(origin)
            billed, read = (true.tokens, true.cached) if true else (0, 0)
            yield Figure(api, number, origin, tokens, billed, (cached, read), call.bill.input, call.what)


def quantile(errors: Sequence[float], share: float) -> float:
    """Return the error that `share` of them do not exceed; 0 if there are none."""
    return sorted(errors)[max(0, math.ceil(share * len(errors)) - 1)] if errors else 0.0


def row(name: str, errors: Sequence[float]) -> str:
    """Say how large errors are."""
    cells = " ".join(f"{quantile(errors, share):>8.2%}" for share in (0.5, 0.9, 0.95, 0.99, 1.0))
    return f"{name:<26} {len(errors):>7,} {cells}"


def head(name: str) -> str:
    """Return the head of the table."""
    return f"{name:<26} {'figures':>7} {'median':>8} {'p90':>8} {'p95':>8} {'p99':>8} {'max':>8}"


def worst(found: Iterable[Figure], count: int) -> Iterator[str]:
    """Describe the largest errors, at most one of a call."""
    seen: set[tuple[int, str, int]] = set()
    for one in sorted(found, key=lambda figure: -figure.error):
        call = (one.input, one.what, one.number)
        if call in seen:
            continue
        seen.add(call)
        yield f"{one.error:>8.2%}  {one.origin}: {one.ours:,} for {one.truth:,} of {one.input:,}; call {one.number} of {one.what}"
        if len(seen) == count:
            return
