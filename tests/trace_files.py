"""Trace files written by hand: spans with the attributes that a test names, and little else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from token_otel.otel import semconv as sc
from token_otel.otel.otlp_json import encode_value

TRACE = "a" * 32


def span_id(name: str) -> str:
    """The id of a span that is named by a letter or two of hex."""
    return f"{name:0<16}"


def producer(name: str) -> str:
    """A span as others name it."""
    return f"{TRACE}:{span_id(name)}"


def span(
    name: str,
    operation: str,
    attributes: Mapping[str, Any],
    *,
    parent: str | None = None,
    start_ns: int = 1_790_000_000_000_000_000,
    end_ns: int = 1_790_000_001_000_000_000,
    continues: str | None = None,
) -> dict[str, Any]:
    """A span as OTLP/JSON has it; `continues` is the call of which it is the late end."""
    link = {"key": sc.LINK_TYPE, "value": {"stringValue": sc.CONTINUES}}
    return {
        "traceId": TRACE,
        "spanId": span_id(name),
        **({} if parent is None else {"parentSpanId": span_id(parent)}),
        "name": operation,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(end_ns),
        "attributes": [{"key": key, "value": encode_value(value)} for key, value in {sc.OPERATION_NAME: operation, **attributes}.items()],
        **({} if continues is None else {"links": [{"traceId": TRACE, "spanId": span_id(continues), "attributes": [link]}]}),
    }


def chat(name: str, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A model call of m-1 at openai."""
    return span(name, "chat", {sc.PROVIDER_NAME: "openai", sc.REQUEST_MODEL: "m-1", **attributes}, **more)


def write(path: Path, *spans: dict[str, Any], scope: str = sc.SCOPE) -> str:
    """Append a line with some spans of one scope to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": spans}]}]}) + "\n")
    return str(path)


def attributes(path: Path | str, name: str) -> dict[str, Any]:
    """The attributes of one span of a file, decoded."""
    from token_otel.otel.trace_file import read_trace_file

    [found] = [span for span in read_trace_file(path).spans if span.span_id == span_id(name)]
    return dict(found.attributes)
