"""The report in a terminal, or in a file: readable without colours and at 100 columns."""

from __future__ import annotations

import os

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.matrix_table import show_matrix
from token_otel.report.message_table import show_messages
from token_otel.report.model import Report
from token_otel.report.span_table import show_spans
from token_otel.report.totals import Totals

WIDTH = 100
NARROWEST = 80


def show(report: Report, console: Console | None = None) -> None:
    """Print all tables; what has nothing to show is left out."""
    console = console or _console()
    if report.traces:
        show_spans(report, console)
    if report.accounts:
        _show_accounts(report, console)
    if report.matrix.cells:
        show_matrix(report, console)
    if report.messages:
        show_messages(report, console)
    _show_summary(report, console)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    console.width = max(NARROWEST, console.width)
    return console


def _show_accounts(report: Report, console: Console) -> None:
    heading(console, "Agents", "What each spent itself, and as a subtree, with the agents beneath it. Re-read: read by it before.")
    decimals = words.places(account.subtree.cost_usd for account in report.accounts)
    rows: list[Row] = []
    for account in report.accounts:
        label = Label(
            name=account.name,
            guide="  " * account.depth,
            style="bold cyan" if account.kind == "agent" else "bold blue",
            note="" if account.kind == "agent" else "workflow",
        )
        beneath = account.subtree
        with_beneath = ["", ""] if beneath == account.own else [words.tokens(beneath.input), words.cost(beneath, decimals)]
        rows.append(Row(label, [*_account(account.own, decimals), *with_beneath]))
    if len(rows) > 1:
        rows.append(Row(Label(name="all", style="bold"), [*_account(report.totals, decimals), "", ""], rule=True))
    console.print(table(("", "calls", "input", "re-read", "output", "cost", "subtree\ninput", "subtree\ncost"), rows, console.width))


def _account(own: Totals, decimals: int) -> list[Text | str]:
    if own == Totals():
        return ["-", "-", "-", "-", "-"]
    figures = [words.tokens(own.calls), words.tokens(own.input), words.share(own.reread_share), words.tokens(own.output)]
    return [*figures, words.cost(own, decimals)]


def _show_summary(report: Report, console: Console) -> None:
    console.print()
    totals = report.totals
    where = [words.plural(totals.calls, "model call"), words.plural(len(report.traces), "trace")]
    if report.conversations:
        where.append(words.plural(len(report.conversations), "conversation"))
    console.print(Text.assemble(("Total  ", "bold"), ", ".join(where)))
    sums = [
        ("input", f"{totals.input:,} tokens"),
        ("", f"{totals.cache_read:,} read from a cache, {totals.cache_write:,} written to it, {words.share(totals.reread_share)} re-read"),
        ("output", f"{totals.output:,} tokens"),
        ("cost", ("" if totals.complete else "at least ") + words.exact_usd(totals.cost_usd)),
    ]
    for name, figure in sums:
        console.print(Text.assemble("       ", (f"{name:<8}", "dim"), (figure, "bold" if name else "dim")), soft_wrap=True)
    for remark in _remarks(report):
        console.print(Text.assemble("       ", (remark, "yellow")), soft_wrap=True)
    links = ", ".join(f"{count:,} {words.shown(kind)}" for kind, count in report.links.items())
    spans = [words.plural(report.spans, "span"), f"links: {links}" if links else "no links"]
    if report.foreign_spans:
        spans.append(words.plural(report.foreign_spans, "span") + " of others")
    console.print(Text.assemble("       ", (", ".join(spans), "dim")), soft_wrap=True)


def _remarks(report: Report) -> list[str]:
    """Say what the sums do not know."""
    totals = report.totals
    calls, remarks = words.plural, list[str]()
    if not report.traces:
        remarks.append("no span of token-otel is in these files")
    if totals.unreported:
        guess = f": by our estimate {totals.guessed_input:,} in, {totals.guessed_output:,} out" if totals.guessed_input else ""
        remarks.append(f"{calls(totals.unreported, 'call')} unreported, in no sum{guess}")
    if totals.unpriced:
        remarks.append(f"{calls(totals.unpriced, 'call')} unpriced: the tokens are in the sums, the cost is not")
    if totals.estimated:
        remarks.append(f"{calls(totals.estimated, 'call')} estimated: no usage was reported, the sums hold our own count")
    if totals.local:
        remarks.append(f"{calls(totals.local, 'call')} to local models, without a price per token")
    if totals.cached:
        saved = f", {words.exact_usd(totals.saved_usd)} saved" if totals.saved_usd else ""
        remarks.append(f"{calls(totals.cached, 'answer')} from the framework's own cache{saved}")
    if totals.cancelled:
        remarks.append(f"{calls(totals.cancelled, 'call')} cancelled: billed with what was seen")
    if totals.errors:
        remarks.append(f"{calls(totals.errors, 'call')} failed")
    if report.unseen_calls:
        remarks.append(f"{calls(report.unseen_calls, 'call')} counted by agents, but their spans are not in these files")
    if report.torn_lines:
        remarks.append(f"{calls(report.torn_lines, 'line')} broken off: their spans are missing")
    return remarks
