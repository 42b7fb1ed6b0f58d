"""`token-otel prices`: what a model costs, and what a price file holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from token_otel.prices import PriceBook, Rates, Tariff
from token_otel.prices.entry import Entry
from token_otel.prices.layers import list_prices, over
from token_otel.prices.price_file import PriceFile, PriceFileError, read, read_all, unpriced
from token_otel.prices.rates import RATE_NAMES
from token_otel.settings import Settings

_TIERS = ("batch", "fast", "flex", "priority")


class UnknownModelError(ValueError):
    """A model without a price."""


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command: argparse.ArgumentParser = commands.add_parser(
        "prices", help="print what a model costs, or what a price file holds", description="Look at prices, yours and those of the book."
    )
    actions = command.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print what a model costs, and who says so")
    show.add_argument("model", metavar="PROVIDER/MODEL", help="for instance openai/gpt-5; yours in TOKEN_OTEL_PRICES count")
    show.add_argument("--at", type=_moment, metavar="DATE", help="what it cost then, in UTC; today by default")
    show.add_argument("--tier", help="the service tier of the response: flex, priority, batch, fast, ...")
    show.set_defaults(run=_show)
    check = actions.add_parser("check", help="say what a price file holds, or what is wrong with it")
    check.add_argument("file", metavar="FILE", help=".toml or .json")
    check.set_defaults(run=_check)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"found {text!r}, but a date such as 2026-12-01 is accepted") from None


def _show(options: argparse.Namespace) -> None:
    at: datetime = options.at or datetime.now(UTC)
    tier: str | None = options.tier
    files = read_all(Settings.from_env(on_error=str).prices, on_error=_say)
    book = over(list_prices(), files)
    provider, slash, model = options.model.partition("/")
    named = (provider, model) if slash else (None, options.model)
    tariff = _find(book, named, at, tier)
    if tariff is None:
        raise UnknownModelError(unpriced(*named))
    print(f"{options.model} at {at:%Y-%m-%d %H:%M} UTC, {tier or 'standard'} tier")
    print(f"source: {tariff.source} {tariff.version}, entry {tariff.model}")
    print()
    print("\n".join(_table(tariff)))
    standard = _find(book, named, at, None)
    others = [name for name in _TIERS if standard is not None and _differs(_find(book, named, at, name), standard)]
    if others:
        print(f"\ntiers with prices of their own: {', '.join(others)} (--tier)")


def _say(error: PriceFileError) -> None:
    print(f"token-otel: {error}; the prices below it stay in force", file=sys.stderr)


def _find(book: PriceBook, named: tuple[str | None, str], at: datetime, tier: str | None) -> Tariff | None:
    return book.find(provider=named[0], model=named[1], at_ns=int(at.timestamp()) * 1_000_000_000, service_tier=tier)


def _differs(tariff: Tariff | None, standard: Tariff) -> bool:
    return tariff is not None and tariff.steps != standard.steps


def _table(tariff: Tariff) -> Iterator[str]:
    """Yield a column for each size of the prompt, and a row for each rate that is stated for one of them."""
    rows = [name for name in RATE_NAMES if any(getattr(rates, name) is not None for _, rates in tariff.steps)]
    heads = [f"above {above:,}" for above, _ in tariff.steps]
    heads[0] = f"up to {tariff.steps[1][0]:,}" if len(heads) > 1 else "USD"
    title = "USD per million tokens, by prompt" if len(heads) > 1 else "per million tokens"
    yield from _lines(title, heads, tariff, [name for name in rows if not name.endswith("_usd")])
    if fees := [name for name in rows if name.endswith("_usd")]:
        yield ""
        yield from _lines("apiece", heads if len(heads) > 1 else ["USD"], tariff, fees)


def _lines(title: str, heads: list[str], tariff: Tariff, rows: list[str]) -> Iterator[str]:
    cells = [[_usd(rates, name) for _, rates in tariff.steps] for name in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    first = max(len(title), 20)
    for label, values in [(title, heads), *zip(map(_label, rows), cells, strict=True)]:
        yield "  ".join([label.ljust(first), *(value.rjust(width) for value, width in zip(values, widths, strict=True))])


def _label(name: str) -> str:
    return name.removesuffix("_usd").replace("_", " ")


def _usd(rates: Rates, name: str) -> str:
    usd = getattr(rates, name)
    return "-" if usd is None else f"{usd.normalize():f}"


def _check(options: argparse.Namespace) -> None:
    file = read(options.file)
    beneath = list_prices()
    now = datetime.now(UTC)
    for entry in file.entries:
        if entry.like is not None and not entry.like[1].endswith("*") and _find(beneath, entry.like, now, None) is None:
            like = "/".join(part for part in entry.like if part)
            raise PriceFileError(f'{entry.place}: found like = "{like}", but a model with a known price is accepted')
    print("\n".join(_said(options.file, file)))


def _said(path: str, file: PriceFile) -> Iterator[str]:
    yield f"{path}: accepted; {len(file.entries)} {'entry' if len(file.entries) == 1 else 'entries'}"
    if file.multiplier != 1:
        yield f"list prices x {file.multiplier}"
    for provider, multiplier in file.multipliers.items():
        yield f"list prices of {provider} x {multiplier}"
    for number, entry in enumerate(file.entries, 1):
        yield f"{number:>3}. {entry.match} of {entry.provider or 'any provider'}: {', '.join(_prices(entry))}{_when(entry)}"


def _prices(entry: Entry) -> Iterator[str]:
    if entry.like is not None:
        like = "/".join(part for part in entry.like if part)
        yield f"like {like}" if entry.multiplier is None else f"like {like} x {entry.multiplier}"
    yield from _stated(entry.usd.items())
    for above, usd in entry.tiers:
        yield f"above {above:,} tokens {' and '.join(_stated(usd.items()))}"


def _stated(usd: Iterable[tuple[str, Any]]) -> Iterator[str]:
    return (f"{_label(name)} {value}" for name, value in usd)


def _when(entry: Entry) -> str:
    when = entry.condition
    parts = [
        f"from {when.start:%Y-%m-%d}" if when.start else "",
        f"in the {when.service_tier} tier" if when.service_tier else "",
        {True: "in batches", False: "but for batches", None: ""}[when.batch],
        "at some hours" if when.hours else "",
        "on some days" if when.days else "",
    ]
    said = ", ".join(filter(None, parts))
    return f"; {said}" if said else ""
