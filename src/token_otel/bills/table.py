"""A bill as a small table in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from token_otel.bills.account import Account
from token_otel.bills.bill import Bill
from token_otel.figures import places, plural, printable, usd

R = TypeVar("R")

AT_LEAST = "\N{GREATER-THAN OR EQUAL TO} "
LONGEST = 40
MOST_ROWS = 16


def table_of(bill: Bill) -> str:
    """Return who spent what, on which model, and who read whom."""
    total = Account(
        calls=bill.calls,
        input_tokens=bill.input_tokens,
        output_tokens=bill.output_tokens,
        cost_usd=bill.cost_usd,
        complete=bill.complete,
    )
    decimals = places([total.cost_usd or Decimal()])
    sections = [_accounts("agent", bill.by_agent.items(), decimals), _accounts("model", bill.by_model.items(), decimals)]
    if tools := bill.by_tool:
        sections.append([[_shown(name), "", "", "", _usd(usd, decimals)] for name, usd in _first(tools.items())])
        sections[-1].insert(0, ["tool", "", "", "", "cost"])
    sections.append([_row("all", total, decimals)])
    flow = sorted(bill.flow.items(), key=lambda item: (-item[1].tokens, item[0]))
    reads = [
        [f"{_shown(producer)} -> {_shown(consumer)}", f"{read.tokens:,}", _usd(read.cost_usd, decimals)]
        for (producer, consumer), read in _first(flow)
    ]
    parts = [_laid_out([section for section in sections if section])]
    if reads:
        parts.append(_laid_out([[["produced by -> read by", "tokens", "cost"], *reads]]))
    if bill.open_calls:
        parts.append(f"Still open: {plural(bill.open_calls, 'call')}.")
    if bill.unpriced_tokens:
        parts.append(f"Without a known price: {plural(bill.unpriced_tokens, 'token')}.")
    return "\n\n".join(parts)


def _accounts(what: str, accounts: Iterable[tuple[str, Account]], decimals: int) -> list[list[str]]:
    dearest = sorted(accounts, key=lambda item: (-(item[1].cost_usd or 0), -item[1].input_tokens, item[0]))
    rows = [_row(_shown(name), account, decimals) for name, account in _first(dearest)]
    return [[what, "calls", "input", "output", "cost"], *rows] if rows else []


def _row(name: str, account: Account, decimals: int) -> list[str]:
    cost = _usd(account.cost_usd, decimals)
    if not account.complete and account.cost_usd is not None:
        cost = AT_LEAST + cost
    return [name, f"{account.calls:,}", f"{account.input_tokens:,}", f"{account.output_tokens:,}", cost]


def _first(rows: Iterable[R]) -> list[R]:
    return list(rows)[:MOST_ROWS]


def _laid_out(sections: Sequence[Sequence[Sequence[str]]]) -> str:
    rows = [row for section in sections for row in section]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (sum(widths) + 2 * (len(widths) - 1))
    return f"\n{rule}\n".join("\n".join(_line(row, widths) for row in section) for section in sections)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *figures = row
    cells = [first.ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)]]
    return "  ".join(cells).rstrip()


def _shown(name: str) -> str:
    name = printable(name[:1000])
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _usd(amount: Decimal | None, decimals: int) -> str:
    return "unpriced" if amount is None else usd(amount, decimals)
