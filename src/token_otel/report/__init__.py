"""The report: where the tokens went, read back from exported spans alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from token_otel.otel.trace_file import SpanRecord, TraceFileError, read_trace_file
from token_otel.report.as_json import as_json
from token_otel.report.missing import MissingExtraError
from token_otel.report.model import Report, build

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["MissingExtraError", "Report", "TraceFileError", "as_json", "build", "load", "show"]


def load(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Report:
    """Read one file, or several as one; one that is named twice is read once.

    Raises:
        TraceFileError: A file is missing or holds no trace.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    spans: list[SpanRecord] = []
    torn_lines = 0
    for path in {os.path.realpath(path): path for path in paths}.values():
        file = read_trace_file(path)
        spans += file.spans
        torn_lines += file.torn_lines
    return build(spans, torn_lines=torn_lines)


def show(report: Report, console: Console | None = None, only: Collection[str] | None = None) -> None:
    """Print the tables, to standard output by default.

    Args:
        report: What to print.
        console: Where to.
        only: Which of `spans`, `agents`, `flow`, `contexts`, `messages`, `caching`, `unread` and `total`; all by default.

    Raises:
        MissingExtraError: The extra `report` is not installed.
    """
    try:
        from token_otel.report import tables
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "rich":
            raise
        raise MissingExtraError('token-otel report needs rich: pip install "token-otel[report]"') from None
    tables.show(report, console, tables.TABLES if only is None else only)
