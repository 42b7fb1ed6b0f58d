"""Reading spans back: what is accepted, what is tolerated, what is refused and with which words."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from token_otel.otel import trace_file
from token_otel.otel.otlp_json import encode_line, encode_value
from token_otel.otel.trace_file import LinkRecord, SpanRecord, TraceFile, TraceFileError, read_spans, read_trace_file

TRACE, SPAN = "0" * 30 + "a1", "0" * 14 + "b2"
ACCEPTED = 'accepted is one OTLP/JSON request per line, {"resourceSpans": [...]}, plain or gzip'


def raw(**fields: object) -> dict[str, object]:
    return {"traceId": TRACE, "spanId": SPAN} | fields


def line(*spans: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}, separators=(",", ":")).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spans.jsonl"


def error_of(path: Path) -> str:
    with pytest.raises(TraceFileError) as caught:
        read_trace_file(path)
    return str(caught.value)


def test_reads_what_the_exporter_writes(path: Path):
    """A span comes back with all that a report needs."""
    span = ReadableSpan(
        "chat gpt-5",
        SpanContext(0xA1, 0xB2, is_remote=False),
        parent=SpanContext(0xA1, 0xB1, is_remote=False),
        resource=Resource({"service.name": "shop"}),
        attributes={"gen_ai.usage.input_tokens": 1200, "cost": 0.5, "ok": True, "token_otel.flow.origins": ["user", "self"]},
        links=[Link(SpanContext(0xC3, 0xD4, is_remote=False), {"token_otel.flow.tokens": 7})],
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.ERROR),
        start_time=5,
        end_time=9,
        instrumentation_scope=InstrumentationScope("token_otel"),
    )
    path.write_bytes(encode_line([span]))

    [record] = read_spans(path)
    assert record == SpanRecord(
        trace_id=TRACE,
        span_id=SPAN,
        parent_id="0" * 14 + "b1",
        name="chat gpt-5",
        kind=3,
        start_ns=5,
        end_ns=9,
        status="error",
        attributes={"gen_ai.usage.input_tokens": 1200, "cost": 0.5, "ok": True, "token_otel.flow.origins": ("user", "self")},
        links=(LinkRecord("0" * 30 + "c3", "0" * 14 + "d4", {"token_otel.flow.tokens": 7}),),
        resource={"service.name": "shop"},
        scope="token_otel",
    )


scalars = st.text(max_size=8) | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
values = scalars | st.lists(scalars | st.none(), max_size=4).map(tuple)


@given(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=6))
def test_attributes_survive_the_round_trip(tmp_path_factory: pytest.TempPathFactory, attributes: dict[str, Any]):
    """Attributes come back equal and of the same type."""
    path = tmp_path_factory.mktemp("round") / "spans.jsonl"
    path.write_bytes(encode_line([ReadableSpan("s", SpanContext(1, 2, is_remote=False), resource=Resource({}), attributes=attributes)]))

    [span] = read_spans(path)
    assert span.attributes == attributes
    assert [type(value) for value in span.attributes.values()] == [type(value) for value in attributes.values()]


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        (encode_value(b"\x00"), "AA=="),
        (encode_value({"a": 1, "b": (True,)}), (("a", 1), ("b", (True,)))),
        ({"intValue": 7}, 7),
        ({"doubleValue": 7}, 7.0),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"arrayValue": {}}, ()),
    ],
)
def test_other_forms_of_values(path: Path, value: object, decoded: object):
    """Bytes stay text, mappings become pairs, and numbers may be written as JSON numbers, as the Collector reads them."""
    path.write_bytes(line(raw(attributes=[{"key": "a", "value": value}])))

    [span] = read_spans(path)
    assert span.attributes == {"a": decoded}


def test_a_key_without_a_value_is_left_out(path: Path):
    """Unknown is absent."""
    path.write_bytes(line(raw(attributes=[{"key": "a", "value": None}, {"key": "b"}, {"key": "c", "value": encode_value(None)}])))

    [span] = read_spans(path)
    assert span.attributes == {}


def test_a_bare_span(path: Path):
    """What is not written has its default; a parent of zeros is no parent, and ids are compared in lower case."""
    path.write_bytes(line(raw(traceId=TRACE.upper(), parentSpanId="0" * 16)))

    assert read_trace_file(path) == TraceFile((SpanRecord(TRACE, SPAN, None, "", 0, 0, 0, "unset", {}, (), {}, ""),), 0)


def test_several_resources_in_a_line(path: Path):
    """A Collector's batch holds several resources and scopes; each span has its own."""
    resources = [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"scope": {"name": scope}, "spans": [raw(spanId=f"{service}{scope}".ljust(16, "0"))]} for scope in ("c", "d")],
        }
        for service in ("a", "b")
    ]
    path.write_text(json.dumps({"resourceSpans": resources}))

    assert [(span.resource["service.name"], span.scope) for span in read_spans(path)] == [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]


@pytest.mark.parametrize("name", ["spans.jsonl.gz", "spans.jsonl"])
def test_gzip_by_its_first_bytes(tmp_path: Path, name: str):
    """A gzip file is known by its content, whatever its name; members appended later are read too."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(line(raw(name="a"))) + gzip.compress(line(raw(name="b", spanId="c" * 16))))

    assert [span.name for span in read_spans(path)] == ["a", "b"]


def test_a_plain_file_named_gz(tmp_path: Path):
    """A plain file may be named .gz."""
    path = tmp_path / "spans.jsonl.gz"
    path.write_bytes(line(raw()))

    assert len(list(read_spans(path))) == 1


def test_a_span_sent_twice_is_one(path: Path):
    """A batch that was retried is counted once, the first time."""
    path.write_bytes(line(raw(name="first")) + line(raw(name="again"), raw(spanId="c" * 16, name="other")))

    assert [span.name for span in read_spans(path)] == ["first", "other"]


def test_an_empty_file_has_no_spans(path: Path):
    """A program that recorded nothing is no error; blank lines are none either."""
    path.write_bytes(b"\n \n")

    assert read_trace_file(path) == TraceFile((), 0)


@pytest.mark.parametrize("cut", [2, 12, 40, -2])
def test_a_torn_last_line_is_counted(path: Path, cut: int):
    """A writer that died leaves half a line; the others are read, and the loss is told."""
    path.write_bytes(line(raw()) + line(raw(spanId="c" * 16))[:cut])
    file = read_trace_file(path)

    assert (len(file.spans), file.torn_lines) == (1, 1)


def test_torn_lines_in_the_middle_are_counted(path: Path):
    """After a full disk or a crash the exporter goes on in a new line, or another process on the same."""
    path.write_bytes(line(raw())[:30] + b"\n" + line(raw()) + line(raw())[:30] + line(raw(spanId="c" * 16)))
    file = read_trace_file(path)

    assert (len(file.spans), file.torn_lines) == (1, 2)


def test_reading_span_by_span_passes_over_torn_lines(path: Path):
    """The iterator yields what there is."""
    path.write_bytes(line(raw())[:30] + b"\n" + line(raw()))

    assert len(list(read_spans(path))) == 1


def test_a_gzip_file_that_is_cut_off(path: Path):
    """A gzip file still being written is read up to its end, which counts as torn."""
    packed = gzip.compress(line(raw()) * 3)
    path.write_bytes(packed[:-9])

    assert read_trace_file(path).torn_lines == 1


def test_other_signals_are_passed_over(path: Path):
    """One Collector exporter may write metrics, logs and traces into one file."""
    path.write_bytes(b'{"resourceMetrics":[]}\n' + line(raw()) + b'{"resourceLogs":[]}\n')

    assert len(read_trace_file(path).spans) == 1


def test_refuses_a_missing_file(path: Path):
    """A file that is not there is named."""
    assert error_of(path) == f"{path}: found no such file; {ACCEPTED}"


def test_refuses_a_directory(tmp_path: Path):
    """A directory is named as one."""
    assert error_of(tmp_path) == f"{tmp_path}: found a directory; {ACCEPTED}"


def test_refuses_what_cannot_be_opened(tmp_path: Path):
    """Whatever else the system says stands in the sentence."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "spans.jsonl"

    assert error_of(path) == f"{path}: found a file that cannot be opened (Not a directory); {ACCEPTED}"


@pytest.mark.parametrize(
    ("content", "number", "found"),
    [
        (b"hello\n", 1, "'hello', which is not JSON"),
        (line(raw()) + b"\xff\xfe\x00 zstd\n", 2, "'\\\\xff\\\\xfe\\x00 zstd', which is not JSON"),
        (b"{\n" + b'  "resourceSpans": []\n}\n', 1, "'{', which is not JSON"),
        (b"[" * 100_000, 1, "'" + "[" * 40 + "...', which is not JSON"),
        (b"[1, 2]\n", 1, "'[1, 2]', JSON without resourceSpans"),
        (line(raw()) + b'\n{"a": 1}\n', 3, "'{\"a\": 1}', JSON without resourceSpans"),
        (b'{"resourceMetrics":[]}\n', 1, "'{\"resourceMetrics\":[]}' and no spans in the whole file"),
        (line(raw(traceId="YWJjZA==")), 1, "traceId 'YWJjZA==', which is not 32 hex digits"),
        (line(raw(traceId="x" * 32)), 1, "traceId '" + "x" * 32 + "', which is not 32 hex digits"),
        (line({"traceId": TRACE}), 1, "spanId None, which is not 16 hex digits"),
        (line(raw(parentSpanId="1")), 1, "parentSpanId '1', which is not 16 hex digits"),
        (line(raw(links=[{"spanId": SPAN}])), 1, "a link's traceId None, which is not 32 hex digits"),
        (line(raw(status={"code": "STATUS_CODE_ERROR"})), 1, "status code 'STATUS_CODE_ERROR', which is not 0, 1 or 2"),
        (line(raw(attributes=[{"key": "a", "value": {"string_value": "b"}}])), 1, "an attribute's value of kind 'string_value'"),
        (line(raw(attributes=[{"value": {"intValue": "1"}}])), 1, "a span that is not OTLP/JSON (KeyError: 'key')"),
        (
            line(raw(startTimeUnixNano="soon")),
            1,
            "a span that is not OTLP/JSON (ValueError: invalid literal for int() with base 10: 'soon')",
        ),
        (
            line(raw(attributes=[{"key": "a", "value": {"intValue": float("inf")}}])),
            1,
            "a span that is not OTLP/JSON (OverflowError: cannot convert float infinity to integer)",
        ),
        (line("span"), 1, "a span that is not OTLP/JSON (AttributeError: 'str' object has no attribute 'get')"),
    ],
)
def test_refuses_what_is_not_otlp(path: Path, content: bytes, number: int, found: str):
    """The sentence names the file, the line, what was found and what is accepted."""
    path.write_bytes(content)

    assert error_of(path) == f"{path}, line {number}: found {found}; {ACCEPTED}"


def test_refuses_broken_gzip(path: Path):
    """A gzip file whose bytes are damaged is not half read in silence."""
    packed = bytearray(gzip.compress(line(raw())))
    packed[-8] ^= 0xFF
    path.write_bytes(packed)

    assert "found bytes that cannot be read (CRC check failed" in error_of(path)


def test_imports_no_opentelemetry():
    """The module loads nothing of OpenTelemetry or of ours; run by its path, since the package around it does."""
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print({name.split('.')[0] for name in sys.modules} & set(sys.argv[2:]))"
    run = subprocess.run(
        [sys.executable, "-c", code, trace_file.__file__, "opentelemetry", "token_otel"], check=True, capture_output=True, text=True
    )

    assert run.stdout == "set()\n"
