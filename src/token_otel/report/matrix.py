"""`Matrix`: which agent read how much of whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from token_otel.report.calls import OTHER, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Tokens read and what they cost; `unpriced` are the tokens whose cost is not known, `local` those that cost no money."""

    tokens: int = 0
    cache_read: int = 0
    new: int = 0
    cost_usd: Decimal = Decimal()
    unpriced: int = 0
    local: int = 0

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            tokens=self.tokens + other.tokens,
            cache_read=self.cache_read + other.cache_read,
            new=self.new + other.new,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced=self.unpriced + other.unpriced,
            local=self.local + other.local,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Producers by consumers. All cells together are the billed input of all calls.

    Attributes:
        producers: Rows: `agent:<name>`, `tool:<name>`, `document`, roles, `other` and `untraced`; most tokens first.
        consumers: Columns: agents, in the order of their accounts.
        cells: By (producer, consumer); only those in which something was read.
        externals_cut: Whether some call read more messages of other processes than its span has ids, so that every row but
            `external` is a lower bound.
    """

    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    externals_cut: bool = False

    @property
    def cut(self) -> bool:
        """Whether some call read of more origins than its span names, so that every row but `other` is a lower bound."""
        return OTHER in self.producers

    def total(self, *, producers: Iterable[str] | None = None, consumers: Iterable[str] | None = None) -> Cell:
        """Return the sum over some rows and columns, over all of them by default."""
        rows = set(self.producers if producers is None else producers)
        columns = set(self.consumers if consumers is None else consumers)
        return sum((cell for (row, column), cell in self.cells.items() if row in rows and column in columns), Cell())


def matrix(calls: Sequence[Call], agents: Sequence[str]) -> Matrix:
    """Add up what `calls` read; `agents` gives the order of the columns."""
    cells: dict[tuple[str, str], Cell] = {}
    rows: dict[str, int] = {}
    for call in calls:
        local = call.cost_status == "local"
        for flow in call.flows:
            cell = Cell(
                tokens=flow.tokens,
                cache_read=flow.cache_read,
                new=flow.new,
                cost_usd=flow.cost_usd or Decimal(),
                unpriced=flow.tokens if flow.cost_usd is None and not local else 0,
                local=flow.tokens if local else 0,
            )
            key = (flow.origin, call.agent)
            cells[key] = cells.get(key, Cell()) + cell
            rows[flow.origin] = rows.get(flow.origin, 0) + flow.tokens
    readers = {reader for _, reader in cells}
    return Matrix(
        producers=tuple(sorted(rows, key=lambda row: (-rows[row], row))),
        consumers=tuple([name for name in agents if name in readers]),
        cells=cells,
        externals_cut=any(call.externals_cut for call in calls),
    )
