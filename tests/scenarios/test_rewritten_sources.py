"""Summaries, documents and tools' results, in the dress in which chains and middleware put them into prompts."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypedDict
from xml.sax.saxutils import escape

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    SummarizationMiddleware,
    ToolErrorMiddleware,
    wrap_tool_call,
)
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import create_retriever_tool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from opentelemetry.sdk.trace import ReadableSpan
from tests.scenarios.bench import Bench, bench, check_balance
from tests.scenarios.quotes import check_call, producers, span_id
from tests.scenarios.scenes import place
from tests.words import DRAFT, NOTES, PLAN, QUESTION, VERDICT

from token_otel.testing.loopback import Answer, ToolCall
from token_otel.testing.loopback.openai_prompt import count

AGAIN = "And what about the ferry?"
LOOP = [Answer(tool_calls=[ToolCall("read_notes")]), Answer(DRAFT)]


class Desk(TypedDict, total=False):
    """What the nodes of a graph pass on."""

    messages: list[Any]
    answer: str


@tool
def read_notes() -> str:
    """Read the notes on the river."""
    return NOTES


@tool
def read_plan() -> str:
    """Read the plan of the work."""
    return PLAN


class Shelf(BaseRetriever):
    """Finds two texts, whatever is asked."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(NOTES, metadata={"source": "notes.txt"}), Document(DRAFT, metadata={"source": "page.txt"})]


def named(b: Bench, name: str) -> ReadableSpan:
    """The one span of this name."""
    [span] = [span for span in b.spans if span.name == name]
    return span


def summarise(b: Bench) -> None:
    """An agent reads a tool and answers; before its second turn a middleware has the first one summarised by another model."""
    middleware: Any = SummarizationMiddleware(b.gpt("gpt-4.1-mini"), trigger=("messages", 5), keep=("messages", 1))
    saver = InMemorySaver()
    agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_notes], name="pilot", middleware=[middleware], checkpointer=saver)
    for question in (QUESTION, AGAIN):
        agent.invoke({"messages": [HumanMessage(question)]}, b.thread("river"))
    check_balance(b)


SUMMARISED = {"gpt-5-mini": [*LOOP, Answer("There is nothing about it in what I have read.")], "gpt-4.1-mini": [Answer(VERDICT)]}


def test_a_summary_belongs_to_the_summarisers_call():
    """It comes back beneath a heading, as a user's message: its words are those of the call that made it."""
    with bench(SUMMARISED) as b:
        summarise(b)
        # The summariser's model is called within the agent: its words are the agent's own.
        span = check_call(b, 3, "pilot", {"self": [VERDICT]})
        summary = named(b, "chat gpt-4.1-mini")
        assert abs(producers(span)[span_id(summary)] - count(VERDICT)) <= 8
        assert place(summary.context) in {place(link.context) for link in span.links}


def test_a_summariser_reads_what_it_summarises_as_its_speakers():
    """All messages as XML in one user's message: the tool's result is the tool's, the answer the agent's."""
    with bench(SUMMARISED) as b:
        summarise(b)
        # The prompt's own instructions, some 600 tokens, are the user's; 3 % of all is about 25 tokens.
        check_call(b, 2, "pilot", {"tool:read_notes": [escape(NOTES)], "self": [escape(DRAFT)]})


def stuffed(documents: list[Document]) -> str:
    """Documents one after the other, with nothing but blank lines between them."""
    return "\n\n".join(document.page_content for document in documents)


def numbered(documents: list[Document]) -> str:
    """Documents with a number, a source and a rule."""
    texts = (
        f"[{number}] {document.metadata['source']}\n{document.page_content}\n{'-' * 20}" for number, document in enumerate(documents, 1)
    )
    return "\n".join(texts)


def tagged(documents: list[Document]) -> str:
    """Documents in tags."""
    return "".join(f'<document source="{document.metadata["source"]}">\n{document.page_content}\n</document>\n' for document in documents)


@pytest.mark.parametrize("join", [stuffed, numbered, tagged], ids=lambda join: join.__name__)
def test_documents_stuffed_into_a_prompt_are_documents(join: Callable[[list[Document]], str]):
    """Retriever, join, prompt, model: what was found leads to the retrieval, what frames it is the system's."""
    with bench({"gpt-5-mini": [Answer(VERDICT)]}) as b:
        system = "Use the following pieces of context to answer the question at the end.\n\n{context}\n\nIf you do not know, say so."
        prompt = ChatPromptTemplate.from_messages([("system", system), ("user", "{question}")])

        def answer(question: str) -> Any:
            found: Any = {"context": Shelf() | join, "question": RunnablePassthrough()}
            return (found | prompt | b.gpt("gpt-5-mini")).invoke(question)

        graph: Any = StateGraph(Desk)
        graph.add_node("answerer", lambda state: {"answer": answer(QUESTION)})
        graph.add_edge(START, "answerer")
        graph.compile(name="desk").invoke({}, b.config)
        check_balance(b)
        span = check_call(b, 0, "answerer", {"document": [NOTES, DRAFT]})
        found = named(b, "retrieval Shelf")
        assert [place(link.context) for link in span.links] == [place(found.context)]
        assert abs(producers(span)[span_id(found)] - count(NOTES) - count(DRAFT)) <= 8


def test_a_retrievers_tool_answers_for_itself():
    """Documents that a tool found and joined are its result: its call id comes first."""
    with bench({"gpt-5-mini": [Answer(tool_calls=[ToolCall("search", {"query": "locks"})]), Answer(VERDICT)]}) as b:
        search = create_retriever_tool(Shelf(), "search", "Search the shelf.")
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [search], name="pilot")
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        asked = next(piece.text for piece in b.bills[1].messages if piece.text.startswith("search{"))
        check_call(b, 1, "pilot", {"tool:search": [f"{NOTES}\n\n{DRAFT}"], "self": [asked]})


@wrap_tool_call
def warn(request: Any, handler: Callable[[Any], Any]) -> Any:
    """Put a warning around a tool's result."""
    message = handler(request)
    return message.model_copy(update={"content": f"<untrusted-content>\n{message.content}\n</untrusted-content>"})


@wrap_tool_call
def shorten(request: Any, handler: Callable[[Any], Any]) -> Any:
    """Leave the first 200 characters of a tool's result."""
    message = handler(request)
    return message.model_copy(update={"content": message.content[:200] + "... [truncated]"})


@pytest.mark.parametrize(("middleware", "kept"), [(warn, NOTES), (shorten, NOTES[:200])], ids=["wrapped", "truncated"])
def test_a_result_that_a_middleware_changed_leads_to_its_tool(middleware: Any, kept: str):
    """All of it is the tool's, as its call id says; the words that the tool produced lead to its run."""
    with bench({"gpt-5-mini": LOOP}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_notes], name="pilot", middleware=[middleware])
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        shown = next(piece.text for piece in b.bills[1].messages if piece.tool_call_id is not None)
        span = check_call(b, 1, "pilot", {"tool:read_notes": [shown], "self": ["read_notes{}"]})
        ran = named(b, "execute_tool read_notes")
        # Whether what the middleware added counts as the tool's run too is left open: 10 tokens and the frame.
        assert -8 <= producers(span).get(span_id(ran), 0) - count(kept) <= 14
        assert place(ran.context) in {place(link.context) for link in span.links}


def test_an_error_that_a_middleware_wrote_stands_for_its_tool():
    """The tool raised, and the model reads an excuse in its name."""
    excuse = "The notes cannot be read today, because their shelf is locked. Ask for the plan, or try again when the clerk is back."

    @tool
    def read_notes() -> str:
        """Read the notes on the river."""
        raise ValueError("locked")

    with bench({"gpt-5-mini": LOOP}) as b:
        middleware: Any = ToolErrorMiddleware(lambda error, request: excuse)
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_notes], name="pilot", middleware=[middleware])
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        check_call(b, 1, "pilot", {"tool:read_notes": [excuse], "self": ["read_notes{}"]})


def test_a_result_that_was_cleared_is_not_read():
    """Context editing leaves a placeholder in its stead: it is the tool's, and nothing else of it is billed."""
    with bench({"gpt-5-mini": [LOOP[0], Answer(tool_calls=[ToolCall("read_plan")]), Answer(DRAFT)]}) as b:
        editing: Any = ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=100, keep=1)])
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_notes, read_plan], name="pilot", middleware=[editing])
        agent.invoke({"messages": [HumanMessage(QUESTION)]}, b.config)
        check_balance(b)
        owners = {"tool:read_notes": ["[cleared]"], "tool:read_plan": [PLAN], "self": ["read_notes{}", "read_plan{}"]}
        check_call(b, 2, "pilot", owners)


def test_results_that_a_node_dumped_into_a_prompt_are_the_tools():
    """An agent's two tools have run; another node writes their results into its prompt as JSON."""
    answers = {
        "gpt-5-mini": [Answer(tool_calls=[ToolCall("read_notes"), ToolCall("read_plan")]), Answer("Both have been read.")],
        "gpt-5": [Answer(DRAFT)],
    }
    with bench(answers) as b:
        reader: Any = create_agent(b.gpt("gpt-5-mini"), [read_notes, read_plan], name="reader")
        writer = b.gpt("gpt-5")

        def write(state: dict[str, Any]) -> dict[str, Any]:
            results = {message.name: message.content for message in state["messages"] if message.type == "tool"}
            return {"answer": writer.invoke([HumanMessage(f"Write a page from this:\n```json\n{json.dumps(results)}\n```")]).text}

        graph: Any = StateGraph(Desk)
        graph.add_node("reader", lambda state: reader.invoke({"messages": [HumanMessage(QUESTION)]}))
        graph.add_node("writer", write)
        graph.add_edge(START, "reader")
        graph.add_edge("reader", "writer")
        graph.compile(name="desk").invoke({}, b.config)
        check_balance(b)
        owners = {"tool:read_notes": [json.dumps(NOTES)[1:-1]], "tool:read_plan": [json.dumps(PLAN)[1:-1]]}
        check_call(b, 2, "writer", owners)
