"""The process of one contender: `python -m bench.load.child NAME [--metrics]`, asked by JSON lines on its standard input."""

from __future__ import annotations

import gc
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from bench.load.contenders import CONTENDERS, Contender
from bench.load.plan import PLAN
from bench.load.scenarios import SCENARIOS, small_conversations
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

Answer = dict[str, Any]


class Nowhere(SpanExporter):
    """Takes spans and does nothing, unless they are wanted."""

    def __init__(self) -> None:
        self.kept: list[ReadableSpan] | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.kept is not None:
            self.kept += spans
        return SpanExportResult.SUCCESS


class NoMetrics(MetricExporter):
    """Takes metrics and does nothing."""

    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **kwargs: object) -> MetricExportResult:
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 0, **kwargs: object) -> None:
        """Nothing is open."""


class Complaints(logging.Handler):
    """Whatever is logged as a warning or worse: an observer that has failed inside has done less than the others."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.name}: {record.getMessage()}"[:200])


class Watched:
    """The program as a contender watches it: a sampled provider, the batch processor, nothing behind it."""

    def __init__(self, contender: Contender, *, with_metrics: bool) -> None:
        self.exporter = Nowhere()
        # More than a round makes: what is dropped is not measured.
        self._spans = BatchSpanProcessor(self.exporter, max_queue_size=1 << 16)
        tracers = TracerProvider()
        tracers.add_span_processor(self._spans)
        trace.set_tracer_provider(tracers)
        self._meters = MeterProvider([PeriodicExportingMetricReader(NoMetrics())]) if with_metrics else None
        if self._meters is not None:
            metrics.set_meter_provider(self._meters)
        self._finish = contender.start()
        # What the imports left need not be looked through before every round.
        gc.freeze()

    def flush(self) -> None:
        """Finish what goes on in the background, and export all there is."""
        if self._finish is not None:
            self._finish()
        self._spans.force_flush()
        if self._meters is not None:
            self._meters.force_flush()

    def run(self, name: str, runs: int) -> Answer:
        """Return the CPU of the whole process, all threads and the flush, and what of it the caller's thread took."""
        work = SCENARIOS[name](runs)
        gc.collect()
        caller, start = time.thread_time_ns(), time.process_time_ns()
        work()
        called = time.thread_time_ns() - caller
        self.flush()
        return {"cpu_ns": time.process_time_ns() - start, "caller_ns": called, "calls": runs * PLAN[name].calls}

    def sizes(self, name: str) -> Answer:
        """Return how many spans a scenario makes, and the bytes of their attributes in OTLP."""
        work = SCENARIOS[name](1)
        self.flush()
        self.exporter.kept = []
        work()
        self.flush()
        kept, self.exporter.kept = self.exporter.kept, None
        sizes = sorted(map(attribute_bytes, kept))
        return {
            "calls": PLAN[name].calls,
            "spans": len(sizes),
            "median": statistics.median(sizes) if sizes else 0,
            "largest": max(sizes, default=0),
            "total": sum(sizes),
        }

    def memory(self, conversations: int) -> Answer:
        """Return the bytes of RSS that a conversation of twenty messages leaves behind."""
        small_conversations(conversations // 2)()
        self.flush()
        gc.collect()
        before = resident_bytes()
        small_conversations(conversations)()
        self.flush()
        gc.collect()
        return {"bytes": (resident_bytes() - before) / conversations, "resident": resident_bytes()}


def attribute_bytes(span: ReadableSpan) -> int:
    """Return the size of a span's attributes as OTLP writes them; links are no part of it."""
    encoded: Any = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
    return sum(each.ByteSize() for each in encoded.attributes)


def resident_bytes() -> int:
    """Return the memory that the process holds; where there is no /proc, what it held at most."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def serve(watched: Watched, lines: Iterable[str], say: Callable[[str], object]) -> None:
    """Answer each line; an exception is an answer, too, and so is a complaint."""
    complaints = Complaints()
    for line in lines:
        asked = cast("list[Any]", json.loads(line))
        try:
            answer: Answer = getattr(watched, asked[0])(*asked[1:])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        if complaints.seen:
            answer["logged"] = complaints.seen[0]
            complaints.seen.clear()
        say(json.dumps(answer) + "\n")


def main() -> None:
    # Whatever somebody prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    watched = Watched(CONTENDERS[sys.argv[1]], with_metrics="--metrics" in sys.argv)
    serve(watched, sys.stdin, answers.write)


if __name__ == "__main__":
    main()
