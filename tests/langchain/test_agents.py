"""Which graphs are agents, what they are called, and what lies beneath them."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from token_otel.events import AgentStarted

ASK: Any = {"messages": [("user", "hello there")]}

pytestmark = pytest.mark.filterwarnings("ignore:.*create_react_agent.*")


def question(text: str) -> Any:
    """Make the input of an agent."""
    return {"messages": [("user", text)]}


@tool
def search(q: str) -> str:
    """Look something up."""
    return f"found {q}"


def graph_of(name: str | None = None, /, **nodes: Any) -> Any:
    """Compile a graph of nodes that run one after the other."""
    builder: Any = StateGraph(MessagesState)
    before = START
    for node, action in nodes.items():
        builder.add_node(node, action)
        builder.add_edge(before, node)
        before = node
    return builder.compile(name=name)


def asks(model: Any) -> Any:
    """Make a node that calls a model itself."""
    return lambda state: {"messages": [model.invoke(state["messages"])]}


def test_create_agent_is_one_agent(watch: Any, scripted: Any, call: Any):
    """An agent of LangChain's is an agent; its nodes are not seen."""
    create_agent(scripted(call("search", q="x"), "done"), [search], name="alice").invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool search", "  chat"]


def test_an_agent_without_a_name_is_called_agent(watch: Any, scripted: Any):
    """Nothing names it, so it has the generic name."""
    create_agent(scripted("done"), []).invoke(ASK, watch.config)

    assert watch.tree == ["agent agent", "  chat"]


def test_create_react_agent_is_one_agent(watch: Any, scripted: Any, call: Any):
    """LangGraph's older prebuilt agent is an agent, under its graph's name."""
    from langgraph.prebuilt import create_react_agent

    create_react_agent(scripted(call("search", q="x"), "done"), [search], name="rita").invoke(ASK, watch.config)

    assert watch.tree == ["agent rita", "  chat", "  tool search", "  chat"]


def test_hand_written_agent_and_tools_nodes_are_an_agent(watch: Any, scripted: Any, call: Any):
    """A graph of nodes called `agent` and `tools` is an agent, whoever wrote it."""
    model = scripted(call("search", q="x")).bind_tools([search])
    graph_of("helper", agent=asks(model), tools=ToolNode([search])).invoke(ASK, watch.config)

    assert watch.tree == ["agent helper", "  chat", "  tool search"]


def test_the_node_that_holds_an_anonymous_agent_names_it(watch: Any, scripted: Any):
    """The namespace says where in the workflow it stands."""
    graph_of("team", researcher=create_agent(scripted("done"), [])).invoke(ASK, watch.config)

    assert watch.tree == ["workflow team", "  agent researcher", "    chat"]


@pytest.mark.skipif(version("langgraph").startswith("1.0."), reason="it does not pass the name of a nested agent on")
def test_its_own_name_wins_over_the_node(watch: Any, scripted: Any):
    """`create_agent(name=)` is what the agent is called, wherever it stands."""
    graph_of("team", first=create_agent(scripted("done"), [], name="bob")).invoke(ASK, watch.config)

    assert watch.tree == ["workflow team", "  agent bob", "    chat"]


def test_plain_nodes_that_call_models_are_agents(watch: Any, scripted: Any):
    """In a hand-written graph the nodes are the agents, and the graph is the workflow."""
    graph_of("pipeline", plan=asks(scripted("a")), write=asks(scripted("b"))).invoke(ASK, watch.config)

    assert watch.tree == ["workflow pipeline", "  agent plan", "    chat", "  agent write", "    chat"]


def test_a_workflow_without_a_name_has_none(watch: Any, scripted: Any):
    """`LangGraph` is the name of a class, not of a workflow."""
    graph_of(plan=asks(scripted("a"))).invoke(ASK, watch.config)

    assert watch.tree == ["workflow None", "  agent plan", "    chat"]


def test_a_nested_graph_is_a_workflow_within(watch: Any, scripted: Any):
    """A compiled graph as a node coordinates its own nodes."""
    inner = graph_of("inner", plan=asks(scripted("a")))
    graph_of("outer", first=inner).invoke(ASK, watch.config)

    assert watch.tree == ["workflow outer", "  workflow inner", "    agent plan", "      chat"]


def test_an_agent_called_by_a_node(watch: Any, scripted: Any):
    """A node that only runs an agent is no agent itself."""
    bob = create_agent(scripted("done"), [], name="bob")
    graph_of("team", first=lambda state: bob.invoke(state)).invoke(ASK, watch.config)

    assert watch.tree == ["workflow team", "  agent bob", "    chat"]


def test_middleware_belongs_to_its_agent(watch: Any, scripted: Any):
    """What middleware asks a model is asked by the agent."""
    helper = scripted("summary")

    class Summarises(AgentMiddleware):
        def before_model(self, state: Any, runtime: Any) -> None:
            helper.invoke("summarise")

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            helper.invoke("rephrase")
            return handler(request)

    create_agent(scripted("done"), [], name="alice", middleware=[Summarises()]).invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  chat", "  chat"]


def test_an_agent_as_a_tool_lies_beneath_the_tool(watch: Any, scripted: Any, call: Any):
    """A sub-agent is an agent of its own, called by the tool."""
    bob = create_agent(scripted("answer"), [], name="bob")

    @tool
    def ask_bob(q: str) -> str:
        """Ask Bob."""
        return bob.invoke(question(q))["messages"][-1].content

    create_agent(scripted(call("ask_bob", q="x"), "done"), [ask_bob], name="alice").invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool ask_bob", "    agent bob", "      chat", "  chat"]


def test_an_agent_as_a_tool_when_all_is_async(watch: Any, scripted: Any, call: Any):
    """The tree is the same in tasks."""
    bob = create_agent(scripted("answer"), [], name="bob")

    @tool
    async def ask_bob(q: str) -> str:
        """Ask Bob."""
        return (await bob.ainvoke(question(q)))["messages"][-1].content

    asyncio.run(create_agent(scripted(call("ask_bob", q="x"), "done"), [ask_bob], name="alice").ainvoke(ASK, watch.config))

    assert watch.tree == ["agent alice", "  chat", "  tool ask_bob", "    agent bob", "      chat", "  chat"]


def test_an_anonymous_agent_beneath_a_tool_is_named_after_the_tool(watch: Any, scripted: Any, call: Any):
    """It inherits its caller's name in the metadata, but it is somebody else."""
    anonymous = create_agent(scripted("answer"), [])

    @tool
    def research(q: str) -> str:
        """Research."""
        return anonymous.invoke(question(q))["messages"][-1].content

    create_agent(scripted(call("research", q="x"), "done"), [research], name="alice").invoke(ASK, watch.config)

    assert watch.names() == ["alice", "research"]


def test_the_namespace_above_a_tool_names_nothing_beneath_it(watch: Any, scripted: Any, call: Any):
    """The node of the caller must not name the agent that the caller's tool runs."""
    anonymous = create_agent(scripted("answer"), [])

    @tool
    def research(q: str) -> str:
        """Research."""
        return anonymous.invoke(question(q))["messages"][-1].content

    caller = create_agent(scripted(call("research", q="x"), "done"), [research])
    graph_of("team", lead=caller).invoke(ASK, watch.config)

    assert watch.names() == ["lead", "research"]


def test_a_workflow_beneath_a_tool_keeps_its_nodes(watch: Any, scripted: Any, call: Any):
    """A hand-written graph inherits the marks of the agent that calls it; its nodes tell what it is."""
    inner = graph_of("study", plan=asks(scripted("a")))

    @tool
    def research(q: str) -> str:
        """Research."""
        return inner.invoke(question(q))["messages"][-1].content

    create_agent(scripted(call("research", q="x"), "done"), [research], name="alice").invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool research", "    workflow study", "      agent plan", "        chat", "  chat"]


def test_one_tool_that_starts_several_agents(watch: Any, scripted: Any, call: Any):
    """The `task` tool of deep agents: each sub-agent under its own name."""
    team = {name: create_agent(scripted("answer"), [], name=name) for name in ("critic", "editor")}

    @tool
    def task_for(who: str, what: str) -> str:
        """Delegate."""
        return team[who].invoke(question(what))["messages"][-1].content

    asked = scripted(call("task_for", "c1", who="critic", what="x"), call("task_for", "c2", who="editor", what="y"), "done")
    create_agent(asked, [task_for], name="lead").invoke(ASK, watch.config)

    assert watch.names() == ["lead", "critic", "editor"]


def test_a_bare_model_call_in_a_tool_has_the_tool_as_its_parent(watch: Any, scripted: Any, call: Any):
    """No agent runs beneath it: the caller is charged."""
    helper = scripted("short")

    @tool
    def shorten(text: str) -> str:
        """Shorten."""
        return helper.invoke(text).content

    create_agent(scripted(call("shorten", text="long"), "done"), [shorten], name="alice").invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool shorten", "    chat", "  chat"]


def test_a_bare_model_call_has_no_agent(watch: Any, scripted: Any):
    """`llm.invoke` is nobody's."""
    scripted("hi").invoke("hello", watch.config)

    assert watch.tree == ["chat"]


def test_a_chain_is_no_agent(watch: Any, scripted: Any):
    """`prompt | llm` is a workflow without a name: it keeps what it calls in one trace."""
    (ChatPromptTemplate.from_messages([("user", "{x}")]) | scripted("hi")).invoke({"x": "hello"}, watch.config)

    assert watch.tree == ["workflow None", "  chat"]


def test_a_chain_that_was_given_a_name_has_it(watch: Any, scripted: Any):
    """A run name is the workflow's; the class of a runnable is no name."""
    chain = (ChatPromptTemplate.from_messages([("user", "{x}")]) | scripted("hi")).with_config(run_name="greet")
    chain.invoke({"x": "hello"}, watch.config)

    assert watch.tree == ["workflow greet", "  chat"]


def test_a_chain_keeps_its_calls_together(watch: Any, scripted: Any):
    """Two models of one chain are parts of one run."""
    RunnableParallel(a=scripted("a"), b=scripted("b")).invoke("hello", watch.config)

    assert watch.tree == ["workflow None", "  chat", "  chat"]


def test_what_calls_no_model_leaves_no_trace(watch: Any):
    """Plain runnables and graphs cost no tokens."""
    (RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x)).invoke("hello", watch.config)
    graph_of("quiet", plan=lambda state: state).invoke(ASK, watch.config)

    assert watch.tape.events == []


def test_fan_out_starts_one_agent_for_each_branch(watch: Any, scripted: Any):
    """`Send` runs a node several times at once, under one workflow."""
    model = scripted("done")
    builder: Any = StateGraph(MessagesState)
    builder.add_node("write", asks(model))
    builder.add_conditional_edges(START, lambda state: [Send("write", state)] * 3)
    builder.compile(name="map").invoke(ASK, watch.config)

    assert watch.tree == ["workflow map"] + ["  agent write", "    chat"] * 3


def test_a_node_that_routes_by_command(watch: Any, scripted: Any):
    """`Command(goto=)` moves control from one agent node to the next."""
    model = scripted("plan", "text")

    def plan(state: Any) -> Any:
        return Command(update={"messages": [model.invoke(state["messages"])]}, goto="write")

    builder: Any = StateGraph(MessagesState)
    builder.add_node("plan", plan)
    builder.add_node("write", asks(model))
    builder.add_edge(START, "plan")
    builder.compile(name="pair").invoke(ASK, watch.config)

    assert watch.tree == ["workflow pair", "  agent plan", "    -> write", "    chat", "  agent write", "    chat"]


def test_tasks_of_the_functional_api(watch: Any, scripted: Any):
    """A task that calls a model is an agent named after it."""
    model = scripted("a", "b")

    @task
    def outline(topic: str) -> Any:
        return model.invoke(topic).content

    @task
    def draft(plan: str) -> Any:
        return model.invoke(plan).content

    @entrypoint()
    def essay(topic: str) -> Any:
        return draft(outline(topic).result()).result()

    essay.invoke("cats", watch.config)

    assert watch.names() == ["outline", "draft"]
    assert [event.kind for event in watch.of(AgentStarted)] == ["workflow", "agent", "agent"]


def test_an_entry_point_that_calls_a_model_itself(watch: Any, scripted: Any):
    """Then the function is the agent."""
    model = scripted("a")

    @entrypoint()
    def essay(topic: str) -> Any:
        return model.invoke(topic).content

    essay.invoke("cats", watch.config)

    assert watch.names() == ["essay"]


def test_a_resumed_agent_is_an_agent_even_if_a_tool_comes_first(watch: Any, scripted: Any, call: Any):
    """After an interrupt the tool runs before any model."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import interrupt

    @tool
    def confirm(what: str) -> str:
        """Ask a person."""
        return str(interrupt(what))

    agent = create_agent(scripted(call("confirm", what="x"), "done"), [confirm], name="alice", checkpointer=InMemorySaver())
    agent.invoke(ASK, watch.thread("t1"))
    agent.invoke(Command(resume="yes"), watch.thread("t1"))

    assert watch.tree == [
        "agent alice (interrupted)",
        "  chat",
        "  tool confirm (interrupted)",
        "agent alice",
        "  tool confirm",
        "  chat",
    ]


def test_ancestors_carry_the_time_at_which_they_began(watch: Any, scripted: Any):
    """They are reported late, but they began before what is beneath them."""
    graph_of("team", first=create_agent(scripted("done"), [], name="bob")).invoke(ASK, watch.config)

    workflow, agent = watch.of(AgentStarted)
    assert workflow.at_ns <= agent.at_ns


def test_a_late_child_of_a_chain_that_has_ended_finds_its_ancestors(watch: Any, scripted: Any):
    """Fire and forget: the node is over, the agent that it belongs to is found all the same."""
    model = scripted("first", "late")
    waiting: list[Any] = []

    def plan(state: Any, config: RunnableConfig) -> Any:
        waiting.append(config)
        return {"messages": [model.invoke(state["messages"])]}

    graph_of("team", plan=plan).invoke(ASK, watch.config)
    model.invoke("late", waiting[0])

    assert watch.tree == ["workflow team", "  agent plan", "    chat", "    chat"]


def test_an_ended_chain_that_was_never_reported_is_not_reported_late(watch: Any, scripted: Any):
    """Nothing would end it; its late children pass it by."""
    waiting: list[Any] = []
    RunnableLambda(lambda x, config: waiting.append(config)).invoke("x", watch.config)
    scripted("late").invoke("hello", waiting[0])

    assert watch.of(AgentStarted) == []
    assert len(watch.tree) == 1
