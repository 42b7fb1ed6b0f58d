"""The command `token-otel`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, TypeAlias, cast

from token_otel.cli import doctor, prices, reprice
from token_otel.prices.price_file import PriceFileError
from token_otel.report import MissingExtraError, TraceFileError, as_json, load, show

Run: TypeAlias = Callable[[argparse.Namespace], int | None]
"""What a command does, with its exit code if that is not 0; it raises one of `_EXPECTED` for what its user can put right."""

_EXPECTED = (TraceFileError, MissingExtraError, PriceFileError, prices.UnknownModelError)
_BAD_INPUT = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what the user can put right is one sentence on standard error and the exit code 2."""
    stdout: Any = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        # A terminal that lacks a character shows a question mark instead.
        cast("io.TextIOWrapper[Any]", stdout).reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    run: Run = options.run
    try:
        code = run(options) or 0
        stdout.flush()
    except _EXPECTED as error:
        print(f"token-otel: {error}", file=sys.stderr)
        return _BAD_INPUT
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="token-otel", description="Where the tokens of agents went.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_report, doctor.add, prices.add, reprice.add):
        add(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: no other command needs an installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"token-otel {version('token-otel')}")
        parser.exit()


def _add_report(commands: Any) -> None:
    command: argparse.ArgumentParser = commands.add_parser(
        "report", help="print what files of spans say", description="Print what files of spans say: cost, agents, and who read whom."
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="OTLP/JSON lines, plain or gzip; several are read as one")
    command.add_argument("--json", action="store_true", help="print the same numbers as JSON, money as texts")
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> None:
    report = load(options.files)
    if options.json:
        print(json.dumps(as_json(report), indent=2))
    else:
        show(report)


if __name__ == "__main__":
    sys.exit(main())
