"""Many runs at the same time, told by real threads in any order: the books are those of each conversation alone."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from queue import SimpleQueue
from random import Random
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from tests.tapes import Bench, Teller, bench

from token_otel.events import Event, ModelStarted
from token_otel.otel import semconv as sc

EXAMPLES = settings(max_examples=math.ceil(int(os.environ.get("TOKEN_OTEL_EXAMPLES") or 5000) / 250))
BILL = (sc.INPUT_TOKENS, sc.OUTPUT_TOKENS, sc.CACHE_READ_TOKENS, sc.COST_TOTAL, sc.USAGE_STATUS, sc.COST_STATUS, sc.RUN_STATUS)

numbers = st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=5, max_size=25), min_size=2, max_size=4)


def own(number: int, tape: Sequence[Event]) -> list[Event]:
    """Make a tape that of one conversation: its runs, its conversation, its clock, and no message id that is known everywhere."""
    told: list[Event] = []
    for place, event in enumerate(tape):
        own: dict[str, Any] = {"run_id": f"{number}:{event.run_id}", "at_ns": 10**18 + place}
        if hasattr(event, "parent_id"):
            parent_id: str | None = event.parent_id  # pyright: ignore
            own |= {"conversation_id": f"c{number}", "parent_id": None if parent_id is None else f"{number}:{parent_id}"}
        for name in ("prompt", "output"):
            if hasattr(event, name):
                own[name] = tuple(replace(part, message_id=None) for part in getattr(event, name))
        told.append(replace(event, **own))
    return told


def told_by(draw: Sequence[Sequence[int]]) -> list[list[Event]]:
    return [own(number, Teller().tell(list(each))) for number, each in enumerate(draw)]


def bills(made: Bench) -> list[tuple[Any, ...]]:
    """Return what each model call says of its bill, in an order of its own."""
    calls = [dict(span.attributes or {}) for span in made.spans if (span.attributes or {}).get(sc.OPERATION_NAME) in ("chat", "embeddings")]
    return sorted(tuple(str(values.get(name)) for name in (sc.CONVERSATION_ID, *BILL)) for values in calls)


def balanced(made: Bench) -> None:
    """Check the invariants on what was exported."""
    assert made.recorder.open_runs == 0  # I8
    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)  # I6
    for span in made.spans:
        values: dict[str, Any] = dict(span.attributes or {})
        if sc.FLOW_TOKENS in values:  # I1
            assert sum(values[sc.FLOW_TOKENS]) == sum(values.get(name, 0) for name in sc.INPUT_BY_ROLE.values()) == values[sc.INPUT_TOKENS]
            assert sum(values[sc.FLOW_CACHE_READ]) == values.get(sc.CACHE_READ_TOKENS, 0)
        if sc.FLOW_COST in values and sc.COST_INPUT in values:  # I2, as far as 16 sums of doubles are exact
            assert math.isclose(sum(values[sc.FLOW_COST]), values[sc.COST_INPUT], rel_tol=1e-9, abs_tol=1e-12)
        if sc.OUTPUT_TOKENS in values:  # I3
            parts = (sc.OUTPUT_TEXT, sc.OUTPUT_TOOL_CALL, sc.OUTPUT_REASONING)
            assert sum(values.get(name, 0) for name in parts) == values[sc.OUTPUT_TOKENS]
        if values[sc.OPERATION_NAME] not in ("chat", "embeddings"):  # I9
            assert not [name for name in values if name.startswith("gen_ai.usage.")]
    booked = sum((posting.usage.input or 0) for _, posting in made.postings if posting.usage is not None)
    assert sum(_input(span) for span in made.spans) == booked  # I4
    firsts = [run.event.run_id for run, posting in made.postings if posting.first is None]
    assert (
        len(firsts) == len({*firsts}) == len({item.run.event.run_id for item in made.closed if isinstance(item.run.event, ModelStarted)})
    )  # I5


def _input(span: ReadableSpan) -> int:
    count = (span.attributes or {}).get(sc.INPUT_TOKENS, 0)
    assert isinstance(count, int)
    return count


@given(numbers, st.integers(0, 2**32 - 1))
@EXAMPLES
def test_the_order_between_conversations_changes_no_bill(draw: list[list[int]], seed: int):
    """The same tapes one after the other, and shuffled together: each call has the same bill."""
    alone, together = bench(), bench()
    for tape in told_by(draw):
        for event in tape:
            alone.recorder.record(event)
    dice, rest = Random(seed), told_by(draw)
    while any(rest):
        together.recorder.record(dice.choice([tape for tape in rest if tape]).pop(0))
    alone.recorder.settle()
    together.recorder.settle()

    assert bills(together) == bills(alone)
    balanced(together)


class Speaker(Thread):
    """A thread that tells what it is handed, one by one."""

    def __init__(self, made: Bench) -> None:
        super().__init__(daemon=True)
        self._made = made
        self.told: SimpleQueue[Event | None] = SimpleQueue()
        self.failed: list[BaseException] = []

    def run(self) -> None:
        try:
            while (event := self.told.get()) is not None:
                self._made.recorder.record(event)
        except BaseException as error:
            self.failed.append(error)


@pytest.mark.parametrize("worker", ["thread", "inline"])
@given(numbers, st.integers(0, 2**32 - 1))
@EXAMPLES
def test_threads_that_tell_at_the_same_time_lose_no_bill(worker: str, draw: list[list[int]], seed: int):
    """A thread for each conversation, another that flushes: nothing raises, and the books are those of each alone."""
    alone = bench()
    for tape in told_by(draw):
        for event in tape:
            alone.recorder.record(event)
    alone.recorder.settle()
    made, tapes, dice = bench(worker=worker), told_by(draw), Random(seed)
    speakers = [Speaker(made) for _ in tapes]
    for speaker in speakers:
        speaker.start()
    for speaker, tape in zip(speakers, tapes, strict=True):
        for event in (*tape, None):
            speaker.told.put(event)
        if dice.random() < 0.5:
            made.recorder.activate(tape[0].run_id)
    for speaker in speakers:
        speaker.join(20)
    assert [speaker for speaker in speakers if speaker.is_alive() or speaker.failed] == []
    made.recorder.settle()

    assert bills(made) == bills(alone)
    balanced(made)


@pytest.mark.parametrize("worker", ["thread", "inline"])
@given(numbers, st.integers(0, 2**32 - 1))
@EXAMPLES
def test_the_events_of_one_run_may_come_from_several_threads(worker: str, draw: list[list[int]], seed: int):
    """Each event is told by any of three threads while another flushes: whatever comes first, the invariants hold."""
    made, dice = bench(worker=worker), Random(seed)
    speakers = [Speaker(made) for _ in range(3)]
    for speaker in speakers:
        speaker.start()
    for event in [event for tape in told_by(draw) for event in tape]:
        dice.choice(speakers).told.put(event)
        if dice.random() < 0.05:
            made.recorder.flush()
    for speaker in speakers:
        speaker.told.put(None)
        speaker.join(20)
    assert [speaker for speaker in speakers if speaker.is_alive() or speaker.failed] == []
    made.recorder.settle()

    balanced(made)
