"""`token-otel doctor`: what is set up, what is missing, and what to do."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

_WARNED = 1


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="say what is set up, what is missing, and what to do",
        description="Look at the environment, and at files of spans; say what to do. Exits with 1 where there is a warning.",
    )
    command.add_argument("files", nargs="*", metavar="FILE", help="OTLP/JSON lines, plain or gzip; several are read as one")
    command.add_argument("--json", action="store_true", help="print the same findings as JSON")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from token_otel.doctor import as_json, examine, in_words  # half a second, which `report` does not have to pay

    findings = examine(os.environ, options.files)
    print(json.dumps(as_json(findings), indent=2) if options.json else in_words(findings))
    return _WARNED if any(finding.grade == "warning" for finding in findings) else 0
