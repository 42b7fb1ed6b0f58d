"""What filled the context of each agent, and how it grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.conversations import Context, Conversation
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.model import Report
from token_otel.report.totals import Totals

MOST_ROWS = 24
CAPTION = "Input of an agent's first, last and largest call; what it grew by; new and re-read tokens and USD."
LEAST_GROWTH = 0.01  # of the largest call: below it is what rounding makes


def show_contexts(report: Report, console: Console) -> None:
    """Print the dearest conversations in which an agent called more than once."""
    grown = [each for each in report.conversations if any(len(context.turns) > 1 for context in each.contexts)]
    if not grown:
        return
    heading(console, "Context growth", CAPTION)
    decimals = words.places(each.totals.cost_usd for each in grown)
    chosen = _chosen(grown)
    rows = [row for each in grown if each in chosen for row in _rows(each, decimals)]
    console.print(table(("", "calls", "first", "last", "peak", "new", "re-read"), rows[:MOST_ROWS], console.width))
    hidden = sum(1 + len(each.contexts) for each in grown) - len(rows[:MOST_ROWS])
    if hidden:
        console.print(Text(f"{words.plural(hidden, 'more line')} not shown; --json has everything.", style="dim"))


def _chosen(grown: Sequence[Conversation]) -> list[Conversation]:
    room = MOST_ROWS
    chosen: list[Conversation] = []
    for each in sorted(grown, key=lambda each: (-each.totals.cost_usd, -each.totals.input)):
        if not chosen or len(each.contexts) < room:
            chosen.append(each)
            room -= len(each.contexts) + 1
    return chosen


def _rows(each: Conversation, decimals: int) -> Iterator[Row]:
    name = f"conversation {words.shown(each.id, 24)}" if each.id is not None else f"trace {words.shown(each.traces[0][:8])}"
    speed = each.velocity.reads_per_token
    note = "" if speed is None else f"velocity {speed:,.1f}"
    cells = [words.tokens(each.totals.calls), "", "", "", *_split(each.totals, decimals)]
    yield Row(Label(name=name, style="bold", note=note), cells)
    for context in each.contexts:
        sizes = [words.tokens(size) for size in (context.first, context.last, context.peak)]
        label = Label(name=context.agent, guide="  ", style="cyan", below=f"  {_growth(context)}")
        yield Row(label, [words.tokens(context.totals.calls), *sizes, *_split(context.totals, decimals)])


def _growth(context: Context) -> str:
    grew = {role: tokens for role, tokens in context.grew.items() if abs(tokens) >= context.peak * LEAST_GROWTH}
    return ", ".join(f"{tokens:+,} {words.role(role)}" for role, tokens in grew.items())


def _split(totals: Totals, decimals: int) -> list[Text]:
    """Return new and re-read tokens, each above what they cost."""
    return [_cell(tokens, usd, totals, decimals) for tokens, usd in ((totals.new, totals.new_usd), (totals.reread, totals.reread_usd))]


def _cell(tokens: int, usd: Decimal, totals: Totals, decimals: int) -> Text:
    cost = (words.AT_LEAST if totals.unsplit else "") + words.usd(usd, decimals) if usd else ""
    return Text.assemble(words.tokens(tokens), "\n", (cost, "dim"))
