"""What one model call costs in the callbacks: CPU of the calling thread, beside a hand-written span with twenty attributes.

A conversation of N messages is read again and again, each call adding an answer and a question. The floor is measured in turn
with it, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

from token_otel import Recorder, Settings, Usage
from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, Part

SIZES = (2, 20, 200, 500)


class Nowhere(SpanExporter):
    """Takes spans and does nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def cpu_us(work: Callable[[], object]) -> float:
    """Microseconds of this thread's CPU that `work` takes."""
    start = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - start) / 1_000


def floor(tracer: Tracer) -> None:
    """A span as one would write it by hand."""
    span = tracer.start_span("chat gpt-5", attributes={f"request.{number}": "some value" for number in range(6)})
    span.set_attributes({f"response.{number}": number for number in range(14)})
    span.end()


def conversation(recorder: Recorder, tracer: Tracer, name: str, messages: int, calls: int) -> tuple[list[float], list[float], list[float]]:
    """Read a conversation `calls` times; microseconds at the start, at the end, and of the floor."""
    prompt = [Part(kind="system", text="You are a pilot on a river, and you answer in one sentence. " * 8)]
    for number in range(messages - 1):
        kind = "assistant" if number % 2 else "user"
        prompt.append(Part(kind=kind, text=f"message {number} of {name}, of some length " * 6, message_id=f"{name}-message-{number:06}"))
    recorder.record(AgentStarted(run_id=name, name="pilot", conversation_id=name))
    starts: list[float] = []
    ends: list[float] = []
    floors: list[float] = []
    for number in range(calls):
        run_id = f"{name}-{number}"
        start = ModelStarted(run_id=run_id, parent_id=name, model="gpt-5", provider="openai", prompt=tuple(prompt))
        answer = Part(kind="assistant", text=f"answer {number} of {name}, of some length " * 6, message_id=f"{name}-answer-{number:06}")
        usage = Usage(input=60 * len(prompt), output=50, cache_read=30 * len(prompt))
        end = ModelEnded(run_id=run_id, usage=usage, output=(answer,), model="gpt-5", response_id=run_id)
        starts.append(cpu_us(lambda start=start: recorder.record(start)))
        ends.append(cpu_us(lambda end=end: recorder.record(end)))
        floors.append(cpu_us(lambda: floor(tracer)))
        prompt += [answer, Part(kind="user", text=f"question {number} of {name}", message_id=f"{name}-question-{number:06}")]
    recorder.record(Ended(run_id=name))
    return starts, ends, floors


def spread(values: list[float]) -> str:
    return f"{min(values):8.0f}{statistics.median(values):8.0f}{max(values):8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=60)
    calls: int = parser.parse_args().calls
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    recorder = Recorder(provider, settings=Settings(metrics="off", raise_errors=True))
    tracer = provider.get_tracer("floor")
    conversation(recorder, tracer, "warm", 20, 50)  # prices and byte code
    print(f"{calls} calls, us of CPU:           start min  median     max     end min  median     max   floor min  median     max")
    for size in SIZES:
        starts, ends, floors = conversation(recorder, tracer, f"c{size}", size, calls)
        print(f"  {size:>3} messages, growing by 2:  {spread(starts)}    {spread(ends)}    {spread(floors)}")
    provider.shutdown()


if __name__ == "__main__":
    main()
