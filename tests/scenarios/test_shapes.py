"""Shapes of programs: who runs beneath whom, whom each call is charged to, and what the tree of spans looks like."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportDeprecated=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.types import Command, interrupt
from langgraph_supervisor import create_supervisor
from tests.scenarios.bench import Bench, attributes, bench, chats, check_balance, check_origins
from tests.scenarios.scenes import ASKED, DRAFT, NOTES, QUESTION, check_rollups, flow, read_locks, read_soundings, tree

from token_otel.testing.loopback import Answer, ToolCall

PREBUILT_IS_DEPRECATED = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
BOTH_TOOLS = [Answer("Let me see.", tool_calls=[ToolCall("read_soundings"), ToolCall("read_locks")]), Answer(NOTES)]


def user_asks() -> Any:
    """The state with which every run begins."""
    return {"messages": [HumanMessage(QUESTION)]}


def asks_researcher(b: Bench, *others: Any) -> Any:
    """A lead whose tool is a researcher, beside other tools."""
    researcher: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="researcher")

    @tool
    def research(question: str) -> str:
        """Ask the researcher."""
        return researcher.invoke({"messages": [HumanMessage(question)]})["messages"][-1].text

    return create_agent(b.gpt("gpt-5"), [research, *others], name="lead")


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_called_side_by_side_keep_their_results_apart(streamed: bool):
    """Two tools of one answer: each result is its own tool's, streamed or not."""
    with bench(anthropic={"claude-haiku-4-5": BOTH_TOOLS}) as b:
        agent: Any = create_agent(b.claude("claude-haiku-4-5", streaming=streamed), [read_soundings, read_locks], name="pilot")
        asyncio.run(agent.ainvoke(user_asks(), b.config))
        check_balance(b)
        check_origins(b, {"claude-haiku-4-5": "pilot"})
        check_rollups(b)
        assert sorted(tree(b)[1:]) == ["  chat claude-haiku-4-5"] * 2 + ["  execute_tool read_locks", "  execute_tool read_soundings"]


def test_an_agent_and_a_tool_side_by_side():
    """The sub-agent's answer is the sub-agent's, the tool's is the tool's, and the lead's subtree holds both agents."""
    calls = [ToolCall("research", {"question": ASKED}), ToolCall("read_locks")]
    answers = {
        "gpt-5": [Answer(tool_calls=calls), Answer(DRAFT)],
        "gpt-5-mini": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)],
    }
    with bench(answers) as b:
        asks_researcher(b, read_locks).invoke(user_asks(), b.config)
        check_balance(b)
        check_rollups(b)
        check_origins(
            b, {"gpt-5": "lead", "gpt-5-mini": "researcher"}, answers={"research": "agent:researcher"}, said={ASKED: "agent:lead"}
        )


def test_a_subagent_chosen_by_a_task_tool():
    """One tool that launches any of several agents and answers with a `Command`: the answer is the agent's that ran."""
    calls = [
        ToolCall("task", {"description": ASKED, "kind": "researcher"}),
        ToolCall("task", {"description": "List the closing days of all the locks.", "kind": "clerk"}),
    ]
    answers = {
        "gpt-5": [Answer(tool_calls=calls), Answer(DRAFT)],
        "gpt-5-mini": [Answer(NOTES)],
        "gpt-4.1-mini": [Answer("Every lock on the river is closed on one day of the month.")],
    }
    with bench(answers) as b:
        agents: dict[str, Any] = {
            "researcher": create_agent(b.gpt("gpt-5-mini"), [], name="researcher"),
            "clerk": create_agent(b.gpt("gpt-4.1-mini"), [], name="clerk"),
        }

        @tool("task")
        def launch(description: str, kind: str, runtime: ToolRuntime) -> Command[Any]:
            """Launch a sub-agent."""
            answer = agents[kind].invoke({"messages": [HumanMessage(description)]}, runtime.config)["messages"][-1].text
            return Command(update={"messages": [ToolMessage(answer, tool_call_id=runtime.tool_call_id or "")]})

        lead: Any = create_agent(b.gpt("gpt-5"), [launch], name="lead")
        lead.invoke(user_asks(), b.config)
        check_balance(b)
        check_rollups(b)
        assert {span.name for span in b.spans if span.name.startswith("invoke_")} == {
            "invoke_agent lead",
            "invoke_agent researcher",
            "invoke_agent clerk",
        }
        assert set(flow(chats(b)[-1])) == {"agent:researcher", "agent:clerk", "self", "user", "tools"}


def test_agents_that_a_node_gathers_are_read_apart():
    """A node that runs three agents at once and reads their answers: each answer is its agent's."""
    with bench({"gpt-5-mini": lambda request: Answer("Noted: " + request.last_text), "gpt-5": [Answer(DRAFT)]}) as b:
        agents: list[Any] = [create_agent(b.gpt("gpt-5-mini"), [], name=name) for name in ("north", "middle", "south")]
        model = b.gpt("gpt-5")

        async def survey(state: MessagesState) -> dict[str, list[Any]]:
            asked = (agent.ainvoke({"messages": [HumanMessage(f"Describe the reach called {agent.name}.")]}) for agent in agents)
            answers = await asyncio.gather(*asked)
            return {"messages": [await model.ainvoke([answer["messages"][-1] for answer in answers])]}

        graph = StateGraph(MessagesState)
        graph.add_node("survey", survey)
        graph.add_edge(START, "survey")
        asyncio.run(cast("Any", graph.compile(name="chart")).ainvoke(user_asks(), b.config))
        check_balance(b)
        check_rollups(b)
        assert set(flow(chats(b)[-1])) == {"agent:north", "agent:middle", "agent:south"}


@PREBUILT_IS_DEPRECATED
def test_a_team_of_teams():
    """A supervisor of supervisors: workflow beneath workflow, each call charged to the agent that makes it."""
    answers = {
        "gpt-5": [Answer(tool_calls=[ToolCall("transfer_to_field_team")]), Answer("All is done, as the field team says.")],
        "gpt-5-mini": [Answer(tool_calls=[ToolCall("transfer_to_researcher")]), Answer("The field team has measured the whole river.")],
        "gpt-4.1-mini": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)],
    }
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-4.1-mini"), [read_soundings], name="researcher")
        team: Any = create_supervisor([researcher], model=b.gpt("gpt-5-mini"), supervisor_name="foreman", output_mode="full_history")
        company = create_supervisor(
            [team.compile(name="field_team")], model=b.gpt("gpt-5"), supervisor_name="director", output_mode="full_history"
        )
        company.compile(name="company").invoke(user_asks(), b.config)
        check_balance(b)
        check_rollups(b)
        assert {span.status.status_code.name for span in b.spans} == {"UNSET"}
        assert [line for line in tree(b) if "invoke_" in line] == [
            "invoke_workflow company",
            "  invoke_agent director",
            "  invoke_workflow field_team",
            "    invoke_agent foreman",
            "    invoke_agent researcher",
            "    invoke_agent foreman",
            "  invoke_agent director",
        ]
        assert {"agent:researcher", "agent:foreman", "self", "tool:read_soundings"} <= set(flow(chats(b)[-1]))


def test_agents_as_nodes_of_a_graph_by_hand():
    """A named agent keeps its name, one without a name has its node's."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)], "gpt-5-mini": [Answer(DRAFT)]}
    with bench(answers) as b:
        graph: Any = StateGraph(MessagesState)
        graph.add_node("look_up", create_agent(b.gpt("gpt-5"), [read_soundings], name="researcher"))
        graph.add_node("write_up", create_agent(b.gpt("gpt-5-mini"), []))
        graph.add_edge(START, "look_up").add_edge("look_up", "write_up")
        graph.compile(name="desk").invoke(user_asks(), b.config)
        check_balance(b)
        check_rollups(b)
        check_origins(b, {"gpt-5": "researcher", "gpt-5-mini": "write_up"})


@PREBUILT_IS_DEPRECATED
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_prebuilt_agent_is_the_same(version: Any):
    """`create_react_agent` gives the tree, books and origins of `create_agent`."""
    with bench({"gpt-5-mini": BOTH_TOOLS}) as b:
        agent: Any = create_react_agent(b.gpt("gpt-5-mini"), [read_soundings, read_locks], name="pilot", version=version)
        agent.invoke(user_asks(), b.config)
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert sorted(tree(b)[1:]) == ["  chat gpt-5-mini"] * 2 + ["  execute_tool read_locks", "  execute_tool read_soundings"]


def test_the_functional_api():
    """Tasks that call a model are agents beneath the workflow of their entry point, and read each other's words."""
    with bench({"gpt-5": [Answer(NOTES)], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        first, second = b.gpt("gpt-5"), b.gpt("gpt-5-mini")

        @task
        def look_up(question: str) -> str:
            return str(first.invoke([HumanMessage(question)]).text)

        @task
        def write_up(notes: str) -> str:
            return str(second.invoke([("system", "You write for a small paper."), ("user", notes)]).text)

        @entrypoint(checkpointer=InMemorySaver())
        def paper(question: str) -> str:
            return write_up(look_up(question).result()).result()

        cast("Any", paper).invoke(QUESTION, b.thread("paper"))
        check_balance(b)
        check_origins(b, {"gpt-5": "look_up", "gpt-5-mini": "write_up"}, said={NOTES: "agent:look_up"})
        assert [line for line in tree(b) if "invoke_agent" in line] == ["  invoke_agent look_up", "  invoke_agent write_up"]


def test_an_interrupt_deep_in_a_subagent_resumes():
    """A sub-agent's tool waits for a person: all of its ancestors are interrupted, none has failed, and the answer is traced."""

    @tool
    def ask_captain(question: str) -> str:
        """Ask the captain."""
        return str(interrupt(question))

    def researcher(request: Any) -> Answer:
        asks = request.messages[-1]["role"] == "user"
        return Answer(tool_calls=[ToolCall("ask_captain", {"question": "May we go on?"})]) if asks else Answer(NOTES)

    with bench({"gpt-5": [Answer(tool_calls=[ToolCall("research", {"question": ASKED})]), Answer(DRAFT)], "gpt-5-mini": researcher}) as b:
        inner: Any = create_agent(b.gpt("gpt-5-mini"), [ask_captain], name="researcher", checkpointer=True)

        @tool
        def research(question: str) -> str:
            """Ask the researcher."""
            return inner.invoke({"messages": [HumanMessage(question)]})["messages"][-1].text

        lead: Any = create_agent(b.gpt("gpt-5"), [research], name="lead", checkpointer=InMemorySaver())
        lead.invoke(user_asks(), b.thread("bridge"))
        interrupted = [attributes(span)["token_otel.run.status"] for span in b.spans if not span.name.startswith("chat")]
        lead.invoke(Command(resume="Yes, go on until the lock at mile 640."), b.thread("bridge"))
        check_balance(b)
        check_rollups(b)
        check_origins(
            b, {"gpt-5": "lead", "gpt-5-mini": "researcher"}, answers={"research": "agent:researcher"}, said={ASKED: "agent:lead"}
        )
        assert interrupted == ["interrupted"] * 4
        assert {span.status.status_code.name for span in b.spans} == {"UNSET"}
