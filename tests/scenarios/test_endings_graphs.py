"""A graph that ends in any way: left, cancelled, waiting for somebody, failed in one of its branches, outlived by its children."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langgraph.errors import GraphRecursionError
from tests.scenarios.bench import Bench
from tests.scenarios.endings import ASKED, PROTOCOL, WATCHED, Ending, Gate, ending
from tests.scenarios.scenes import NOTES, read_soundings

from token_otel.testing.loopback import Answer, ToolCall

SLOW = Answer(NOTES * 20, chunk_delay_s=0.005)
LOOP = [Answer(tool_calls=[ToolCall("read_soundings")]), SLOW]
LEFT = [
    ("chat gpt-5-mini", "cancelled"),
    ("chat gpt-5-mini", "ok"),
    ("execute_tool read_soundings", "ok"),
    ("invoke_agent pilot", "cancelled"),
]


class SyncOnly(ChatOpenAI):
    """A model without an async stream of its own: LangChain reads the other one in a thread."""

    _astream = BaseChatModel._astream


def sync_only(b: Bench) -> SyncOnly:
    """Such a model on the loopback."""
    return SyncOnly(model="gpt-5-mini", base_url=b.openai.base_url, api_key="offline", max_retries=0, stream_usage=True)  # pyright: ignore[reportArgumentType]


async def until_it_talks(stream: Any) -> None:
    """Read a stream of messages until the last answer begins."""
    async for message, _ in stream:
        if message.type == "AIMessageChunk" and message.text:
            return


@WATCHED
@pytest.mark.parametrize("native", [True, False], ids=["native", "sync model"])
@pytest.mark.parametrize("way", ["break", "closed", "closed by another task", "cancelled"])
def test_an_agents_stream_is_left(instrumented: bool, native: bool, way: str):
    """What was answered is booked; the call under way, the agent and nothing else are cancelled."""

    async def leave(b: Ending) -> None:
        agent: Any = create_agent(b.gpt("gpt-5-mini") if native else sync_only(b), [read_soundings], name="pilot")
        stream = agent.astream(ASKED, b.config, stream_mode="messages")
        if way == "cancelled":
            arrived = asyncio.Event()

            async def read() -> None:
                await until_it_talks(stream)
                arrived.set()
                async for _ in stream:
                    pass

            task = asyncio.create_task(read())
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return
        await until_it_talks(stream)
        if way == "closed":
            await stream.aclose()
        elif way == "closed by another task":
            await asyncio.create_task(stream.aclose())

    with ending({"gpt-5-mini": LOOP}, instrumented=instrumented) as b:
        b.run(lambda: leave(b))
        b.openai.wait_for_bills(2)
    assert b.statuses == LEFT


@pytest.mark.parametrize("dropped", [False, True])
def test_a_sync_graphs_stream_is_left(dropped: bool):
    """LangGraph waits for the call under way, so that it is billed; the agent is cancelled."""
    with ending({"gpt-5-mini": LOOP}) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot")
        stream = agent.stream(ASKED, b.config, stream_mode="messages")
        for message, _ in stream:
            if message.type == "AIMessageChunk" and message.text:
                break
        if not dropped:
            stream.close()
        del stream
        gc.collect()
    assert b.statuses == [LEFT[1], *LEFT[1:]]


@PROTOCOL
@pytest.mark.parametrize("closed", [True, False])
def test_a_graphs_protocol_stream_is_not_read_to_its_end(closed: bool):
    """Version 3 of the events of an agent, left in the middle of its second call."""

    async def leave(b: Ending) -> None:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot")
        stream = await agent.astream_events(ASKED, b.config, version="v3")
        async for event in stream:
            if NOTES[:10] in str(event):
                break
        if closed:
            await stream.abort()

    with ending({"gpt-5-mini": LOOP}) as b:
        b.run(lambda: leave(b))
        gc.collect()
        b.openai.wait_for_bills(2)
    assert b.statuses == LEFT


@WATCHED
@pytest.mark.parametrize("at", ["first", "second"])
def test_an_agent_is_cancelled_while_its_model_thinks(instrumented: bool, at: str):
    """In its first call, or in the second after a tool."""
    gate = Gate(Answer(NOTES))
    script = gate if at == "first" else lambda request: gate(request) if request.index else LOOP[0]

    async def cancel(b: Ending) -> None:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot")
        task = asyncio.create_task(agent.ainvoke(ASKED, b.config))
        await gate.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ending({"gpt-5-mini": script}, instrumented=instrumented) as b:
        b.run(lambda: cancel(b))
        gate.open.set()
        b.balanced = False  # what is answered to nobody is delivered to nobody
    assert b.statuses == (LEFT if at == "second" else [LEFT[0], LEFT[3]])


def test_a_step_that_takes_too_long_is_an_error_of_the_graph():
    """LangGraph cancels the node: its call is cancelled, and billed to nobody."""
    gate = Gate(Answer(NOTES))

    async def run() -> None:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [], name="pilot")
        agent.step_timeout = 0.1
        with pytest.raises(TimeoutError):
            await agent.ainvoke(ASKED, b.config)
        gate.open.set()

    with ending({"gpt-5-mini": gate}, failed=["invoke_agent pilot"]) as b:
        b.run(run)
        b.balanced = False
    assert b.statuses == [("chat gpt-5-mini", "cancelled"), ("invoke_agent pilot", "error")]


def test_too_many_steps_are_an_error_of_the_agent_alone():
    """What was called until then is booked."""
    with ending({"gpt-5-mini": lambda request: LOOP[0]}, failed=["invoke_agent pilot"]) as b:
        agent: Any = create_agent(b.gpt("gpt-5-mini"), [read_soundings], name="pilot")
        with pytest.raises(GraphRecursionError):
            agent.invoke(ASKED, {**b.config, "recursion_limit": 4})
    assert b.statuses[-1] == ("invoke_agent pilot", "error")
