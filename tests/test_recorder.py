"""`Recorder`: the one guarded door, and what it looks after: lock, worker, fork, exit."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.tapes import Bench, FlatBook, bench

from token_otel import Recorder, Settings, Usage
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, Part, StepStarted, ToolStarted, UsageSeen
from token_otel.otel import semconv as sc
from token_otel.prices import Tariff

CALL = ModelStarted(run_id="m", model="cheap")
USAGE = Usage(input=1_000, output=100)


@pytest.fixture
def made() -> Bench:
    return bench()


class Broken(FlatBook):
    """A price book that fails, with words in its error that must not be logged."""

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        raise RuntimeError("Rosebud was his sledge")


def test_a_failure_of_ours_is_logged_once_per_cause(caplog: pytest.LogCaptureFixture):
    """With its type and place; never with its text, which may quote a prompt."""
    made = bench(prices=Broken(), raise_errors=False)
    for number in range(3):
        made.recorder.record(ModelStarted(run_id=str(number), model="cheap"))
        made.recorder.record(ModelEnded(run_id=str(number), usage=USAGE))
    made.recorder.record(ModelStarted(run_id=[], model="cheap"))  # pyright: ignore[reportArgumentType]

    first, second = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert first.startswith("token-otel failed (RuntimeError at Broken.find:")
    assert second.startswith("token-otel failed (an adapter has told what is no event of any run)")
    assert "Rosebud" not in caplog.text


def test_a_model_without_a_price_is_said_once(caplog: pytest.LogCaptureFixture):
    """For each provider and model, with the entry to write: a call without a cost would pass for a free one."""
    made = bench()
    for number, (provider, model) in enumerate(
        [("acme", "new-1"), ("acme", "new-1"), (None, "new-1"), ("acme", "cheap"), ("ollama", "new-1")]
    ):
        made.recorder.record(ModelStarted(run_id=str(number), model=model, provider=provider))
        made.recorder.record(ModelEnded(run_id=str(number), usage=USAGE))

    entry = "input = ..., output = ... in USD per million tokens"
    assert caplog.messages == [
        "no price is known for new-1 of acme; state one in the file that TOKEN_OTEL_PRICES names: "
        f'[[model]] with provider = "acme", match = "new-1", {entry}',
        f'no price is known for new-1; state one in the file that TOKEN_OTEL_PRICES names: [[model]] with match = "new-1", {entry}',
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_made_up_models_are_not_all_warned_of(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """Nor is each remembered."""
    monkeypatch.setattr("token_otel.notices.WARNED_MODELS", 2)
    made = bench()
    for number in range(5):
        made.recorder.record(ModelStarted(run_id=str(number), model=f"new-{number}"))
        made.recorder.record(ModelEnded(run_id=str(number), usage=USAGE))

    assert len(caplog.messages) == 2


def test_what_fails_costs_its_own_part_alone():
    """The bill of a call whose price cannot be found lands all the same."""
    made = bench(prices=Broken(), raise_errors=False).play([CALL, ModelEnded(run_id="m", usage=USAGE)])

    values = dict(made.span("chat cheap").attributes or {})
    assert (values[sc.INPUT_TOKENS], values[sc.COST_STATUS]) == (1_000, "unpriced")


def test_an_exporter_that_fails_costs_no_other_span():
    """A parent is cancelled, one child's span cannot be exported: the others end."""

    class Fails(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if span.name == "execute_tool b":
                raise RuntimeError("broken")

    made = bench(Fails(), raise_errors=False)
    made.recorder.record(AgentStarted(run_id="a", name="x"))
    for name in "abc":
        made.recorder.record(ToolStarted(run_id=f"t{name}", parent_id="a", name=name))
    made.recorder.record(Ended(run_id="a", status="cancelled"))

    assert made.counting.started == made.counting.ended


def test_nothing_is_swallowed_where_it_is_asked_to_be_loud():
    """TOKEN_OTEL_RAISE is for tests."""
    made = bench(prices=Broken(), raise_errors=True)
    made.recorder.record(CALL)

    with pytest.raises(RuntimeError, match="Rosebud"):
        made.recorder.record(ModelEnded(run_id="m", usage=USAGE))


def test_switched_off_every_event_vanishes():
    """Nothing is even loaded."""
    made = bench(enabled=False)
    made.recorder.record(CALL)
    with made.recorder.activate("m"):
        made.recorder.record(ModelEnded(run_id="m", usage=USAGE))
    made.recorder.flush()
    made.recorder.settle()

    assert (made.spans, made.metrics(), made.recorder.open_runs) == ((), {}, 0)


def test_an_event_without_a_time_is_stamped(made: Bench):
    """With a clock that never runs backwards; an event that has one keeps it."""
    before = time.time_ns()
    made.play(
        [AgentStarted(run_id="a", name="x"), Ended(run_id="a"), AgentStarted(run_id="b", name="y", at_ns=5), Ended(run_id="b", at_ns=9)]
    )

    x, y = made.span("invoke_agent x"), made.span("invoke_agent y")
    assert x.start_time is not None
    assert x.end_time is not None
    assert before - 10**9 < x.start_time <= x.end_time < time.time_ns() + 10**9
    assert (y.start_time, y.end_time) == (5, 9)


@pytest.mark.parametrize("at_ns", [-1, 2**63, 10**40])
def test_a_time_that_is_none_is_stamped(made: Bench, at_ns: int):
    """An exporter could not encode it."""
    made.play([AgentStarted(run_id="a", name="x", at_ns=at_ns)])

    assert abs((made.spans[0].start_time or 0) - time.time_ns()) < 10**10


def test_activate_makes_a_runs_span_current(made: Bench):
    """So that spans of the user's own nest beneath it; afterwards the old one is current again."""
    made.recorder.record(ToolStarted(run_id="t", name="search"))
    before = trace.get_current_span()
    with made.recorder.activate("t"):
        inside = trace.get_current_span().get_span_context()

    made.recorder.settle()
    assert made.spans[0].get_span_context() == inside
    assert trace.get_current_span() is before


def test_activating_a_step_is_activating_what_is_above(made: Bench):
    """It has no span of its own."""
    made.recorder.record(AgentStarted(run_id="a", name="x"))
    made.recorder.record(StepStarted(run_id="s", parent_id="a"))
    with made.recorder.activate("s"):
        inside = trace.get_current_span().get_span_context()

    made.recorder.settle()
    assert made.spans[0].get_span_context() == inside


def test_activating_an_unknown_run_changes_nothing(made: Bench):
    """It may have begun before we did."""
    before = trace.get_current_span()
    with made.recorder.activate("nobody"):
        assert trace.get_current_span() is before


def test_an_error_within_activate_is_the_programs(made: Bench):
    """It passes, and the old context is back."""
    made.recorder.record(ToolStarted(run_id="t", name="search"))
    with pytest.raises(ZeroDivisionError), made.recorder.activate("t"):
        raise ZeroDivisionError

    assert not trace.get_current_span().get_span_context().is_valid
    made.recorder.settle()


def test_flush_closes_what_outlived_its_parent(made: Bench):
    """Without waiting for the grace, and now: not in another century."""
    for event in (AgentStarted(run_id="a", name="x"), ModelStarted(run_id="m", parent_id="a", model="cheap"), Ended(run_id="a")):
        made.recorder.record(event)
    assert made.recorder.open_runs == 1
    made.recorder.flush()

    assert made.recorder.open_runs == 0
    assert abs((made.span("chat cheap").end_time or 0) - time.time_ns()) < 10**10


def test_flush_leaves_what_is_under_way(made: Bench):
    """A flush is no end."""
    made.recorder.record(CALL)
    made.recorder.flush()

    assert made.recorder.open_runs == 1
    made.recorder.settle()


def test_settle_closes_everything(made: Bench):
    """As cancelled, once."""
    made.recorder.record(AgentStarted(run_id="a", name="x"))
    made.recorder.record(ModelStarted(run_id="m", parent_id="a", model="cheap"))
    made.recorder.settle()
    made.recorder.settle()

    assert [span.name for span in made.spans] == ["chat cheap", "invoke_agent x"]
    assert [(span.attributes or {})[sc.RUN_STATUS] for span in made.spans] == ["cancelled"] * 2


def test_the_grace_runs_out_while_others_go_on():
    """The next start sees to it, whatever the worker does."""
    made = bench(grace_s=1)
    events: list[Event] = [
        AgentStarted(run_id="a", name="x", at_ns=0),
        ModelStarted(run_id="m", parent_id="a", model="cheap", at_ns=0),
        Ended(run_id="a", at_ns=0),
        AgentStarted(run_id="b", name="y", at_ns=2 * 10**9),
    ]
    for event in events:
        made.recorder.record(event)

    assert [span.name for span in made.spans] == ["invoke_agent x", "chat cheap"]
    made.recorder.settle()


def test_a_run_that_is_overdue_when_it_starts_keeps_its_posting():
    """It is closed in the same breath, once, with what was booked."""
    made = bench(grace_s=1)
    events: list[Event] = [
        AgentStarted(run_id="a", name="x", at_ns=0),
        Ended(run_id="a", at_ns=0),
        AgentStarted(run_id="b", parent_id="a", name="y", at_ns=2**63 - 1),
        ModelStarted(run_id="m", parent_id="b", model="cheap", at_ns=5),
    ]
    made.play(events)

    assert made.counting.started == made.counting.ended
    assert sc.USAGE_STATUS in (made.span("chat cheap").attributes or {})


def test_a_slow_exporter_does_not_hold_the_lock():
    """Other callers record on while a span is being written."""
    exporting, go_on = threading.Event(), threading.Event()

    class Slow(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if span.name == "execute_tool slow":
                exporting.set()
                go_on.wait(10)

    made = bench(Slow())
    made.recorder.record(ToolStarted(run_id="s", name="slow"))
    thread = threading.Thread(target=made.recorder.record, args=(Ended(run_id="s"),))
    thread.start()
    assert exporting.wait(10)
    made.recorder.record(ToolStarted(run_id="f", name="fast"))
    made.recorder.record(Ended(run_id="f"))

    assert made.span("execute_tool fast")
    go_on.set()
    thread.join()


def test_a_processor_may_record_itself():
    """What is written outside the lock may come back in."""

    class Echo(SpanProcessor):
        recorder: Recorder | None = None

        def on_end(self, span: ReadableSpan) -> None:
            if self.recorder is not None and span.name == "execute_tool search":
                self.recorder.record(ToolStarted(run_id="echo", name="echo"))
                self.recorder.record(Ended(run_id="echo"))

    echo = Echo()
    made = bench(echo)
    echo.recorder = made.recorder
    made.play([ToolStarted(run_id="t", name="search"), Ended(run_id="t")])

    assert {span.name for span in made.spans} == {"execute_tool search", "execute_tool echo"}


def test_threads_may_record_at_once():
    """Each run ends once and the books balance."""
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="x"))

    def work(worker: int) -> None:
        for number in range(50):
            run_id = f"{worker}.{number}"
            made.recorder.record(
                ModelStarted(run_id=run_id, parent_id="a", model="cheap", prompt=(Part(kind="user", text=f"hello {run_id}"),))
            )
            made.recorder.record(ModelEnded(run_id=run_id, usage=USAGE, output=(Part(kind="assistant", text=f"hello back to {run_id}"),)))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.play([Ended(run_id="a")])

    assert made.counting.started == made.counting.ended
    agent = dict(made.span("invoke_agent x").attributes or {})
    assert (agent["token_otel.agent.own.calls"], agent["token_otel.agent.own.input_tokens"]) == (400, 400_000)


def test_prices_are_loaded_on_the_worker():
    """Making a recorder imports them in no caller's thread; the first bill waits for them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, settings=Settings(metrics="off"))
    recorder.record(ModelStarted(run_id="m", model="gpt-4o", provider="openai"))
    recorder.record(ModelEnded(run_id="m", usage=Usage(input=1_000_000, output=0)))

    [span] = exporter.get_finished_spans()
    assert (span.attributes or {})[sc.COST_TOTAL] == 2.5


def test_a_stream_that_breaks_off_before_the_prices_are_loaded_is_priced():
    """What it has used until then was told before its end, which brings no usage."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, settings=Settings(metrics="off"))
    recorder.record(ModelStarted(run_id="m", model="gpt-4o", provider="openai"))
    recorder.record(UsageSeen(run_id="m", usage=Usage(input=1_000_000, output=0)))
    recorder.record(ModelEnded(run_id="m", status="cancelled"))

    [span] = exporter.get_finished_spans()
    assert (span.attributes or {})[sc.COST_TOTAL] == 2.5


def test_importing_token_otel_loads_neither_prices_nor_ranks():
    """Nor does making a recorder wait for the prices."""
    script = (
        "import sys, token_otel; "
        "assert 'genai_prices' not in sys.modules and 'tiktoken' not in sys.modules and 'opentelemetry.sdk.trace' not in sys.modules; "
        "print('light')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("light\n", "")


def test_one_recorder_for_each_pair_of_providers():
    """Shared by default; none given is the global one."""
    one, two = TracerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)

    assert Recorder.shared(one) is Recorder.shared(one)
    assert Recorder.shared(one) is not Recorder.shared(two)
    assert Recorder.shared() is Recorder.shared(trace.get_tracer_provider())


def test_a_new_provider_is_not_taken_for_one_that_is_gone():
    """Objects may get the id of one that was collected."""
    recorders = {id(Recorder.shared(TracerProvider(shutdown_on_exit=False))) for _ in range(20)}

    assert len(recorders) == 20


def test_a_bad_setting_does_not_break_the_host(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """It is said in one sentence, and its default stands."""
    monkeypatch.setenv("TOKEN_OTEL_FLOW", "full")
    monkeypatch.setenv("TOKEN_OTEL_WORKER", "inline")
    with caplog.at_level(logging.ERROR):
        recorder = Recorder(TracerProvider(shutdown_on_exit=False))

    assert recorder.settings.flow == "text"
    assert caplog.messages == ["TOKEN_OTEL_FLOW is 'full', but accepted are off, ids, text; its default stands"]


def test_ranks_that_cannot_be_loaded_cost_the_flow_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """Tokens and cost are recorded as ever."""

    def missing(name: str) -> Any:
        raise FileNotFoundError(name)

    monkeypatch.setattr("token_otel.tokens.counter.encoding", missing)
    made = bench(raise_errors=False).play([CALL, ModelEnded(run_id="m", usage=USAGE)])

    values = dict(made.spans[0].attributes or {})
    assert (values[sc.INPUT_TOKENS], sc.FLOW_TOKENS in values) == (1_000, False)
    assert caplog.messages[0].startswith("token-otel failed (FileNotFoundError at ")


def test_a_recorder_nobody_holds_is_collected():
    """Neither exit nor fork keeps it alive."""
    recorder = weakref.ref(bench().recorder)
    gc.collect()

    assert recorder() is None


def child_of(script: str) -> str:
    """What a program prints that forks."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


FORKED = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from token_otel import Recorder, Settings, Usage
from token_otel.events import *

class Print(SpanExporter):
    def export(self, spans):
        for span in spans:
            os.write(1, f"{'child' if child else 'parent'} {span.name} {span.attributes['token_otel.run.status']}\\n".encode())
        return SpanExportResult.SUCCESS

child = False
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(Print()))
recorder = Recorder(provider, settings=Settings(raise_errors=True, metrics="off"))
recorder.record(AgentStarted(run_id="a", name="x"))
recorder._lock.acquire()  # as another thread might at this moment
pid = os.fork()
if pid == 0:
    child = True
    recorder.record(ModelStarted(run_id="m", parent_id="a", model="gpt-4o", provider="openai"))
    recorder.record(ModelEnded(run_id="m", usage=Usage(input=1_000_000, output=0)))
    recorder.record(Ended(run_id="a"))
    sys.exit()
os.waitpid(pid, 0)
recorder._lock.release()
recorder.record(Ended(run_id="a"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_records_on():
    """With a lock and a worker of its own; the runs it was born with end in the parent, once."""
    assert child_of(FORKED) == "child chat gpt-4o ok\nparent invoke_agent x ok\n"


def test_open_runs_are_settled_at_exit():
    """A program that stops in the middle loses nothing."""
    script = FORKED.split("recorder._lock.acquire")[0] + 'recorder.record(ModelStarted(run_id="m", parent_id="a", model="gpt-4o"))'

    assert child_of(script) == "parent chat gpt-4o cancelled\nparent invoke_agent x cancelled\n"


def test_a_run_that_is_closed_while_its_span_opens_still_ends():
    """Another thread may be faster; here a processor plays it."""

    class Faster(SpanProcessor):
        recorder: Recorder | None = None

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if self.recorder is not None:
                self.recorder.record(Ended(run_id="t"))

    faster = Faster()
    made = bench(faster)
    faster.recorder = made.recorder
    made.recorder.record(ToolStarted(run_id="t", name="search"))

    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
    assert (made.span("execute_tool search").attributes or {})[sc.RUN_STATUS] == "ok"


def test_no_door_lets_a_failure_of_ours_out(caplog: pytest.LogCaptureFixture):
    """Not only `record` is guarded."""
    recorder = bench(raise_errors=False).recorder
    ledger, recorder._ledger = recorder._ledger, None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    recorder.record(CALL)
    with recorder.activate("m"):
        pass
    recorder.flush()
    recorder.settle()

    assert [message.partition(":")[0] for message in caplog.messages] == [
        f"token-otel failed (AttributeError at {door}" for door in ("begin", "Recorder.activate", "Recorder._close")
    ]
    recorder._ledger = ledger  # pyright: ignore[reportPrivateUsage]
