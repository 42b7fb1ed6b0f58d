"""`Summary`: what became dearer or cheaper, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from token_otel.figures import plural, printable
from token_otel.reprice.calls import Repriced


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The calls of one model; an amount is what is known, `None` if nothing is."""

    model: str
    calls: int
    before_usd: Decimal | None
    after_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the calls of a file.

    Attributes:
        rows: One for each model, the dearest first.
        calls: How many were priced anew; the cost of `changed` of them differs.
        unpriced: Calls for which no price is known now, by model.
        kept: Calls that were left alone: their price is the provider's own, or they came from a local cache.
        no_usage: Calls without usable tokens.
        guessed: Calls whose cache lifetime or fees their spans do not tell.
        torn_lines: Lines that are broken off, and were copied as they are.
    """

    rows: tuple[Row, ...]
    calls: int
    changed: int
    unpriced: dict[str, int]
    kept: int
    no_usage: int
    guessed: int
    torn_lines: int

    @property
    def total(self) -> Row:
        """The sum of all rows."""
        return Row(
            model="all",
            calls=self.calls,
            before_usd=_sum(row.before_usd for row in self.rows),
            after_usd=_sum(row.after_usd for row in self.rows),
        )


def summary(calls: Iterable[Repriced], *, kept: int, no_usage: int, torn_lines: int) -> Summary:
    """Count what became of some calls."""
    calls = list(calls)
    by_model: dict[str, list[Repriced]] = {}
    for call in calls:
        by_model.setdefault(call.model, []).append(call)
    rows = [
        Row(
            model=model,
            calls=len(group),
            before_usd=_sum(call.before_usd for call in group),
            after_usd=_sum(call.cost.total_usd for call in group),
        )
        for model, group in by_model.items()
    ]
    return Summary(
        rows=tuple(sorted(rows, key=lambda row: (-(row.after_usd or Decimal()), row.model))),
        calls=len(calls),
        changed=sum(_cents(call.before_usd) != _cents(call.cost.total_usd) for call in calls),
        unpriced=dict(Counter(call.model for call in calls if call.cost.total_usd is None and call.cost.status != "local")),
        kept=kept,
        no_usage=no_usage,
        guessed=sum(call.guessed for call in calls),
        torn_lines=torn_lines,
    )


def in_words(summary: Summary) -> str:
    """Return the table, and a sentence for each thing to know."""
    lines = [f"{'calls':>7}  {'before':>14}  {'after':>14}  model"]
    lines += [
        f"{row.calls:>7,}  {_usd(row.before_usd):>14}  {_usd(row.after_usd):>14}  {printable(row.model[:200])}"
        for row in (*summary.rows, summary.total)
    ]
    lines += ["", f"{plural(summary.calls, 'call')} priced anew; the cost of {summary.changed:,} differs."]
    for model, count in summary.unpriced.items():
        lines.append(f"{plural(count, 'call')} of {printable(model[:200])} without a price.")
    for count, sentence in (
        (summary.kept, "left alone: the provider's own price, or an answer from a local cache"),
        (summary.no_usage, "left alone: no usable tokens on the span"),
        (summary.guessed, "where the span does not tell a cache lifetime or a fee: five minutes, the old fee"),
    ):
        if count:
            lines.append(f"{plural(count, 'call')} {sentence}.")
    if summary.torn_lines:
        lines.append(f"{plural(summary.torn_lines, 'line')} broken off, copied as found.")
    return "\n".join(lines)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [usd for usd in amounts if usd is not None]
    return sum(known, Decimal()) if known else None


def _cents(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)


def _usd(usd: Decimal | None) -> str:
    return "unknown" if usd is None else f"${usd:,.6f}"
