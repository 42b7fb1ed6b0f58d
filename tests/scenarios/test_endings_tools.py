"""A tool that ends in any way: it fails, is timed out or cancelled, stops the program; and the caller's own spans within it."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, ToolException, tool
from opentelemetry import trace
from tests.scenarios.bench import Bench
from tests.scenarios.endings import ASKED, WATCHED, Ending, Gate, ending
from tests.scenarios.scenes import LOCKS, NOTES, QUESTION, tree

from token_otel.testing.loopback import Answer, ToolCall


def calls(name: str, *answers: Answer) -> Any:
    """A model that calls a tool, then answers."""
    return {"gpt-5-mini": [Answer(tool_calls=[ToolCall(name)]), *(answers or [Answer(NOTES)])]}


def pilot(b: Bench, *tools: Any, **options: Any) -> Any:
    """An agent with tools."""
    return create_agent(b.gpt("gpt-5-mini"), tools, name="pilot", **options)


@tool
async def wait() -> str:
    """Wait for ever."""
    await asyncio.Event().wait()
    return ""


@WATCHED
@pytest.mark.parametrize("how", ["timeout", "wait_for", "cancel"])
def test_a_tool_alone_is_cut_off(instrumented: bool, how: str):
    """LangChain tells nobody that it was."""

    async def cut(b: Ending) -> None:
        if how == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await wait.ainvoke({}, b.config)
        elif how == "wait_for":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wait.ainvoke({}, b.config), 0.05)
        else:
            task = asyncio.create_task(wait.ainvoke({}, b.config))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with ending(instrumented=instrumented) as b:
        b.run(lambda: cut(b))
    assert b.statuses == [("execute_tool wait", "cancelled")]


@WATCHED
def test_an_agent_goes_on_after_a_tool_that_took_too_long(instrumented: bool):
    """The tool is cancelled; its agent, which tells the model so, is well."""

    @wrap_tool_call
    async def in_time(request: Any, handler: Any) -> Any:
        try:
            async with asyncio.timeout(0.05):
                return await handler(request)
        except TimeoutError:
            return ToolMessage("It took too long.", tool_call_id=request.tool_call["id"])

    with ending(calls("wait"), instrumented=instrumented) as b:
        b.run(lambda: pilot(b, wait, middleware=[in_time]).ainvoke(ASKED, b.config))
    assert b.statuses == [
        ("chat gpt-5-mini", "ok"),
        ("chat gpt-5-mini", "ok"),
        ("execute_tool wait", "cancelled"),
        ("invoke_agent pilot", "ok"),
    ]


@WATCHED
def test_a_sync_tool_goes_on_when_its_agent_is_cancelled(instrumented: bool):
    """Its thread cannot be stopped: the span ends with the agent, once, and nothing is left when the thread ends."""
    gate = Gate(Answer())

    @tool
    def dig() -> str:
        """Dig."""
        gate.asked.set()
        gate.open.wait(10)
        return "found"

    async def cancel(b: Ending) -> None:
        task = asyncio.create_task(pilot(b, dig).ainvoke(ASKED, b.config))
        await gate.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open.set()

    with ending(calls("dig"), instrumented=instrumented) as b:
        b.run(lambda: cancel(b))
    assert b.statuses == [("chat gpt-5-mini", "ok"), ("execute_tool dig", "cancelled"), ("invoke_agent pilot", "cancelled")]


class QuietError(Exception):
    """A failure without a message."""


def broken(error: Callable[[], BaseException], **options: Any) -> BaseTool:
    """A tool that fails."""

    def fail() -> str:
        """Fail."""
        raise error()

    async def afail() -> str:
        """Fail."""
        raise error()

    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(fail, afail, name="fail", **options)


@WATCHED
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_that_the_agent_handles(instrumented: bool, asynchronous: bool):
    """The tool says to the model what is wrong: its span is well, as LangChain sees it."""
    with ending(calls("fail"), instrumented=instrumented) as b:
        agent = pilot(b, broken(lambda: ToolException("No."), handle_tool_error=True))
        if asynchronous:
            b.run(lambda: agent.ainvoke(ASKED, b.config))
        else:
            agent.invoke(ASKED, b.config)
    assert {status for _, status in b.statuses} == {"ok"}


@WATCHED
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_that_nobody_handles(instrumented: bool, asynchronous: bool):
    """Tool and agent have failed, though the exception has no message; what was billed before is booked."""
    with ending(calls("fail"), failed=["execute_tool fail", "invoke_agent pilot"], instrumented=instrumented) as b:
        agent = pilot(b, broken(QuietError))

        async def run() -> None:
            with pytest.raises(QuietError):
                await agent.ainvoke(ASKED, b.config)

        if asynchronous:
            b.run(run)
        else:
            with pytest.raises(QuietError):
                agent.invoke(ASKED, b.config)
    assert b.values("execute_tool fail")["error.type"].endswith("QuietError")


@WATCHED
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_tool_stops_the_program(instrumented: bool, error: type[BaseException]):
    """Nobody has failed: tool and agent are cancelled."""
    with ending(calls("fail"), instrumented=instrumented) as b, pytest.raises(error):
        pilot(b, broken(error)).invoke(ASKED, b.config)
    assert b.statuses == [("chat gpt-5-mini", "ok"), ("execute_tool fail", "cancelled"), ("invoke_agent pilot", "cancelled")]


class Stopper(BaseCallbackHandler):
    """A callback of the user's that stops the program when it is told of one thing."""

    run_inline = True
    raise_error = True

    def __init__(self, hook: str, error: type[BaseException]) -> None:
        def stop(*_: Any, **__: Any) -> None:
            raise error

        setattr(self, hook, stop)


HOOKS = ["on_chain_start", "on_chat_model_start", "on_llm_new_token", "on_llm_end", "on_tool_start", "on_tool_end", "on_chain_end"]


@pytest.mark.parametrize(("error", "ours_first"), [(KeyboardInterrupt, True), (SystemExit, False)])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_stops_the_program(hook: str, error: type[BaseException], ours_first: bool):
    """Wherever it strikes, before us or after us, each span that began ends once, and none is an error."""
    with ending(calls("fail")) as b:
        callbacks: list[Any] = [b.handler, Stopper(hook, error)]
        model = b.gpt("gpt-5-mini", streaming=True)
        agent: Any = create_agent(model, [broken(lambda: ToolException("No."), handle_tool_error=True)], name="pilot")
        with pytest.raises(error):
            agent.invoke(ASKED, {"callbacks": callbacks if ours_first else callbacks[::-1]})
        b.balanced = False
    assert {status for _, status in b.statuses} <= {"ok", "cancelled"}


class Library(BaseRetriever):
    """A retriever that ends as it is told."""

    error: Any = None  # what makes its exception; without it, it waits for ever

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        raise self.error()

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        await asyncio.Event().wait()
        return []


@pytest.mark.parametrize(("error", "status"), [(QuietError, "error"), (KeyboardInterrupt, "cancelled")])
def test_a_retriever_fails_or_stops_the_program(error: type[BaseException], status: str):
    """As a tool does."""
    with ending(failed=["retrieval Library"] if status == "error" else []) as b, pytest.raises(error):
        Library(error=error).invoke(QUESTION, b.config)
    assert b.statuses == [("retrieval Library", status)]


def test_a_retriever_is_cancelled():
    """LangChain tells nobody."""

    async def cut(b: Ending) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Library().ainvoke(QUESTION, b.config)

    with ending() as b:
        b.run(lambda: cut(b))
    assert b.statuses == [("retrieval Library", "cancelled")]


@pytest.mark.parametrize("way", ["sync", "async", "sync tool of an async agent"])
@WATCHED
def test_the_callers_own_spans_in_a_tool(instrumented: bool, way: str):
    """Watched by `instrument()` they nest beneath the tool's; a bare handler attaches nothing, and they stay the caller's."""

    def work() -> str:
        with b.tracer.start_as_current_span("SELECT"):
            time.sleep(0.001)
        return LOCKS

    @tool
    def query() -> str:
        """Query the soundings."""
        return work()

    @tool("query")
    async def aquery() -> str:
        """Query the soundings."""
        await asyncio.sleep(0.001)
        return work()

    with ending(calls("query"), instrumented=instrumented) as b:
        agent = pilot(b, aquery if way == "async" else query)
        if way == "sync":
            agent.invoke(ASKED, b.config)
        else:
            b.run(lambda: agent.ainvoke(ASKED, b.config))
    [line] = [line.rstrip() for line in tree(b) if "SELECT" in line]
    [above] = [line for line in tree(b) if "execute_tool" in line]
    assert (line.index("S") > above.index("e")) is instrumented


@WATCHED
def test_a_span_of_the_callers_in_a_tool_that_is_cut_off(instrumented: bool):
    """It ends too, and the caller's own span is current again."""

    @tool
    async def query() -> str:
        """Query the soundings."""
        with b.tracer.start_as_current_span("SELECT"):
            await asyncio.Event().wait()
        return LOCKS

    async def cut() -> None:
        mine = trace.get_current_span()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await query.ainvoke({}, b.config)
        assert trace.get_current_span() is mine

    with ending(instrumented=instrumented) as b:
        b.run(cut)
    assert b.statuses == [("execute_tool query", "cancelled")]


@WATCHED
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_subagent_in_a_tool_fails(instrumented: bool, asynchronous: bool):
    """The error passes through tool and agents; every bill is booked."""
    answers = {"gpt-5": [Answer(tool_calls=[ToolCall("research")])], "gpt-5-mini": [Answer(tool_calls=[ToolCall("fail")])]}
    failed = ["execute_tool fail", "execute_tool research", "invoke_agent lead", "invoke_agent pilot"]
    with ending(answers, failed=failed, instrumented=instrumented) as b:
        inner = pilot(b, broken(QuietError))

        @tool
        def research() -> str:
            """Ask the researcher."""
            return inner.invoke({"messages": [HumanMessage(QUESTION)]})["messages"][-1].text

        @tool("research")
        async def aresearch() -> str:
            """Ask the researcher."""
            return (await inner.ainvoke({"messages": [HumanMessage(QUESTION)]}))["messages"][-1].text

        async def run() -> None:
            with pytest.raises(QuietError):
                await create_agent(b.gpt("gpt-5"), [aresearch], name="lead").ainvoke(ASKED, b.config)

        if asynchronous:
            b.run(run)
        else:
            with pytest.raises(QuietError):
                create_agent(b.gpt("gpt-5"), [research], name="lead").invoke(ASKED, b.config)
    assert [status for _, status in b.statuses] == ["ok", "ok", *["error"] * 4]
