"""What a trace file says about how it was made: spans that are missing, that count twice, or that another file completes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from token_otel.doctor import model_calls
from token_otel.doctor.finding import Finding
from token_otel.doubles import DOUBLES
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord, read_trace_file
from token_otel.report import build, values
from token_otel.report.calls import Call, calls
from token_otel.report.tree import Tree

ABOUT = "Trace files"

_SHOWN = 3
_PREFIX = sc.INPUT_TOKENS.removesuffix("input_tokens")
_NAMES = ("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Some files, read as one."""

    files: tuple[str, ...]
    spans: tuple[SpanRecord, ...]
    calls: tuple[Call, ...]
    torn_lines: int


def read(files: Sequence[str]) -> Read:
    """Read some files as one.

    Raises:
        TraceFileError: A file is missing or holds no trace.
    """
    found = [read_trace_file(path) for path in files]
    spans = {(span.trace_id, span.span_id): span for file in reversed(found) for span in reversed(file.spans)}
    return Read(
        files=tuple(files),
        spans=tuple(spans.values()),
        calls=calls(Tree(spans.values())),
        torn_lines=sum(file.torn_lines for file in found),
    )


def findings(read: Read, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is to be said about the files, and about the calls in them."""
    ours = sum(span.scope == sc.SCOPE for span in read.spans)
    where = read.files[0] if len(read.files) == 1 else f"{len(read.files)} files"
    if not ours:
        found = f"{where}: no span of token-otel among {len(read.spans):,}."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Call token_otel.instrument() in the program, before its first run.")
    else:
        found = f"{where}: {_plural(ours, 'span')} of token-otel, {_plural(len(read.calls), 'model call')}."
        yield Finding(about=ABOUT, grade="ok", found=found)
    yield from _missing(read)
    yield from _doubles(read.spans)
    yield from _elsewhere(read.spans)
    yield from model_calls.findings(read.calls, env, file=read.files[0])


def _missing(read: Read) -> Iterator[Finding]:
    if read.torn_lines:
        found = f"{_plural(read.torn_lines, 'line')} broken off: the spans on them are missing."
        do = "Let the program end in peace, or call force_flush() on its tracer provider first; look for a full disk."
        yield Finding(about=ABOUT, grade="warning", found=found, do=do)
    unseen = build(read.spans).unseen_calls
    if unseen:
        found = f"No span here for {_plural(unseen, 'call')} that agents count as theirs: sums over calls are too small."
        do = "Give the files of all processes at once; look for a sampler or a full export queue."
        yield Finding(about=ABOUT, grade="warning", found=found, do=do)


def _doubles(spans: Sequence[SpanRecord]) -> Iterator[Finding]:
    """Yield each other scope whose spans carry tokens, with how many a sum over all spans would add."""
    scopes: dict[str, list[SpanRecord]] = {}
    for span in spans:
        if span.scope != sc.SCOPE and any(name.startswith(_PREFIX) for name in span.attributes):
            scopes.setdefault(span.scope, []).append(span)
    for scope, theirs in scopes.items():
        tokens = sum(values.count(span, _PREFIX + name) or 0 for span in theirs for name in _NAMES)
        found = (
            f"Tokens stand on {_plural(len(theirs), 'span')} of {scope or 'a scope without a name'} too: a sum over all spans counts "
            f"{tokens:,} on top of ours."
        )
        switch = next((f"{double.variable}={double.value}" for double in DOUBLES if double.writes(scope)), None)
        do = f"Set {switch}" if switch else "Turn that instrumentation off"
        yield Finding(
            about=ABOUT, grade="warning", found=found, do=f"{do}, or TOKEN_OTEL_MODEL_SPANS=off; or sum the scope {sc.SCOPE} only."
        )


def _elsewhere(spans: Sequence[SpanRecord]) -> Iterator[Finding]:
    known = {name for span in spans for name in values.texts(span, sc.MESSAGE_IDS)}
    tokens: dict[str, int] = {}
    for span in spans:
        ids = values.texts(span, sc.FLOW_EXTERNAL_IDS)
        for name, count in zip(ids, values.counts(span, sc.FLOW_EXTERNAL_TOKENS, len(ids)), strict=True):
            tokens[name] = tokens.get(name, 0) + count
    open_ids = [name for name in tokens if name not in known]
    if open_ids:
        total = sum(tokens[name] for name in open_ids)
        more = ", ..." if len(open_ids) > _SHOWN else ""
        found = (
            f"{total:,} tokens were read of {_plural(len(open_ids), 'message')} that another process produced: "
            f"{', '.join(open_ids[:_SHOWN])}{more}."
        )
        yield Finding(about=ABOUT, grade="note", found=found, do="Give that process's file too, and its spans are found by these ids.")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
