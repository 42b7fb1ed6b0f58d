"""A graph whose branches end apart: one fails, one outlives the others, control moves on, somebody is waited for."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt
from tests.scenarios.bench import attributes
from tests.scenarios.endings import ASKED, WATCHED, Ending, Gate, ending, read_on
from tests.scenarios.scenes import NOTES, QUESTION

from token_otel.testing.loopback import Answer, ToolCall

SLOW = Answer(NOTES * 20, chunk_delay_s=0.005)
LOOP = [Answer(tool_calls=[ToolCall("read_soundings")]), SLOW]
LEFT = [
    ("chat gpt-5-mini", "cancelled"),
    ("chat gpt-5-mini", "ok"),
    ("execute_tool read_soundings", "ok"),
    ("invoke_agent pilot", "cancelled"),
]


@WATCHED
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_sibling_fails_while_the_other_ones_bill_is_under_way(instrumented: bool, asynchronous: bool):
    """The call that goes on ends with its real bill, after the parent that failed."""
    gate = Gate(Answer(NOTES))

    def fail(_: Any) -> None:
        gate.asked.wait(10)
        raise ValueError

    async def afail(_: Any) -> None:
        await gate.wait()
        raise ValueError

    async def both(parallel: Any, b: Ending) -> None:
        with pytest.raises(ValueError):  # noqa: PT011
            await parallel.ainvoke(QUESTION, b.config)
        gate.open.set()
        while b.recorder.open_runs:
            await asyncio.sleep(0.005)

    with ending({"gpt-5-mini": gate}, failed=["invoke_workflow"], instrumented=instrumented) as b:
        parallel = RunnableParallel(answer=b.gpt("gpt-5-mini"), other=RunnableLambda(fail, afail))
        if asynchronous:
            b.run(lambda: both(parallel, b))
        else:
            threading.Timer(0.2, gate.open.set).start()
            with pytest.raises(ValueError):  # noqa: PT011
                parallel.invoke(QUESTION, b.config)
    assert b.statuses == [("chat gpt-5-mini", "ok"), ("invoke_workflow", "error")]


def graph_of(name: str, **nodes: Any) -> Any:
    """A graph whose nodes all begin at once."""
    graph: Any = StateGraph(MessagesState)
    for node, does in nodes.items():
        graph.add_node(node, does)
        graph.add_edge(START, node)
    return graph.compile(name=name)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_node_fails_beside_another(asynchronous: bool):
    """Async, the other one is cancelled by LangGraph; in a thread it goes on, and its bill is booked."""
    gate = Gate(Answer(NOTES))

    def ask(state: Any) -> Any:
        return {"messages": [b.gpt("gpt-5-mini").invoke(state["messages"])]}

    async def aask(state: Any) -> Any:
        return {"messages": [await b.gpt("gpt-5-mini").ainvoke(state["messages"])]}

    def fail(state: Any) -> Any:
        gate.asked.wait(10)
        raise ValueError

    async def afail(state: Any) -> Any:
        await gate.wait()
        raise ValueError

    with ending({"gpt-5-mini": gate}, failed=["invoke_workflow team"]) as b:
        if asynchronous:
            b.balanced = False
            graph = graph_of("team", ask=aask, fail=afail)

            async def run() -> None:
                with pytest.raises(ValueError):  # noqa: PT011
                    await graph.ainvoke(ASKED, b.config)
                gate.open.set()

            b.run(run)
        else:
            threading.Timer(0.2, gate.open.set).start()
            with pytest.raises(ValueError):  # noqa: PT011
                graph_of("team", ask=ask, fail=fail).invoke(ASKED, b.config)
        b.orphans = True
    status = "cancelled" if asynchronous else "ok"
    assert b.statuses == [("chat gpt-5-mini", status), ("invoke_agent ask", status), ("invoke_workflow team", "error")]


@WATCHED
def test_a_task_that_nobody_waits_for_outlives_its_graph(instrumented: bool):
    """It ends well, later, in the same trace; the agent says that it was still open."""
    gate = Gate(Answer(NOTES))
    tasks: list[asyncio.Task[Any]] = []

    async def forget(state: Any) -> Any:
        tasks.append(asyncio.create_task(b.gpt("gpt-5-mini").ainvoke(state["messages"])))
        await gate.wait()
        return {}

    async def run() -> None:
        await graph_of("team", forget=forget).ainvoke(ASKED, b.config)
        gate.open.set()
        await asyncio.gather(*tasks)

    with ending({"gpt-5-mini": gate}, instrumented=instrumented) as b:
        b.run(run)
    assert b.statuses == [("chat gpt-5-mini", "ok"), ("invoke_agent forget", "ok"), ("invoke_workflow team", "ok")]
    assert b.values("invoke_agent forget")["token_otel.agent.incomplete"] == 1


def test_a_real_end_after_the_grace_is_booked_by_a_span_of_its_own():
    """The flush has closed it; when the bill comes, a second span links to the first with all that it lacked."""
    gate = Gate(Answer(NOTES))
    tasks: list[asyncio.Task[Any]] = []

    async def forget(state: Any) -> Any:
        tasks.append(asyncio.create_task(b.gpt("gpt-5-mini").ainvoke(state["messages"])))
        await gate.wait()
        return {}

    async def run() -> None:
        await graph_of("team", forget=forget).ainvoke(ASKED, b.config)
        b.recorder.flush()
        gate.open.set()
        await asyncio.gather(*tasks)

    with ending({"gpt-5-mini": gate}) as b:
        b.balanced = False
        b.run(run)
    first, second = (span for span in b.spans if span.name == "chat gpt-5-mini")
    [bill] = b.openai.bills
    assert [attributes(span)["token_otel.run.status"] for span in (first, second)] == ["cancelled", "ok"]
    assert "gen_ai.usage.input_tokens" not in attributes(first)
    assert attributes(second)["gen_ai.usage.input_tokens"] == bill.input
    assert [link.context.span_id for link in second.links if link.context][:1] == [first.context.span_id if first.context else 0]


def hand_over(_: Any) -> Any:
    """Leave the graph for a node of its parent's."""
    return Command(goto="bob", graph=Command.PARENT)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "astream"])
def test_a_hand_off_by_a_parent_command_is_no_error(way: str):
    """LangGraph moves control by an exception."""

    def ask(state: Any) -> Any:
        b.gpt("gpt-5").invoke(state["messages"])
        return hand_over(state)

    with ending({"gpt-5": [Answer(NOTES)], "gpt-5-mini": [Answer(NOTES)]}) as b:
        graph: Any = StateGraph(MessagesState)
        graph.add_node("alice", graph_of("alice", ask=ask))
        graph.add_node("bob", create_agent(b.gpt("gpt-5-mini"), [], name="bob"))
        graph.add_edge(START, "alice")
        team = graph.compile(name="team")
        match way:
            case "invoke":
                team.invoke(ASKED, b.config)
            case "ainvoke":
                b.run(lambda: team.ainvoke(ASKED, b.config))
            case _:
                b.run(lambda: read_on(team.astream(ASKED, b.config)))
    assert {status for _, status in b.statuses} == {"ok"}
    assert [name for span in b.spans for name in attributes(span).get("token_otel.agent.handoffs", ())] == ["bob"]


@tool
def ask_captain(question: str) -> str:
    """Ask the captain."""
    return str(interrupt(question))


@WATCHED
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_interrupt_waits_and_its_resumption_is_a_run_of_its_own(instrumented: bool, asynchronous: bool):
    """Nobody has failed; each call is billed once."""
    answers = [Answer(tool_calls=[ToolCall("ask_captain", {"question": "May we?"})]), Answer(NOTES)]
    with ending({"gpt-5-mini": answers}, instrumented=instrumented) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [ask_captain], name="pilot", checkpointer=InMemorySaver())

        async def both() -> None:
            for given in (ASKED, Command(resume="Yes.")):
                await agent.ainvoke(given, b.thread("bridge"))

        if asynchronous:
            b.run(both)
        else:
            for given in (ASKED, Command(resume="Yes.")):
                agent.invoke(given, b.thread("bridge"))
    assert b.statuses == [
        ("chat gpt-5-mini", "ok"),
        ("chat gpt-5-mini", "ok"),
        ("execute_tool ask_captain", "interrupted"),
        ("execute_tool ask_captain", "ok"),
        ("invoke_agent pilot", "interrupted"),
        ("invoke_agent pilot", "ok"),
    ]


def test_a_node_is_tried_again():
    """By LangGraph's own policy: the refused attempt is an error, what stands around it is not."""
    with ending({"gpt-5-mini": [Answer(error=500), Answer(NOTES)]}, failed=["chat gpt-5-mini", "invoke_agent ask"]) as b:

        def ask(state: Any) -> Any:
            return {"messages": [b.gpt("gpt-5-mini").invoke(state["messages"])]}

        graph: Any = StateGraph(MessagesState)
        graph.add_node("ask", ask, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.01, retry_on=Exception))
        graph.add_edge(START, "ask")
        graph.compile(name="team").invoke(ASKED, b.config)
    assert [status for name, status in b.statuses if name.startswith("chat")] == ["error", "ok"]
