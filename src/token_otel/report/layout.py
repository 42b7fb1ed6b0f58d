"""One look for all tables: a flexible first column of labels, then columns of figures that are never cut or wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from token_otel.report.words import shown

GAP = 2
NARROWEST_LABEL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The first cell of a row: a dim guide, the name with its style, and dim words about it; `below` is a second line."""

    name: str
    guide: str = ""
    style: str = ""
    note: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A label and its figures; `rule` draws a line above it."""

    label: Label
    cells: Sequence[Text | str]
    rule: bool = False


def heading(console: Console, title: str, caption: str) -> None:
    """Print the title of a table, and how to read it."""
    console.print()
    console.print(Text(title, style="bold"))
    console.print(Text(caption, style="dim"))


def table(headers: Sequence[str], rows: Sequence[Row], width: int) -> Table:
    """Lay rows out within `width` cells: the figures get what they need, the labels what is left."""
    figures = figures_width(headers, rows)
    room = max(NARROWEST_LABEL, width - figures)
    labels = [_fitted(row.label, room) for row in rows]
    # The box adds one blank between columns.
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="dim")
    grid.add_column(_plain(headers[0]), no_wrap=True)
    for header in headers[1:]:
        grid.add_column(_plain(header), justify="right", no_wrap=True)
    for row, label in zip(rows, labels, strict=True):
        if row.rule:
            grid.add_section()
        grid.add_row(label, *[_plain(cell) for cell in row.cells])
    return grid


def figures_width(headers: Sequence[str], rows: Sequence[Row]) -> int:
    """Return how many cells the columns of figures take, their gaps included."""
    columns = zip(headers[1:], *[row.cells for row in rows], strict=True)
    return sum(GAP + max(_width(cell) for cell in column) for column in columns)


def _fitted(label: Label, room: int) -> Text:
    guide = label.guide
    deepest = room - 12
    if cell_len(guide) > deepest:
        guide = "\N{HORIZONTAL ELLIPSIS} " + guide[-(deepest - deepest % 3 - 3) :]
    left = room - cell_len(guide)
    note = Text(f" {label.note}" if label.note else "")
    name = shown(label.name, max(left - note.cell_len, left // 2))
    note.truncate(left - cell_len(name), overflow="ellipsis")
    text = Text.assemble((guide, "dim"), (name, label.style), (note.plain, "dim"))
    if label.below:
        below = Text(label.below)
        below.truncate(room, overflow="ellipsis")
        text.append(f"\n{below.plain}", style="dim")
    return text


def _plain(cell: Text | str) -> Text:
    # A name may hold [brackets], which rich would take for its markup.
    return cell if isinstance(cell, Text) else Text(cell)


def _width(cell: Text | str) -> int:
    return max((cell_len(line) for line in str(cell).split("\n")), default=0)
