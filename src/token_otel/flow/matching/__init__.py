"""Matching: which stretches of a text were produced before, though it was quoted, cut, wrapped, escaped or edited since."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence

from token_otel.flow.matching.claims import Claim, claims_of, strong_sources
from token_otel.flow.matching.index import ENTRY_BYTES, FULL, Segment, add_steps
from token_otel.flow.matching.query import Query
from token_otel.flow.matching.runs import Run
from token_otel.flow.matching.search import find_runs

__all__ = ["Claim", "TextIndex"]


class TextIndex:
    """Texts by who produced them. The `_steps` do the work in slices of time, some 0.2 ms each.

    Not safe for threads: one worker adds and finds.

    Args:
        limit_bytes: The bound of its memory: the oldest texts are forgotten.
    """

    def __init__(self, limit_bytes: int = 1 << 30) -> None:
        self._limit = limit_bytes
        self._full = max(1, min(FULL, limit_bytes // (4 * ENTRY_BYTES)))
        self._segments: list[Segment] = []
        self._serial = 0

    @property
    def bytes(self) -> int:
        """About how much memory is held."""
        return sum(segment.bytes for segment in self._segments)

    def add(self, source: Hashable, text: str) -> None:
        """Remember that `source` produced `text`, later than all texts before."""
        for _ in self.add_steps(source, text):
            pass

    def add_steps(self, source: Hashable, text: str) -> Generator[None]:
        """As `add`."""
        self._serial += 1
        text = text[: self._limit // 16]  # no text drives out all others
        yield from add_steps(self._segments, source, text, self._serial, full=self._full, full_bytes=self._limit // 4)
        while self._segments and self.bytes > self._limit:
            del self._segments[0]

    def find(self, text: str) -> list[Claim]:
        """Return which stretches of `text` are known, in order, none over another."""
        steps = self.find_steps(text)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value

    def find_steps(self, text: str, *, prefer: Callable[[Hashable], bool] | None = None) -> Generator[None, None, list[Claim]]:
        """As `find`; the claims are what the generator returns."""
        [found] = yield from self.find_all_steps([text], prefer=prefer)
        return found

    def find_all_steps(
        self, texts: Sequence[str], *, prefer: Callable[[Hashable], bool] | None = None
    ) -> Generator[None, None, list[list[Claim]]]:
        """Return what is known of each of several texts that are read together: who is known in one is more easily known in others.

        Args:
            texts: The parts of a prompt.
            prefer: Of two sources that say the same, one that is preferred wins.
        """
        if not self._segments:
            return [[] for _ in texts]
        searched: list[tuple[Query, list[Run]]] = []
        strong: set[Hashable] = set()
        for text in texts:
            query = Query()
            yield from query.steps(text)
            runs = yield from find_runs(query, self._segments, prefer)
            strong |= strong_sources(query, runs)
            searched.append((query, runs))
        found: list[list[Claim]] = []
        for text, (query, runs) in zip(texts, searched, strict=True):
            found.append((yield from claims_of(query, text, runs, strong, self._segments)))
        return found
