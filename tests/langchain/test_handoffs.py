"""Control that moves from agent to agent: once a hand-off, and never an error."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from token_otel.events import Ended, Handoff, ModelEnded, ModelStarted, Part

ASK: Any = {"messages": [("user", "hello there")]}


@pytest.mark.filterwarnings("ignore:.*create_react_agent.*")
def test_a_supervisor_hands_to_each_agent_once(watch: Any, scripted: Any, call: Any):
    """langgraph-supervisor: one hand-off for each transfer, agents as siblings, no error."""
    supervisor = pytest.importorskip("langgraph_supervisor")
    researcher = create_agent(scripted("facts"), [], name="researcher")
    writer = create_agent(scripted("text"), [], name="writer")
    lead = scripted(call("transfer_to_researcher", "c1"), call("transfer_to_writer", "c2"), "done")
    supervisor.create_supervisor([researcher, writer], model=lead).compile(name="team").invoke(ASK, watch.config)

    assert watch.tree == [
        "workflow team",
        "  agent supervisor",
        "    -> researcher",
        "    chat",
        "    tool transfer_to_researcher",
        "  agent researcher",
        "    chat",
        "  agent supervisor",
        "    -> writer",
        "    chat",
        "    tool transfer_to_writer",
        "  agent writer",
        "    chat",
        "  agent supervisor",
        "    chat",
    ]


@pytest.mark.filterwarnings("ignore:.*create_react_agent.*")
def test_two_transfers_at_once_are_two_hand_offs(watch: Any, scripted: Any, call: Any):
    """A supervisor that calls two agents in one answer."""
    supervisor = pytest.importorskip("langgraph_supervisor")
    one, two = (create_agent(scripted("facts"), [], name=name) for name in ("one", "two"))
    both = call("transfer_to_one", "c1")
    both.tool_calls.append({**call("transfer_to_two", "c2").tool_calls[0]})
    graph = supervisor.create_supervisor([one, two], model=scripted(both, "done"), parallel_tool_calls=True)
    graph.compile(name="team").invoke(ASK, watch.config)

    # The two tools run at the same time.
    assert sorted(line for line in watch.tree if "->" in line) == ["    -> one", "    -> two"]
    assert all(event.status == "ok" for event in watch.of(Ended))


def test_a_swarm_hands_over_once(watch: Any, scripted: Any, call: Any):
    """langgraph-swarm: the transfer tool, then the other agent."""
    swarm = pytest.importorskip("langgraph_swarm")
    alice = create_agent(scripted(call("transfer_to_bob")), [swarm.create_handoff_tool(agent_name="bob")], name="alice")
    bob = create_agent(scripted("hello"), [], name="bob")
    swarm.create_swarm([alice, bob], default_active_agent="alice").compile().invoke(ASK, watch.config)

    assert watch.tree == [
        "workflow None",
        "  agent alice",
        "    -> bob",
        "    chat",
        "    tool transfer_to_bob",
        "  agent bob",
        "    chat",
    ]


def test_a_hand_off_tool_of_ones_own(watch: Any, scripted: Any, call: Any):
    """A tool that returns a command for the parent graph needs no mark to be seen."""

    @tool
    def to_bob(call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Transfer."""
        message = ToolMessage("transferred", tool_call_id=call_id)
        return Command(goto="bob", graph=Command.PARENT, update={"messages": [message]})

    builder: Any = StateGraph(MessagesState)
    builder.add_node("alice", create_agent(scripted(call("to_bob")), [to_bob], name="alice"))
    builder.add_node("bob", create_agent(scripted("hello"), [], name="bob"))
    builder.add_edge(START, "alice")
    builder.compile(name="pair").invoke(ASK, watch.config)

    assert watch.tree == ["workflow pair", "  agent alice", "    -> bob", "    chat", "    tool to_bob", "  agent bob", "    chat"]


def test_the_result_of_a_hand_off_tool_is_its_message(watch: Any, scripted: Any, call: Any):
    """What the command adds to the state is what the next agent reads."""

    @tool
    def to_bob(call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Transfer."""
        return Command(goto="bob", graph=Command.PARENT, update={"messages": [ToolMessage("transferred", tool_call_id=call_id)]})

    builder: Any = StateGraph(MessagesState)
    builder.add_node("alice", create_agent(scripted(call("to_bob")), [to_bob], name="alice"))
    builder.add_node("bob", create_agent(scripted("hello"), [], name="bob"))
    builder.add_edge(START, "alice")
    builder.compile().invoke(ASK, watch.config)

    [result] = [event for event in watch.of(Ended) if event.output]
    assert [(part.kind, part.text, part.call_id) for part in result.output] == [("tool_result", "transferred", "call_1")]


def test_a_node_within_a_subgraph_that_hands_over(watch: Any, scripted: Any):
    """A plain node leaves its graph for a node of the parent's, by an exception that is none."""
    model = scripted("a", "b")

    def plan(state: Any) -> Any:
        return Command(goto="write", graph=Command.PARENT, update={"messages": [model.invoke(state["messages"])]})

    inner: Any = StateGraph(MessagesState)
    inner.add_node("plan", plan)
    inner.add_edge(START, "plan")
    builder: Any = StateGraph(MessagesState)
    builder.add_node("first", inner.compile(name="inner"))
    builder.add_node("write", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_edge(START, "first")
    builder.compile(name="outer").invoke(ASK, watch.config)

    assert watch.tree == [
        "workflow outer",
        "  workflow inner",
        "    agent plan",
        "      -> write",
        "      chat",
        "  agent write",
        "    chat",
    ]


def test_going_to_the_end_is_no_hand_off(watch: Any, scripted: Any):
    """Nobody takes over."""
    model = scripted("a")

    def plan(state: Any) -> Any:
        return Command(update={"messages": [model.invoke(state["messages"])]}, goto="__end__")

    builder: Any = StateGraph(MessagesState)
    builder.add_node("plan", plan)
    builder.add_edge(START, "plan")
    builder.compile().invoke(ASK, watch.config)

    assert not [line for line in watch.tree if "->" in line]


def test_a_hand_off_that_failed_is_none(watch: Any, scripted: Any, call: Any):
    """The tool's error goes to the model; control stays where it was."""

    def to_bob() -> str:
        """Transfer."""
        raise ToolException("not now")

    transfer = StructuredTool.from_function(to_bob, handle_tool_error=True, metadata={"__handoff_destination": "bob"})
    create_agent(scripted(call("to_bob"), "done"), [transfer], name="alice").invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool to_bob", "  chat"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("refunds", ["refunds"]),
        ("Research Desk 2", ["Research Desk 2"]),
        ("研究员", ["研究员"]),
        ("This is a case for the desk of Jane Doe", []),
        ("Jane Doe asks:\nrefunds", []),
        ("x" * 65, []),
    ],
)
def test_a_destination_is_a_name(watch: Any, scripted: Any, answer: str, shown: list[str]):
    """A program may go where a model says, and the model may answer with a sentence: those are its words, not a name."""
    model = scripted(answer)
    graph = StateGraph(MessagesState)

    def route(state: MessagesState) -> Any:
        return Command(goto=model.invoke(state["messages"]).content)

    graph.add_node("router", route)
    graph.add_edge(START, "router")
    for name in shown:
        graph.add_node(name, lambda state: {})
    graph.compile(name="desk").invoke(ASK, watch.config)

    assert [event.to_agent for event in watch.of(Handoff)] == shown


def test_two_handlers_report_a_hand_off_once(watch: Any, scripted: Any, call: Any):
    """Two handlers of one recorder see the same runs."""
    from token_otel_langchain import TokenOtelHandler

    swarm = pytest.importorskip("langgraph_swarm")
    alice = create_agent(scripted(call("transfer_to_bob")), [swarm.create_handoff_tool(agent_name="bob")], name="alice")
    bob = create_agent(scripted("hello"), [], name="bob")
    second = TokenOtelHandler(recorder=watch.tape)
    swarm.create_swarm([alice, bob], default_active_agent="alice").compile().invoke(ASK, {"callbacks": [watch.handler, second]})

    assert [line for line in watch.tree if "->" in line] == ["    -> bob"]
    assert len(watch.of(ModelEnded)) == 2


def test_what_an_agent_said_comes_back_under_its_id(watch: Any, scripted: Any, call: Any):
    """The message id of an output is the id under which the next agent reads it."""
    swarm = pytest.importorskip("langgraph_swarm")
    alice = create_agent(scripted(call("transfer_to_bob")), [swarm.create_handoff_tool(agent_name="bob")], name="alice")
    bob = create_agent(scripted("hello"), [], name="bob")
    swarm.create_swarm([alice, bob], default_active_agent="alice").compile().invoke(ASK, watch.config)

    [said] = watch.of(ModelEnded)[0].output
    assert said.message_id
    assert _key(said) in [_key(part) for part in watch.of(ModelStarted)[1].prompt]


def _key(part: Part) -> tuple[str | None, str, str | None]:
    return part.message_id, part.text, part.call_id
