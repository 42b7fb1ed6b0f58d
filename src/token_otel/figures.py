"""Figures and names in plain text, as every table and sentence of ours says them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal


def printable(text: str) -> str:
    """Return a text on one line; nothing in it may steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def places(amounts: Iterable[Decimal]) -> int:
    """Return how many decimals a column of amounts needs: 6, fewer where they are large."""
    largest = max((abs(amount) for amount in amounts), default=Decimal())
    return 6 if largest < 10 else 4 if largest < 1000 else 2


def usd(amount: Decimal, decimals: int = 6) -> str:
    """Return USD, rounded; what is not 0 never looks like 0."""
    unit = Decimal(1).scaleb(-decimals)
    if 0 < abs(amount) < unit / 2:
        return f"{'-' if amount < 0 else ''}<${unit:f}"
    # A file may state amounts that no Decimal holds with its decimals.
    rounded = amount.quantize(unit, ROUND_HALF_EVEN) if amount.adjusted() < 20 else amount
    return f"{'-' if rounded < 0 else ''}${abs(rounded):,f}"


def plural(count: int, noun: str) -> str:
    """Return a number with its noun: `1 call`, `2 calls`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
