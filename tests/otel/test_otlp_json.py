"""The encoder against the official exporter, and against a line written by hand."""

import enum
import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans as official_encode_spans
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from token_otel.otel.otlp_json import encode_line, encode_spans, encode_value

CONTEXT = SpanContext(0xA1, 0xB2, is_remote=False, trace_flags=TraceFlags(1))
RESOURCE = Resource({"service.name": "shop"})
SCOPE = InstrumentationScope("token_otel", "0.1.0")


def span(context: SpanContext = CONTEXT, **fields: Any) -> ReadableSpan:
    defaults: dict[str, Any] = {"name": "chat gpt-5", "resource": RESOURCE, "instrumentation_scope": SCOPE, "start_time": 1, "end_time": 2}
    return ReadableSpan(context=context, **(defaults | fields))


def official(spans: list[ReadableSpan]) -> object:
    return json.loads(json.dumps(official_encode_spans(spans).to_dict()))


def test_writes_the_line_of_the_standard():
    """A chat span is this line, letter by letter."""
    producer = SpanContext(0xC3, 0xD4, is_remote=True)
    chat = span(
        parent=SpanContext(0xA1, 0xB1, is_remote=False),
        kind=SpanKind.CLIENT,
        start_time=1_700_000_000_000_000_001,
        end_time=1_700_000_000_500_000_002,
        attributes={
            "gen_ai.usage.input_tokens": 1200,
            "token_otel.cost.total_usd": 0.25,
            "token_otel.flow.origins": ("user", "self"),
            "ok": True,
        },
        links=[Link(producer, {"token_otel.flow.tokens": 7})],
        status=Status(StatusCode.ERROR, "timed out"),
    )

    assert encode_line([chat]).decode() == (
        '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},'
        '"scopeSpans":[{"scope":{"name":"token_otel","version":"0.1.0"},'
        '"spans":[{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000b2","parentSpanId":"00000000000000b1",'
        '"flags":256,"name":"chat gpt-5","kind":3,'
        '"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000500000002",'
        '"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1200"}},'
        '{"key":"token_otel.cost.total_usd","value":{"doubleValue":0.25}},'
        '{"key":"token_otel.flow.origins","value":{"arrayValue":{"values":[{"stringValue":"user"},{"stringValue":"self"}]}}},'
        '{"key":"ok","value":{"boolValue":true}}],'
        '"links":[{"traceId":"000000000000000000000000000000c3","spanId":"00000000000000d4",'
        '"attributes":[{"key":"token_otel.flow.tokens","value":{"intValue":"7"}}],"flags":768}],'
        '"status":{"message":"timed out","code":2}}]}]}]}\n'
    )


def test_equals_the_official_file(tmp_path: Path):
    """The official exporter's file for spans of a real provider holds the same as ours."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}, "https://schema/1"))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("token_otel", "0.1.0", "https://schema/2", {"scope.attribute": 1})
    with tracer.start_as_current_span("invoke_agent planner"), tracer.start_as_current_span("chat", kind=SpanKind.CLIENT) as chat:
        chat.add_event("first chunk", {"at": 1})
        chat.record_exception(ValueError("no"))
    spans = memory.get_finished_spans()
    exporter = FileSpanExporter(tmp_path / "official.jsonl")
    exporter.export(spans)
    exporter.shutdown()  # pyright: ignore[reportUnknownMemberType]

    assert json.loads(encode_line(spans)) == json.loads((tmp_path / "official.jsonl").read_text())


def test_line_and_dict_are_the_same():
    """The line, built span by span, parses to the dict, over several resources and scopes."""
    spans = [span(resource=resource, instrumentation_scope=scope) for resource in (RESOURCE, Resource({})) for scope in (SCOPE, None)]

    assert json.loads(encode_line(spans)) == encode_spans(spans)


def test_groups_by_equal_resource_and_scope():
    """Spans whose resources are equal stand together, though the objects differ."""
    twin = Resource({"service.name": "shop"})
    spans = [span(), span(instrumentation_scope=None), span(resource=Resource({})), span(resource=twin)]

    assert encode_spans(spans) == official(spans)
    assert len(json.loads(encode_line(spans))["resourceSpans"]) == 2


def test_schema_urls():
    """The schema URLs of the resource and of the scope stand beside each."""
    spans = [span(resource=Resource({}, "https://schema/1"), instrumentation_scope=InstrumentationScope("s", None, "https://schema/2"))]

    assert encode_spans(spans) == official(spans)


def test_dropped_counts():
    """What a provider's limits drop is counted on the span, the event and the link."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(1, 1, 1, 1, 1))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    two = {"a": 1, "b": 2}
    with provider.get_tracer("t").start_as_current_span("s", attributes=two, links=[Link(CONTEXT, two), Link(CONTEXT, two)]) as live:
        live.add_event("e", two)
        live.add_event("e", two)
    spans = list(memory.get_finished_spans())

    assert encode_spans(spans) == official(spans)
    assert b"droppedLinksCount" in encode_line(spans)


def test_trace_state():
    """The trace state is one string of pairs."""
    spans = [span(SpanContext(1, 2, is_remote=False, trace_state=TraceState([("a", "1"), ("b", "2")])))]

    assert encode_spans(spans) == official(spans)
    assert b'"traceState":"a=1,b=2"' in encode_line(spans)


def test_span_that_has_nothing():
    """A span without context, times, name or status text is what the official exporter makes of it."""
    spans = [ReadableSpan("", resource=Resource({})), span(events=[Event("", timestamp=0)])]

    assert encode_spans(spans) == official(spans)


def test_no_spans_is_an_empty_request():
    """An empty batch has no line."""
    assert (encode_spans([]), encode_line([])) == ({}, b"")


@pytest.mark.parametrize(("value", "written"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_not_finite_doubles_are_words(value: float, written: str):
    """JSON has no NaN and no infinity; OTLP/JSON has words for them."""
    assert encode_value(value) == {"doubleValue": written}


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (2**63 - 1, {"intValue": "9223372036854775807"}),
        (b"\x00\xff", {"bytesValue": "AP8="}),
        (b"", {"bytesValue": ""}),
        ((), {"arrayValue": {}}),
        ({}, {"kvlistValue": {}}),
        ({"a": [1, None]}, {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}]}}}]}}),
        (range(2), {"arrayValue": {"values": [{"intValue": "0"}, {"intValue": "1"}]}}),
    ],
)
def test_values_that_json_lacks(value: object, encoded: object):
    """64-bit integers, bytes, empty and nested values have forms of their own."""
    assert encode_value(value) == encoded


class Colour(enum.StrEnum):
    RED = "red"


class Level(int, enum.Enum):
    HIGH = 3


class Metres(float):
    pass


class Blob(bytes):
    pass


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Colour.RED, {"stringValue": "red"}),
        (Level.HIGH, {"intValue": "3"}),
        (Metres(2), {"doubleValue": 2.0}),
        (Blob(b"\x00"), {"bytesValue": "AA=="}),
        (Resource({"a": 1}).attributes, {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}),
    ],
)
def test_derived_types_are_what_they_derive_from(value: object, encoded: object):
    """An enum that is a number is a number, whatever its str() says."""
    assert json.loads(json.dumps(encode_value(value))) == encoded


def test_refuses_what_otlp_has_not():
    """A type that OTLP has no form for is refused by name."""
    with pytest.raises(TypeError, match="an attribute's value is a object; OTLP has str, bool"):
        encode_value(object())


def test_a_bad_attribute_leaves_the_others(caplog: pytest.LogCaptureFixture):
    """What cannot be encoded is left out and named in the log; the span is still sent."""
    bad: Any = {"good": 1, "bad": object()}
    with caplog.at_level(logging.ERROR):
        line = encode_line([span(attributes=bad)])

    assert b'"attributes":[{"key":"good","value":{"intValue":"1"}}]' in line
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "attribute 'bad' is left out: an attribute's value is a object"
    ]


def test_what_a_bad_attribute_says_is_not_logged(caplog: pytest.LogCaptureFixture):
    """An error of the value's own may quote it."""

    class Sealed(dict[str, object]):
        def __bool__(self) -> bool:
            raise ValueError("Rosebud")

    bad: Any = {"bad": Sealed()}
    encode_line([span(attributes=bad)])

    assert caplog.messages == ["attribute 'bad' is left out: ValueError"]


def test_text_of_any_language_is_ascii_json():
    """Any text survives, a lone surrogate too, and the line is ASCII."""
    text = "Geld, 钱, 💶, \ud800, \n, \u2028"
    line = encode_line([span(name=text)])

    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == text


texts = st.text(max_size=8)
scalars = st.one_of(texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=8), st.none())
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3))
)
attributes = st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=5)
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    is_remote=st.booleans(),
    trace_state=st.sampled_from([TraceState(), TraceState([("a", "1"), ("b", "2")])]),
)
times = st.none() | st.integers(0, 2**64 - 1)
make_span: Callable[..., ReadableSpan] = ReadableSpan
any_span = st.builds(
    make_span,
    name=texts,
    context=contexts,
    parent=st.none() | contexts,
    resource=st.builds(
        Resource, st.dictionaries(st.text(min_size=1, max_size=4), texts, max_size=2), st.sampled_from([None, "https://schema"])
    ),
    attributes=attributes,
    events=st.lists(st.builds(Event, texts, attributes, times), max_size=2),
    links=st.lists(st.builds(Link, contexts, attributes), max_size=2),
    kind=st.sampled_from(SpanKind),
    status=st.sampled_from([Status(), Status(StatusCode.OK), Status(StatusCode.ERROR), Status(StatusCode.ERROR, "why")]),
    start_time=times,
    end_time=times,
    instrumentation_scope=st.none() | st.builds(InstrumentationScope, texts, st.none() | texts, st.none() | texts, attributes),
)


@given(st.lists(any_span, max_size=4))
def test_equals_the_official_exporter_on_any_spans(spans: list[ReadableSpan]):
    """Whatever the spans hold, the line parses to what the official exporter writes."""
    assert json.loads(encode_line(spans) or b"{}") == official(spans)
