"""`World`: a provider, a few agents on its models, and their conversations; every call is made by the real client.

A world has a recorder of its own, so that what it learns of a model begins anew. Its calls follow one another.
"""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, TypeAlias, TypedDict

from bench.billed import material
from bench.billed.owners import Owners
from langchain_anthropic import ChatAnthropic
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, message_chunk_to_message
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from opentelemetry.sdk.trace import TracerProvider

from token_otel import Recorder, Settings
from token_otel.events import Event
from token_otel.ledger import Closed
from token_otel.testing.loopback import Answer, Bill, LoopbackAnthropic, LoopbackOpenAI, Request, ToolCall
from token_otel_langchain import TokenOtelHandler

Api: TypeAlias = Literal["OpenAI Chat Completions", "OpenAI Responses", "Anthropic Messages"]
APIS: tuple[Api, ...] = ("OpenAI Chat Completions", "OpenAI Responses", "Anthropic Messages")
GPT = ("gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini")
CLAUDE = ("claude-haiku-4-5", "claude-opus-4-5")
NAMES = ("planner", "researcher", "writer", "critic")


class State(TypedDict):
    """The state of an agent's graph: what it is to do."""

    do: Callable[[], None]


class Shelf(BaseRetriever):
    """A retriever that finds what it is given."""

    found: list[str]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(text) for text in self.found]


@dataclass(frozen=True)
class Call:
    """One call: its bill, what was read of it, and in what conversation."""

    bill: Bill
    closed: Closed
    reader: str
    tools: int
    what: str
    owners: Owners


@dataclass
class Agent:
    """An agent: its model, its prompt, its tools."""

    name: str
    model: Any
    model_name: str
    system: str
    tools: list[StructuredTool]
    streams: bool
    cache: dict[str, str] | None
    others: dict[str, Agent] = field(default_factory=dict[str, "Agent"])

    def messages(self, history: list[BaseMessage]) -> list[BaseMessage]:
        """Return what it is sent."""
        if not self.system:
            return history
        block = {"type": "text", "text": self.system, "cache_control": self.cache}
        return [SystemMessage([block] if self.cache else self.system), *history]


class Taped(Recorder):
    """A recorder that keeps what it is told."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.tape: list[Event] = []

    def record(self, event: Event) -> None:
        self.tape.append(event)
        super().record(event)


class World:
    """One provider with its agents; use `world`."""

    def __init__(self, api: Api, rng: Random, server: Any) -> None:
        self.calls: list[Call] = []
        self._api: Api = api
        self._rng = rng
        self._server = server
        self._closed: list[Closed] = []
        recorder = Taped(TracerProvider(shutdown_on_exit=False), settings=Settings(worker="inline", raise_errors=True))
        recorder._writers = (self._closed.append,)  # pyright: ignore[reportPrivateUsage]
        self.recorder = recorder
        self._handler = TokenOtelHandler(recorder=recorder)
        self._answer = Answer("")
        self._owners = Owners()
        self._what = ""
        self._serial = 0
        self._result = ""

    @property
    def tape(self) -> list[Event]:
        """What the recorder was told."""
        return self.recorder.tape

    def say(self, _: Request) -> Answer:
        """Answer a request: the server's script."""
        return self._answer

    def converse(self, number: int) -> None:
        """Hold one conversation."""
        rng = self._rng
        self._owners = Owners()
        agents = self._agents()
        config: Any = {"callbacks": [self._handler], "configurable": {"thread_id": str(number)}}
        history: list[BaseMessage] = []
        shares = rng.random() < 0.6  # the agents read one thread, else what is quoted to them
        told: list[tuple[str, str]] = []
        turns = rng.choice((1, 1, 2, 3, 4, 6))
        self._what = f"conversation {number}: {len(agents)} agents {'on one thread' if shares else 'that quote one another'}"
        for _ in range(turns):
            agent = rng.choice(agents)
            mine = history if shares else []

            def turn(agent: Agent = agent, mine: list[BaseMessage] = mine) -> None:
                mine.append(self._question(told if not shares else [], agent))
                self._loop(agent, mine)
                told.append((str(mine[-1].text), f"agent:{agent.name}"))

            self._run(agent.name, turn, config)

    def _run(self, name: str, do: Callable[[], None], config: Any = None) -> None:
        def node(state: State) -> None:
            state["do"]()

        graph: Any = StateGraph(State).add_node(name, node).add_edge(START, name).compile(name=name)
        graph.invoke({"do": do}, config)

    def _question(self, told: list[tuple[str, str]], agent: Agent) -> HumanMessage:
        rng = self._rng
        quotes: list[tuple[str, str]] = []
        if told and rng.random() < 0.8:
            quotes += [(text, origin) for text, origin in told[-2:] if len(text) > 200 and origin != f"agent:{agent.name}"]
        if rng.random() < 0.25:
            found = [material.text(rng, 60, 800, material.LONG) for _ in range(rng.randint(1, 4))]
            quotes += [(document.page_content, "document") for document in Shelf(found=found).invoke("query")]
        asked = material.text(rng, 5, 400)
        if quotes:
            asked = "\n\n".join([*(f"<context>\n{text}\n</context>" for text, _ in quotes), asked])
            self._owners.quoted[asked] = quotes
        return HumanMessage(asked)

    def _loop(self, agent: Agent, messages: list[BaseMessage]) -> None:
        rng = self._rng
        steps = rng.choice((0, 1, 1, 2, 4)) if agent.tools else 0
        for _ in range(steps):
            calls = [self._call(agent) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
            text = material.text(rng, 4, 60, ("prose", "markdown", "Chinese")) if rng.random() < 0.4 else ""
            answer = self._ask(agent, messages, Answer(text, tool_calls=calls, reasoning_tokens=self._reasoning(agent), chunk_chars=400))
            messages.append(answer)
            by_name = {tool.name: tool for tool in agent.tools}
            for call in answer.tool_calls:
                other = agent.others.get(call["name"])
                self._owners.answered[str(call["id"])] = f"agent:{other.name}" if other else f"tool:{call['name']}"
                messages.append(by_name[call["name"]].invoke({**call, "type": "tool_call"}))
        said = material.text(rng, 15, 500, ("prose", "markdown", "Chinese", "JSON", "Python", "French", "mixed"))
        messages.append(self._ask(agent, messages, Answer(said, reasoning_tokens=self._reasoning(agent), chunk_chars=400)))

    def _reasoning(self, agent: Agent) -> int:
        return self._rng.choice((0, self._rng.randrange(2000))) if agent.model_name.startswith("gpt-5") else 0

    def _call(self, agent: Agent) -> ToolCall:
        self._serial += 1
        serial = f"no-{self._serial:06d}"
        self._owners.said[serial] = agent.name
        name = self._rng.choice(agent.tools).name
        if name in agent.others:
            asked = f"{serial}: {material.sentence(self._rng, 12, 80)}"
            self._owners.quoted[asked] = [(asked, f"agent:{agent.name}")]
            return ToolCall(name, {"question": asked})
        return ToolCall(name, material.arguments(self._rng, serial))

    def _ask(self, agent: Agent, history: list[BaseMessage], answer: Answer) -> AIMessage:
        self._answer = answer
        if answer.text:
            self._owners.said[answer.text] = agent.name
        model = agent.model.bind_tools(agent.tools) if agent.tools else agent.model
        if agent.cache and self._rng.random() < 0.8:
            model = model.bind(cache_control=agent.cache)
        messages = agent.messages(history)
        if agent.streams:
            whole = None
            for chunk in model.stream(messages):
                whole = chunk if whole is None else whole + chunk
            said: Any = message_chunk_to_message(whole)  # pyright: ignore[reportArgumentType]
        else:
            said = model.invoke(messages)
        [closed] = [item for item in self._closed if item.posting is not None]
        self._closed.clear()
        bill: Bill = self._server.bills[-1]
        what = f"{bill.model}, {len(agent.tools)} tools, {'stream' if agent.streams else 'invoke'}, {self._what}"
        self.calls.append(Call(bill, closed, agent.name, len(agent.tools), what, self._owners))
        return said

    def _agents(self) -> list[Agent]:
        rng = self._rng
        names = rng.sample(NAMES, rng.choice((1, 1, 2, 3)))
        agents = [self._agent(name) for name in names]
        if len(agents) > 1 and agents[0].tools and rng.random() < 0.5:
            self._hire(agents[0], agents.pop())
        return agents

    def _agent(self, name: str) -> Agent:
        rng = self._rng
        streams, cache = rng.random() < 0.3, None
        if self._api == "Anthropic Messages":
            model_name = rng.choice(CLAUDE)
            if rng.random() < 0.5:
                cache = {"type": "ephemeral", "ttl": rng.choice(("5m", "1h"))}
            model: Any = ChatAnthropic(model_name=model_name, base_url=self._server.base_url, api_key="offline", max_retries=0)  # pyright: ignore
        else:
            model_name = rng.choice(GPT)
            responses = self._api == "OpenAI Responses"
            model = ChatOpenAI(
                model=model_name,
                base_url=self._server.base_url,
                api_key="offline",  # pyright: ignore[reportArgumentType]
                max_retries=0,
                stream_usage=True,
                use_responses_api=responses,
            )
        system = material.text(rng, 10, 1500, ("prose", "markdown", "Chinese", "mixed")) if rng.random() < 0.8 else ""
        count = rng.choice((0, 0, 1, 2, 3, 5, 8, 12, 20))
        tools = [self._tool(tool) for tool in material.names(rng, count)]
        return Agent(name, model, model_name, system, tools, streams, cache)

    def _tool(self, name: str) -> StructuredTool:
        def run(**_: Any) -> str:
            return material.result(self._rng)

        return StructuredTool(name=name, description=material.sentence(self._rng), args_schema=material.parameters(self._rng), func=run)

    def _hire(self, lead: Agent, other: Agent) -> None:
        """Make an agent the tool of another."""

        def run(question: str) -> str:
            messages: list[BaseMessage] = [HumanMessage(question)]
            self._run(other.name, lambda: self._loop(other, messages))
            return str(messages[-1].text)

        name = f"ask_{other.name}"
        schema = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
        lead.tools.append(StructuredTool(name=name, description="Ask a colleague.", args_schema=schema, func=run))
        lead.others[name] = other


@contextmanager
def world(api: Api, rng: Random) -> Generator[World]:
    """Start the provider."""
    made: list[World] = []

    def say(request: Request) -> Answer:
        return made[0].say(request)

    answers: dict[str, Any] = dict.fromkeys((*GPT, *CLAUDE), say)
    with (LoopbackAnthropic if api == "Anthropic Messages" else LoopbackOpenAI)(answers) as server:
        made.append(World(api, rng, server))
        yield made[0]
