"""Whole scenarios on real frameworks and real clients: our books are the providers' bills, our origins the truth."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from tests.scenarios.bench import Bench, attributes, bench, chats, check_balance, check_origins

from token_otel.testing.loopback import Answer, ToolCall

FACTS = " ".join(f"Fact {number}: the river at mile {number * 7} is {number + 11} feet deep in a usual spring." for number in range(150))
NOTES = "The river is navigable for barges up to mile 700, and in a usual spring up to mile 900."
DRAFT = "Barges can travel the river for seven hundred miles in any season, and for nine hundred in spring."
VERDICT = "The draft says what the notes say; it may be printed as it stands."
QUESTION = "How far up the river can a barge travel, and does it depend on the season?"


@tool
def read_soundings() -> str:
    """Read the table of soundings of the river."""
    return FACTS


def names(bench: Bench) -> list[str]:
    """The names of all spans, in the order of their start."""
    return [span.name for span in sorted(bench.spans, key=lambda span: span.start_time or 0)]


def statuses(bench: Bench) -> set[str]:
    """The statuses of all spans."""
    return {span.status.status_code.name for span in bench.spans}


def run_tool_loop(b: Bench, *, stream: bool = False) -> None:
    """An agent asks for a tool, reads its result and answers."""
    agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], system_prompt="You are a pilot on the river.", name="pilot")
    message = {"messages": [HumanMessage(QUESTION)]}
    if stream:
        list(agent.stream(message, b.config, stream_mode="messages"))
    else:
        agent.invoke(message, b.config)


TOOL_LOOP = {"gpt-5-mini": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)]}


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_reads_its_tool_and_its_own_words(stream: bool):
    """A tool's result is the tool's, a call's words are the agent's own; streamed or not."""
    with bench(TOOL_LOOP) as b:
        run_tool_loop(b, stream=stream)
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert names(b) == ["invoke_agent pilot", "chat gpt-5-mini", "execute_tool read_soundings", "chat gpt-5-mini"]


def test_the_async_agent_is_the_same():
    """`ainvoke` gives the same tree, books and origins."""
    with bench(TOOL_LOOP) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], system_prompt="You are a pilot on the river.", name="pilot")
        asyncio.run(agent.ainvoke({"messages": [HumanMessage(QUESTION)]}, b.config))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert names(b) == ["invoke_agent pilot", "chat gpt-5-mini", "execute_tool read_soundings", "chat gpt-5-mini"]


def test_the_async_stream_is_the_same():
    """`astream` gives the same books and origins, with the time to the first chunk."""

    async def run(agent: Any, config: Any) -> None:
        async for _ in agent.astream({"messages": [HumanMessage(QUESTION)]}, config, stream_mode="messages"):
            pass

    with bench(TOOL_LOOP) as b:
        asyncio.run(run(create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot"), b.config))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert all("gen_ai.response.time_to_first_chunk" in attributes(span) for span in chats(b))


@pytest.mark.parametrize("stream", [False, True])
def test_claude_reads_its_cache(stream: bool):
    """What Claude wrote to its cache and reads from it lies along the prefix; its hidden preamble is the tools'."""
    from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware

    answers = [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES), Answer("Yes: two hundred miles further in spring.")]
    with bench(anthropic={"claude-haiku-4-5": answers}) as b:
        agent: Any = create_agent(
            b.claude("claude-haiku-4-5"),
            [read_soundings],
            system_prompt="You are a pilot on the river.",
            name="pilot",
            middleware=[AnthropicPromptCachingMiddleware()],
            checkpointer=InMemorySaver(),
        )
        for question in (QUESTION, "Is the difference between the seasons larger than a hundred miles?"):
            if stream:
                list(agent.stream({"messages": [HumanMessage(question)]}, b.thread("river"), stream_mode="messages"))
            else:
                agent.invoke({"messages": [HumanMessage(question)]}, b.thread("river"))
        check_balance(b)
        check_origins(b, {"claude-haiku-4-5": "pilot"})
        assert sum(bill.cache_read for bill in b.bills) > 3000


def agent_as_tool(b: Bench) -> Any:
    """A lead whose tool is another agent."""
    researcher: Any = create_agent(
        b.claude("claude-haiku-4-5"), [read_soundings], system_prompt="You look things up in the soundings.", name="researcher"
    )

    @tool
    def research(question: str) -> str:
        """Ask the researcher."""
        return researcher.invoke({"messages": [HumanMessage(question)]})["messages"][-1].text

    return create_agent(b.gpt("gpt-5"), [research], system_prompt="You answer the captain's questions.", name="lead")


ASKED = "Up to which mile is the river navigable for barges, in spring and otherwise?"
AS_TOOL_OPENAI = {"gpt-5": [Answer(tool_calls=[ToolCall("research", {"question": ASKED})], reasoning_tokens=64), Answer(DRAFT)]}
AS_TOOL_ANTHROPIC = {"claude-haiku-4-5": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)]}


def test_an_agent_as_a_tool_is_asked_by_its_caller_and_answers_for_itself():
    """The sub-agent reads its caller's words, the caller reads the sub-agent's: neither the user's nor the tool's."""
    with bench(AS_TOOL_OPENAI, AS_TOOL_ANTHROPIC) as b:
        agent_as_tool(b).invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        check_origins(
            b,
            {"gpt-5": "lead", "claude-haiku-4-5": "researcher"},
            answers={"research": "agent:researcher"},
            said={ASKED: "agent:lead"},
        )
        assert names(b) == [
            "invoke_agent lead",
            "chat gpt-5",
            "execute_tool research",
            "invoke_agent researcher",
            "chat claude-haiku-4-5",
            "execute_tool read_soundings",
            "chat claude-haiku-4-5",
            "chat gpt-5",
        ]


def test_an_agent_as_a_tool_is_the_same_when_async():
    """An async tool that calls an async agent keeps caller, tool and agent apart."""
    with bench(AS_TOOL_OPENAI, AS_TOOL_ANTHROPIC) as b:
        researcher: Any = create_agent(b.claude("claude-haiku-4-5"), [read_soundings], name="researcher")

        @tool
        async def research(question: str) -> str:
            """Ask the researcher."""
            answer = await researcher.ainvoke({"messages": [HumanMessage(question)]})
            return answer["messages"][-1].text

        lead: Any = create_agent(b.gpt("gpt-5"), [research], system_prompt="You answer the captain's questions.", name="lead")
        asyncio.run(lead.ainvoke({"messages": [HumanMessage(QUESTION)]}, b.config))
        check_balance(b)
        check_origins(
            b,
            {"gpt-5": "lead", "claude-haiku-4-5": "researcher"},
            answers={"research": "agent:researcher"},
            said={ASKED: "agent:lead"},
        )


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_a_supervisor_hands_work_over_and_back():
    """langgraph-supervisor: full histories, hand-offs without a false error, and every word with its speaker."""
    answers = {
        "gpt-5": [
            Answer(tool_calls=[ToolCall("transfer_to_researcher")]),
            Answer(tool_calls=[ToolCall("transfer_to_writer")]),
            Answer("The answer of the team is ready and stands above."),
        ],
        "gpt-5-mini": [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)],
        "gpt-4.1-mini": [Answer(DRAFT)],
    }
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="researcher")
        writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [], name="writer")
        team = create_supervisor([researcher, writer], model=b.gpt("gpt-5"), output_mode="full_history", supervisor_name="supervisor")
        team.compile(name="team").invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        assert statuses(b) == {"UNSET"}
        assert {attributes(span)["gen_ai.agent.name"] for span in chats(b)} == {"supervisor", "researcher", "writer"}
        [root] = [span for span in b.spans if span.parent is None]
        assert root.name == "invoke_workflow team"
        last = chats(b)[-1]
        origins = dict(zip(attributes(last)["token_otel.flow.origins"], attributes(last)["token_otel.flow.tokens"], strict=True))
        assert {"agent:researcher", "agent:writer", "self", "tool:read_soundings"} <= set(origins)


def test_a_swarm_passes_control_without_an_error():
    """langgraph-swarm: the hand-off is no error, and the second agent reads the first one's words as that agent's."""
    answers = {
        "gpt-5": [Answer("I pass this on to the writer.", tool_calls=[ToolCall("transfer_to_writer")])],
        "gpt-4.1-mini": [Answer(DRAFT), Answer("It depends on the spring floods, as said before.")],
    }
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-5"), [create_handoff_tool(agent_name="writer")], name="researcher")
        writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [create_handoff_tool(agent_name="researcher")], name="writer")
        swarm = create_swarm([researcher, writer], default_active_agent="researcher").compile(checkpointer=InMemorySaver())
        swarm.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("swarm"))
        swarm.invoke({"messages": [HumanMessage("Why does it depend on the season at all?")]}, b.thread("swarm"))
        check_balance(b)
        check_origins(b, {"gpt-5": "researcher", "gpt-4.1-mini": "writer"})
        assert statuses(b) == {"UNSET"}
        handoffs = [attributes(span).get("token_otel.agent.handoffs") for span in b.spans if span.name == "invoke_agent researcher"]
        assert handoffs == [("writer",)]


class Fan(TypedDict):
    """State of the fan-out."""

    topics: list[str]
    notes: Annotated[list[str], operator.add]
    answer: str


def test_a_fan_out_with_send_reads_each_mapper_once():
    """`Send` runs mappers side by side; the reducer reads each one's note as the mapper's."""
    notes = {topic: f"Note on {topic}: the depth is sufficient for barges all year round." for topic in ("north", "middle", "south")}

    def answer(request: Any) -> Answer:
        return Answer(next(note for topic, note in notes.items() if topic in request.last_text))

    with bench({"gpt-5-mini": answer, "gpt-5": [Answer(DRAFT)]}) as b:
        mapper_model, reducer_model = b.gpt("gpt-5-mini"), b.gpt("gpt-5")

        def spread(state: Fan) -> list[Send]:
            return [Send("mapper", {"topic": topic}) for topic in state["topics"]]

        def mapper(state: dict[str, str]) -> dict[str, list[str]]:
            return {"notes": [str(mapper_model.invoke([HumanMessage(f"Describe the {state['topic']} reach.")]).text)]}

        def reducer(state: Fan) -> dict[str, str]:
            return {"answer": str(reducer_model.invoke([HumanMessage(note) for note in state["notes"]]).text)}

        graph = StateGraph(Fan)
        graph.add_node("mapper", mapper)  # pyright: ignore[reportArgumentType]
        graph.add_node("reducer", reducer)
        graph.add_conditional_edges(START, spread, ["mapper"])
        graph.add_edge("mapper", "reducer")
        graph.add_edge("reducer", END)
        graph.compile(name="survey").invoke({"topics": list(notes), "notes": [], "answer": ""}, b.config)
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "mapper", "gpt-5": "reducer"}, said=dict.fromkeys(notes.values(), "agent:mapper"))
        [reduced] = [span for span in b.spans if span.name == "chat gpt-5"]
        assert len({link.context.span_id for link in reduced.links}) == 3


def test_words_that_travel_through_state_keep_their_speaker():
    """A hand-written pipeline: each node's model reads the state's text, which is the one's before it."""
    answers = {"gpt-5": [Answer(NOTES)], "gpt-5-mini": [Answer(DRAFT)], "gpt-4.1-mini": [Answer(VERDICT)]}
    with bench(answers) as b:
        models = {"planner": b.gpt("gpt-5"), "writer": b.gpt("gpt-5-mini"), "critic": b.gpt("gpt-4.1-mini")}

        def node(name: str) -> Any:
            def call(state: dict[str, str]) -> dict[str, str]:
                return {
                    "text": str(models[name].invoke([("system", f"You are the {name} of a small paper."), ("user", state["text"])]).text)
                }

            return call

        graph: Any = StateGraph(TypedDict("Text", {"text": str}))
        for name in models:
            graph.add_node(name, node(name))
        graph.add_edge(START, "planner").add_edge("planner", "writer").add_edge("writer", "critic").add_edge("critic", END)
        graph.compile(name="paper").invoke({"text": QUESTION}, b.config)
        check_balance(b)
        check_origins(
            b,
            {"gpt-5": "planner", "gpt-5-mini": "writer", "gpt-4.1-mini": "critic"},
            said={NOTES: "agent:planner", DRAFT: "agent:writer"},
        )
        assert [name for name in names(b) if name.startswith("invoke")] == [
            "invoke_workflow paper",
            "invoke_agent planner",
            "invoke_agent writer",
            "invoke_agent critic",
        ]


def test_a_second_turn_reads_the_first_again():
    """With a checkpointer the second turn re-reads the first: the tool's result keeps its producer, and is not new."""
    answers = {"gpt-5-mini": [*TOOL_LOOP["gpt-5-mini"], Answer("Two hundred miles further.")]}
    with bench(answers) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot", checkpointer=InMemorySaver())
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("river"))
        agent.invoke({"messages": [HumanMessage("And how much further is that in spring?")]}, b.thread("river"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        last = attributes(chats(b)[-1])
        new = dict(zip(last["token_otel.flow.origins"], last["token_otel.flow.new_tokens"], strict=True))
        assert new["tool:read_soundings"] == 0
        assert 0 < new["user"] < 20
        assert last["gen_ai.conversation.id"] == "river"


def test_history_passed_by_hand_continues_its_conversation():
    """Without a thread id the messages' own ids join the second run to the first."""
    answers = {"gpt-5-mini": [*TOOL_LOOP["gpt-5-mini"], Answer("Two hundred miles further.")]}
    with bench(answers) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot")
        first = agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        agent.invoke({"messages": [*first["messages"], HumanMessage("And how much further is that in spring?")]}, b.config)
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})


def test_a_command_by_hand_routes_without_an_error():
    """A node that returns `Command(goto=...)` is no error, and its words reach the next agent as its own."""
    with bench({"gpt-5": [Answer(NOTES)], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        first, second = b.gpt("gpt-5"), b.gpt("gpt-5-mini")

        def router(state: MessagesState) -> Command[Any]:
            return Command(goto="author", update={"messages": [first.invoke(state["messages"])]})

        def author(state: MessagesState) -> dict[str, list[AIMessage]]:
            return {"messages": [second.invoke(state["messages"])]}

        graph = StateGraph(MessagesState)
        graph.add_node("router", router, destinations=("author",))
        graph.add_node("author", author)
        graph.add_edge(START, "router")
        graph.compile(name="desk").invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        check_origins(b, {"gpt-5": "router", "gpt-5-mini": "author"})
        assert statuses(b) == {"UNSET"}


def test_an_interrupt_is_no_error_and_resumes():
    """An agent that waits for a person ends as interrupted, and the resumed run is in the same conversation."""

    @tool
    def ask_captain(question: str) -> str:
        """Ask the captain."""
        return str(interrupt(question))

    answers = {"gpt-5-mini": [Answer(tool_calls=[ToolCall("ask_captain", {"question": "May we go on?"})]), Answer(NOTES)]}
    with bench(answers) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [ask_captain], name="pilot", checkpointer=InMemorySaver())
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("bridge"))
        agent.invoke(Command(resume="Yes, go on until the lock at mile 640."), b.thread("bridge"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert statuses(b) == {"UNSET"}
        assert "interrupted" in {attributes(span)["token_otel.run.status"] for span in b.spans}


def test_a_stream_without_usage_is_unreported_not_zero():
    """Where the provider does not report, no usage and no cost is written, and our estimate stands apart."""
    with bench({"gpt-5-mini": [Answer(NOTES)]}) as b:
        list(b.gpt("gpt-5-mini", stream_usage=False).stream([HumanMessage(QUESTION)], b.config))
        check_balance(b)
        [span] = b.spans
        [bill] = b.bills
        values = attributes(span)
        assert not any(name.startswith("gen_ai.usage.") for name in values)
        assert values["token_otel.usage.status"] == "unreported"
        assert values["token_otel.cost.status"] == "unpriced"
        assert abs(values["token_otel.estimated.input_tokens"] - bill.input) <= 3


def test_a_refused_attempt_costs_nothing_and_its_retry_is_counted():
    """A rate limit, then success: two calls, the first an error without tokens, the second billed once."""
    with bench({"gpt-5-mini": [Answer(error=429), Answer(NOTES)]}) as b:
        model = b.gpt("gpt-5-mini").with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
        model.invoke([HumanMessage(QUESTION)], b.config)
        check_balance(b)
        both, first, second = sorted(b.spans, key=lambda span: span.start_time or 0)
        assert (both.name, both.status.status_code.name) == ("invoke_workflow", "UNSET")
        assert (first.status.status_code.name, attributes(first)["error.type"]) == (
            "ERROR",
            "langchain_openai.chat_models.base.OpenAIRateLimitError",
        )
        assert first.status.description is None
        assert attributes(second)["token_otel.attempt"] == 2
        assert attributes(second)["token_otel.input.new_tokens"] == b.bills[-1].input


def test_many_choices_are_billed_once():
    """With n = 2 the input is billed once, and both answers' tokens are the output."""
    with bench({"gpt-4o-mini": [Answer(NOTES)]}) as b:
        b.gpt("gpt-4o-mini", n=2).generate([[HumanMessage(QUESTION)]], callbacks=[b.handler])
        check_balance(b)


def test_the_responses_api_is_the_same():
    """OpenAI's Responses API gives the same books and origins."""
    with bench(TOOL_LOOP) as b:
        agent: Any = create_agent(
            b.gpt("gpt-5-mini", use_responses_api=True), [read_soundings], system_prompt="You are a pilot.", name="pilot"
        )
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
