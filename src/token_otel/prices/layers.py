"""The layers of prices: the caller's own book, the user's files, our corrections, genai-prices."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from token_otel.prices.book import LayeredBook, PriceBook
from token_otel.prices.overrides import OverrideBook
from token_otel.prices.price_file import PriceFile, parse

CORRECTIONS = "corrections"


def list_prices() -> PriceBook:
    """Return genai-prices with our corrections over it; takes about 0.4 s."""
    from token_otel.prices.genai import GenaiBook

    return OverrideBook(corrections(), GenaiBook(), source=CORRECTIONS)


def corrections() -> PriceFile:
    """Return what we know better than genai-prices: a price file like the user's own, with a source for each entry."""
    name = f"{CORRECTIONS}.toml"
    return parse((files("token_otel.prices") / name).read_text(encoding="utf-8"), name=name, form="toml")


def over(beneath: PriceBook | None, price_files: Sequence[PriceFile], *, first: PriceBook | None = None) -> LayeredBook:
    """Return a book that remembers what it found: each file lies over those before it, and `first` over them all."""
    book: PriceBook = LayeredBook([]) if beneath is None else beneath
    for file in price_files:
        book = OverrideBook(file, book)
    return LayeredBook([book] if first is None else [first, book])
