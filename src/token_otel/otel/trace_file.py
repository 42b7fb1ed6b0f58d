"""Spans back from a file of OTLP/JSON lines, written by us or by the Collector. Imports no OpenTelemetry.

Source: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
"""

import gzip
import json
import os
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any, Literal, TypeAlias

AttributeValue: TypeAlias = str | int | float | bool | tuple["AttributeValue | None", ...]
"""Bytes stay base64 text; a mapping is a tuple of (key, value) pairs; `None` stands only in sequences, to keep positions."""

Status = Literal["unset", "ok", "error"]

ACCEPTED = 'accepted is one OTLP/JSON request per line, {"resourceSpans": [...]}, plain or gzip'
_BEGIN = b'{"resourceSpans"'
_GZIP = b"\x1f\x8b"
_OTHER_SIGNALS = {"resourceMetrics", "resourceLogs", "resourceProfiles"}
_STATUS: tuple[Status, ...] = ("unset", "ok", "error")


class TraceFileError(ValueError):
    """A file that cannot be read as spans: one sentence with the file, the line, what was found and what is accepted."""


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A span's link to another span."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span as it stands in a file; ids are lower-case hex, `kind` is OTLP's (0 unspecified, 1 internal, ... 5 consumer)."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: Status
    attributes: Mapping[str, AttributeValue]
    links: tuple[LinkRecord, ...]
    resource: Mapping[str, AttributeValue]
    scope: str


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A whole file: its spans, each once, and how many lines were torn (their spans are missing)."""

    spans: tuple[SpanRecord, ...]
    torn_lines: int


def read_trace_file(path: str | os.PathLike[str]) -> TraceFile:
    """Read all spans of a file.

    Raises:
        TraceFileError: The file is not what we accept.
    """
    torn: list[int] = []
    spans = tuple(_read(Path(path), torn.append))
    return TraceFile(spans, len(torn))


def read_spans(path: str | os.PathLike[str]) -> Iterator[SpanRecord]:
    """Read a file span by span, a line at a time; a span that was sent twice comes once, torn lines are passed over.

    Raises:
        TraceFileError: The file is not what we accept; raised when its turn comes, not by the call.
    """
    return _read(Path(path), lambda _: None)


def _read(path: Path, on_torn: Callable[[int], None]) -> Iterator[SpanRecord]:
    seen: set[tuple[str, str]] = set()
    for number, request in _requests(path, on_torn):
        try:
            for span in _spans(request):
                key = (span.trace_id, span.span_id)
                if key not in seen:
                    seen.add(key)
                    yield span
        except _NotOtlpError as error:
            raise TraceFileError(f"{path}, line {number}: found {error}; {ACCEPTED}") from None
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise TraceFileError(
                f"{path}, line {number}: found a span that is not OTLP/JSON ({type(error).__name__}: {error}); {ACCEPTED}"
            ) from error


def _requests(path: Path, on_torn: Callable[[int], None]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield each line that holds spans, with its number.

    A line is torn when its writer died or its disk was full: it begins as a request does and is not JSON. It is the last
    one, or, where a later writer began a new line, any. The Collector may mix signals in one file: the others are passed over.
    """
    number = held_spans = 0
    other = ""
    for number, line in read_lines(path):
        if line is None:
            on_torn(number)
            continue
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            if line.startswith(_BEGIN) or (len(line) > 1 and _BEGIN.startswith(line)):
                on_torn(number)
                continue
            raise TraceFileError(f"{path}, line {number}: found {_excerpt(line)}, which is not JSON; {ACCEPTED}") from None
        if isinstance(request, dict) and "resourceSpans" in request:
            held_spans += 1
            yield number, request
        elif isinstance(request, dict) and request.keys() & _OTHER_SIGNALS:
            other = other or f"{path}, line {number}: found {_excerpt(line)} and no spans in the whole file; {ACCEPTED}"
        else:
            raise TraceFileError(f"{path}, line {number}: found {_excerpt(line)}, JSON without resourceSpans; {ACCEPTED}")
    if other and not held_spans:
        raise TraceFileError(other)


def read_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines that are not blank, with their numbers; `None` for the place where a gzip stream is cut off."""
    number = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if stripped := line.strip():
                    yield number, stripped
        except EOFError:
            yield number + 1, None
        except (OSError, zlib.error) as error:
            raise TraceFileError(f"{path}, line {number + 1}: found bytes that cannot be read ({error}); {ACCEPTED}") from error


@contextmanager
def _opened(path: Path) -> Generator[Iterable[bytes], None, None]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise TraceFileError(f"{path}: found no such file; {ACCEPTED}") from None
    except IsADirectoryError:
        raise TraceFileError(f"{path}: found a directory; {ACCEPTED}") from None
    except OSError as error:
        raise TraceFileError(f"{path}: found a file that cannot be opened ({error.strerror}); {ACCEPTED}") from error
    with file:
        if file.peek(2).startswith(_GZIP):
            with gzip.open(file) as unzipped:
                yield unzipped
        else:
            yield file


def _excerpt(line: bytes) -> str:
    text = line[:41].decode("utf-8", "backslashreplace")
    return repr(text[:40] + "..." if len(text) > 40 else text)


class _NotOtlpError(Exception):
    """What was found in place of a span's field, as a phrase."""


def _spans(request: Mapping[str, Any]) -> Iterator[SpanRecord]:
    for resource_spans in request["resourceSpans"] or ():
        resource = _attributes(_object(resource_spans, "resource").get("attributes"))
        for scope_spans in resource_spans.get("scopeSpans") or ():
            scope = _object(scope_spans, "scope").get("name") or ""
            for span in scope_spans.get("spans") or ():
                yield _span(span, resource, scope)


def _span(span: Mapping[str, Any], resource: Mapping[str, AttributeValue], scope: str) -> SpanRecord:
    parent = span.get("parentSpanId") or ""
    return SpanRecord(
        trace_id=_id(span.get("traceId"), "traceId", 32),
        span_id=_id(span.get("spanId"), "spanId", 16),
        parent_id=_id(parent, "parentSpanId", 16) if parent.strip("0") else None,
        name=span.get("name") or "",
        kind=int(span.get("kind") or 0),
        start_ns=int(span.get("startTimeUnixNano") or 0),
        end_ns=int(span.get("endTimeUnixNano") or 0),
        status=_status(_object(span, "status").get("code") or 0),
        attributes=_attributes(span.get("attributes")),
        links=tuple([_link(link) for link in span.get("links") or ()]),
        resource=resource,
        scope=scope,
    )


def _link(link: Mapping[str, Any]) -> LinkRecord:
    return LinkRecord(
        trace_id=_id(link.get("traceId"), "a link's traceId", 32),
        span_id=_id(link.get("spanId"), "a link's spanId", 16),
        attributes=_attributes(link.get("attributes")),
    )


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return parent.get(key) or {}


def _id(value: object, field: str, digits: int) -> str:
    """Check an id: protobuf's own JSON writes base64, which would silently join nothing."""
    if isinstance(value, str) and len(value) == digits:
        try:
            bytes.fromhex(value)
            return value.lower()
        except ValueError:
            pass
    raise _NotOtlpError(f"{field} {value!r}, which is not {digits} hex digits")


def _status(code: object) -> Status:
    if isinstance(code, int) and 0 <= code < len(_STATUS):
        return _STATUS[code]
    raise _NotOtlpError(f"status code {code!r}, which is not 0, 1 or 2")


def _attributes(entries: Sequence[Mapping[str, Any]] | None) -> Mapping[str, AttributeValue]:
    """Decode a list of key-values; a key without a value is left out. Keys repeat in every span: one object each."""
    decoded: dict[str, AttributeValue] = {}
    for entry in entries or ():
        value = _value(_object(entry, "value"))
        if value is not None:
            decoded[intern(entry["key"])] = value
    return decoded


def _value(value: Mapping[str, Any]) -> AttributeValue | None:
    for kind, content in value.items():
        decode = _DECODERS.get(kind)
        if decode is None:
            raise _NotOtlpError(f"an attribute's value of kind {kind!r}")
        return decode(content)
    return None


def _as_it_is(content: Any) -> AttributeValue | None:
    return content


def _array(content: Mapping[str, Any]) -> AttributeValue:
    return tuple([_value(item) for item in content.get("values") or ()])


def _pairs(content: Mapping[str, Any]) -> AttributeValue:
    return tuple([(item["key"], _value(_object(item, "value"))) for item in content.get("values") or ()])


_DECODERS: dict[str, Callable[[Any], AttributeValue | None]] = {
    "stringValue": _as_it_is,
    "boolValue": _as_it_is,
    "bytesValue": _as_it_is,
    "intValue": int,
    "doubleValue": float,  # NaN and the infinities are words, which float() knows
    "arrayValue": _array,
    "kvlistValue": _pairs,
}
