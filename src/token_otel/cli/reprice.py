"""`token-otel reprice`: the same spans at other prices."""

from __future__ import annotations

import argparse
from typing import Any

from token_otel.prices.layers import list_prices, over
from token_otel.prices.price_file import PriceFileError, read, read_all
from token_otel.settings import Settings


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command: argparse.ArgumentParser = commands.add_parser(
        "reprice",
        help="write a file of spans once more, at other prices",
        description="Work the costs of a file of spans out anew from its tokens, models, tiers and times; nothing else changes.",
    )
    command.add_argument("file", metavar="FILE", help="OTLP/JSON lines, plain or gzip")
    command.add_argument(
        "--prices", action="append", metavar="P", help="a price file over the list prices; TOKEN_OTEL_PRICES by default; may be repeated"
    )
    command.add_argument("--out", metavar="OUT", help="the file to write; FILE with .repriced before its ending by default")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from token_otel.reprice import default_out, in_words, reprice  # OpenTelemetry's SDK, which `report` does not need

    settings = Settings.from_env(on_error=str)
    files = [read(path) for path in options.prices] if options.prices else read_all(settings.prices, on_error=_refuse)
    out = options.out or default_out(options.file)
    then = list_prices()
    print(in_words(reprice(options.file, out, now=over(then, files), then=then, profiles=settings.cost_attributes)))
    print(f"Written to {out}")


def _refuse(error: PriceFileError) -> None:
    raise error
