"""The messages that cost most over their whole life."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.messages import Message
from token_otel.report.model import Report
from token_otel.report.traces import Node
from token_otel.report.tree import SpanKey

MOST_ROWS = 10

Places = Mapping[SpanKey, tuple[int, Node]]


def show_messages(report: Report, console: Console) -> None:
    """Print the ten dearest."""
    dearest = report.messages[:MOST_ROWS]
    heading(console, "Dearest messages", "Put out once, paid for at every read; named by the span that put it out, or by role and reader.")
    decimals = words.places(message.cost_usd for message in dearest)
    places = {(trace.trace_id, node.span_id): (number, node) for number, trace in enumerate(report.traces, start=1) for node in trace.nodes}
    rows = [Row(_label(message, places), _cells(message, decimals)) for message in dearest]
    console.print(table(("", "put out", "first read", "reads", "re-reads", "all reads"), rows, console.width))


def _label(message: Message, places: Places) -> Label:
    origin = message.origin or ""
    return Label(
        name=words.origin(origin) if origin else "a text",
        style="cyan" if origin.startswith("agent:") else "magenta" if origin.startswith("tool:") else "",
        note=_where(message, places),
        below="read by " + ", ".join(words.shown(name, 24) for name in message.readers),
    )


def _where(message: Message, places: Places) -> str:
    """Return what kind of text it is, and on which span it stands."""
    if message.producer is None:
        return f"to {words.shown(message.readers[0], 24)}" if message.readers else ""
    trace_id, span_id = message.producer
    if message.producer not in places:
        return f"{words.shown(span_id[:8])}, trace {words.shown(trace_id[:8])} not here"
    number, node = places[message.producer]
    what = "tool call " if node.output_is_call else "answer " if node.cost_status is not None else ""
    return f"{what}{span_id[:8]}, trace {number}"


def _cells(message: Message, decimals: int) -> list[Text | str]:
    put_out = Text("-")
    if message.output_tokens is not None:
        cost = "" if message.output_usd is None else words.usd(message.output_usd, decimals)
        put_out = Text.assemble(f"{message.output_tokens:,}", "\n", (cost, "dim"))
    first = "-" if message.first_tokens is None else f"{message.first_tokens:,}"
    reads = f"{'at least ' if message.at_least else ''}{message.reads:,}"
    all_reads = Text.assemble(f"{message.tokens:,}", "\n", (_cost(message, decimals), "bold"))
    return [put_out, first, reads, words.tokens(message.rereads), all_reads]


def _cost(message: Message, decimals: int) -> str:
    if not message.cost_usd:
        return "unpriced" if message.unpriced else "-"
    return (words.AT_LEAST if message.unpriced else "") + words.usd(message.cost_usd, decimals)
