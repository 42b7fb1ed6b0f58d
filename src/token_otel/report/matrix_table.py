"""The matrix of who read whom, in tokens and USD."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.layout import NARROWEST_LABEL, Label, Row, figures_width, heading, table
from token_otel.report.matrix import Cell, Matrix
from token_otel.report.model import Report

MOST_ROWS = 16


def show_matrix(report: Report, console: Console) -> None:
    """Print the matrix; the readers of least are one column if there is no room for all."""
    if not report.matrix.cells:
        return
    matrix = report.matrix
    caption = "A column is an agent's billed input, split by who produced it; a row says who read it, at what cost."
    heading(console, "Who read whom", caption)
    readers = sorted(matrix.consumers, key=lambda name: -matrix.total(consumers=[name]).tokens)
    headers, rows = _laid_out(matrix, matrix.consumers, ())
    for count in range(len(readers) - 1, 0, -1):
        if figures_width(headers, rows) <= console.width - NARROWEST_LABEL:
            break
        kept = [name for name in matrix.consumers if name in readers[:count]]
        headers, rows = _laid_out(matrix, kept, readers[count:])
    console.print(table(headers, rows, console.width))
    if matrix.externals_cut:
        console.print(
            Text("Some calls read more from elsewhere than a span names: every row but `elsewhere` is at least that.", style="dim")
        )
    if matrix.cut:
        console.print(
            Text("Some calls read of more origins than a span names: every row but `other origins` is at least that.", style="dim")
        )


def _laid_out(matrix: Matrix, kept: Sequence[str], rest: Sequence[str]) -> tuple[list[str], list[Row]]:
    groups = [[name] for name in kept] + ([list(rest)] if rest else [])
    headers = ["produced by", *[words.shown(name, 14) for name in kept]]
    if rest:
        headers.append(words.plural(len(rest), "other"))
    if len(groups) > 1:
        headers.append("all")
        groups.append(list(matrix.consumers))
    headers.append("share")
    return headers, list(_rows(matrix, groups))


def _rows(matrix: Matrix, groups: Sequence[Sequence[str]]) -> Iterator[Row]:
    decimals = words.places([matrix.total().cost_usd])
    billed = matrix.total().tokens
    shown = matrix.producers if len(matrix.producers) <= MOST_ROWS else matrix.producers[: MOST_ROWS - 1]
    lines = [(words.origin(name), [name], _style(name)) for name in shown]
    hidden = matrix.producers[len(shown) :]
    if hidden:
        lines.append((f"{len(hidden):,} other producers", list(hidden), "dim"))
    for name, producers, style in [*lines, ("billed input", list(matrix.producers), "bold")]:
        whole = matrix.total(producers=producers)
        cells = [_cell(matrix.total(producers=producers, consumers=consumers), decimals) for consumers in groups]
        share = words.share(whole.tokens / billed if billed else None)
        yield Row(Label(name=name, style=style), [*cells, share], rule=style == "bold")


def _cell(cell: Cell, decimals: int) -> Text:
    if not cell.tokens and not cell.cost_usd:
        return Text("-", style="dim")
    known = (words.AT_LEAST if cell.unpriced else "") + words.usd(cell.cost_usd, decimals)
    usd = "unpriced" if cell.unpriced and not cell.cost_usd else "local" if cell.local == cell.tokens else known
    return Text.assemble(f"{cell.tokens:,}", "\n", (usd, "dim"))


def _style(origin: str) -> str:
    return "cyan" if origin.startswith("agent:") else "magenta" if origin.startswith("tool:") else ""
