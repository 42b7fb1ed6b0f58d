"""Spans as an OTLP/JSON `ExportTraceServiceRequest`, without protobuf.

Equal, once parsed, to what `opentelemetry-exporter-otlp-json-file` writes. That exporter pins the SDK exactly,
which would fight the frameworks we stand beside; it is the oracle of our tests instead.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import logging
import math
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from json import JSONEncoder
from typing import Any, TypeVar, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status
from opentelemetry.trace.span import TraceState

logger = logging.getLogger(__name__)

Json = dict[str, object]
T = TypeVar("T")

HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200


class _UnknownTypeError(TypeError):
    """A value of a type that OTLP has no form for."""


# One encoder for all lines. Spans hold no cycles, and looking for them is a quarter of the time.
_dumps = JSONEncoder(separators=(",", ":"), check_circular=False).encode


def encode_line(spans: Sequence[ReadableSpan]) -> bytes:
    """Encode `spans` as one line of a file: `encode_spans` as ASCII JSON with a newline; empty for no spans.

    Each span becomes text before the next is looked at. A batch kept as dicts (60,000 of them for 512 spans) makes
    the garbage collector walk them all, which costs half as much again.
    """
    requests = [
        _append_array(_resource(resource), "scopeSpans", [_append_array(_scope(scope), "spans", texts) for scope, texts in scopes.items()])
        for resource, scopes in _grouped(spans, _span_text).items()
    ]
    return f'{{"resourceSpans":[{",".join(requests)}]}}\n'.encode("ascii") if requests else b""


def encode_spans(spans: Sequence[ReadableSpan]) -> Json:
    """Encode `spans` as one `ExportTraceServiceRequest`, grouped by resource and scope; `{}` for no spans."""
    requests = [
        _resource(resource) | {"scopeSpans": [_scope(scope) | {"spans": encoded} for scope, encoded in scopes.items()]}
        for resource, scopes in _grouped(spans, encode_span).items()
    ]
    return {"resourceSpans": requests} if requests else {}


def encode_span(span: ReadableSpan) -> Json:
    """Encode one span; as in protobuf, a field that holds its default is left out."""
    context = span.get_span_context()
    parent = span.parent
    attributes, events, links = span.attributes, span.events, span.links
    encoded: Json = {"traceId": f"{context.trace_id if context else 0:032x}", "spanId": f"{context.span_id if context else 0:016x}"}
    if context is not None and context.trace_state:
        encoded["traceState"] = _trace_state(context.trace_state)
    if parent is not None:
        encoded["parentSpanId"] = f"{parent.span_id:016x}"
    encoded["flags"] = _flags(parent)
    if span.name:
        encoded["name"] = span.name
    encoded["kind"] = span.kind.value + 1  # the SDK counts from 0, the wire has 0 for "unspecified"
    if span.start_time:
        encoded["startTimeUnixNano"] = str(span.start_time)
    if span.end_time:
        encoded["endTimeUnixNano"] = str(span.end_time)
    _add_attributes(encoded, attributes, span.dropped_attributes)
    if events:
        encoded["events"] = [_event(event) for event in events]
    if span.dropped_events:
        encoded["droppedEventsCount"] = span.dropped_events
    if links:
        encoded["links"] = [_link(link) for link in links]
    if span.dropped_links:
        encoded["droppedLinksCount"] = span.dropped_links
    encoded["status"] = _status(span.status)
    return encoded


def encode_value(value: object) -> Json:
    """Encode an attribute's value as an `AnyValue`.

    64-bit integers are strings, bytes are base64, and NaN and the infinities are words, since JSON has none of them.

    Raises:
        TypeError: OTLP has no such type.
    """
    encode = _BY_TYPE.get(type(value))
    return encode(value) if encode is not None else _encode_unusual(value)


def _grouped(
    spans: Sequence[ReadableSpan], encode: Callable[[ReadableSpan], T]
) -> dict[Resource, dict[InstrumentationScope | None, list[T]]]:
    groups: dict[Resource, dict[InstrumentationScope | None, list[T]]] = {}
    # A resource's hash serialises all its attributes: taken once per object, not once per span.
    seen: dict[tuple[int, int], list[T]] = {}
    for span in spans:
        resource, scope = span.resource, span.instrumentation_scope
        group = seen.get((id(resource), id(scope)))
        if group is None:
            group = seen[id(resource), id(scope)] = groups.setdefault(resource, {}).setdefault(scope, [])
        group.append(encode(span))
    return groups


def _span_text(span: ReadableSpan) -> str:
    return _dumps(encode_span(span))


def _append_array(encoded: Json, key: str, items: Sequence[str]) -> str:
    """Serialise `encoded`, which is not empty, with one more field: an array of texts that are JSON already."""
    return f'{_dumps(encoded)[:-1]},"{key}":[{",".join(items)}]}}'


def _resource(resource: Resource) -> Json:
    described: Json = {}
    _add_attributes(described, resource.attributes)
    return {"resource": described, "schemaUrl": resource.schema_url} if resource.schema_url else {"resource": described}


def _scope(scope: InstrumentationScope | None) -> Json:
    described: Json = {}
    if scope is None:
        return {"scope": described}
    if scope.name:
        described["name"] = scope.name
    if scope.version:
        described["version"] = scope.version
    _add_attributes(described, scope.attributes)
    return {"scope": described, "schemaUrl": scope.schema_url} if scope.schema_url else {"scope": described}


def _event(event: Event) -> Json:
    encoded: Json = {}
    if event.timestamp:
        encoded["timeUnixNano"] = str(event.timestamp)
    if event.name:
        encoded["name"] = event.name
    _add_attributes(encoded, event.attributes, event.dropped_attributes)
    return encoded


def _link(link: Link) -> Json:
    context = link.context
    encoded: Json = {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}
    _add_attributes(encoded, link.attributes, link.dropped_attributes)
    encoded["flags"] = _flags(context)
    return encoded


def _status(status: Status) -> Json:
    encoded: Json = {}
    if status.description:
        encoded["message"] = status.description
    if status.status_code.value:
        encoded["code"] = status.status_code.value
    return encoded


def _flags(context: SpanContext | None) -> int:
    return HAS_IS_REMOTE | IS_REMOTE if context is not None and context.is_remote else HAS_IS_REMOTE


def _trace_state(state: TraceState) -> str:
    return ",".join(f"{key}={value}" for key, value in state.items())


def _add_attributes(encoded: Json, attributes: Mapping[str, object] | None, dropped: int = 0) -> None:
    """Add the attributes; one that cannot be encoded is logged and left out, so that the others are still sent."""
    entries: list[Json] = []
    for key, value in attributes.items() if attributes else ():
        try:
            entries.append({"key": key, "value": encode_value(value)})
        except Exception as error:
            # What another error says may quote the value.
            logger.error("attribute %r is left out: %s", key, error if isinstance(error, _UnknownTypeError) else type(error).__name__)
    if entries:
        encoded["attributes"] = entries
    if dropped:
        encoded["droppedAttributesCount"] = dropped


def _sequence(value: Sequence[object]) -> Json:
    return {"arrayValue": {"values": [encode_value(item) for item in value]} if value else {}}


def _mapping(value: Mapping[object, object]) -> Json:
    return {"kvlistValue": {"values": [{"key": str(key), "value": encode_value(item)} for key, item in value.items()]} if value else {}}


def _string(value: str) -> Json:
    return {"stringValue": value}


def _bool(value: bool) -> Json:
    return {"boolValue": value}


def _int(value: int) -> Json:
    return {"intValue": int.__repr__(value)}  # not str(): an enum that is an int has a str() of its own


def _float(value: float) -> Json:
    if math.isfinite(value):
        return {"doubleValue": value}
    return {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def _bytes(value: bytes) -> Json:
    return {"bytesValue": b64encode(value).decode("ascii")}


def _none(_: None) -> Json:
    return {}


def _encode_unusual(value: object) -> Json:
    """Encode a value whose type only derives from one that OTLP has; a bool is an int, so the order matters."""
    match value:
        case str():
            return _string(value)
        case int():
            return _int(value)
        case float():
            return _float(value)
        case bytes():
            return _bytes(value)
        case Sequence():
            return _sequence(cast("Sequence[object]", value))
        case Mapping():
            return _mapping(cast("Mapping[object, object]", value))
        case _:
            known = "str, bool, int, float, bytes, sequences, mappings"
            raise _UnknownTypeError(f"an attribute's value is a {type(value).__name__}; OTLP has {known}")


# Looked up by exact type: three times as fast as a chain of isinstance(), and an attribute is all that is encoded often.
_BY_TYPE: dict[type, Callable[[Any], Json]] = {
    str: _string,
    bool: _bool,
    int: _int,
    float: _float,
    bytes: _bytes,
    type(None): _none,
    tuple: _sequence,
    list: _sequence,
    dict: _mapping,
}
