"""Tables of what was measured, with a mark where a target is missed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.corpus.measure import Score
from bench.corpus.rows import Row
from bench.corpus.timing import Cost, Spread, Worst

MISSED = "  <- missed"
MOST_GROWTH = 1.5  # a KB may cost so much more at twice the size: noise and bigger dicts


@dataclass(frozen=True)
class Outcome:
    """A row's scores: of all its cases, and of the small ones."""

    row: Row
    all: Score
    small: Score

    @property
    def missed(self) -> list[str]:
        """Names of the targets that were missed."""
        row = self.row
        least = (("P", self.all.precision, row.precision), ("R", self.all.recall, row.recall), ("R small", self.small.recall, row.small))
        most = (("wrong", self.all.wrong_share, row.wrong), ("claimed", self.all.claimed_share, row.claimed))
        # Nothing claimed is no precision: it shows in the recall.
        found = [name for name, value, target in least if value is not None and target is not None and value < target]
        return found + [name for name, value, target in most if value is not None and target is not None and value > target]


def _percent(value: float | None, target: float | None = None) -> str:
    return ("-" if value is None else f"{value:.2f}").rjust(7) + (" " * 7 if target is None else f" ({target:g})".ljust(7))


def accuracy(outcomes: Sequence[Outcome], targets: bool = True) -> str:
    """Percent of tokens, with the target in brackets."""
    lines = [f"{'percent of tokens (target)':<26}{'cases':>6}{'P':>7}{'R':>14}{'R small':>14}{'wrong':>14}{'claimed':>14}"]
    for outcome in outcomes:
        row, full, small = outcome.row, outcome.all, outcome.small
        values = (
            (full.precision, row.precision),
            (full.recall, row.recall),
            (small.recall, row.small),
            (full.wrong_share, row.wrong),
            (full.claimed_share, row.claimed),
        )
        shown = "".join(_percent(value, target if targets else None) for value, target in values)
        if row.is_trap:
            shown = " " * 56 + _percent(full.claimed_share, row.claimed if targets else None)
        mark = MISSED + ": " + ", ".join(outcome.missed) if targets and outcome.missed else ""
        lines.append(f"{row.name:<26}{full.cases:>6}{shown}{mark}".rstrip())
    return "\n".join([*lines, _means(outcomes)])


def _means(outcomes: Sequence[Outcome]) -> str:
    rows = [outcome for outcome in outcomes if not outcome.row.is_trap]
    columns = (
        [outcome.all.precision or 0 for outcome in rows],
        [outcome.all.recall or 0 for outcome in rows],
        [value for outcome in rows if (value := outcome.small.recall) is not None],
    )
    shown = "".join(_percent(statistics.fmean(column) if column else None) for column in columns)
    return f"{'mean of the rows, no traps':<26}{sum(outcome.all.cases for outcome in outcomes):>6}{shown}".rstrip()


@dataclass(frozen=True)
class Line:
    """One measure of all kinds, and what its target is held against."""

    name: str
    of: Callable[[Cost], Spread]
    target: float | None = None
    worst_kind: bool = False

    def value(self, costs: Sequence[Cost]) -> float:
        """The mean of the medians, or the highest one."""
        medians = [self.of(cost).median for cost in costs]
        return max(medians) if self.worst_kind else statistics.fmean(medians)


LINES = (
    Line("index us/KB", lambda cost: cost.index, 50),
    Line("embedded copy us/KB", lambda cost: cost.embedded, 30),
    Line("JSON string us/KB", lambda cost: cost.json_string),
    Line("same genre, nothing us/KB", lambda cost: cost.nothing, 300, worst_kind=True),
    Line("another genre us/KB", lambda cost: cost.other_genre, 300, worst_kind=True),
    Line("longest index step us", lambda cost: cost.index_step, 1_000, worst_kind=True),
    Line("longest query step us", lambda cost: cost.query_step, 1_000, worst_kind=True),
    Line("store KB per KB", lambda cost: Spread(cost.store, cost.store, cost.store), 6),
)


def costs_missed(costs: Sequence[Cost]) -> list[str]:
    """Names of the lines that miss their target."""
    return [line.name for line in LINES if line.target is not None and line.value(costs) > line.target]


def expense(costs: Sequence[Cost]) -> str:
    """CPU and memory: medians by kind, and the means over kinds of the fastest, middle and slowest run."""
    lines = [f"{'medians, 100 KB of':<26}{''.join(f'{cost.kind:>9}' for cost in costs)} |{'min':>8} {'median':>8} {'max':>8}  target"]
    for line in LINES:
        spreads = [line.of(cost) for cost in costs]
        means = (statistics.fmean(values) for values in zip(*((one.least, one.median, one.most) for one in spreads), strict=True))
        target = "" if line.target is None else f"  {'each kind' if line.worst_kind else 'mean'} <= {line.target:g}"
        mark = MISSED if line.target is not None and line.value(costs) > line.target else ""
        lines.append(f"{line.name:<26}{''.join(f'{one.median:9.1f}' for one in spreads)} |{Spread(*means)}{target}{mark}")
    return "\n".join(lines)


def grows(one: Worst) -> bool:
    """Whether a text does not end, or costs more than in proportion to its size."""
    return not one.ended or (one.growth or 0) > MOST_GROWTH


def hostility(worst: Sequence[Worst]) -> str:
    """Hostile texts: milliseconds of the half and of the full size."""
    head = f"{'hostile text, ms of CPU':<31}{'KB':>6}{'half: min':>12}{'median':>9}{'max':>9}{'full: min':>12}{'median':>9}{'max':>9}"
    lines = [f"{head}{'ms/KB':>8}{'growth':>8}{'step us':>9}"]
    for one in worst:
        growth = "-" if one.growth is None else f"x {one.growth:.2f}"
        name = f"{one.name}, {one.role}"
        mark = "  <- does not end" if not one.ended else MISSED if grows(one) else ""
        per_kb = one.full.median / one.full_kb
        lines.append(f"{name:<31}{one.full_kb:6.0f}    {one.half}    {one.full}{per_kb:8.3f}{growth:>8}{one.step.median:9.0f}{mark}")
    return "\n".join(lines)
