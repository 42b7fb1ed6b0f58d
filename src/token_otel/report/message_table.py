"""The messages that cost most over their whole life."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.layout import Row, heading, table
from token_otel.report.messages import Message
from token_otel.report.model import Report
from token_otel.report.places import Places, origin_label

MOST_ROWS = 10
CAPTION = "Paid for at every read, first and again. Face: the price of its output; else of one uncached read."


def show_messages(report: Report, console: Console) -> None:
    """Print the ten dearest."""
    if not report.messages:
        return
    dearest = report.messages[:MOST_ROWS]
    heading(console, "Dearest messages", CAPTION)
    decimals = words.places(message.cost_usd for message in dearest)
    places = Places(report)
    rows = [
        Row(origin_label(message.origin, note=_where(message, places), below=_readers(message)), _cells(message, decimals))
        for message in dearest
    ]
    console.print(table(("", "face", "reads", "first", "again", "all reads", "x face"), rows, console.width))


def _where(message: Message, places: Places) -> str:
    if message.producer is not None:
        return places.of(message.producer)
    return f"to {words.shown(message.readers[0], 24)}" if message.readers else ""


def _readers(message: Message) -> str:
    return "read by " + ", ".join(words.shown(name, 24) for name in message.readers)


def _cells(message: Message, decimals: int) -> list[Text | str]:
    face = message.output_tokens if message.output_tokens is not None else message.first_tokens
    if message.producer is None:
        face = message.new_tokens
    reads = f"{message.reads - message.rereads:,} + {message.rereads:,}"
    return [
        _cell(face or 0, "" if message.face_usd is None else words.usd(message.face_usd, decimals)),
        Text.assemble(reads, "\n", ("at least" if message.at_least else "", "dim")),
        _cell(message.new_tokens, words.usd(message.new_usd, decimals) if message.new_usd else ""),
        _cell(message.reread_tokens, words.usd(message.reread_usd, decimals) if message.reread_usd else ""),
        _cell(message.tokens, _cost(message, decimals), "bold"),
        words.times(message.times_face),
    ]


def _cell(tokens: int, usd: str, style: str = "dim") -> Text:
    return Text.assemble(words.tokens(tokens), "\n", (usd, style))


def _cost(message: Message, decimals: int) -> str:
    if not message.cost_usd:
        return "unpriced" if message.unpriced else "-"
    return (words.AT_LEAST if message.unpriced else "") + words.usd(message.cost_usd, decimals)
