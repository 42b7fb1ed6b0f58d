"""Who calls a recorder from the thread that is inside it: signal handlers, log handlers, span processors. Nobody waits for himself."""

from __future__ import annotations

import itertools
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from tests.books import FlatBook
from tests.tapes import Bench, bench
from tests.test_concurrency import GUARD_S, finishes

from token_otel import Recorder, Usage
from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, Part
from token_otel.otel import semconv as sc

ROOT = Path(__file__).resolve().parents[1]
STEP = 97  # lines
USAGE = Usage(input=1_000, output=100)
PROMPT = (Part(kind="user", text="When does the keeper at Brenn close the upper gate?"),)


def call(recorder: Recorder, run_id: str) -> None:
    """Record a whole agent."""
    recorder.record(AgentStarted(run_id=f"a{run_id}", name="keeper"))
    recorder.record(ModelStarted(run_id=f"m{run_id}", parent_id=f"a{run_id}", model="cheap", prompt=PROMPT))
    recorder.record(ModelEnded(run_id=f"m{run_id}", usage=USAGE, output=PROMPT))
    recorder.record(Ended(run_id=f"a{run_id}"))


def billed(made: Bench) -> int:
    """Return how many spans have the bill."""
    return sum((span.attributes or {}).get(sc.INPUT_TOKENS) == USAGE.input for span in made.spans)


class Interrupts:
    """Does something once, before one of the lines of ours and of the SDK's, as a signal handler would."""

    def __init__(self, do: Callable[[], object], *, line: int) -> None:
        self._do = do
        self.left = line

    def __call__(self, frame: Any, event: str, _: object) -> Any:
        if self.left <= 0 or not any(place in frame.f_code.co_filename for place in ("/token_otel/", "/opentelemetry/")):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self._do()
        return self


ASKED: dict[str, Callable[[Bench, str], object]] = {
    "a whole call": lambda made, run_id: call(made.recorder, run_id),
    "an activation": lambda made, run_id: made.recorder.activate("am0").__enter__(),
    "a flush": lambda made, run_id: made.recorder.flush(),
    "a settling": lambda made, run_id: made.recorder.settle(),
}


@pytest.mark.parametrize("worker", ["thread", "inline"])
@pytest.mark.parametrize("what", ASKED)
def test_what_is_asked_between_any_two_lines_is_no_deadlock(what: str, worker: str):
    """Whatever lock the thread holds then, of ours or of the SDK's: it is done when the thread is outside again, and no bill is lost."""
    made, tried = bench(worker=worker), list[int]()

    def work() -> None:
        more = True
        while more:
            tried.append(len(tried))
            trace = Interrupts(lambda: ASKED[what](made, f"i{tried[-1]}"), line=1 + tried[-1] * STEP)
            sys.settrace(trace)
            call(made.recorder, str(tried[-1]))
            sys.settrace(None)
            more = trace.left <= 0

    assert finishes(work)
    made.recorder.settle()
    assert len(tried) > 20
    assert made.recorder.open_runs == 0
    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
    if what != "a settling":
        assert billed(made) == len(tried) + (len(tried) - 1 if what == "a whole call" else 0)


SIGNALS = """
import signal
from random import Random
from tests.test_reentry import billed, call
from tests.tapes import bench

made, told, dice = bench(worker="{worker}"), [], Random(7)

def interrupt(*_):
    told.append(0)
    call(made.recorder, f"s{{len(told)}}")
    made.recorder.flush()

call(made.recorder, "first")
signal.signal(signal.SIGALRM, interrupt)
for number in range(150):
    signal.setitimer(signal.ITIMER_REAL, dice.uniform(0.00001, 0.002))
    call(made.recorder, str(number))
signal.setitimer(signal.ITIMER_REAL, 0)
made.recorder.settle()
assert len(told) > 15, len(told)
assert billed(made) == 151 + len(told), (billed(made), len(told))
assert made.recorder.open_runs == 0
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers that send signals")
@pytest.mark.parametrize("worker", ["thread", "inline"])
def test_a_signal_handler_may_record_and_flush(worker: str):
    """A real one, in the middle of anything."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS.format(worker=worker)], cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S * 3
    )

    assert (done.returncode, done.stderr) == (0, "")


class Failing(FlatBook):
    """A price book that is not there."""

    def find(self, **about: Any) -> Any:
        raise ConnectionError


class Telling(logging.Handler):
    """A handler that makes a record of each line, as one does that asks a model about it."""

    def __init__(self, made: Bench) -> None:
        super().__init__()
        self._made = made

    def emit(self, record: logging.LogRecord) -> None:
        call(self._made.recorder, f"l{id(record)}")


def test_a_log_handler_may_record():
    """What fails under the lock is logged there."""
    made = bench(prices=Failing(), raise_errors=False)
    logger, handler = logging.getLogger("token_otel"), Telling(made)
    logger.addHandler(handler)
    try:
        assert finishes(lambda: call(made.recorder, "1"))
    finally:
        logger.removeHandler(handler)

    assert made.recorder.open_runs == 0
    assert billed(made) >= 2


def test_a_span_processor_that_answers_each_span_with_another_comes_to_an_end():
    """It would go on for ever; what is too much of it is not recorded, and that is said once."""

    class Echo(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            for _ in range(2):
                call(made.recorder, str(next(numbers)))

    made, numbers = bench(Echo(), raise_errors=False), itertools.count(1_000)

    def work() -> None:
        for number in range(2):
            call(made.recorder, str(number))

    assert finishes(work)
    assert not made.recorder._turns.inside.waiting  # pyright: ignore[reportPrivateUsage]
    assert not made.recorder._turns.waiting  # pyright: ignore[reportPrivateUsage]
