"""Threads, collectors and slow exporters: nobody waits for another's span, and no bill is lost between two threads."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from bench.load.models import Scripted, answer
from langchain_core.runnables import RunnableLambda
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from tests.tapes import Bench, FlatBook, bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, Part, ToolStarted
from token_otel.otel import semconv as sc
from token_otel_langchain import TokenOtelHandler

GUARD_S = 20  # a failure is a deadlock: this only ends it
USAGE = Usage(input=1_000, output=100)
LONG = "The keeper at Brenn closes the upper gate ten days after the first frost. " * 100


def finishes(work: Callable[[], object]) -> bool:
    """Do something in a thread of its own; tell whether it came to an end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(GUARD_S)
    return not thread.is_alive()


class Stuck(SpanExporter):
    """An exporter that sends the span of the tool `slow` until it is told to go on."""

    def __init__(self) -> None:
        self.sending, self.go_on = threading.Event(), threading.Event()

    def export(self, spans: Any) -> SpanExportResult:
        if any(span.name == "execute_tool slow" for span in spans):
            self.sending.set()
            self.go_on.wait(3 * GUARD_S)
        return SpanExportResult.SUCCESS


@pytest.fixture
def stuck() -> Any:
    exporter = Stuck()
    yield exporter
    exporter.go_on.set()


def whole_call(made: Bench) -> None:
    prompt = (Part(kind="user", text=LONG),)
    made.recorder.record(AgentStarted(run_id="a", name="pilot"))
    made.recorder.record(ModelStarted(run_id="m", parent_id="a", model="cheap", prompt=prompt))
    with made.recorder.activate("m"):
        made.recorder.record(ModelEnded(run_id="m", usage=USAGE, output=prompt))
    made.recorder.record(Ended(run_id="a"))
    assert made.span("chat cheap")
    assert made.span("invoke_agent pilot")


MEANWHILE: dict[str, Callable[[Bench], object]] = {
    "a whole call": whole_call,
    "a start": lambda made: made.recorder.record(AgentStarted(run_id="b", name="other")),
    "a look at the open runs": lambda made: made.recorder.open_runs,
    "a collection of metrics": lambda made: made.metrics(),
    "a flush": lambda made: made.recorder.flush(),
    "a settling": lambda made: made.recorder.settle(),
}


@pytest.mark.parametrize("worker", ["thread", "inline"])
@pytest.mark.parametrize("what", MEANWHILE)
def test_an_exporter_that_is_stuck_keeps_nobody_else_waiting(what: str, worker: str, stuck: Stuck):
    """Not a call, nor who reads, collects, flushes or settles: all of that ends while one span is still being sent."""
    made = bench(SimpleSpanProcessor(stuck), worker=worker)
    made.recorder.record(ToolStarted(run_id="s", name="slow"))
    sender = threading.Thread(target=made.recorder.record, args=(Ended(run_id="s"),))
    sender.start()
    assert stuck.sending.wait(GUARD_S)

    assert finishes(lambda: MEANWHILE[what](made))
    assert sender.is_alive()
    stuck.go_on.set()
    sender.join()


def test_a_worker_that_is_stuck_in_an_exporter_keeps_no_call_waiting(stuck: Stuck):
    """It closes what is overdue; texts are then counted by their length, and the call is whole."""
    made = bench(SimpleSpanProcessor(stuck), worker="thread", grace_s=0)
    made.recorder.record(AgentStarted(run_id="p", name="parent"))
    made.recorder.record(ToolStarted(run_id="s", parent_id="p", name="slow"))
    made.recorder.record(Ended(run_id="p"))
    made.recorder.record(AgentStarted(run_id="q", name="next"))
    assert stuck.sending.wait(GUARD_S)

    assert finishes(lambda: whole_call(made))


@pytest.mark.parametrize("late", ["overdue", "dropped"])
def test_the_span_of_another_does_not_end_under_a_lock_of_the_adapter(late: str, stuck: Stuck):
    """A chain is reported while its table is locked, and with that start a run ends that is overdue, or was dropped by its stream."""
    made = bench(SimpleSpanProcessor(stuck), worker="thread", grace_s=0)
    handler = TokenOtelHandler(recorder=made.recorder)
    model = Scripted(reply=lambda _: answer("fine", 100))
    chain: Any = RunnableLambda(lambda text: text) | model
    config: Any = {"callbacks": [handler]}
    if late == "overdue":
        made.recorder.record(AgentStarted(run_id="p", name="parent"))
        made.recorder.record(ToolStarted(run_id="s", parent_id="p", name="slow"))
        made.recorder.record(Ended(run_id="p"))
    else:
        made.recorder.record(ToolStarted(run_id="s", name="slow"))
        made.recorder.record_later(Ended(run_id="s", status="cancelled"))
    first = threading.Thread(target=chain.invoke, args=("hello", config), daemon=True)
    first.start()
    assert stuck.sending.wait(GUARD_S)

    assert finishes(lambda: chain.invoke("hello", config))


def dropped_in_a_cycle(made: Bench) -> None:
    """Begin a stream and leave it to the collector, as a traceback that holds it does."""
    stream = Scripted(reply=lambda _: answer(LONG, 100)).stream("hello", {"callbacks": [TokenOtelHandler(recorder=made.recorder)]})
    next(stream)
    next(stream)
    cycle: list[Any] = [stream]
    cycle.append(cycle)


class Collects(FlatBook):
    """A price book during whose work the collector runs: it is asked while the recorder's lock is held."""

    def find(self, **about: Any) -> Any:
        gc.collect()
        return super().find(**about)


@pytest.mark.parametrize("worker", ["thread", "inline"])
def test_a_stream_that_is_collected_under_the_lock_is_no_deadlock(worker: str):
    """Its end is told by its destructor, in the thread that holds the lock: it waits its turn, and is cancelled."""
    made = bench(prices=Collects(), worker=worker)
    made.recorder.record(ModelStarted(run_id="m", model="cheap"))
    dropped_in_a_cycle(made)

    assert finishes(lambda: made.recorder.record(ModelEnded(run_id="m", usage=USAGE)))
    made.recorder.flush()
    assert (made.span("chat gpt-5").attributes or {})[sc.RUN_STATUS] == "cancelled"
    assert (made.span("chat cheap").attributes or {})[sc.INPUT_TOKENS] == 1_000


def test_a_stream_that_is_collected_under_a_lock_of_the_sdk_is_no_deadlock():
    """An exporter, or a reader of metrics, allocates while it holds a lock of its own; what it would end is written later."""
    lock = threading.Lock()
    entered: list[bool] = []

    class Locks(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            entered.append(lock.acquire(timeout=1))
            if entered == [True]:
                gc.collect()
            if entered[-1]:
                lock.release()

    made = bench(Locks())
    made.recorder.record(ToolStarted(run_id="t", name="search"))
    dropped_in_a_cycle(made)
    made.recorder.record(Ended(run_id="t"))
    made.recorder.flush()

    assert entered == [True, True]
    assert made.recorder.open_runs == 0


def test_an_end_that_overtakes_the_span_keeps_its_bill():
    """Another thread ends a call before its span is open, here played by a processor: the bill is on the span, and in the metrics once."""

    class Faster(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            made.recorder.record(ModelEnded(run_id="m", usage=USAGE))

    made = bench(Faster())
    made.recorder.record(ModelStarted(run_id="m", model="cheap"))

    values = dict(made.span("chat cheap").attributes or {})
    assert (values[sc.INPUT_TOKENS], values[sc.RUN_STATUS]) == (1_000, "ok")
    assert [point.count for point in made.metrics()[sc.M_OPERATION_DURATION]] == [1]
