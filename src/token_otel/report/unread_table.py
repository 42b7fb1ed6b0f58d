"""What was put out and read by nobody."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console

from token_otel.report import words
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.model import Report
from token_otel.report.places import Places, origin_label
from token_otel.report.unread import Unread

MOST_ROWS = 5
CAPTION = "Outputs that no later call in these files read; the last of a run is its user's, and apart."


def show_unread(report: Report, console: Console) -> None:
    """Print the dearest, and their sum."""
    wasted = [each for each in report.unread if each.kind == "unread"]
    if not wasted:
        return
    heading(console, "Unread outputs", CAPTION)
    places = Places(report)
    decimals = words.places([total_usd(wasted)])
    rows = [
        Row(origin_label(each.origin, note=_note(each, places)), [_tokens(each), _usd(each.cost_usd, decimals)])
        for each in wasted[:MOST_ROWS]
    ]
    hidden = wasted[MOST_ROWS:]
    if hidden:
        label = Label(name=f"{len(hidden):,} more", style="dim")
        rows.append(Row(label, [words.tokens(total_tokens(hidden)), _usd(total_usd(hidden), decimals)]))
    rows.append(Row(Label(name="all", style="bold"), [words.tokens(total_tokens(wasted)), _usd(total_usd(wasted), decimals)], rule=True))
    console.print(table(("", "output", "cost"), rows, console.width))


def total_tokens(outputs: list[Unread]) -> int:
    """Return the tokens of some outputs, as far as they are known."""
    return sum(each.tokens or 0 for each in outputs)


def total_usd(outputs: list[Unread]) -> Decimal:
    """Return what some outputs cost, as far as it is known."""
    return sum((each.cost_usd or Decimal() for each in outputs), Decimal())


def _note(each: Unread, places: Places) -> str:
    return places.of(each.span) + ("" if each.status == "ok" else f"  {each.status}")


def _tokens(each: Unread) -> str:
    return "?" if each.tokens is None else words.tokens(each.tokens)


def _usd(usd: Decimal | None, decimals: int) -> str:
    return words.usd(usd, decimals) if usd else "-"
