"""Programs that never end: what is kept of them stays within a bound, and what is said of them stays true."""

from __future__ import annotations

import pytest
from tests.tapes import bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, Part, StepStarted, ToolStarted
from token_otel.ledger import run as ledger_run
from token_otel.ledger.run import LINEAGE, Run
from token_otel.otel import semconv as sc

USAGE = Usage(input=1_000, output=100)
ROUNDS = 3 * LINEAGE


def lineage(run: Run) -> int:
    """Return how many runs are kept by this one."""
    seen: set[int] = set()
    rest = [run]
    while rest:
        each = rest.pop()
        seen.add(id(each))
        rest += [above for above in (each.parent, each.agent, each.tool, each.above) if above is not None and id(above) not in seen]
    return len(seen)


def round_of(number: int, parent_id: str | None) -> list[Event]:
    """An agent with a step and a call, beneath a run that is over or open."""
    return [
        AgentStarted(run_id=f"a{number}", parent_id=parent_id, name="keeper"),
        StepStarted(run_id=f"s{number}", parent_id=f"a{number}"),
        ModelStarted(run_id=f"m{number}", parent_id=f"s{number}", model="cheap"),
        ModelEnded(run_id=f"m{number}", usage=USAGE),
        Ended(run_id=f"a{number}"),
        Ended(run_id=f"s{number}"),
    ]


def test_a_loop_whose_runs_begin_beneath_the_one_before_keeps_few_of_them():
    """And the trace stays one: each span is beneath the one before."""
    made = bench()
    for number in range(ROUNDS):
        for event in round_of(number, f"s{number - 1}" if number else None):
            made.recorder.record(event)

    last = made.closed[-1].run
    assert lineage(last) <= 3 * LINEAGE
    spans = {span.context.span_id: span for span in made.spans if span.context is not None}
    assert len({span.context.trace_id for span in made.spans if span.context is not None}) == 1
    assert sum(span.parent is None or span.parent.span_id not in spans for span in made.spans) == 1


def test_an_open_root_is_charged_for_a_long_line_beneath_it():
    """It is 1,000 tokens and $0.0055 a call, whatever of those between is kept."""
    made = bench()
    made.recorder.record(AgentStarted(run_id="root", name="root"))
    for number in range(ROUNDS):
        for event in round_of(number, f"s{number - 1}" if number else "root"):
            made.recorder.record(event)
    made.recorder.record(Ended(run_id="root"))

    values = dict(made.span("invoke_agent root").attributes or {})
    assert values[sc.rollup(sc.SUBTREE, "calls")] == ROUNDS
    assert values[sc.rollup(sc.SUBTREE, "input_tokens")] == 1_000 * ROUNDS


@pytest.mark.parametrize(("texts", "forgot"), [(30, False), (200, True)])
def test_an_agent_that_reads_more_texts_than_are_kept_says_so(texts: int, forgot: bool, monkeypatch: pytest.MonkeyPatch):
    """Its dearest are the dearest still; where the cheapest have gone, the figures are said to be at least."""
    monkeypatch.setattr(ledger_run, "ACCOUNTS", 40)
    system = Part(kind="system", text="You keep the gates of Brenn, the upper one and the lower one.")
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="keeper"))
    for number in range(texts):
        result = Part(kind="tool_result", text=f"In the year {number} the upper gate was closed in autumn.", call_id=f"c{number}")
        made.recorder.record(ToolStarted(run_id=f"t{number}", parent_id="a", name="look", call_id=f"c{number}"))
        made.recorder.record(Ended(run_id=f"t{number}", output=(result,)))
        made.recorder.record(ModelStarted(run_id=f"m{number}", parent_id="a", model="cheap", prompt=(system, result)))
        made.recorder.record(ModelEnded(run_id=f"m{number}", usage=Usage(input=34, output=5)))
    keeper = made.closed[-1].run.parent
    assert keeper is not None
    assert len(keeper.messages) <= 40
    made.recorder.record(Ended(run_id="a"))

    values = dict(made.span("invoke_agent keeper").attributes or {})
    assert (values[sc.AGENT_MESSAGE_PRODUCERS][0], values[sc.AGENT_MESSAGE_READS][0]) == ("system", texts)  # pyright: ignore
    assert values.get(sc.AGENT_MESSAGE_AT_LEAST, False) is forgot
