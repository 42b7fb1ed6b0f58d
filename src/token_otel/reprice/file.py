"""From file to file: every line as it was, but for the costs of our spans."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from decimal import localcontext
from pathlib import Path
from typing import Any, TypeAlias, cast

from token_otel.otel import semconv as sc
from token_otel.otel.otlp_json import encode_value
from token_otel.otel.trace_file import TraceFileError, read_lines, read_trace_file
from token_otel.prices import PriceBook
from token_otel.report.tree import CALLS, SpanKey, Tree, operation_of
from token_otel.reprice.calls import is_kept, repriced
from token_otel.reprice.changes import Changes, changes
from token_otel.reprice.summary import Summary, summary

Json: TypeAlias = dict[str, Any]

_NO_SCOPE: Json = {}
_DIGITS = 60  # a damaged file may hold any number


class RepriceError(TraceFileError):
    """A trace file that cannot be written, in one sentence."""


def default_out(path: str | os.PathLike[str]) -> Path:
    """Return the name of the new file beside the old one: `spans.jsonl` becomes `spans.repriced.jsonl`."""
    file = Path(path)
    stem = file.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    return file.parent / f"{stem}.repriced.jsonl"


def reprice(
    path: str | os.PathLike[str], out: str | os.PathLike[str], *, now: PriceBook, then: PriceBook, profiles: Iterable[str]
) -> Summary:
    """Write the spans of a file once more, at the prices of `now`.

    Args:
        path: OTLP/JSON lines, plain or gzip.
        out: The file to write, as plain lines; it replaces one of that name.
        now: The prices to apply.
        then: The prices that were probably applied: they tell cache lifetimes and searches, which spans leave out.
        profiles: The backends in whose words costs are said where the file holds no cost that shows it.

    Raises:
        TraceFileError: The file is not what we accept.
        RepriceError: The new file cannot be written, or is the old one.
    """
    file = read_trace_file(path)
    tree = Tree(file.spans)
    with localcontext(prec=_DIGITS):
        calls = list(repriced(tree, now, then))
        found = changes(tree, calls, profiles)
    models = [span for span in tree.spans if operation_of(span) in CALLS]
    kept = sum(is_kept(span) for span in models)
    _write(Path(path), Path(out), found)
    return summary(calls, kept=kept, no_usage=len(models) - kept - len(calls), torn_lines=file.torn_lines)


_SYSTEM = {"dev", "proc"}


def _write(path: Path, out: Path, found: Mapping[SpanKey, Changes]) -> None:
    try:
        if out.exists() and out.samefile(path):
            raise RepriceError(f"{out}: is the file that is read; name another one with --out")
        # A device would be replaced, and gone; so would a name such as /dev/stdin, though what it leads to be a file.
        if out.exists() and (not out.is_file() or _SYSTEM.intersection(out.absolute().parts[1:2])):
            raise RepriceError(f"{out}: is no file that can be replaced; name another one with --out")
        unfinished = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            with unfinished.open("wb") as file:
                for _, line in read_lines(path):
                    if line is not None:
                        file.write(_rewritten(line, found) + b"\n")
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise RepriceError(f"{out}: cannot be written ({error.strerror}); name another file with --out") from error


def _rewritten(line: bytes, found: Mapping[SpanKey, Changes]) -> bytes:
    """Return a line with the costs of its spans; one that holds none of them, or is torn, as it was."""
    try:
        request: Json = json.loads(line)
    except (ValueError, RecursionError):
        return line
    touched = False
    for resource_spans in request.get("resourceSpans") or ():
        for scope_spans in resource_spans.get("scopeSpans") or ():
            if (scope_spans.get("scope") or _NO_SCOPE).get("name") == sc.SCOPE:
                for span in scope_spans.get("spans") or ():
                    differing = found.get((span["traceId"].lower(), span["spanId"].lower()))
                    if differing:
                        _apply(span, differing)
                        touched = True
    return json.dumps(request, separators=(",", ":")).encode("ascii") if touched else line


def _apply(span: Json, differing: Changes) -> None:
    left = dict(differing)
    entries: list[Json] = []
    for entry in cast("list[Json]", span.get("attributes") or []):
        name = entry.get("key")  # one without a value needs none
        if name not in differing:
            entries.append(entry)
        elif name in left:
            value = left.pop(name)
            if value is not None:
                entries.append(entry | {"value": encode_value(value)})
    entries += [{"key": name, "value": encode_value(value)} for name, value in left.items() if value is not None]
    span["attributes"] = entries
