"""Who produced what a run reads, as the ledger knows it: agents beneath tools, workflows, conversations."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tapes import Bench, bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, Part, RetrievalStarted, StepStarted, ToolStarted

ANSWER = "The tokens flow between the agents."
RESULT = "Forty-two pages were found."
GLOBAL_ID = "msg_0123456789abcdef"
USAGE = Usage(input=100, output=10)


@pytest.fixture
def made() -> Bench:
    return bench()


def play(made: Bench, *events: Event) -> None:
    for event in events:
        made.recorder.record(event)


def says(made: Bench, run_id: str, parent_id: str | None, text: str, *, message_id: str | None = None, **start: Any) -> None:
    """One call of a model that answers `text`."""
    answer = Part(kind="assistant", text=text, message_id=message_id)
    play(
        made,
        ModelStarted(run_id=run_id, parent_id=parent_id, model="cheap", **start),
        ModelEnded(run_id=run_id, usage=USAGE, output=(answer,)),
    )


def reads(made: Bench, run_id: str, parent_id: str | None, *parts: Part, **start: Any) -> list[str]:
    """One call of a model that reads `parts`; the origins of what it read."""
    play(
        made,
        ModelStarted(run_id=run_id, parent_id=parent_id, model="cheap", prompt=parts, **start),
        ModelEnded(run_id=run_id, usage=USAGE),
    )
    return list(dict.fromkeys(share.origin for share in made.postings[-1][1].shares if share.origin != "unexplained"))


SUPERVISOR = AgentStarted(run_id="a", name="supervisor")
TOOL = ToolStarted(run_id="t", parent_id="a", name="ask", call_id="call_0")


def test_what_an_agent_beneath_a_tool_answered_is_the_agents(made: Bench):
    """The tool only carried it."""
    play(made, SUPERVISOR, TOOL, AgentStarted(run_id="b", parent_id="t", name="researcher"))
    says(made, "1", "b", ANSWER)
    play(made, Ended(run_id="b"), Ended(run_id="t", output=(Part(kind="tool_result", text=RESULT, call_id="call_0"),)))

    assert reads(made, "2", "a", Part(kind="tool_result", text=RESULT, call_id="call_0", name="ask")) == ["agent:researcher"]


def test_what_a_bare_model_beneath_a_tool_answered_is_the_tools(made: Bench):
    """The call is charged to the caller, its words are part of the tool's work."""
    play(made, SUPERVISOR, TOOL)
    says(made, "1", "t", ANSWER)
    play(made, Ended(run_id="t", output=(Part(kind="tool_result", text=RESULT, call_id="call_0"),)))

    assert reads(made, "2", "a", Part(kind="tool_result", text=RESULT, call_id="call_0")) == ["tool:ask"]


def test_a_tool_of_the_agent_beneath_is_its_own(made: Bench):
    """Only the outer one returns the agent's answer."""
    play(made, SUPERVISOR, TOOL, AgentStarted(run_id="b", parent_id="t", name="researcher"))
    play(made, ToolStarted(run_id="u", parent_id="b", name="search", call_id="call_1"))
    play(made, Ended(run_id="u", output=(Part(kind="tool_result", text=RESULT, call_id="call_1"),)))

    assert reads(made, "1", "b", Part(kind="tool_result", text=RESULT, call_id="call_1")) == ["tool:search"]


def test_a_workflow_beneath_a_tool_answers_with_its_last_agent(made: Bench):
    """A workflow says nothing itself."""
    play(made, SUPERVISOR, TOOL, AgentStarted(run_id="w", parent_id="t", name="pipeline", kind="workflow"))
    for name in ("researcher", "writer"):
        play(made, AgentStarted(run_id=name, parent_id="w", name=name))
        says(made, f"by {name}", name, f"{ANSWER} {name}")
        play(made, Ended(run_id=name))
    play(made, Ended(run_id="w"), Ended(run_id="t", output=(Part(kind="tool_result", text=RESULT, call_id="call_0"),)))

    assert reads(made, "2", "a", Part(kind="tool_result", text=RESULT, call_id="call_0")) == ["agent:writer"]


def test_a_tool_that_failed_produced_nothing(made: Bench):
    """Its error's text is the framework's."""
    play(made, SUPERVISOR, TOOL, Ended(run_id="t", status="error", output=(Part(kind="tool_result", text=RESULT),)))

    assert reads(made, "1", "a", Part(kind="user", text=RESULT)) == ["user"]


def test_a_retrievers_documents_are_known(made: Bench):
    """However they are put into the prompt."""
    play(made, SUPERVISOR, RetrievalStarted(run_id="r", parent_id="a", name="library"))
    play(made, Ended(run_id="r", output=(Part(kind="document", text=RESULT),)))

    assert reads(made, "1", "a", Part(kind="system", text=RESULT)) == ["document"]


def test_an_agent_without_a_name_is_called_agent(made: Bench):
    """As is a call without any agent."""
    says(made, "1", None, ANSWER, conversation_id="c")

    assert reads(made, "2", None, Part(kind="assistant", text=ANSWER), conversation_id="c") == ["self"]
    play(made, AgentStarted(run_id="a", name="writer", conversation_id="c"))
    assert reads(made, "3", "a", Part(kind="assistant", text=ANSWER)) == ["agent:agent"]


def test_an_answer_from_the_local_cache_produced_nothing(made: Bench):
    """It was produced when it was first called for."""
    cached = ModelEnded(run_id="1", usage=USAGE, output=(Part(kind="assistant", text=ANSWER),), local_cache=True)
    play(made, SUPERVISOR, ModelStarted(run_id="1", parent_id="a", model="cheap"), cached)

    assert reads(made, "2", "a", Part(kind="assistant", text=ANSWER)) == ["external"]


def test_a_conversation_crosses_traces(made: Bench):
    """What was said in turn 1 keeps its producer in turn 7."""
    play(made, AgentStarted(run_id="a", name="writer", conversation_id="c"))
    says(made, "1", "a", ANSWER)
    play(made, Ended(run_id="a"), AgentStarted(run_id="b", name="editor", conversation_id="c"))

    assert reads(made, "2", "b", Part(kind="assistant", text=ANSWER)) == ["agent:writer"]


def test_two_roots_without_a_conversation_know_nothing_of_each_other(made: Bench):
    """The same words by chance."""
    says(made, "1", None, ANSWER)

    assert reads(made, "2", None, Part(kind="assistant", text=ANSWER)) == ["external"]


def test_a_root_is_a_conversation_of_its_own(made: Bench):
    """Whatever its runs, without an id anywhere."""
    play(made, StepStarted(run_id="s"))
    says(made, "1", "s", ANSWER)

    assert reads(made, "2", "s", Part(kind="user", text=ANSWER)) == ["self"]


def test_a_history_handed_over_by_hand_continues_its_conversation(made: Bench):
    """The message id is globally unique; then texts without ids are known as well."""
    play(made, AgentStarted(run_id="a", name="writer"))
    says(made, "1", "a", ANSWER, message_id=GLOBAL_ID)
    says(made, "2", "a", RESULT)
    play(made, Ended(run_id="a"), AgentStarted(run_id="b", name="editor"))

    history = (Part(kind="assistant", text=ANSWER, message_id=GLOBAL_ID), Part(kind="assistant", text=RESULT))
    assert reads(made, "3", "b", *history) == ["agent:writer"]
    assert reads(made, "4", "b", history[1]) == ["agent:writer"]


def test_a_sub_agent_in_a_conversation_of_its_own(made: Bench):
    """It knows nothing of its caller's words, and its answer comes back by the tool's call id."""
    play(made, AgentStarted(run_id="a", name="supervisor", conversation_id="c"))
    says(made, "1", "a", ANSWER)
    play(made, TOOL, AgentStarted(run_id="b", parent_id="t", name="researcher", conversation_id="other"))

    assert reads(made, "2", "b", Part(kind="user", text=ANSWER)) == ["user"]
    says(made, "3", "b", RESULT)
    play(made, Ended(run_id="b"), Ended(run_id="t", output=(Part(kind="tool_result", text=RESULT, call_id="call_0"),)))
    assert reads(made, "4", "a", Part(kind="tool_result", text=RESULT, call_id="call_0")) == ["agent:researcher"]


def test_a_conversation_id_beneath_a_root_without_one(made: Bench):
    """Runs with the id share it; those without share the root's."""
    play(made, StepStarted(run_id="s"), AgentStarted(run_id="a", parent_id="s", name="writer", conversation_id="c"))
    says(made, "1", "a", ANSWER)

    assert reads(made, "2", "s", Part(kind="assistant", text=ANSWER)) == ["external"]
    assert reads(made, "3", None, Part(kind="assistant", text=ANSWER), conversation_id="c") == ["agent:writer"]


def test_no_id_of_a_run_is_mistaken_for_a_conversation(made: Bench):
    """A thread named like the root of another run."""
    says(made, "1", None, ANSWER)

    assert reads(made, "2", None, Part(kind="assistant", text=ANSWER), conversation_id="run:1") == ["external"]
    assert reads(made, "3", None, Part(kind="assistant", text=ANSWER), conversation_id="1") == ["external"]


def test_flow_off_keeps_no_flow():
    """Tokens and cost are booked as ever."""
    made = bench(flow="off")
    says(made, "1", None, ANSWER)

    [(_, posting)] = made.postings
    assert (posting.shares, posting.method, posting.output, posting.usage) == ((), None, None, USAGE)
