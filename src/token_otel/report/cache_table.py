"""What caching saved, and what was lost where a prefix was broken."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.breaks import Break
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.model import Report
from token_otel.report.places import Places
from token_otel.report.totals import Totals

MOST_ROWS = 5
CAPTION = "Saved: against no cache. Paid again: was cached, but read again without (broken or expired)."


def show_caching(report: Report, console: Console) -> None:
    """Print an account of the cache for each agent that had one, then the dearest breaks."""
    caching = [account for account in report.accounts if account.own.cache_read or account.own.cache_write]
    if not caching:
        return
    heading(console, "Caching", CAPTION)
    decimals = words.places([report.totals.caching_saved_usd, report.totals.broken_usd])
    rows = [Row(Label(name=each.name, style="bold cyan"), _cells(each.own, decimals)) for each in caching]
    if len(rows) > 1:
        rows.append(Row(Label(name="all", style="bold"), _cells(report.totals, decimals), rule=True))
    console.print(table(("", "input", "from cache", "share", "written", "saved", "paid again", "cost"), rows, console.width))
    if report.breaks:
        _show_breaks(report, console, decimals)


def _show_breaks(report: Report, console: Console, decimals: int) -> None:
    places = Places(report)
    rows = [
        Row(Label(name=each.agent, guide="  ", style="cyan", note=places.of(each.span), below=f"  {each.model}"), _break(each, decimals))
        for each in report.breaks[:MOST_ROWS]
    ]
    console.print()
    console.print(table(("dearest breaks", "idle before", "was cached", "paid again", "cost"), rows, console.width))


def _cells(own: Totals, decimals: int) -> list[Text | str]:
    share = words.share(own.cache_read / own.input if own.input else None)
    known = own.caching_saved_usd or not own.caching_unknown
    saved = words.usd(own.caching_saved_usd, decimals) + (" ?" if own.caching_unknown else "") if known else "?"
    lost = words.usd(own.broken_usd, decimals) if own.broken_usd else "-"
    tokens = [words.tokens(count) for count in (own.input, own.cache_read)]
    return [*tokens, share, words.tokens(own.cache_write), saved, words.tokens(own.broken_tokens), lost]


def _break(each: Break, decimals: int) -> list[Text | str]:
    cost = "?" if each.cost_usd is None else words.usd(each.cost_usd, decimals) if each.cost_usd != Decimal() else "-"
    return [words.seconds(each.idle_s), words.tokens(each.cached), words.tokens(each.tokens), cost]
