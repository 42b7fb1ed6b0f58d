"""`told`: what a fresh recorder says of a tape of events. As a program it reads the tape from a file, and writes JSON."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from token_otel import Recorder, Settings
from token_otel.events import Event


class InOrder(IdGenerator):
    """Numbers traces and spans, since producers are named by them."""

    def __init__(self) -> None:
        self._last = 0

    def generate_span_id(self) -> int:
        self._last += 1
        return self._last

    def generate_trace_id(self) -> int:
        return self.generate_span_id()


def told(tape: Sequence[Event]) -> list[Any]:
    """Play a tape in a fresh recorder: the name, the attributes and the links of every span, as JSON has them."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(id_generator=InOrder(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, settings=Settings(worker="inline", raise_errors=True))
    for event in tape:
        recorder.record(event)
    recorder.settle()
    spans = exporter.get_finished_spans()
    found = [(span.name, dict(span.attributes or {}), [dict(link.attributes or {}) for link in span.links]) for span in spans]
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    print(json.dumps(told(pickle.loads(Path(sys.argv[1]).read_bytes()))))
