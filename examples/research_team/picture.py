"""The picture in the README: one chat span of the demo with its breakdown, and who read whom. Drawn from the demo's spans alone.

python examples/research_team && python examples/research_team/picture.py token-otel.jsonl > docs/flow.svg
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from token_otel import report
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord, read_trace_file
from token_otel.report import values

WIDTH, MARGIN, ROW = 880, 16, 26
COLOURS = {"tool": "#c2703d", "self": "#3f6ea8", "agent": "#5b9bd5", "system": "#7a7a7a", "tools": "#a0a0a0", "user": "#5a9e6f"}
AGENT = "writer"


def main() -> int:
    file = Path(sys.argv[1])
    span = max((span for span in read_trace_file(file).spans if _is_shown(span)), key=lambda span: span.start_ns)
    print("\n".join(_svg(span, report.load(file))))
    return 0


def _is_shown(span: SpanRecord) -> bool:
    return values.text(span, sc.AGENT_NAME) == AGENT and values.text(span, sc.OPERATION_NAME) == "chat"


def _svg(span: SpanRecord, seen: report.Report) -> Iterator[str]:
    top = 118 + ROW * len(values.texts(span, sc.FLOW_ORIGINS))
    height = top + 72 + ROW * len(seen.matrix.producers)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13">'
    yield f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d0d0"/>'
    yield from _span(span)
    yield from _matrix(seen, top)
    yield "</svg>"


def _span(span: SpanRecord) -> Iterator[str]:
    """Draw the input of a call as one bar, and below it whose it is, cached and new, in tokens and USD."""
    origins = values.texts(span, sc.FLOW_ORIGINS)
    tokens = values.counts(span, sc.FLOW_TOKENS, len(origins))
    cached = values.counts(span, sc.FLOW_CACHE_READ, len(origins))
    new = values.counts(span, sc.FLOW_NEW, len(origins))
    costs = values.usds(span, sc.FLOW_COST, len(origins))
    total = sum(tokens)
    cost_usd = values.usd(span, sc.COST_INPUT)
    title = f"{span.name} by {AGENT}: {total:,} input tokens, ${cost_usd:.6f}"
    yield _text(MARGIN, 30, title, bold=True)
    x = float(MARGIN)
    for origin, count in zip(origins, tokens, strict=True):
        width = (WIDTH - 2 * MARGIN) * count / total
        yield f'<rect x="{x:.1f}" y="44" width="{max(width, 0.5):.1f}" height="26" fill="{_colour(origin)}"/>'
        x += width
    for x_end, head in ((440, "tokens"), (560, "from the cache"), (680, "new to it"), (WIDTH - MARGIN, "USD")):
        yield _text(x_end, 92, head, end=True, grey=True)
    for i, (origin, count, read, first, usd) in enumerate(zip(origins, tokens, cached, new, costs, strict=True)):
        y = 116 + ROW * i
        yield f'<rect x="{MARGIN}" y="{y - 11}" width="12" height="12" fill="{_colour(origin)}"/>'
        yield _text(MARGIN + 20, y, origin)
        for x_end, shown in ((440, f"{count:,}"), (560, f"{read:,}"), (680, f"{first:,}"), (WIDTH - MARGIN, f"{usd:.6f}")):
            yield _text(x_end, y, shown, end=True)


def _matrix(seen: report.Report, top: int) -> Iterator[str]:
    """Draw who read how much of whom; the darker, the more."""
    matrix = seen.matrix
    most = max(cell.tokens for cell in matrix.cells.values())
    yield _text(MARGIN, top + 24, "Who read whom: a column is what an agent was billed, a row is who produced it", bold=True)
    width = (WIDTH - 250 - MARGIN) / len(matrix.consumers)
    for i, reader in enumerate(matrix.consumers):
        yield _text(250 + width * (i + 1) - 8, top + 50, reader, end=True, grey=True)
    for j, producer in enumerate(matrix.producers):
        y = top + 58 + ROW * j
        yield _text(MARGIN, y + 18, producer)
        for i, reader in enumerate(matrix.consumers):
            cell = matrix.cells.get((producer, reader))
            tokens = cell.tokens if cell is not None else 0
            x = 250 + width * i
            shade = (tokens / most) ** 0.5
            yield f'<rect x="{x:.1f}" y="{y}" width="{width - 2:.1f}" height="{ROW - 2}" fill="#c2703d" fill-opacity="{shade:.3f}"/>'
            yield _text(x + width - 8, y + 17, f"{tokens:,}" if tokens else "-", end=True, white=shade > 0.8)


def _colour(origin: str) -> str:
    return COLOURS.get(origin) or COLOURS.get(origin.partition(":")[0], "#b0a0c0")


def _text(x: float, y: float, text: str, *, end: bool = False, bold: bool = False, grey: bool = False, white: bool = False) -> str:
    style = ' text-anchor="end"' * end + ' font-weight="600"' * bold
    fill = "#ffffff" if white else "#808080" if grey else "#222222"
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}"{style}>{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
