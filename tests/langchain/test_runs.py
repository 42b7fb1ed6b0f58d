"""The table of runs: shared, bounded, and safe among threads."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda

from token_otel.events import AgentStarted, Ended, ModelEnded
from token_otel.testing import Tape
from token_otel_langchain import TokenOtelHandler
from token_otel_langchain import runs as tables
from token_otel_langchain.runs import Runs


def test_handlers_of_one_recorder_share_their_runs(watch: Any, scripted: Any):
    """A handler made for each request still knows the messages of the last one."""
    model = scripted("a fine answer")
    answer = model.invoke("hello", watch.config)
    second = TokenOtelHandler(recorder=watch.tape)
    model.invoke([answer], {"callbacks": [second]})

    assert watch.of(ModelEnded)[0].output[0] is watch.tape.events[-2].prompt[0]


def test_ended_runs_are_forgotten(watch: Any, monkeypatch: pytest.MonkeyPatch):
    """Chains that end leave nothing behind but the latest."""
    monkeypatch.setattr(tables, "ENDED", 10)
    chain = RunnableLambda(lambda x: x)
    for _ in range(50):
        chain.invoke("x", watch.config)

    assert len(Runs.of(watch.tape)) <= 11


def test_runs_that_never_end_are_bounded(watch: Any, monkeypatch: pytest.MonkeyPatch):
    """LangChain forgets to end some."""
    monkeypatch.setattr(tables, "MAX_RUNS", 10)
    for _ in range(50):
        watch.handler.on_chain_start({}, "x", run_id=uuid4(), name="leak")

    assert len(Runs.of(watch.tape)) <= 11


def test_a_run_that_is_forgotten_is_cancelled(watch: Any, monkeypatch: pytest.MonkeyPatch):
    """Its end would not be heard any more: of six tools that never end, a table of five keeps the latest."""
    monkeypatch.setattr(tables, "MAX_RUNS", 5)
    ids = [uuid4() for _ in range(6)]
    for run_id in ids:
        watch.handler.on_tool_start({"name": "search"}, "", run_id=run_id)

    assert [(end.run_id, end.status) for end in watch.of(Ended)] == [(str(ids[0]), "cancelled")]


def test_runs_that_vanish_are_forgotten(watch: Any, monkeypatch: pytest.MonkeyPatch):
    """Whose id is gone cannot end: of 50, each followed by one that ends, no more is kept than of those that end."""
    monkeypatch.setattr(tables, "ENDED", 10)
    chain = RunnableLambda(lambda x: x)
    for _ in range(50):
        watch.handler.on_chain_start({}, "x", run_id=uuid4(), name="vanishes")
        chain.invoke("x", watch.config)

    assert len(Runs.of(watch.tape)) <= 11


def test_a_table_lives_no_longer_than_its_recorder():
    """Nothing keeps a recorder alive that nobody uses."""
    import gc
    import weakref

    tape: Any = Tape()
    Runs.of(tape)
    reference = weakref.ref(tape)
    del tape
    gc.collect()

    assert reference() is None


def test_many_threads_at_once(watch: Any, scripted: Any):
    """Each run has its own agent, and all of them end."""
    agents = [create_agent(scripted("hi"), [], name=f"a{n}") for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda agent: agent.invoke({"messages": [("user", "hello")]}, watch.config), agents * 5))

    assert len(watch.of(AgentStarted)) == len(watch.of(ModelEnded)) == len(watch.of(Ended)) == 100


def test_parallel_children_report_their_ancestor_once(watch: Any, scripted: Any):
    """Two calls at the same time need the same agent."""
    model = scripted("hi")

    def ask(state: Any) -> Any:
        model.batch(["a", "b", "c", "d"])
        return {}

    from langgraph.graph import START, MessagesState, StateGraph

    builder: Any = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    builder.compile(name="team").invoke({"messages": []}, watch.config)

    assert watch.tree == ["workflow team", "  agent ask", "    chat", "    chat", "    chat", "    chat"]


def test_langgraphs_lifecycle_callbacks_are_taken(watch: Any):
    """Some releases call them on every handler."""
    watch.handler.on_interrupt(object())
    watch.handler.on_resume(object())

    assert watch.tape.events == []


def test_a_start_that_no_parent_is_known_of_keeps_its_id(watch: Any):
    """Another handler may know it."""
    parent = uuid4()
    watch.handler.on_tool_start({"name": "search"}, "", run_id=uuid4(), parent_run_id=parent)

    assert watch.tape.events[0].parent_id == str(parent)
