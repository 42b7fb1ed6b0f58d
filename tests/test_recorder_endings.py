"""`Recorder`: runs that nobody ends, and what stops the program, as tapes of events."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.tapes import Bench, bench

from token_otel import Recorder, Settings, Usage
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, ToolStarted, UsageSeen
from token_otel.otel import semconv as sc
from token_otel.testing import Tape

LEFT = Tape(
    [
        AgentStarted(run_id="a", name="pilot", at_ns=0),
        ModelStarted(run_id="m", parent_id="a", model="cheap", at_ns=1),
        UsageSeen(run_id="m", usage=Usage(input=100, output=2), at_ns=2),
    ]
)


def statuses(made: Bench) -> list[tuple[str, Any]]:
    return [(span.name, (span.attributes or {})[sc.RUN_STATUS]) for span in made.spans]


def test_what_is_told_in_a_destructor_is_recorded_before_the_next_event():
    """No lock is taken there; a call that nobody can end is cancelled with what was seen, and its agent goes on."""
    made = bench()
    LEFT.play(made.recorder)
    made.recorder.record_later(Ended(run_id="m", status="cancelled"))
    assert made.spans == ()
    made.recorder.record(Ended(run_id="a"))

    assert statuses(made) == [("chat cheap", "cancelled"), ("invoke_agent pilot", "ok")]
    values = made.span("chat cheap").attributes or {}
    assert (values[sc.USAGE_STATUS], values[sc.INPUT_TOKENS], values[sc.OUTPUT_TOKENS]) == ("partial", 100, 2)


def test_what_is_told_in_a_destructor_is_recorded_while_the_lock_is_held():
    """The collector runs in the middle of anything."""
    made = bench()
    LEFT.play(made.recorder)
    with made.recorder._lock:  # pyright: ignore[reportPrivateUsage]
        made.recorder.record_later(Ended(run_id="m", status="cancelled"))
    made.recorder.flush()

    assert statuses(made) == [("chat cheap", "cancelled")]


@pytest.mark.parametrize("door", ["flush", "settle", "_worker._tick"])
def test_nobody_need_record_any_more_for_it(door: str):
    """A flush, the end of the program and the worker's tick see to it as well; it ends when it was told."""
    made = bench()
    LEFT.play(made.recorder)
    made.recorder.record_later(Ended(run_id="m", status="cancelled"))
    made.recorder.record_later(Ended(run_id="a", status="cancelled"))
    attrgetter(door)(made.recorder)()

    assert statuses(made) == [("chat cheap", "cancelled"), ("invoke_agent pilot", "cancelled")]
    assert made.recorder.open_runs == 0


def test_a_call_that_ends_after_all_is_booked():
    """Whoever rebuilds ids has a real end for what was taken for lost: 900 and 48 more, by a span of its own."""
    made = bench()
    LEFT.play(made.recorder)
    made.recorder.record_later(Ended(run_id="m", status="cancelled"))
    made.recorder.record(ModelEnded(run_id="m", usage=Usage(input=1_000, output=50)))

    first, second = (span.attributes or {} for span in made.spans)
    assert (first[sc.INPUT_TOKENS], second[sc.INPUT_TOKENS]) == (100, 900)
    assert (first[sc.OUTPUT_TOKENS], second[sc.OUTPUT_TOKENS]) == (2, 48)


def test_switched_off_nothing_waits_to_be_recorded():
    """Nobody would ever take it."""
    recorder = Recorder(settings=Settings(enabled=False))
    recorder.record_later(Ended(run_id="m"))

    assert not recorder._turns.waiting  # pyright: ignore[reportPrivateUsage]


class Stops(SpanProcessor):
    """A processor in which the user presses Ctrl-C once."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error
        self.pressed = False

    def on_end(self, span: ReadableSpan) -> None:
        if not self.pressed:
            self.pressed = True
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_costs_no_span(error: type[BaseException]):
    """A parent is cancelled with two children; while the first is written the program is stopped: it passes, and all three have ended."""
    made = bench(Stops(error))
    tape: list[Event] = [
        AgentStarted(run_id="a", name="pilot"),
        ToolStarted(run_id="t", parent_id="a", name="search"),
        ToolStarted(run_id="u", parent_id="a", name="search"),
    ]
    Tape(tape).play(made.recorder)
    with pytest.raises(error):
        made.recorder.record(Ended(run_id="a", status="cancelled"))

    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
    assert made.recorder.open_runs == 0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """A provider that is not set as the global one yet, in a program that has none."""
    monkeypatch.setattr(trace, "get_tracer_provider", trace.ProxyTracerProvider)
    return TracerProvider(shutdown_on_exit=False)


def test_a_provider_that_is_set_later_settles_too(world: TracerProvider, monkeypatch: pytest.MonkeyPatch):
    """From the first run on."""
    exporter = InMemorySpanExporter()
    world.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(settings=Settings(worker="inline"))
    recorder._spans._tracer = world.get_tracer("token_otel")  # pyright: ignore[reportPrivateUsage]
    recorder.settle_with_provider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: world)
    recorder.record(ModelStarted(run_id="m", model="gpt-5"))
    world.shutdown()

    assert [span.name for span in exporter.get_finished_spans()] == ["chat gpt-5"]


def test_every_recorder_of_a_provider_is_settled():
    """Two that differ in where metrics go."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorders = [Recorder(provider, settings=Settings(worker="inline")) for _ in range(2)]
    for recorder in recorders:
        recorder.settle_with_provider()
        recorder.record(ModelStarted(run_id="m", model="gpt-5"))
    provider.shutdown()

    assert [recorder.open_runs for recorder in recorders] == [0, 0]
    assert len(exporter.get_finished_spans()) == 2


def test_a_provider_has_one_recorder_before_and_after_it_becomes_the_global_one(world: TracerProvider, monkeypatch: pytest.MonkeyPatch):
    """Two would write each run twice, also where one was made before there was a provider."""
    Recorder.shared()
    given = Recorder.shared(world)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: world)

    assert Recorder.shared() is Recorder.shared(world) is given
