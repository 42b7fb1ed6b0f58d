"""Numbers and names as a person reads them. Names come from files: nothing in them may steer a terminal."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate

from rich.cells import cell_len
from rich.text import Text

from token_otel.figures import places as places
from token_otel.figures import plural as plural
from token_otel.figures import printable
from token_otel.figures import usd as usd
from token_otel.report.totals import Totals

AT_LEAST = "\N{GREATER-THAN OR EQUAL TO} "

_ROLES = {
    "system": "system prompt",
    "tools": "tool schemas",
    "user": "user",
    "document": "documents",
    "media": "media",
    "external": "elsewhere",
    "unexplained": "unexplained",
    "other": "other origins",
    "untraced": "not traced",
    "tool": "a tool",
}

_PARTS = {
    "tools": "tool schemas",
    "tool_results": "tool results",
    "documents": "documents",
    "external": "from elsewhere",
    "other": "other origins",
    "untraced": "not traced",
}


def shown(name: str, width: int = 40) -> str:
    """Return a name of at most `width` cells, on one line; what cannot be printed is replaced, what is cut is its middle."""
    if width <= 0:
        return ""
    name = printable(name[:1000])
    if cell_len(name) <= width:
        return name
    tail = _fitting(name[::-1], width // 3)[::-1]
    return _fitting(name, width - 1 - cell_len(tail)) + "\N{HORIZONTAL ELLIPSIS}" + tail


def origin(name: str, width: int = 40) -> str:
    """Return who produced something: an agent by its name, a tool as `tool <name>`, a role in words."""
    kind, colon, rest = name.partition(":")
    if colon and kind == "agent":
        return shown(rest, width)
    return shown(f"tool {rest}" if colon and kind == "tool" else _ROLES.get(name, name), width)


def role(name: str) -> str:
    """Return the part that some input plays, in words."""
    return shown(_PARTS.get(name, name), 24)


def times(factor: float | None) -> str:
    """Return a multiple: `3.1x`."""
    return "-" if factor is None else f"{factor:,.1f}x"


def tokens(count: int) -> str:
    """Return a number of tokens, 0 as a dash."""
    return f"{count:,}" if count else "-"


def exact_usd(amount: Decimal) -> str:
    """Return USD to the last digit, with no fewer than two decimals."""
    text = f"{amount.normalize():,f}"
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals:0<2}"


def cost(totals: Totals, decimals: int) -> Text:
    """Return what calls cost, or in words why that is not known; `≥` where some of them are not in the sum."""
    if totals.complete and totals.local and totals.local == totals.calls:
        return Text("local")
    if not totals.complete and not totals.cost_usd:
        return Text("unpriced" if totals.unpriced else "unreported", style="yellow")
    if not totals.calls and not totals.cost_usd:
        return Text("cached" if totals.cached else "-")
    return Text(("" if totals.complete else AT_LEAST) + usd(totals.cost_usd, decimals))


def share(part: float | None) -> str:
    """Return a part as a percentage; a dash if it is not known."""
    return "-" if part is None else f"{part:.1%}"


def seconds(duration_s: float) -> str:
    """Return a duration with three figures or so."""
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    return f"{duration_s:,.0f} s" if duration_s >= 100 else f"{duration_s:.1f} s" if duration_s >= 10 else f"{duration_s:.2f} s"


def _fitting(chars: str, width: int) -> str:
    """Return the beginning that fits; a mark that combines with the last character takes no cell of its own."""
    ends = accumulate(cell_len(char) for char in chars)
    return "".join(char for char, end in zip(chars, ends, strict=True) if end <= width)
