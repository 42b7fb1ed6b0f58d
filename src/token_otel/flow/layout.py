"""`Layout`: a prompt as the provider lays it out, in weights, with what it adds unseen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from token_otel.flow.producer import SpanRef
from token_otel.flow.reading import Reading, Row
from token_otel.flow.split import Group
from token_otel.flow.transcript import Reader, Transcript


class Layout:
    """A prompt as the provider lays it out, in weights: what was read before, then the rest, with what it adds unseen.

    Args:
        head: The rows read before, whose totals are known; `None` for none.
        head_new: Whether they are new to this reader all the same.

    Attributes:
        tools: How many rows from the start are schemas: behind them lies the preamble.
        hidden: The entry and the weight of the preamble; `unexplained` likewise, behind everything.
    """

    __slots__ = (
        "_at",
        "_head",
        "_head_rows",
        "_places",
        "_weights",
        "entries",
        "hidden",
        "labels",
        "new",
        "rows",
        "tools",
        "unexplained",
        "weight",
    )

    def __init__(self, head: Transcript | None, head_rows: int, *, head_new: bool) -> None:
        head_rows = head_rows if head is not None else 0
        self._head = head
        self._head_rows = head_rows
        self.entries: list[Group] = [*head.groups] if head is not None else []
        self.labels: list[SpanRef | str] = [*head.labels] if head is not None else []
        self.new: list[bool] = [head_new] * len(self.entries)
        self._at: dict[tuple[tuple[str, int, str | None], bool], int] = {}
        self._weights: list[int] = []
        self._places: list[int] = []  # the entry of each row
        self.rows = head_rows
        self.weight = head.ends[head_rows] if head is not None else 0
        self.tools = 0
        self.hidden: tuple[int, int] = (-1, 0)  # an entry and a weight
        self.unexplained: tuple[int, int] = (-1, 0)

    def entry(self, group: Group, *, new: bool) -> int:
        """Return the place of a group among the entries."""
        key = (group.key, new)
        found = self._at.get(key)
        if found is None:
            head = self._head
            found = head.place_of(group) if head is not None else None
            if found is None or found >= len(self.new) or self.new[found] != new:
                found = len(self.entries)
                self.entries.append(group)
                self.labels.append(group.label)
                self.new.append(new)
            self._at[key] = found
        return found

    def add(self, group: Group, weight: int, *, new: bool) -> None:
        """Lay a row behind the others."""
        self._weights.append(weight)
        self._places.append(self.entry(group, new=new))
        self.rows += 1
        self.weight += weight

    def totals(self) -> list[int]:
        """Return the weight of each entry, what is hidden and unexplained included."""
        head = self._head
        totals = head.totals_of(self._head_rows) if head is not None else []
        totals += [0] * (len(self.entries) - len(totals))
        for place, weight in zip(self._places, self._weights, strict=True):
            totals[place] += weight
        for place, weight in (self.hidden, self.unexplained):
            if weight:
                totals[place] += weight
        return totals

    def between(self, low: int, high: int) -> dict[int, int]:
        """Return the weight of each entry in a stretch of the whole."""
        found: dict[int, int] = {}
        before = self._until(self.tools)
        place, hidden = self.hidden
        self._rows(low, min(high, before), found)
        if hidden:
            _overlap(found, place, low, high, before, before + hidden)
        self._rows(max(low - hidden, before), high - hidden, found)
        place, unexplained = self.unexplained
        if unexplained:
            _overlap(found, place, low, high, self.weight + hidden, self.weight + hidden + unexplained)
        return found

    def _until(self, rows: int) -> int:
        """Return the weight of the first `rows` rows."""
        if self._head is not None and rows <= self._head_rows:
            return self._head.ends[rows]
        base = self._head.ends[self._head_rows] if self._head is not None else 0
        return base + sum(self._weights[: rows - self._head_rows])

    def _rows(self, low: int, high: int, found: dict[int, int]) -> None:
        if low >= high:
            return
        at = 0
        head = self._head
        if head is not None:
            ends = head.ends
            at = ends[self._head_rows]
            if low < at:
                first = bisect_right(ends, low, 0, self._head_rows + 1) - 1
                last = min(self._head_rows, bisect_left(ends, high, first, self._head_rows + 1))
                for place, start, end in zip(head.places[first:last], ends[first:last], ends[first + 1 : last + 1], strict=True):
                    found[place] = found.get(place, 0) + end - start
                # Of the rows at both ends it is only a part.
                if first < last:
                    found[head.places[first]] -= max(0, low - ends[first])
                    found[head.places[last - 1]] -= max(0, ends[last] - high)
        for place, weight in zip(self._places, self._weights, strict=True):
            if at >= high:
                break
            _overlap(found, place, low, high, at, at + weight)
            at += weight


def _overlap(found: dict[int, int], place: int, low: int, high: int, start: int, end: int) -> None:
    common = min(high, end) - max(low, start)
    if common > 0:
        found[place] = found.get(place, 0) + common


def laid_out(reading: Reading, rows: Sequence[Sequence[Row]], state: Reader) -> Layout:
    """Lay out a prompt: what was read before, then `rows` of the rest.

    Args:
        reading: What is read.
        rows: Of each part of the rest.
        state: What the reader has read up to now.
    """
    head = reading.head
    first = reading.blank and not state.seen
    tools = head.tools_rows(reading.parts) if head is not None else 0
    if head is not None and reading.blank and not first:
        # Another call has read some of it meanwhile.
        layout = Layout(None, 0, head_new=False)
        for part, digest in enumerate(head.digests[: reading.parts]):
            new = head.digests[:part].count(digest) >= state.seen.get(digest, 0)
            for group, weight in head.rows_of(part):
                layout.add(group, weight, new=new)
    else:
        layout = Layout(head, reading.rows, head_new=first)
    for place, (item, stretches) in enumerate(zip(reading.reads, rows, strict=True)):
        new = first or _is_new(state, reading, place)
        for group, weight in stretches:
            layout.add(group, weight, new=new)
        if item.part.kind == "tools" and tools == layout.rows - len(stretches):
            tools = layout.rows
    layout.tools = tools
    return layout


def _is_new(state: Reader, reading: Reading, place: int) -> bool:
    """Tell whether a part is read for the first time. The same words said twice in one prompt are two texts."""
    digest = reading.digests[place]
    times = state.seen.get(digest)
    if times is None:
        return True
    before = reading.digests[:place].count(digest)
    if reading.head is not None:
        before += reading.head.digests[: reading.parts].count(digest)
    return before >= times
