"""The report in a terminal, or in a file: readable without colours and at 100 columns."""

from __future__ import annotations

import os
from collections.abc import Collection

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.cache_table import show_caching
from token_otel.report.context_table import show_contexts
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.matrix_table import show_matrix
from token_otel.report.message_table import show_messages
from token_otel.report.model import Report
from token_otel.report.span_table import show_spans
from token_otel.report.summary import show_summary
from token_otel.report.totals import Totals
from token_otel.report.unread_table import show_unread
from token_otel.report.velocity import Velocity, together

TABLES = ("spans", "agents", "flow", "contexts", "messages", "caching", "unread", "total")
WIDTH = 100
NARROWEST = 80


def show(report: Report, console: Console | None = None, only: Collection[str] = TABLES) -> None:
    """Print tables; what has nothing to show is left out."""
    console = console or _console()
    for name, show_table in zip(TABLES, _WRITERS, strict=True):
        if name in only:
            show_table(report, console)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    console.width = max(NARROWEST, console.width)
    return console


def _show_accounts(report: Report, console: Console) -> None:
    if not report.accounts:
        return
    heading(console, "Agents", "Re-read: read by it before. Velocity: reads per token it put out. Subtree: with the agents beneath.")
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
        with_beneath = "" if beneath == account.own else words.cost(beneath, decimals)
        speed = report.velocities.get(f"agent:{account.name}")
        rows.append(Row(label, [*_account(account.own, speed, decimals), with_beneath]))
    if len(rows) > 1:
        rows.append(Row(Label(name="all", style="bold"), [*_account(report.totals, _of_agents(report), decimals), ""], rule=True))
    console.print(table(("", "calls", "input", "re-read", "output", "velocity", "cost", "subtree"), rows, console.width))


def _of_agents(report: Report) -> Velocity:
    return together(velocity for origin, velocity in report.velocities.items() if origin.startswith("agent:"))


def _account(own: Totals, velocity: Velocity | None, decimals: int) -> list[Text | str]:
    if own == Totals():
        return ["-", "-", "-", "-", "-", "-"]
    figures = [words.tokens(own.calls), words.tokens(own.input), words.share(own.reread_share), words.tokens(own.output)]
    speed = velocity.reads_per_token if velocity is not None else None
    return [*figures, "-" if not speed else f"{speed:,.1f}", words.cost(own, decimals)]


_WRITERS = (show_spans, _show_accounts, show_matrix, show_contexts, show_messages, show_caching, show_unread, show_summary)
