"""Stories in which the canary is said wherever a program can say something, and in which every name begins with `zqvex`."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langchain_openai import OpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from langgraph_swarm import create_handoff_tool, create_swarm
from openai import APIStatusError
from pydantic import BaseModel, Field
from tests.scenarios.bench import Bench
from tests.scenarios.canary import CANARY, say

from token_otel.events import ModelEnded, ModelStarted, Part
from token_otel.testing.loopback import Answer, Request, ToolCall
from token_otel.usage import Usage

PIXEL = b64encode(CANARY.encode()).decode()
LOOK = ToolCall("zqvexlookup", {"word": say("an argument"), "depth": {"why": [say("a deeper argument")]}}, id="functions.zqvexlookup:0")
ANSWER = Answer(say("an answer"))


@dataclass(frozen=True)
class Story:
    """What happens, on which answers."""

    name: str
    act: Callable[[Bench, Any], Any]
    openai: Callable[[], Any]
    anthropic: Callable[[], Any]


STORIES: dict[str, Story] = {}


def story(openai: Callable[[], Any] = dict, anthropic: Callable[[], Any] = dict) -> Any:
    """Add a story that is played on these answers."""

    def add(act: Callable[[Bench, Any], Any]) -> Any:
        STORIES[act.__name__] = Story(act.__name__, act, openai, anthropic)
        return act

    return add


def gpt5(*answers: Any) -> Callable[[], Any]:
    """Answers of one model."""
    return lambda: {"gpt-5-mini": list(answers)}


class Shelf(BaseRetriever):
    """Finds a text."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(say("a document"), id="zqvexdoc-1", metadata={"source": say("a source")})]


class Deep(BaseModel):
    """Quillmere, as a schema says it."""

    why: list[str] = Field(description=say("a parameter's description"), examples=[say("an example")])


def look_up(fails: Callable[[], Exception] | None = None, **options: Any) -> BaseTool:
    """A tool that reads a document, and answers or fails."""

    def zqvexlookup(word: str, depth: Deep | None = None) -> str:
        found = Shelf(name="zqvexshelf").invoke(word)[0].page_content
        if fails is not None:
            raise fails()
        return f"{say('a result')} {found}"

    return StructuredTool.from_function(zqvexlookup, description=say("a tool's description"), **options)


def pilot(b: Bench, *tools: Any, model: Any = None, **options: Any) -> Any:
    """An agent."""
    return create_agent(model or b.gpt("gpt-5-mini"), tools, name="zqvexpilot", system_prompt=say("a system prompt"), **options)


ASK: Any = {"messages": [HumanMessage(say("a question"), name="Quillmere-person")]}


@story(gpt5(ANSWER))
def plain(b: Bench, config: Any) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    remote = {"type": "image_url", "image_url": {"url": "https://quillmere.example/ottoline.png?zwieback=lanternfish"}}
    told = AIMessage(say("an earlier answer"), id="zqvexalice@example.org-17")
    b.gpt("gpt-5-mini", stop=["\n\n"]).invoke(
        [
            SystemMessage(say("a system prompt")),
            told,
            HumanMessage([{"type": "text", "text": say("a question")}, picture, remote], name="Quillmere-person"),
        ],
        config,
    )


@story(gpt5(Answer(say("a stream"), chunk_chars=9)))
def streamed(b: Bench, config: Any) -> None:
    for _ in b.gpt("gpt-5-mini").stream(say("a question"), config):
        pass


@story(gpt5(Answer(say("a stream") * 20, chunk_chars=30, chunk_delay_s=0.001)))
def stream_left(b: Bench, config: Any) -> None:
    stream: Any = b.gpt("gpt-5-mini").stream(say("a question"), config)
    next(stream)
    next(stream)
    stream.close()
    b.openai.wait_for_bills(1)


@story(gpt5(Answer(say("a stream"), chunk_chars=9)))
def unreported(b: Bench, config: Any) -> None:
    for _ in b.gpt("gpt-5-mini", stream_usage=False).stream(say("a question"), config):
        pass


@story(gpt5(Answer(say("a thought"), tool_calls=[LOOK], reasoning_tokens=9), ANSWER))
def tools(b: Bench, config: Any) -> None:
    pilot(b, look_up()).invoke(ASK, config)


@story(gpt5(Answer(tool_calls=[LOOK]), ANSWER))
def tool_fails(b: Bench, config: Any) -> None:
    with pytest.raises(ValueError, match="Quillmere"):
        pilot(b, look_up(lambda: ValueError(say("an exception")))).invoke(ASK, config)


@story(gpt5(Answer(tool_calls=[LOOK]), ANSWER))
def tool_error_is_handled(b: Bench, config: Any) -> None:
    pilot(b, look_up(lambda: ToolException(say("an exception")), handle_tool_error=True)).invoke(ASK, config)


@story(gpt5(Answer(tool_calls=[ToolCall(say("a tool's made-up name"), {"word": CANARY})]), ANSWER))
def tool_is_made_up(b: Bench, config: Any) -> None:
    pilot(b, look_up()).invoke(ASK, config)


def _refuse(request: Request) -> Answer:
    raise RuntimeError(request.last_text)


@story(lambda: {"gpt-5-mini": _refuse})
def model_fails(b: Bench, config: Any) -> None:
    with pytest.raises(APIStatusError, match="Quillmere"):
        b.gpt("gpt-5-mini").invoke(say("a question"), config)


@story(lambda: {"gpt-5-mini": _refuse, "gpt-4.1-mini": [Answer(error=500), ANSWER]})
def fallbacks_and_retries(b: Bench, config: Any) -> None:
    second: Any = b.gpt("gpt-4.1-mini").with_retry(wait_exponential_jitter=False)
    b.gpt("gpt-5-mini").with_fallbacks([second]).invoke(say("a question"), config)


@story(gpt5(Answer(say("an answer"), delay_s=0.05)))
def cancelled(b: Bench, config: Any) -> None:
    async def main() -> None:
        task = asyncio.create_task(pilot(b).ainvoke(ASK, config))
        await asyncio.sleep(0.03)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


@story(lambda: {"gpt-5-mini": [Answer(tool_calls=[ToolCall("transfer_to_zqvexwriter")])], "gpt-4.1-mini": [ANSWER, ANSWER]})
def handed_off(b: Bench, config: Any) -> None:
    lead = pilot(b, create_handoff_tool(agent_name="zqvexwriter", description=say("a tool's description")))
    writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="zqvexwriter")
    swarm: Any = create_swarm([lead, writer], default_active_agent="zqvexpilot").compile(checkpointer=InMemorySaver(), name="zqvexswarm")
    for _ in range(2):
        swarm.invoke(ASK, {**config, "configurable": {"thread_id": "zqvexthread"}})


@story(gpt5(Answer(CANARY), ANSWER))
def sent_where_a_model_says(b: Bench, config: Any) -> None:
    model = b.gpt("gpt-5-mini")

    def zqvexrouter(state: MessagesState) -> Any:
        return Command(goto=str(model.invoke(state["messages"]).content).replace(":", ""))

    graph = StateGraph(MessagesState)
    graph.add_node("zqvexrouter", zqvexrouter)
    graph.add_edge(START, "zqvexrouter")
    graph.compile(name="zqvexgraph").invoke(ASK, config)


@story(gpt5(ANSWER, ANSWER))
def interrupted(b: Bench, config: Any) -> None:
    def zqvexask(state: MessagesState) -> Any:
        b.gpt("gpt-5-mini").invoke(state["messages"])
        return {"messages": [HumanMessage(str(interrupt(say("an interrupt"))))]}

    graph = StateGraph(MessagesState)
    graph.add_node("zqvexask", zqvexask)
    graph.add_edge(START, "zqvexask")
    compiled: Any = graph.compile(checkpointer=InMemorySaver(), name="zqvexgraph")
    thread = {**config, "configurable": {"thread_id": "zqvexthread"}}
    compiled.invoke(ASK, thread)
    compiled.invoke(Command(resume=say("a reply")), thread)


@story(lambda: {"gpt-5-mini": [Answer(tool_calls=[ToolCall("zqvexhelp", {"task": say("a task")})]), ANSWER], "gpt-4.1-mini": [ANSWER]})
def agent_beneath_a_tool(b: Bench, config: Any) -> None:
    helper: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="zqvexhelper", system_prompt=say("a helper's system prompt"))

    def zqvexhelp(task: str) -> str:
        return helper.invoke({"messages": [HumanMessage(task)]})["messages"][-1].text

    pilot(b, StructuredTool.from_function(zqvexhelp, description=say("a tool's description"))).invoke(ASK, config)


@story(gpt5(Answer('{"why": ["Quillmere and Ottoline eat zwieback"]}')))
def structured(b: Bench, config: Any) -> None:
    b.gpt("gpt-5-mini").with_structured_output(Deep, method="json_schema").invoke(say("a question"), config)


@story(anthropic=lambda: {"claude-haiku-4-5": [Answer(say("an answer"), reasoning_tokens=30), ANSWER]})
def thinking(b: Bench, config: Any) -> None:
    model = b.claude("claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048)
    question = HumanMessage(say("a question"))
    answer = model.invoke([question], config)
    model.invoke([question, answer, HumanMessage(say("a further question"))], config)


@story(gpt5(ANSWER))
def several_choices(b: Bench, config: Any) -> None:
    b.gpt("gpt-5-mini", n=3).generate([[HumanMessage(say("a question"))]], callbacks=config.get("callbacks"))


@story(lambda: {"gpt-3.5-turbo-instruct": [ANSWER]})
def completed(b: Bench, config: Any) -> None:
    model: Any = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportArgumentType]
    model.invoke(say("a question"), config)


@story(gpt5(Answer(tool_calls=[LOOK]), ANSWER), lambda: {"claude-haiku-4-5": [Answer(tool_calls=[LOOK]), ANSWER]})
def several_providers(b: Bench, config: Any) -> None:
    found: Any = pilot(b, look_up()).invoke(ASK, config)
    reader = create_agent(b.claude("claude-haiku-4-5"), [look_up()], name="zqvexreader")
    reader.invoke({"messages": [*found["messages"], HumanMessage(say("a further question"))]}, config)


@story()
def embedded(b: Bench, config: Any) -> None:
    """By events, since langchain-core tells nothing of embeddings."""
    record = b.handler.recorder.record
    record(
        ModelStarted(run_id="e", model="text-embedding-3-small", provider="openai", operation="embeddings", prompt=(_part("user", "text"),))
    )
    record(ModelEnded(run_id="e", usage=Usage(input=40)))


def _part(kind: Any, place: str) -> Part:
    return Part(kind=kind, text=say(place))
