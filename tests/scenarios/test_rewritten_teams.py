"""Teams of agents: what supervisors, hand-offs and agents as tools make of each other's words."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from langgraph_supervisor import create_supervisor
from langgraph_supervisor.handoff import create_forward_message_tool
from langgraph_swarm import create_swarm
from tests.scenarios.bench import Bench, attributes, bench, billed, check_balance, check_calls
from tests.scenarios.quotes import check_call, prompt_of
from tests.scenarios.scenes import place
from tests.words import DRAFT, NOTES, PLAN, QUESTION, VERDICT

from token_otel.testing.loopback import Answer, ToolCall

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")

DONE = "The page is written and stands above; I have nothing to add to what the writer says there."
TEAM = {
    "gpt-5": [Answer(tool_calls=[ToolCall("transfer_to_researcher")]), Answer(tool_calls=[ToolCall("transfer_to_writer")]), Answer(DONE)],
    "gpt-5-mini": [Answer(NOTES)],
    "gpt-4.1-mini": [Answer(DRAFT)],
}


def supervise(b: Bench, tools: Any = None, turns: int = 1, **options: Any) -> None:
    """A supervisor, a researcher and a writer answer a question."""
    researcher: Any = create_agent(b.gpt("gpt-5-mini"), [], name="researcher")
    writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="writer")
    team = create_supervisor([researcher, writer], model=b.gpt("gpt-5"), tools=tools, supervisor_name="supervisor", **options)
    graph = team.compile(name="team", checkpointer=InMemorySaver())
    for _ in range(turns):
        graph.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("team"))
    check_balance(b)
    check_calls(b)


@pytest.mark.parametrize(
    "options",
    [
        {"output_mode": "full_history"},
        {"output_mode": "last_message"},
        {"output_mode": "last_message", "add_handoff_messages": False},
        {"output_mode": "full_history", "add_handoff_messages": True, "add_handoff_back_messages": False},
        {"output_mode": "full_history", "include_agent_name": "inline"},
        {"output_mode": "last_message", "add_handoff_messages": False, "include_agent_name": "inline"},
    ],
    ids=["full", "last", "no hand-offs", "no way back", "inline names", "inline names alone"],
)
def test_a_supervisor_reads_its_agents_words_as_theirs(options: dict[str, Any]):
    """Whatever it is told of their hand-offs, and be their names written around their words."""
    with bench(TEAM) as b:
        supervise(b, **options)
        last = next(number for number, (bill, _) in enumerate(billed(b)) if bill.output_text == DONE)
        calls = ["transfer_to_researcher{}", "transfer_to_writer{}"] if options.get("add_handoff_messages", True) else []
        owners = {"agent:researcher": [NOTES], "agent:writer": [DRAFT], "self": calls}
        text = prompt_of(b, last)
        back = "Successfully transferred back to supervisor"
        owners["tool:transfer_back_to_supervisor"] = [back] if back in text else []
        assert ("<name>researcher</name>" in text) == ("include_agent_name" in options)
        # What the library writes in an agent's name (`Transferring back to supervisor`) no model has said: it is external.
        # Up to ten short messages with a name each: their frames and names may lie a token or so beside the truth, hence 5 %.
        check_call(b, last, "supervisor", {origin: texts for origin, texts in owners.items() if texts}, share=0.05)


def test_a_forwarded_message_is_still_the_workers():
    """The supervisor's tool copies a worker's answer under a new id and its own name: in the next turn it is the worker's twice."""
    answers = TEAM | {
        "gpt-5": [
            Answer(tool_calls=[ToolCall("transfer_to_writer")]),
            Answer(tool_calls=[ToolCall("forward_message", {"from_agent": "writer"})]),
            Answer(DONE),
        ]
    }
    with bench(answers) as b:
        supervise(b, tools=[create_forward_message_tool("supervisor")], turns=2, add_handoff_messages=False)
        assert prompt_of(b, 3).count(DRAFT) == 2
        check_call(b, 3, "supervisor", {"agent:writer": [DRAFT]})


@tool
def hand_to_writer(
    task: str, state: Annotated[dict[str, Any], InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]
) -> Command[Any]:
    """Hand over to the writer, with a description of the task."""
    told = HumanMessage(f"You have been handed a task by a colleague.\n<task>\n{task}\n</task>\nGive it your best.")
    done = ToolMessage("Transferred.", tool_call_id=tool_call_id)
    update = {"messages": [*state["messages"], done, told], "active_agent": "writer"}
    return Command(goto="writer", graph=Command.PARENT, update=update)


def test_a_task_told_at_a_handoff_is_the_tellers():
    """A swarm's own hand-off tool puts an argument of the call into a user's message: those words are the caller's."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("hand_to_writer", {"task": PLAN})])], "gpt-4.1-mini": [Answer(DRAFT)]}
    with bench(answers) as b:
        planner: Any = create_agent(b.gpt("gpt-5"), [hand_to_writer], name="planner")
        writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="writer")
        swarm = create_swarm([planner, writer], default_active_agent="planner").compile(checkpointer=InMemorySaver())
        swarm.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("swarm"))
        check_balance(b)
        [call] = b.bills[0].tool_calls
        arguments = next(piece.text for piece in b.bills[1].messages if piece.text.startswith(call.name))
        check_call(b, 1, "writer", {"agent:planner": [arguments, PLAN]})


def ask(b: Bench, put: str, wrap: str, task: str = PLAN) -> None:
    """A lead asks an agent through a tool that wraps the task, and reads an answer that is wrapped as well."""
    researcher: Any = create_agent(b.gpt("gpt-5-mini"), [], name="researcher")

    @tool
    def research(task: str) -> str:
        """Ask the researcher."""
        answer = researcher.invoke({"messages": [HumanMessage(put.format(task=task))]})
        return wrap.format(answer=answer["messages"][-1].text)

    lead: Any = create_agent(b.gpt("gpt-5"), [research], name="lead")
    lead.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
    check_balance(b)
    check_calls(b)


def test_a_sub_agent_reads_its_callers_task_in_a_template():
    """The tool puts the argument of the call into a prompt of its own: the argument is the caller's, the frame the user's."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("research", {"task": PLAN})]), Answer(DRAFT)], "gpt-5-mini": [Answer(NOTES)]}
    with bench(answers) as b:
        ask(b, "Here is a task from the lead, whom you should not keep waiting:\n---\n{task}\n---\nBegin at once.", "{answer}")
        check_call(b, 1, "researcher", {"agent:lead": [PLAN]})


def test_a_caller_reads_a_wrapped_answer_as_its_sub_agents():
    """Where an agent ran beneath the tool, the result of the tool is that agent's, with the words around it."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("research", {"task": PLAN})]), Answer(DRAFT)], "gpt-5-mini": [Answer(NOTES)]}
    with bench(answers) as b:
        ask(b, "{task}", "Report:\n{answer}\nEnd.")
        [_, researched, answered] = [span for _, span in billed(b)]
        arguments = next(piece.text for piece in b.bills[-1].messages if piece.text.startswith("research{"))
        check_call(b, 2, "lead", {"agent:researcher": [f"Report:\n{NOTES}\nEnd."], "self": [arguments]})
        assert place(researched.context) in {place(link.context) for link in answered.links}


def test_the_answer_of_an_agent_in_another_agents_task():
    """A lead asks one agent and passes the answer on to another, within words of its own: by then it is the lead's."""
    passed = f"Write a page from these notes, and do not invent anything. Notes: {NOTES} End of the notes."
    asked = {"gpt-5": [Answer(tool_calls=[ToolCall("look_up", {"q": QUESTION})]), Answer(tool_calls=[ToolCall("write", {"task": passed})])]}
    answers = {"gpt-5": [*asked["gpt-5"], Answer(DONE)], "gpt-5-mini": [Answer(NOTES)], "gpt-4.1-mini": [Answer(DRAFT)]}
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-5-mini"), [], name="researcher")
        writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="writer")

        @tool
        def look_up(q: str) -> str:
            """Ask the researcher."""
            return researcher.invoke({"messages": [HumanMessage(q)]})["messages"][-1].text

        @tool
        def write(task: str) -> str:
            """Ask the writer."""
            return writer.invoke({"messages": [HumanMessage(f"# Task\n{task}\n\n# Style\nPlain.")]})["messages"][-1].text

        lead: Any = create_agent(b.gpt("gpt-5"), [look_up, write], name="lead")
        lead.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        written = next(number for number, (bill, _) in enumerate(billed(b)) if bill.model == "gpt-4.1-mini")
        check_call(b, written, "writer", {"agent:lead": [passed]})


def test_a_person_who_edits_an_agents_message_owns_the_new_words():
    """Under the message's old id three sentences are still the agent's, and the one that was put in is external."""
    inserted = "I have asked the harbour master myself, who says that none of this holds for the ferry at Tamm, which never stops."
    with bench({"gpt-5-mini": [Answer(NOTES), Answer(DRAFT)]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [], name="pilot", checkpointer=InMemorySaver())
        last = agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("river"))["messages"][-1]
        agent.update_state(b.thread("river"), {"messages": [AIMessage(f"{NOTES} {inserted}", id=last.id)]})
        agent.invoke({"messages": [HumanMessage("Thank you. And now as a page for skippers.")]}, b.thread("river"))
        check_balance(b)
        span = check_call(b, 1, "pilot", {"self": [NOTES], "external": [inserted]})
        assert attributes(span)["token_otel.flow.external_ids"] == (last.id,)


def test_a_user_who_quotes_an_agent_back_reads_it_the_agents_words():
    """The user's own words around the quote are the user's; the quote was produced by the agent."""
    quote = f'Yesterday you wrote to me: "{NOTES}" I cannot believe that. Where did you read it?'
    with bench({"gpt-5-mini": [Answer(NOTES), Answer(VERDICT)]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [], name="pilot", checkpointer=InMemorySaver())
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("river"))
        agent.invoke({"messages": [HumanMessage(quote)]}, b.thread("river"))
        check_balance(b)
        # Once as the message of the agent, once within the user's.
        check_call(b, 1, "pilot", {"self": [NOTES]})
