"""A canary: words that must not leave, everything that does leave, and a finder that knows the words in any form."""

# The SDK's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import hashlib
import json
import logging
import re
import tempfile
import threading
import zlib
from base64 import b64encode
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry import baggage, context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.scenarios.bench import Bench

from token_otel import Recorder, Settings
from token_otel.events import Part
from token_otel.otel.file_exporter import JsonLinesSpanExporter
from token_otel.testing.loopback import LoopbackAnthropic, LoopbackOpenAI
from token_otel_langchain import TokenOtelHandler, integration

CANARY = 'Quillmere: "Ottoline\'s zwieback feeds no lanternfish under the Ñandubay."'
NAME = "zqvex"  # every name in the stories begins with it, and no other word does, nor what chance makes of an id

_RARE = ("quillmere", "ottoline", "zwieback", "lanternfish", "andubay")
FRAGMENT = 6  # characters of a word that are enough: a chunk of a stream may end anywhere
_FRAGMENTS = {word[at : at + FRAGMENT] for word in _RARE for at in range(len(word) - FRAGMENT + 1)}
_OTHER_FORMS = {word.encode(form).hex() for word in _RARE for form in ("utf-8", "utf-16-le", "utf-16-be")}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PREFIX = 12  # digits of a digest that are looked for anywhere; fewer, from 8 on, only where they stand alone
_BITS_64 = (1 << 64) - 1


def say(place: str) -> str:
    """The words, as they are said in one place."""
    return f"{CANARY} That is {place}."


class Finder:
    """Finds texts that contain the canary, in clear, encoded, or as a digest without a key.

    Args:
        texts: What was said; each is looked for as a whole, by its sentences and by its words.
        digests: Further numbers that are a function of the texts alone.
    """

    def __init__(self, texts: Iterable[str], digests: Iterable[int] = ()) -> None:
        self._hex: set[str] = set()
        self._base64 = {window for shift in range(3) for window in _windows(b64encode(b" " * shift + CANARY.encode()).decode()[4:-4])}
        self._numbers: set[int] = {number for digest in digests for number in (digest, digest & _BITS_64)}
        self._hex |= {f"{digest & _BITS_64:016x}"[:length] for digest in digests for length in range(8, PREFIX + 1)}
        for piece in {piece for text in texts for piece in pieces(text)}:
            hexes, encoded, numbers = _digests(piece)
            self._hex |= hexes
            self._base64 |= encoded
            self._numbers |= numbers

    def find(self, what: bytes | str) -> list[str]:
        """Return what there is of them."""
        text = (what.decode("utf-8", "replace") if isinstance(what, bytes) else what).casefold()
        whole = what if isinstance(what, bytes) else what.encode("utf-8", "surrogatepass")
        found = [fragment for fragment in _FRAGMENTS if fragment in text]
        found += [form for form in _OTHER_FORMS if form in text]
        found += [word for word in _RARE for form in ("utf-16-le", "utf-16-be") if word.encode(form) in whole.lower()]
        for run in re.findall(r"[0-9a-f]{8,}", _UUID.sub(" ", text)):
            candidates = [run] if len(run) < PREFIX else [run[at : at + PREFIX] for at in range(len(run) - PREFIX + 1)]
            found += [candidate for candidate in candidates if candidate in self._hex]
        cased = what.decode("utf-8", "replace") if isinstance(what, bytes) else what
        for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", cased):
            found += [window for window in _windows(run.replace("-", "+").replace("_", "/")) if window in self._base64]
        numbers = {int(run) for run in re.findall(r"(?<![\d.])-?\d{6,20}(?![\d.])", text)}
        return sorted({*found, *map(str, numbers & self._numbers)})


def pieces(text: str) -> set[str]:
    """A text, its sentences and its words, as somebody might hash them."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    return {text, text.strip(), *sentences, *(word for word in re.findall(r"[\w'-]+", text) if len(word) > 3)}


def _windows(text: str) -> set[str]:
    return {text[at : at + 12] for at in range(len(text) - 11)}


@lru_cache(maxsize=20_000)
def _digests(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[int]]:
    data = text.encode("utf-8", "surrogatepass")
    numbers = {zlib.crc32(data), zlib.adler32(data), hash(text), hash(text) & _BITS_64, hash(data), hash(data) & _BITS_64}
    raw = [f"{number & _BITS_64:016x}" for number in numbers if abs(number) >> 32] + [f"{number:08x}" for number in numbers if number > 0]
    encoded: set[str] = set()
    made = [getattr(hashlib, f"blake2{kind}")(data, digest_size=size).digest() for kind in "bs" for size in (6, 8, 16, 20)]
    for name in sorted(hashlib.algorithms_available & hashlib.algorithms_guaranteed):
        algorithm = hashlib.new(name, data, usedforsecurity=False)
        made.append(algorithm.digest(32) if name.startswith("shake") else algorithm.digest())  # pyright: ignore[reportCallIssue]
    for digest in made:
        raw.append(digest.hex())
        encoded.add(b64encode(digest).decode()[:12] if len(digest) >= 9 else b64encode(digest).decode())
        numbers |= {int.from_bytes(digest[:size], order, signed=signed) for size in (4, 8) for order in _ORDERS for signed in (False, True)}
    hexes = {value[:length] for value in raw for length in range(8, PREFIX + 1)}
    return frozenset(hexes), frozenset(encoded), frozenset(number for number in numbers if abs(number) >= 100_000)


_ORDERS = ("big", "little")


class Receiver:
    """An OTLP endpoint on this machine, which keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        bodies = self.bodies

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def texts(self) -> Iterable[str]:
        """What was sent, decoded."""
        for path, body in self.bodies:
            request = ExportTraceServiceRequest() if path == "/v1/traces" else ExportMetricsServiceRequest()
            request.ParseFromString(body)
            yield json.dumps(MessageToDict(request), ensure_ascii=False)


class Lines(logging.Handler):
    """What is logged, at any level, with its traceback and all that a formatter could write of it; not by the provider's clients."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if record.name.partition(".")[0] in (
            "token_otel",
            "token_otel_langchain",
            "langchain_core",
            "langchain",
            "opentelemetry",
            "asyncio",
        ):
            self.said.append(f"{logging.Formatter().format(record)} {vars(record)!r}")


class Outlet:
    """A bench, and everything that leaves it."""

    def __init__(self, folder: Path, bench: Bench, receiver: Receiver, metrics: InMemoryMetricReader, lines: Lines) -> None:
        self.folder = folder
        self.bench = bench
        self.lines = lines
        self.heard: list[Part] = []
        self.printed = ""
        self._receiver = receiver
        self._metrics = metrics

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What was exported."""
        return self.bench.spans

    def everything(self) -> dict[str, bytes | str]:
        """All that left, by where it went."""
        metrics = self._metrics.get_metrics_data()
        files = {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}
        return {
            "spans": "\n".join(span.to_json() for span in self.spans),
            "metrics": metrics.to_json() if metrics is not None else "",
            "log": "\n".join(self.lines.said),
            "wire": b"\n".join(body for _, body in self._receiver.bodies),
            "decoded wire": "\n".join(self._receiver.texts()),
            "printed": self.printed,
            **files,
        }

    def finder(self) -> Finder:
        """A finder for all that was heard with the canary in it."""
        heard = [part for part in self.heard if _has_canary(part.text)]
        return Finder({CANARY, *(part.text for part in heard)}, {number for part in heard for number in (part.digest, hash(part.text))})

    def leaks(self) -> dict[str, list[str]]:
        """What left that must not have, by where it went."""
        finder = self.finder()
        return {place: found for place, what in self.everything().items() if (found := finder.find(what))}


def _has_canary(text: object) -> bool:
    return isinstance(text, str) and any(word in text.casefold() for word in _RARE)


@contextmanager
def outlet(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    answers: tuple[Any, Any],
    env: Mapping[str, str],
    *,
    instrumented: bool = False,
) -> Generator[Outlet]:
    """Start providers, exporters of each kind, and a recorder with these variables; afterwards everything has left."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    spans, metrics, receiver, lines = InMemorySpanExporter(), InMemoryMetricReader(), Receiver(), Lines()
    provider, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([metrics], shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    provider.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(folder / "trace.jsonl")))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{receiver.url}/v1/traces")))
    recorder = Recorder(provider, meters, settings=Settings.from_env(env))
    root = logging.getLogger()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    token = context.attach(baggage.set_baggage("secret", CANARY, baggage.set_baggage("tenant", "acme")))
    if instrumented:
        integration.instrument(recorder)
    try:
        with LoopbackOpenAI(answers[0]) as gpt, LoopbackAnthropic(answers[1]) as claude:
            made = Outlet(folder, Bench(gpt, claude, TokenOtelHandler(recorder=recorder), spans), receiver, metrics, lines)
            _listen(monkeypatch, made.heard)
            yield made
        recorder.settle()
        provider.force_flush()
        with metrics_exporter(receiver) as exporter:
            if (data := metrics.get_metrics_data()) is not None:
                exporter.export(data)
        made.printed = "".join(capfd.readouterr())
    finally:
        if instrumented:
            integration.uninstrument()
        context.detach(token)
        root.removeHandler(lines)
        root.setLevel(level)
        provider.shutdown()
        meters.shutdown()
        receiver.close()


@contextmanager
def metrics_exporter(receiver: Receiver) -> Generator[OTLPMetricExporter]:
    """An exporter of metrics to the receiver."""
    exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics")
    try:
        yield exporter
    finally:
        exporter.shutdown()


def _listen(monkeypatch: pytest.MonkeyPatch, heard: list[Part]) -> None:
    """Keep each part that is made: what was heard is what must not leave."""
    made = Part.__post_init__

    def keep(part: Part) -> None:
        made(part)
        heard.append(part)

    monkeypatch.setattr(Part, "__post_init__", keep)
