"""What one model call costs in token-otel's callbacks: CPU of the calling thread, beside a handler that opens and ends one span.

A conversation of N messages, which were read before, is read again with two new ones: at its start (`on_chat_model_start`) and at its
end (`on_llm_end`), and of either what `Recorder.record` takes; the rest is the adapter's. Each conversation is read a few times only,
so that it hardly grows. The floor runs in turn with it, on the same messages. The second table follows conversations as they grow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.corpus.texts import write
from bench.load.child import Nowhere
from bench.load.floor import FloorHandler
from bench.load.models import answer
from bench.load.tables import table
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from token_otel import Recorder, Settings
from token_otel.events import Event
from token_otel_langchain import TokenOtelHandler

SIZES = (20, 200, 500)
REACH_MS = {20: 0.15, 200: 0.4, 500: 0.8}
CALLS = 4  # of each conversation: it grows by as many times two messages
GROWTH = 600
SERIALIZED = {"name": "ChatOpenAI"}
PARAMS = {"model": "gpt-5", "model_name": "gpt-5", "temperature": 0.2}
ABOUT = {"ls_provider": "openai", "ls_model_name": "gpt-5", "ls_model_type": "chat", "ls_temperature": 0.2}

Microseconds = dict[str, list[float]]


class Timed(Recorder):
    """A recorder that says what `record` took."""

    took_ns = 0

    def drain(self) -> None:
        """Wait until the worker has nothing to do."""
        self._worker.drain()

    def record(self, event: Event) -> None:
        start = time.thread_time_ns()
        super().record(event)
        self.took_ns += time.thread_time_ns() - start


class Conversation:
    """A chat of so many messages of 300 bytes each, as a program keeps it."""

    def __init__(self, handlers: Sequence[Any], seed: str) -> None:
        self._handlers = handlers
        self._rng = Random(seed)
        self._name = seed
        self.messages: list[BaseMessage] = [SystemMessage(self._text(), id=f"{seed}-system")]

    def _text(self) -> str:
        return write("prose", 60, self._rng)[:300]

    def grow(self, size: int) -> None:
        """Add questions and answers that nobody has seen being made."""
        while len(self.messages) < size:
            number = len(self.messages)
            made = HumanMessage if number % 2 else AIMessage
            self.messages.append(made(self._text(), id=f"{self._name}-{number}"))

    def call(self) -> dict[str, float]:
        """Ask one question and get an answer; microseconds by handler and callback."""
        self.messages.append(HumanMessage(self._text(), id=f"{self._name}-{len(self.messages)}"))
        said = answer(self._text(), 75 * len(self.messages))
        said.id = f"{self._name}-{len(self.messages)}"
        result = LLMResult(generations=[[ChatGeneration(message=said)]])
        run_id = uuid4()
        took: dict[str, float] = {}
        for handler in self._handlers:
            name = type(handler).__name__
            recorder: Timed | None = getattr(handler, "recorder", None)
            for callback, work in (
                ("start", self._start(handler, run_id)),
                ("end", lambda handler=handler: handler.on_llm_end(result, run_id=run_id)),
            ):
                before = recorder.took_ns if recorder is not None else 0
                took[f"{name} {callback}"] = _cpu_us(work)
                if recorder is not None:
                    took[f"record {callback}"] = (recorder.took_ns - before) / 1_000
                    recorder.drain()  # models think longer than the worker needs
        self.messages.append(said)
        return took

    def _start(self, handler: Any, run_id: UUID) -> Callable[[], None]:
        sent = [*self.messages]
        about = {**ABOUT, "thread_id": self._name}
        return lambda: handler.on_chat_model_start(
            SERIALIZED, [sent], run_id=run_id, parent_run_id=None, tags=[], metadata=about, invocation_params=PARAMS, options={}
        )


def _cpu_us(work: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - start) / 1_000


def known(handlers: Sequence[Any], recorder: Recorder, size: int, calls: int) -> Microseconds:
    """Measure calls that read `size` messages known before and two new ones."""
    found: Microseconds = defaultdict(list)
    for number in range(-(-calls // CALLS)):
        conversation = Conversation(handlers, f"known-{size}-{number}")
        conversation.grow(size)
        conversation.call()  # the first call reads all of them
        recorder.flush()
        for _ in range(CALLS):
            for name, took in conversation.call().items():
                found[name].append(took)
            recorder.flush()  # the worker's CPU is not the caller's, but both want the interpreter
    return found


def growth(handlers: Sequence[Any], recorder: Recorder, conversations: int) -> dict[str, dict[str, float]]:
    """Follow conversations from their first message on: microseconds a call, and by how much a message more adds to it."""
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number in range(conversations):
        conversation = Conversation(handlers, f"growing-{number}")
        while len(conversation.messages) < GROWTH:
            size = len(conversation.messages)
            took = conversation.call()
            recorder.flush()
            for name in ("TokenOtelHandler", "FloorHandler"):
                series[name].append((size, took[f"{name} start"] + took[f"{name} end"]))
    found: dict[str, dict[str, float]] = {}
    for name, points in series.items():
        thirds = [[us for size, us in points if low <= size < low + 200] for low in range(0, GROWTH, 200)]
        early, middle, late = map(statistics.median, thirds)
        found[name] = {"to 200": early, "200 to 400": middle, "400 to 600": late, "us per message": (late - early) / 400}
    return found


def shown(found: dict[int, Microseconds], grown: dict[str, dict[str, float]]) -> str:
    """Return both tables."""
    names = list(next(iter(found.values())))
    rows = [
        [str(size), *(_spread(values[name]) for name in names), f"{_callback_p50(values):.0f}, {REACH_MS[size] * 1_000:.0f}"]
        for size, values in found.items()
    ]
    first = table(["known messages", *names, "the dearer callback's p50, and its reach"], rows)
    columns = list(next(iter(grown.values())))
    return (
        first
        + "\n\n"
        + table(["us a call at messages", *columns], [[name, *(f"{row[key]:.2f}" for key in columns)] for name, row in grown.items()])
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} [{min(values):.0f} to {max(values):.0f}]"


def _callback_p50(values: Microseconds) -> float:
    return max(statistics.median(values[f"TokenOtelHandler {callback}"]) for callback in ("start", "end"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=80, help="for each size")
    parser.add_argument("--conversations", type=int, default=3, help="that are followed as they grow")
    parser.add_argument("--flow", choices=("off", "ids", "text"), default="text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(provider)
    recorder = Timed(provider, settings=Settings(flow=options.flow, raise_errors=True))
    handlers = [FloorHandler(), TokenOtelHandler(recorder=recorder)]
    known(handlers, recorder, 20, 40)  # prices, encodings and byte code
    found = {size: known(handlers, recorder, size, options.calls) for size in SIZES}
    grown = growth(handlers, recorder, options.conversations)
    if options.json:
        print(json.dumps({"known": found, "growth": grown}, indent=2))
    else:
        print(f"FLOW={options.flow}, {options.calls} calls for each size; us of the caller's CPU: median [least to most]\n")
        print(shown(found, grown))
    provider.shutdown()


if __name__ == "__main__":
    main()
