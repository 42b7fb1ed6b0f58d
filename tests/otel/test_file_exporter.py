"""The file exporter on good disks, bad disks, threads and forks."""

import errno
import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanContext

from token_otel.otel.file_exporter import JsonLinesSpanExporter
from token_otel.otel.otlp_json import encode_line

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


def span(name: str = "chat") -> ReadableSpan:
    return ReadableSpan(name, SpanContext(1, 2, is_remote=False), resource=Resource({}))


def names(path: Path) -> list[str]:
    requests = [json.loads(line) for line in path.read_bytes().splitlines() if line]
    return [request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] for request in requests]


def test_appends_a_line_per_batch(tmp_path: Path):
    """A file that was there is kept, and each batch is one line behind it."""
    path = tmp_path / "spans.jsonl"
    path.write_bytes(encode_line([span("before")]))
    exporter = JsonLinesSpanExporter(path)

    assert exporter.export([span("one"), span("with one")]) is SUCCESS
    assert exporter.export([span("two")]) is SUCCESS
    assert path.read_bytes() == encode_line([span("before")]) + encode_line([span("one"), span("with one")]) + encode_line([span("two")])


def test_serves_a_provider(tmp_path: Path):
    """It is a `SpanExporter` for any span processor."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(tmp_path / "spans.jsonl")))
    provider.get_tracer("t").start_span("chat").end()
    provider.shutdown()

    assert names(tmp_path / "spans.jsonl") == ["chat"]


def test_makes_the_file_with_the_first_span(tmp_path: Path):
    """A program that records nothing leaves no file."""
    path = tmp_path / "spans.jsonl"
    exporter = JsonLinesSpanExporter(path)

    assert exporter.export([]) is SUCCESS
    assert not path.exists()


def test_makes_missing_directories(tmp_path: Path):
    """The directory of the path need not exist."""
    path = tmp_path / "a" / "b" / "spans.jsonl"

    assert JsonLinesSpanExporter(path).export([span()]) is SUCCESS
    assert names(path) == ["chat"]


def test_a_relative_path_is_fixed_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A program that changes its directory still writes where it began."""
    monkeypatch.chdir(tmp_path)
    exporter = JsonLinesSpanExporter("spans.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    exporter.export([span()])

    assert names(tmp_path / "spans.jsonl") == ["chat"]


def test_a_deleted_file_is_made_anew(tmp_path: Path):
    """A file that is moved or deleted between two batches does not swallow the second."""
    path = tmp_path / "spans.jsonl"
    exporter = JsonLinesSpanExporter(path)
    exporter.export([span("one")])
    path.unlink()
    exporter.export([span("two")])

    assert names(path) == ["two"]


def test_a_batch_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A batch goes to the system in one piece, so that no other process comes between."""
    sizes: list[int] = []
    write = os.write

    def watch(descriptor: int, data: memoryview) -> int:
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", watch)
    batch = [span(str(number)) for number in range(100)]
    JsonLinesSpanExporter(tmp_path / "spans.jsonl").export(batch)

    assert sizes == [len(encode_line(batch))]


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the system takes a part, the rest follows."""
    write = os.write

    def take_ten(descriptor: int, data: memoryview) -> int:
        return write(descriptor, data[:10])

    monkeypatch.setattr(os, "write", take_ten)

    assert JsonLinesSpanExporter(tmp_path / "spans.jsonl").export([span()]) is SUCCESS
    assert names(tmp_path / "spans.jsonl") == ["chat"]


def test_nothing_stands_behind_a_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After a disk that filled up in the middle of a line, the next batch begins a new line."""
    path = tmp_path / "spans.jsonl"
    exporter = JsonLinesSpanExporter(path)
    write, calls = os.write, iter(range(2))

    def fill_up(descriptor: int, data: memoryview) -> int:
        if next(calls) == 0:
            return write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill_up)
        assert exporter.export([span("torn")]) is FAILURE

    assert exporter.export([span("whole")]) is SUCCESS
    assert path.read_bytes() == encode_line([span("torn")])[:10] + b"\n" + encode_line([span("whole")])


def test_nothing_stands_behind_the_torn_line_of_a_crash(tmp_path: Path):
    """A line that an earlier process left unfinished is ended first."""
    path = tmp_path / "spans.jsonl"
    path.write_bytes(b'{"resourceSp')
    JsonLinesSpanExporter(path).export([span()])

    assert path.read_bytes() == b'{"resourceSp\n' + encode_line([span()])


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_fails_and_is_logged_once(caplog: pytest.LogCaptureFixture):
    """Each batch reports its failure to the processor; the log has one line for all."""
    exporter = JsonLinesSpanExporter("/dev/full")

    assert [exporter.export([span()]) for _ in range(3)] == [FAILURE] * 3
    assert failures(caplog) == ["spans are not written to /dev/full: No space left on device; the same cause is not logged again"]


def test_a_directory_in_the_place_of_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A path that is a directory fails and says so."""
    assert JsonLinesSpanExporter(tmp_path).export([span()]) is FAILURE
    assert failures(caplog) == [f"spans are not written to {tmp_path}: Is a directory; the same cause is not logged again"]


def test_what_an_unexpected_error_says_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """It may quote an attribute of the program's own spans."""

    def fail(spans: object) -> bytes:
        raise ValueError("Rosebud")

    monkeypatch.setattr("token_otel.otel.file_exporter.encode_line", fail)
    path = tmp_path / "spans.jsonl"

    assert JsonLinesSpanExporter(path).export([span()]) is FAILURE
    assert failures(caplog) == [f"spans are not written to {path}: ValueError; the same cause is not logged again"]


def test_a_file_in_the_place_of_the_directory(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A parent that cannot be made fails and says so."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "spans.jsonl"

    assert JsonLinesSpanExporter(path).export([span()]) is FAILURE
    assert failures(caplog) == [f"spans are not written to {path}: Not a directory; the same cause is not logged again"]


def test_a_read_only_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """A file system that refuses writing fails and says so."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        result = JsonLinesSpanExporter(tmp_path / "spans.jsonl").export([span()])

    assert result is FAILURE
    assert "Read-only file system" in failures(caplog)[0]


def test_two_causes_are_two_log_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A second cause is news."""
    path = tmp_path / "spans.jsonl"
    path.mkdir()
    exporter = JsonLinesSpanExporter(path)
    exporter.export([span()])
    exporter.shutdown()
    exporter.export([span()])

    assert len(failures(caplog)) == 2


def test_recovers(tmp_path: Path):
    """When the cause is gone, batches are written again."""
    path = tmp_path / "spans.jsonl"
    path.mkdir()
    exporter = JsonLinesSpanExporter(path)
    exporter.export([span("lost")])
    path.rmdir()

    assert exporter.export([span("kept")]) is SUCCESS
    assert names(path) == ["kept"]


def test_an_error_of_ours_is_no_error_of_the_program(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A span that breaks the encoder fails its batch alone, and never raises."""
    broken = ReadableSpan("broken", SpanContext(1, 2, is_remote=False), resource=Resource({}), start_time=object())  # pyright: ignore[reportArgumentType]
    broken._kind = None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]

    with caplog.at_level(logging.ERROR):
        assert JsonLinesSpanExporter(tmp_path / "spans.jsonl").export([broken]) is FAILURE
    assert "spans.jsonl: AttributeError; the same" in failures(caplog)[0]


def test_lets_the_program_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C during a write belongs to the program."""

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        JsonLinesSpanExporter(tmp_path / "spans.jsonl").export([span()])


def test_refuses_after_shutdown(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A batch after shutdown is not written."""
    exporter = JsonLinesSpanExporter(tmp_path / "spans.jsonl")
    exporter.shutdown()

    assert exporter.export([span()]) is FAILURE
    assert "the exporter is shut down" in failures(caplog)[0]


def test_force_flush_has_nothing_to_do(tmp_path: Path):
    """What was exported is written already."""
    assert JsonLinesSpanExporter(tmp_path / "spans.jsonl").force_flush() is True


def test_threads_do_not_interleave(tmp_path: Path):
    """Batches of several threads each stay one line."""
    path = tmp_path / "spans.jsonl"
    exporter = JsonLinesSpanExporter(path)
    sent = [f"{number}" * 5_000 for number in range(100, 300)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(exporter.export, ([span(name)] for name in sent)))

    assert sorted(names(path)) == sorted(sent)


FORKING = """
import os, sys
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext
from token_otel.otel.file_exporter import JsonLinesSpanExporter

exporter = JsonLinesSpanExporter(sys.argv[1])
def export(writer):
    for number in range(50):
        exporter.export([ReadableSpan(f"{writer}-{number}-" + "x" * 20_000, SpanContext(1, 2, is_remote=False), resource=Resource({}))])

exporter.export([ReadableSpan("before", SpanContext(1, 2, is_remote=False), resource=Resource({}))])
for child in range(3):
    if os.fork() == 0:
        export(child)
        os._exit(0)
export("parent")
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes_write_whole_lines(tmp_path: Path):
    """Children that inherit the exporter append beside their parent, line by line."""
    path = tmp_path / "spans.jsonl"
    subprocess.run([sys.executable, "-c", FORKING, str(path)], check=True)
    sent = {"before"} | {f"{writer}-{number}-" + "x" * 20_000 for writer in ("parent", 0, 1, 2) for number in range(50)}

    assert set(names(path)) == sent
    assert len(names(path)) == len(sent)
