"""A team on one thread: a supervisor hands work to a researcher, a writer and a critic, who share what was said."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain.tools import InjectedState, InjectedToolCallId
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

REPORT = Path(__file__).with_name("city_heat.md")

SUPERVISOR = """\
You lead a small editorial team: a researcher, a writer and a critic. You write nothing yourself. For each request, decide
who works next and hand the work over with the transfer tools. Have facts gathered before anything is written, and have a
text reviewed once before it goes out. When the result is ready, give it to the user in full, with one sentence of your own."""

RESEARCHER = """\
You gather facts for a team. Read the report with your tool before you answer, unless you have read it already. Answer with
short notes: one fact a line, each with the section it comes from and the range the report gives. Do not add anything that
the report does not say, and say plainly what it leaves open."""

WRITER = """\
You write for a city council: plain words, short paragraphs, no jargon. Use the researcher's notes and nothing else. Keep the
figures as ranges. When a critic has spoken, revise the text accordingly and return the whole of it."""

CRITIC = """\
You review drafts before they reach a city council. Compare each claim with the researcher's notes, name at most three things
that must change, in order of weight, and say in one line whether the draft may go out afterwards."""


@tool
def read_report() -> str:
    """Read the report "How cities keep cool" in full."""
    return REPORT.read_text(encoding="utf-8")


def _transfer(agent: str, description: str) -> BaseTool:
    @tool(f"transfer_to_{agent}", description=description)
    def transfer(
        task: str, state: Annotated[dict[str, Any], InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> Command[Any]:
        told = ToolMessage(f"Handed to the {agent}: {task}", name=f"transfer_to_{agent}", tool_call_id=tool_call_id)
        return Command(goto=agent, graph=Command.PARENT, update={"messages": [*state["messages"], told]})

    return transfer


def build_team(
    *, supervisor: BaseChatModel, researcher: BaseChatModel, writer: BaseChatModel, critic: BaseChatModel
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build the team; each of its members runs on a model of its own."""
    lead: Any = create_agent(
        supervisor,
        [
            _transfer("researcher", "Hand the work to the researcher, who knows the report and gathers facts from it."),
            _transfer("writer", "Hand the work to the writer, who drafts or revises a text from the researcher's notes."),
            _transfer("critic", "Hand the work to the critic, who compares a draft with the researcher's notes."),
        ],
        system_prompt=SUPERVISOR,
        name="supervisor",
    )
    caching = AnthropicPromptCachingMiddleware(ttl="5m")
    members: dict[str, Any] = {
        "researcher": create_agent(researcher, [read_report], system_prompt=RESEARCHER, name="researcher", middleware=[caching]),
        "writer": create_agent(writer, [], system_prompt=WRITER, name="writer"),
        "critic": create_agent(critic, [], system_prompt=CRITIC, name="critic"),
    }
    graph = StateGraph(MessagesState)
    graph.add_node("supervisor", lead, destinations=(*members, END))
    graph.add_edge(START, "supervisor")
    for name, member in members.items():
        graph.add_node(name, member)
        graph.add_edge(name, "supervisor")
    return graph.compile(checkpointer=InMemorySaver(), name="research_team")
