"""Budgets: what happens when one is spent."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from tests.tapes import Bench, bench

import token_otel
from token_otel import BudgetExceeded

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}


@pytest.fixture
def made() -> Bench:
    return bench()


def call(made: Bench, model: str = "cheap") -> None:
    with token_otel.model(model, recorder=made.recorder) as asked:
        asked.end(usage=USAGE)


def test_a_budget_warns_once_when_it_is_spent(made: Bench, caplog: pytest.LogCaptureFixture):
    """Not before, and it stops nothing; each call costs $0.0055."""
    with token_otel.track(budget_usd="0.01") as bill:
        call(made)
        assert caplog.messages == []
        for _ in range(3):
            call(made)

    assert bill.calls == 4
    assert caplog.messages == ["the budget of $0.01 is spent: 2,200 tokens and $0.011 in 2 calls"]


@pytest.mark.parametrize("budget", [{"budget_usd": "0.01"}, {"budget_tokens": 2000}, {"budget_usd": 0.005, "budget_tokens": 9}])
def test_a_budget_raises_before_the_next_call(made: Bench, budget: dict[str, Any]):
    """The calls under way are whole; the next one does not start, and has no span."""
    with token_otel.track(**budget, on_budget="raise") as bill, token_otel.agent("planner", recorder=made.recorder):
        spent = 1 if len(budget) == 2 else 2
        for _ in range(spent):
            call(made)
        with pytest.raises(BudgetExceeded) as stopped:
            call(made)

    assert stopped.value.bill is bill
    assert (bill.calls, bill.open_calls, bill.complete) == (spent, 0, True)
    assert [span.name for span in made.spans] == ["chat cheap"] * spent + ["invoke_agent planner"]
    call(made)


def test_what_it_says_is_what_was_spent(made: Bench):
    """Both limits, where there are two; an agent that lets it pass has failed by it."""

    @token_otel.agent("planner", recorder=made.recorder)
    def plan() -> None:
        call(made)
        call(made)

    sentence = r"^the budget of \$0.001 and 10 tokens is spent: 1,100 tokens and \$0.0055 in 1 call$"
    track = token_otel.track(budget_usd=Decimal("0.001"), budget_tokens=10, on_budget="raise")
    with track, pytest.raises(BudgetExceeded, match=sentence):
        plan()

    assert (made.span("invoke_agent planner").attributes or {})["error.type"] == "token_otel.BudgetExceeded"


def test_a_budget_of_nothing_lets_nothing_start(made: Bench):
    """Not even the first call."""
    with token_otel.track(budget_tokens=0, on_budget="raise"), pytest.raises(BudgetExceeded):
        call(made)

    assert made.spans == ()


def test_calls_without_a_price_count_by_their_tokens(made: Bench, caplog: pytest.LogCaptureFixture):
    """And that is said, once: a budget in USD does not see them."""
    with token_otel.track(budget_usd="0.01", budget_tokens=3000, on_budget="raise") as bill:
        for _ in range(3):
            call(made, "unknown")
        with pytest.raises(BudgetExceeded, match="3 of them without a known price, with 3,300 tokens that count by number alone"):
            call(made, "unknown")

    said = [message for message in caplog.messages if "budget" in message]
    assert said[0] == "a budget of $0.01 cannot see calls without a known price: they count by their tokens alone"
    assert len(said) == 2
    assert bill.cost_usd is None


def test_a_tools_cost_counts(made: Bench):
    """It is spent like any other."""
    with token_otel.track(budget_usd=1, on_budget="raise"):
        with token_otel.tool("search", recorder=made.recorder) as tool:
            tool.end("found", cost_usd=1)
        with pytest.raises(BudgetExceeded):
            call(made)


def test_the_budget_around_holds_inside(made: Bench):
    """Of nested blocks each is asked."""
    with token_otel.track(budget_tokens=1, on_budget="raise") as outer, token_otel.track() as inner:
        call(made)
        with pytest.raises(BudgetExceeded):
            call(made)

    assert (outer.calls, inner.calls) == (1, 1)


def test_calls_under_way_may_overshoot(made: Bench):
    """By as much as was let in before the budget was spent, and no more."""
    started, go = threading.Barrier(5), threading.Event()

    def ask() -> None:
        with token_otel.model("cheap", recorder=made.recorder) as asked:
            started.wait()
            go.wait()
            asked.end(usage=USAGE)

    import contextvars

    with token_otel.track(budget_tokens=1000, on_budget="raise") as bill:
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(ask,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        started.wait()
        go.set()
        for thread in threads:
            thread.join()
        with pytest.raises(BudgetExceeded):
            call(made)

    assert bill.calls == 4


def test_a_run_beneath_a_tracked_one_is_held_too(made: Bench):
    """Also where its adapter asks from a thread without our context."""
    with token_otel.track(budget_tokens=1, on_budget="raise"):
        made.recorder.record(token_otel.events.AgentStarted(run_id="a", name="planner"))
        call(made)
    caught: list[Exception] = []

    def ask() -> None:
        made.recorder.check_budget()
        try:
            made.recorder.check_budget("a")
        except BudgetExceeded as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"budget_usd": "much"}, "budget_usd is 'much', but accepted is an amount of USD from 0"),
        ({"budget_usd": -1}, "budget_usd is -1, but accepted is an amount of USD from 0"),
        ({"budget_tokens": 1.5}, "budget_tokens is 1.5, but accepted is a whole number from 0"),
        ({"budget_tokens": True}, "budget_tokens is True, but accepted is a whole number from 0"),
        ({"on_budget": "stop"}, "on_budget is 'stop', but accepted are 'warn' and 'raise'"),
    ],
)
def test_a_budget_that_is_none_is_refused(options: dict[str, Any], sentence: str):
    """In one sentence: the name, the value and what is accepted."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        token_otel.track(**options)

    assert str(refused.value) == sentence
