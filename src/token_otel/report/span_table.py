"""The tree of spans, with what was spent at and beneath each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.layout import Label, Row, heading, table
from token_otel.report.model import Report
from token_otel.report.totals import Totals
from token_otel.report.traces import Node, Trace

MOST_ROWS = 200
_STYLES = {"agent": "bold cyan", "workflow": "bold blue", "tool": "magenta", "retrieval": "magenta"}
_LINES = ("│  ", "   ", "├─ ", "└─ ")
_ASCII_LINES = ("|  ", "   ", "|- ", "`- ")


def show_spans(report: Report, console: Console) -> None:
    """Print the trees of as many traces as a person reads, the dearest if there are too many."""
    if not report.traces:
        return
    chosen = _chosen(report.traces)
    heading(console, "Spans", "What ran, and the tokens and cost of the model calls at and beneath it.")
    decimals = words.places(trace.totals.cost_usd for trace in report.traces)
    lines = _LINES if console.encoding.startswith("utf") else _ASCII_LINES
    rows: list[Row] = []
    for number, trace in enumerate(report.traces, start=1):
        if trace in chosen:
            rows += _rows(number, trace, decimals, lines)
    console.print(table(("", "input", "cache read", "written", "output", "cost", "time"), rows[:MOST_ROWS], console.width))
    hidden = report.spans + len(report.traces) - min(len(rows), MOST_ROWS)
    if hidden > 0:
        console.print(Text(f"{words.plural(hidden, 'more line')} not shown; --json has everything.", style="dim"))


def _chosen(traces: Sequence[Trace]) -> list[Trace]:
    room = MOST_ROWS
    chosen: list[Trace] = []
    for trace in sorted(traces, key=lambda trace: (-trace.totals.cost_usd, -trace.totals.input)):
        if not chosen or len(trace.nodes) < room:
            chosen.append(trace)
            room -= len(trace.nodes) + 1
    return chosen


def _rows(number: int, trace: Trace, decimals: int, lines: Sequence[str]) -> Iterator[Row]:
    conversation = words.shown(trace.conversations[0], 24) if trace.conversations else ""
    note = f"{trace.trace_id[:8]}{'  conversation ' if conversation else ''}{conversation}"
    several = sum(node.depth == 0 for node in trace.nodes) > 1
    cells = _figures(trace.totals, decimals, trace.duration_s) if several else [""] * 6
    yield Row(Label(name=f"trace {number}", style="bold", note=note), cells, rule=number > 1)
    for node, guide in zip(trace.nodes, _guides(trace.nodes, lines), strict=True):
        yield Row(_label(node, guide), _cells(node, decimals))


def _label(node: Node, guide: str) -> Label:
    bad = "" if node.status == "ok" else f"{node.status} {node.error_type or ''}".strip()
    kind = "" if node.kind == "agent" else node.kind
    if kind in ("tool", "chat", "text_completion", "embeddings"):
        name, note = f"{kind} {node.name}", ""
    else:
        name, note = node.name, kind
    passed = f"-> {', '.join(words.shown(name, 24) for name in node.handoffs)}" if node.handoffs else ""
    style = "red" if node.status == "error" else "yellow" if bad else _STYLES.get(node.kind, "")
    return Label(name=name, guide=guide, style=style, note="  ".join(filter(None, (note, bad, passed))))


def _cells(node: Node, decimals: int) -> list[Text | str]:
    if node.cost_status is None and node.totals == Totals():
        return ["", "", "", "", "", words.seconds(node.duration_s)]
    cells = _figures(node.totals, decimals, node.duration_s)
    if node.cost_status == "unreported":
        cells[:4] = ["?", "?", "?", "?"]
    elif node.cost_status in ("refused", "late"):
        cells[4] = "-"
    return cells


def _figures(totals: Totals, decimals: int, duration_s: float) -> list[Text | str]:
    tokens = (totals.input, totals.cache_read, totals.cache_write, totals.output)
    return [*[words.tokens(count) for count in tokens], words.cost(totals, decimals), words.seconds(duration_s)]


def _guides(nodes: Sequence[Node], lines: Sequence[str]) -> list[str]:
    """Return the lines that lead to each node. Read backwards: a node is its parent's last child if it is met first."""
    through, empty, branch, corner = lines
    open_at: set[int] = set()
    guides: list[str] = []
    for node in reversed(nodes):
        above = [through if depth in open_at else empty for depth in range(1, node.depth)]
        own = [(branch if node.depth in open_at else corner)] if node.depth else []
        guides.append("".join([*above, *own]))
        open_at = {depth for depth in open_at if depth < node.depth} | {node.depth}
    return guides[::-1]
