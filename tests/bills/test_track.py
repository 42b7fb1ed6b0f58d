"""`track()`: the bill of what runs inside, in whatever thread, task or framework."""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from tests.tapes import Bench, bench, tapes

import token_otel
from token_otel.events import Event, ModelEnded, ModelStarted
from token_otel.usage import Usage

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
# 1,000 x $3 + 100 x $15 per million, and $0.001 for the request
COST = Decimal("0.0055")


@pytest.fixture
def made() -> Bench:
    return bench()


def call(made: Bench, model: str = "cheap", messages: Any = None) -> None:
    with token_otel.model(model, messages=messages, recorder=made.recorder) as asked:
        asked.end(usage=USAGE)


def test_a_bill_adds_up(made: Bench):
    """In total, by agent, by model and by tool, and who read whom; outside the block nothing counts."""
    said = "The wells of the district are deep, and hold water in most years of the survey."
    call(made)
    with token_otel.track() as bill:
        with token_otel.agent("planner", recorder=made.recorder, conversation="c1"):
            call(made)
            with token_otel.tool("search") as tool:
                tool.end(said, cost_usd="0.002")
        with token_otel.agent("writer", recorder=made.recorder, conversation="c1"):
            call(made, "tiered", [said])
    call(made)

    assert (bill.calls, bill.input_tokens, bill.output_tokens, bill.open_calls) == (2, 2000, 200, 0)
    # tiered: 1,000 x $1 + 100 x $2 per million; the tool: $0.002
    assert bill.cost_usd == COST + Decimal("0.0012") + Decimal("0.002")
    assert bill.complete
    assert {name: account.cost_usd for name, account in bill.by_agent.items()} == {"planner": COST, "writer": Decimal("0.0012")}
    assert {name: account.calls for name, account in bill.by_model.items()} == {"cheap": 1, "tiered": 1}
    assert bill.by_tool == {"search": Decimal("0.002")}
    assert bill.flow["tool:search", "writer"].tokens > 0
    assert sum(read.tokens for read in bill.flow.values()) == bill.input_tokens
    assert sum((read.cost_usd or 0) for read in bill.flow.values()) == Decimal("0.003") + Decimal("0.001")


def test_a_bill_is_plain_data_too(made: Bench):
    """Money as texts, so that no digit is lost."""
    with token_otel.track() as bill, token_otel.agent("planner", recorder=made.recorder):
        call(made, messages="How deep are the wells?")
    account = {"calls": 1, "input_tokens": 1000, "output_tokens": 100, "cost_usd": "0.005500000", "complete": True}

    plain = json.loads(json.dumps(bill.to_dict()))
    flow = plain.pop("flow")
    assert {row["consumer"] for row in flow} == {"planner"}
    assert sum(row["tokens"] for row in flow) == 1000
    assert plain == {
        **account,
        "open_calls": 0,
        "unpriced_tokens": 0,
        "by_agent": {"planner": account},
        "by_model": {"cheap": account},
        "by_tool": {},
    }


def test_a_bill_prints_well(made: Bench):
    """As a small table; what is not known is said."""
    with token_otel.track() as bill:
        with token_otel.agent("planner\x1b[2J", recorder=made.recorder):
            call(made, messages="How deep are the wells?")
            call(made, "unknown")
        asked = token_otel.model("cheap", recorder=made.recorder).__enter__()

    lines = str(bill).splitlines()
    assert [line.split() for line in lines if line.startswith(("planner", "cheap", "unknown", "all"))] == [
        ["planner\N{REPLACEMENT CHARACTER}[2J", "2", "2,000", "200", "\N{GREATER-THAN OR EQUAL TO}", "$0.005500"],
        ["cheap", "1", "1,000", "100", "$0.005500"],
        ["unknown", "1", "1,000", "100", "unpriced"],
        ["all", "2", "2,000", "200", "\N{GREATER-THAN OR EQUAL TO}", "$0.005500"],
    ]
    assert any(line.startswith("user -> planner") for line in lines)
    assert lines[-3:] == ["Still open: 1 call.", "", "Without a known price: 1,100 tokens."]
    asked.end(usage=USAGE)
    asked.__exit__(None, None, None)
    assert str(token_otel.track().bill) == "all  0  0  0  $0.000000"


def test_unknown_is_not_free(made: Bench):
    """A sum over calls without a price is not 0; a bill that holds one is not complete."""
    with token_otel.track() as bill:
        call(made, "unknown")
    assert (bill.cost_usd, bill.complete, bill.unpriced_tokens) == (None, False, 1100)
    assert bill.by_model["unknown"].cost_usd is None

    with token_otel.track() as bill:
        call(made, "unknown")
        call(made)
    assert (bill.cost_usd, bill.complete) == (COST, False)


def test_bills_may_be_nested(made: Bench):
    """Each has what started inside it."""
    with token_otel.track() as outer:
        call(made)
        with token_otel.track() as inner:
            call(made)

    assert (outer.calls, inner.calls) == (2, 1)


def test_a_call_that_ends_after_the_block_is_added_then(made: Bench):
    """Until then the bill is not complete."""
    with token_otel.track() as bill:
        asked = token_otel.model("cheap", recorder=made.recorder)
        asked.open()
    assert (bill.calls, bill.open_calls, bill.complete) == (0, 1, False)
    asked.end(usage=USAGE)

    assert (bill.calls, bill.open_calls, bill.complete) == (1, 0, True)


def test_tasks_and_threads_carry_agent_and_bill(made: Bench):
    """Tasks by themselves, `asyncio.to_thread` too; threads and pools when they run in a copy of the context."""

    async def main() -> None:
        async with token_otel.track() as bill, token_otel.agent("planner", recorder=made.recorder, tags={"tenant": "a"}):
            await asyncio.gather(*[asyncio.create_task(ask()) for _ in range(3)])
            await asyncio.to_thread(call, made)
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(contextvars.copy_context().run, call, made) for _ in range(3)]:
                    done.result()
            thread = threading.Thread(target=contextvars.copy_context().run, args=(call, made))
            thread.start()
            thread.join()
        assert (bill.calls, {name: account.calls for name, account in bill.by_agent.items()}) == (8, {"planner": 8})

    async def ask() -> None:
        async with token_otel.model("cheap") as asked:
            await asyncio.sleep(0)
            asked.end(usage=USAGE)

    asyncio.run(main())
    parent = made.span("invoke_agent planner")
    calls = [span for span in made.spans if span.name == "chat cheap"]
    assert {(span.parent.span_id if span.parent else None, (span.attributes or {})["tenant"]) for span in calls} == {
        (parent.context.span_id if parent.context else None, "a")
    }


def test_tasks_side_by_side_keep_their_agents_apart(made: Bench):
    """Each task has a block of its own, and what it asks is that agent's."""

    async def work(name: str) -> None:
        async with token_otel.agent(name, recorder=made.recorder):
            for _ in range(3):
                async with token_otel.model("cheap") as asked:
                    await asyncio.sleep(0)
                    asked.end(usage=USAGE)

    async def main() -> None:
        with token_otel.track() as bill:
            await asyncio.gather(*[work(f"agent {number}") for number in range(4)])
        assert {name: account.calls for name, account in bill.by_agent.items()} == {f"agent {number}": 3 for number in range(4)}

    asyncio.run(main())


def test_a_task_that_outlives_its_agent_is_still_its_own(made: Bench):
    """It is charged to that agent, and on the bill."""

    async def main() -> None:
        go = asyncio.Event()

        async def late() -> None:
            await go.wait()
            call(made)

        with token_otel.track() as bill, token_otel.agent("planner", recorder=made.recorder):
            task = asyncio.create_task(late())
        go.set()
        await task
        assert bill.by_agent["planner"].calls == 1

    asyncio.run(main())


def test_every_recorder_adds_to_the_bill(made: Bench):
    """Whoever reports it."""
    other = bench()
    with token_otel.track() as bill:
        call(made)
        call(other)

    assert bill.calls == 2


def test_a_call_that_two_recorders_watch_is_on_the_bill_once(made: Bench):
    """Such as by two handlers of a framework."""
    other = bench()
    with token_otel.track() as bill:
        for event in (ModelStarted(run_id="m", model="cheap"), ModelEnded(run_id="m", usage=Usage(input=1000, output=100))):
            made.recorder.record(event)
            other.recorder.record(event)

    assert (bill.calls, bill.cost_usd, bill.open_calls) == (1, COST, 0)


def test_a_run_is_on_the_bills_of_where_its_root_started(made: Bench):
    """A framework may report the rest from threads of its own, without our context."""
    with token_otel.track() as bill:
        made.recorder.record(token_otel.events.AgentStarted(run_id="a", name="planner"))

    def rest() -> None:
        made.recorder.record(ModelStarted(run_id="m", parent_id="a", model="cheap"))
        made.recorder.record(ModelEnded(run_id="m", usage=Usage(input=1000, output=100)))

    thread = threading.Thread(target=rest)
    thread.start()
    thread.join()
    assert (bill.calls, bill.cost_usd) == (1, COST)


def test_names_in_an_account_are_bounded(made: Bench, monkeypatch: pytest.MonkeyPatch):
    """A program may make them up: what goes beyond is one."""
    monkeypatch.setattr("token_otel.bills.bill.MOST", 2)
    with token_otel.track() as bill:
        for number in range(4):
            with token_otel.agent(f"agent {number}", recorder=made.recorder), token_otel.tool(f"tool {number}") as tool:
                call(made, messages="How deep are the wells?")
                tool.end("x", cost_usd=1)

    assert {name: account.calls for name, account in bill.by_agent.items()} == {"agent 0": 1, "agent 1": 1, "other": 2}
    assert bill.by_tool == {"tool 0": 1, "tool 1": 1, "other": 2}
    assert sum(read.tokens for read in bill.flow.values()) == bill.input_tokens


@given(tapes)
@settings(max_examples=100)
def test_a_bill_is_the_sum_of_the_postings(tape: list[Event]):
    """Whatever is repeated, missing or out of order."""
    made = bench()
    with token_otel.track() as bill:
        made.play(tape)

    postings = [posting for _, posting in made.postings]
    assert bill.calls == sum(posting.first is None and posting.saved is None for posting in postings)
    assert bill.open_calls == 0
    assert bill.input_tokens == sum((posting.usage.input or 0) for posting in postings if posting.usage)
    assert bill.output_tokens == sum((posting.usage.output or 0) for posting in postings if posting.usage)
    cost = sum((posting.cost.total_usd or Decimal() for posting in postings), Decimal())
    assert (bill.cost_usd or 0) == pytest.approx(cost)
    for accounts in (bill.by_agent, bill.by_model):
        assert sum(account.input_tokens for account in accounts.values()) == bill.input_tokens
    shares = sum(share.tokens for posting in postings for share in posting.shares)
    assert sum(read.tokens for read in bill.flow.values()) == shares
    assert str(bill)
    assert json.dumps(bill.to_dict())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a fork beside threads warns")
def test_a_bill_goes_on_in_a_child_process(made: Bench):
    """Its lock may have been held when the process was forked."""
    with token_otel.track() as bill:
        held, go = threading.Event(), threading.Event()

        def hold() -> None:
            with bill._lock:  # pyright: ignore[reportPrivateUsage]
                held.set()
                go.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            call(made)
            os._exit(bill.calls)
        go.set()
        thread.join()

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert bill.calls == 0
