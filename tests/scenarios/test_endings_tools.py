"""A tool that ends in any way: it fails, is timed out or cancelled, stops the program; and the caller's own spans within it."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import ToolException, tool
from opentelemetry import trace
from tests.scenarios.endings import ASKED, WATCHED, Ending, Gate, QuietError, broken, calls, ending, pilot
from tests.scenarios.scenes import LOCKS, QUESTION, tree

from token_otel.testing.loopback import Answer, ToolCall


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
