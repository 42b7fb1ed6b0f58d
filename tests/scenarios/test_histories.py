"""What happens to words on their way: quoted, edited, removed, replayed, structured, retrieved; and never across conversations."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, trim_messages
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, Field
from tests.scenarios.bench import Bench, attributes, bench, chats, check_balance, check_origins
from tests.scenarios.scenes import DRAFT, NOTES, QUESTION, SOUNDINGS, flow, fresh, place, read_soundings

from token_otel.testing.loopback import Answer, ToolCall

AGAIN = "And how much further is that in a usual spring?"
REASON = "It is deep enough in any season of the year, as the soundings say."
LOOP = [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)]


class Verdict(BaseModel):
    """A verdict on the navigability of a river."""

    navigable: bool = Field(description="Whether barges can travel it")
    reason: str = Field(description="Why you think that they can or cannot, in a sentence or two")


VERDICT = Verdict(navigable=True, reason=REASON)


def chain_of(b: Bench, *nodes: tuple[str, Any]) -> Any:
    """A graph of these nodes, one after the other."""
    graph: Any = StateGraph(MessagesState)
    before = START
    for name, node in nodes:
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    return graph.compile(name="desk", checkpointer=InMemorySaver())


def test_a_question_passed_on_word_for_word_is_still_the_users():
    """A lead hands the user's own words to its tool's agent: that agent reads the lead's, the lead still reads the user's."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("research", {"question": QUESTION})]), Answer(DRAFT)], "gpt-5-mini": [Answer(NOTES)]}
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-5-mini"), [], name="researcher")

        @tool
        def research(question: str) -> str:
            """Ask the researcher."""
            return researcher.invoke({"messages": [HumanMessage(question)]})["messages"][-1].text

        lead: Any = create_agent(b.gpt("gpt-5"), [research], name="lead")
        lead.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        asked, researched, answered = chats(b)
        # Between the two bills the model's preamble was learnt: that may move a token.
        assert abs(flow(asked)["user"] - flow(answered)["user"]) <= 1
        assert set(flow(researched)) == {"agent:lead"}
        assert set(flow(answered)) == {"user", "self", "tools", "agent:researcher"}


def test_a_message_removed_is_not_read_and_one_edited_is_new():
    """After `RemoveMessage` the tool's table is gone; a question edited under its id is the user's, read for the first time."""
    with bench({"gpt-5-mini": [*LOOP, Answer(DRAFT)]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot", checkpointer=InMemorySaver())
        messages = agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("river"))["messages"]
        edited = HumanMessage("Is the river deep enough in autumn, would you say?", id=messages[0].id)
        agent.invoke({"messages": [*(RemoveMessage(message.id) for message in messages[1:3]), edited]}, b.thread("river"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        last = chats(b)[-1]
        assert set(flow(last)) == {"tools", "user", "self"}
        assert fresh(last)["user"] == flow(last)["user"]


def test_a_long_history_trimmed_and_changed_in_place():
    """Thirty messages in one list: what was changed is new, what trimming leaves is not."""
    with bench({"gpt-5-mini": lambda request: Answer(f"Answer number {request.index} to what was asked of me.")}) as b:
        model = b.gpt("gpt-5-mini")
        history: list[Any] = [SystemMessage("You are a pilot on the river.")]

        def talk(state: MessagesState) -> dict[str, list[Any]]:
            for number in range(14):
                history.append(HumanMessage(f"Question number {number} about the river and its many locks"))
                history.append(model.invoke(history))
            history[1].content = "The first question is another one now, if you please."
            history.append(model.invoke(history))
            model.invoke(trim_messages(history, max_tokens=18, token_counter=len, strategy="last", include_system=True))
            return {"messages": []}

        chain_of(b, ("pilot", talk)).invoke({"messages": []}, b.thread("long"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        changed, trimmed = chats(b)[-2:]
        assert 10 < fresh(changed)["user"] < 25
        assert fresh(trimmed)["user"] == 0
        assert 10 < fresh(trimmed)["self"] < 25


def test_a_turn_replayed_from_a_checkpoint_reads_nothing_new():
    """The same state again: another call, another bill, no new word; and what a person wrote in the model's stead is external."""
    with bench({"gpt-5-mini": [*LOOP, Answer(DRAFT), Answer("It is two hundred miles further, in a usual spring.")]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot", checkpointer=InMemorySaver())
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.thread("river"))
        before = next(state for state in agent.get_state_history(b.thread("river")) if state.next == ("model",))
        agent.invoke(None, before.config | {"callbacks": [b.handler]})
        agent.update_state(b.thread("river"), {"messages": [AIMessage("A person wrote this one in the model's stead.", id="by-hand")]})
        agent.invoke({"messages": [HumanMessage(AGAIN)]}, b.thread("river"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        replayed, last = chats(b)[-2:]
        assert attributes(replayed)["token_otel.input.new_tokens"] == 0
        assert attributes(last)["token_otel.flow.external_ids"] == ("by-hand",)


@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy])
def test_a_structured_answer_of_an_agent(strategy: Any):
    """Its schema is sent with every call and billed with the tools, whichever way it is asked for."""
    verdict = ToolCall("Verdict", VERDICT.model_dump())
    last = Answer(tool_calls=[verdict]) if strategy is ToolStrategy else Answer(VERDICT.model_dump_json())
    with bench({"gpt-5-mini": [LOOP[0], last]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot", response_format=strategy(Verdict))
        assert agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)["structured_response"] == VERDICT
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})


@pytest.mark.parametrize("schema", [Verdict, Verdict.model_json_schema()])
def test_the_schema_of_a_structured_answer_is_explained(schema: Any):
    """A model asked for a class or a schema, outside any agent: the schema is billed, and booked with the tools."""
    with bench({"gpt-5-mini": [Answer(VERDICT.model_dump_json())]}) as b:
        b.gpt("gpt-5-mini").with_structured_output(schema, method="json_schema").invoke([HumanMessage(QUESTION)], b.config)
        check_balance(b)
        [span] = chats(b)
        truth = sum(piece.tokens for piece in b.bills[0].messages if piece.kind == "preamble")
        assert set(flow(span)) == {"tools", "user"}
        assert abs(flow(span)["tools"] - truth) < 25


class Shelf(BaseRetriever):
    """Finds the table of soundings, whatever is asked."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(SOUNDINGS)]


def test_a_retrieved_document_is_the_documents():
    """Retriever, then a prompt with what it found: the document's tokens are its own, linked to the retrieval."""
    with bench({"gpt-5-mini": [Answer(NOTES)]}) as b:
        prompt = ChatPromptTemplate.from_messages([("system", "Answer from the table."), ("user", "{table}"), ("user", "{question}")])
        found: Any = {"table": Shelf() | (lambda documents: documents[0].page_content), "question": RunnablePassthrough()}
        (found | prompt | b.gpt("gpt-5-mini")).invoke(QUESTION, b.config)
        check_balance(b)
        [span] = chats(b)
        [retrieval] = [span for span in b.spans if span.name == "retrieval Shelf"]
        truth = next(piece.tokens for piece in b.bills[0].messages if piece.text == SOUNDINGS)
        assert abs(flow(span)["document"] - truth) < 10
        assert [place(link.context) for link in span.links] == [place(retrieval.context)]


def test_conversations_side_by_side_share_nothing():
    """Six runs at once with the same handler, words, call ids and message ids: no link and no re-reading across threads."""

    def pilot(request: Any) -> Answer:
        asks = request.messages[-1]["role"] == "user"
        return Answer(tool_calls=[ToolCall("read_soundings", id="call_0")]) if asks else Answer(NOTES)

    async def all_at_once(graph: Any, b: Bench) -> None:
        runs = (graph.ainvoke({"messages": [HumanMessage(QUESTION, id="question")]}, b.thread(f"t{number}")) for number in range(6))
        await asyncio.gather(*runs)

    with bench({"gpt-5": pilot, "gpt-5-mini": lambda request: Answer(DRAFT)}) as b:
        writer = b.gpt("gpt-5-mini")

        async def write(state: MessagesState) -> dict[str, list[Any]]:
            return {"messages": [await writer.ainvoke([HumanMessage(state["messages"][-1].text)])]}

        agent: Any = create_agent(b.gpt("gpt-5"), [read_soundings], name="pilot")
        asyncio.run(all_at_once(chain_of(b, ("pilot", agent), ("writer", write)), b))
        check_balance(b)
        conversation = {place(span.context): attributes(span)["gen_ai.conversation.id"] for span in b.spans}
        assert len(b.spans) == 6 * 7
        for span in b.spans:
            assert {conversation[place(link.context)] for link in span.links} <= {attributes(span)["gen_ai.conversation.id"]}
        for span in (span for span in b.spans if span.name == "chat gpt-5-mini"):
            assert flow(span) == fresh(span) == {"agent:pilot": attributes(span)["gen_ai.usage.input_tokens"]}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_batch_keeps_its_runs_apart(is_async: bool):
    """`batch` and `abatch` of one graph: each run is a trace of its own, and reads only its own agent's words."""

    def echo(request: Any) -> Answer:
        return Answer("As to this: " + request.last_text)

    def ask(model: Any) -> Any:
        return lambda state: {"messages": [model.invoke(state["messages"])]}

    with bench({"gpt-5": echo, "gpt-5-mini": echo}) as b:
        graph = chain_of(b, ("first", ask(b.gpt("gpt-5"))), ("second", ask(b.gpt("gpt-5-mini"))))
        inputs = [{"messages": [HumanMessage(f"How deep is the river at mile {number}?")]} for number in range(6)]
        configs = [b.thread(f"t{number}") for number in range(6)]
        if is_async:
            asyncio.run(graph.abatch(inputs, configs))
        else:
            graph.batch(inputs, configs)
        check_balance(b)
        assert len({place(span.context)[0] for span in b.spans}) == 6
        for span in (span for span in b.spans if span.name == "chat gpt-5-mini"):
            assert set(flow(span)) == {"user", "agent:first"}
            assert [link.context.trace_id for link in span.links] == [place(span.context)[0]]
