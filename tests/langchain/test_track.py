"""`track()`, blocks of your own and budgets, around and inside what LangChain runs."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from tests.tapes import Bench, bench

import token_otel
from token_otel.prices.genai import GenaiBook
from token_otel.testing.loopback import Answer, LoopbackOpenAI, ToolCall
from token_otel_langchain import TokenOtelHandler

GPT = "gpt-5"


@pytest.fixture
def made() -> Bench:
    return bench(prices=GenaiBook())


@pytest.fixture
def server() -> Iterator[LoopbackOpenAI]:
    answers = [Answer(tool_calls=[ToolCall("search", {"query": "wells"})]), Answer("The wells are deep.")]
    with LoopbackOpenAI({GPT: answers * 4}) as server:
        yield server


def team(server: LoopbackOpenAI, *, asks_itself: bool = True) -> Any:
    """Return an agent whose tool may have a loop of its own."""

    def search(query: str) -> str:
        """Search."""
        if not asks_itself:
            return "They are deep."
        model = token_otel.model("gpt-5-mini", provider="openai", messages=query)
        with token_otel.track() as inner, token_otel.agent("reader"), model as call:
            call.end(usage={"prompt_tokens": 10, "completion_tokens": 5}, output="Deep.")
        assert inner.calls == 1
        return "They are deep."

    model = ChatOpenAI(model=GPT, base_url=server.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportArgumentType]
    return create_agent(model, [search], name="researcher")


@pytest.fixture(autouse=True)
def _instrumented(made: Bench) -> Iterator[None]:
    from token_otel_langchain import integration

    integration.instrument(made.recorder)
    yield
    integration.uninstrument()


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
def test_the_bill_of_a_framework_is_the_providers(made: Bench, server: LoopbackOpenAI, how: str):
    """With the loop inside its tool, beneath the tool; and tags and conversation reach every span."""
    agent = team(server)
    question: Any = {"messages": [("user", "How deep are the wells?")]}

    async def go() -> None:
        if how == "ainvoke":
            await agent.ainvoke(question)
        else:
            async for _ in agent.astream(question):
                pass

    with token_otel.track(conversation="c7", tags={"tenant": "acme"}) as bill, token_otel.agent("boss", recorder=made.recorder):
        if how.startswith("a"):
            asyncio.run(go())
        elif how == "invoke":
            agent.invoke(question)
        else:
            list(agent.stream(question))

    theirs = server.bills
    assert (bill.calls, bill.input_tokens) == (3, sum(each.input for each in theirs) + 10)
    assert bill.by_agent["researcher"].cost_usd == sum(each.cost_usd or 0 for each in theirs)
    assert {name: account.calls for name, account in bill.by_agent.items()} == {"researcher": 2, "reader": 1}
    assert bill.complete
    assert [(span.attributes or {})["tenant"] for span in made.spans] == ["acme"] * len(made.spans)
    assert [(span.attributes or {})["gen_ai.conversation.id"] for span in made.spans] == ["c7"] * len(made.spans)
    names = {span.context.span_id: span.name for span in made.spans if span.context}
    tree = {span.name: names[span.parent.span_id] if span.parent else None for span in made.spans}
    assert tree["invoke_agent boss"] is None
    assert tree["invoke_agent researcher"] == "invoke_agent boss"
    assert tree["invoke_agent reader"] == "execute_tool search"
    assert (made.span("invoke_agent boss").attributes or {})["token_otel.agent.subtree.calls"] == 3


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("asks_itself", [False, True], ids=["its own call", "a tool's"])
def test_a_budget_stops_a_framework_before_its_next_call(made: Bench, server: LoopbackOpenAI, how: str, asks_itself: bool):
    """The exception comes out of the agent; the server was asked once, and every span ends."""
    agent = team(server, asks_itself=asks_itself)
    question: Any = {"messages": [("user", "How deep are the wells?")]}

    async def go() -> None:
        if how == "ainvoke":
            await agent.ainvoke(question)
        else:
            async for _ in agent.astream(question):
                pass

    def run() -> None:
        if how.startswith("a"):
            asyncio.run(go())
        elif how == "invoke":
            agent.invoke(question)
        else:
            list(agent.stream(question))

    # The first call is within it, and spends it.
    with token_otel.track(budget_usd="0.0001", on_budget="raise"), pytest.raises(token_otel.BudgetExceeded):
        run()

    assert len(server.bills) == 1
    assert [span.name for span in made.spans if span.name.startswith("chat")] == [f"chat {GPT}"]
    assert made.counting.started == made.counting.ended
    assert made.recorder.open_runs == 0
    assert (made.span("invoke_agent researcher").attributes or {})["error.type"] == "token_otel.BudgetExceeded"


def test_other_failures_of_ours_do_not_come_out(server: LoopbackOpenAI, monkeypatch: pytest.MonkeyPatch):
    """Only that a budget is spent does, though the handler may raise."""
    made = bench(raise_errors=False)

    def fails(*_: Any) -> None:
        raise RuntimeError("Rosebud")

    monkeypatch.setattr(made.recorder, "check_budget", fails)
    model = ChatOpenAI(model=GPT, base_url=server.base_url, api_key="offline")  # pyright: ignore[reportArgumentType]
    answer = model.invoke("How deep?", {"callbacks": [TokenOtelHandler(recorder=made.recorder)]})

    assert answer.tool_calls
