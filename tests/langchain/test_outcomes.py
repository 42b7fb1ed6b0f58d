"""How runs end: well, badly, waiting for somebody, or cut off."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import asyncio
import gc
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from token_otel.events import Ended, FirstChunk, ModelEnded, UsageSeen

ASK: Any = {"messages": [("user", "hello there")]}


def question(text: str) -> Any:
    """Make the input of an agent."""
    return {"messages": [("user", text)]}


class OutOfOrderError(Exception):
    """A failure of the application's own."""


def test_a_failed_call_is_an_error_by_its_class(watch: Any, scripted: Any):
    """The class is qualified; the message, which may quote a prompt, is nowhere."""
    with pytest.raises(OutOfOrderError):
        scripted(OutOfOrderError("secret words")).invoke("hello", watch.config)

    [end] = watch.of(ModelEnded)
    assert (end.status, end.usage) == ("error", None)
    assert end.error_type.endswith("test_outcomes.OutOfOrderError")
    assert "secret" not in repr(watch.tape.events)


def test_a_builtin_exception_is_not_qualified(watch: Any, scripted: Any):
    """`TimeoutError`, not `builtins.TimeoutError`; an empty message makes no difference."""
    with pytest.raises(TimeoutError):
        scripted(TimeoutError()).invoke("hello", watch.config)

    [end] = watch.of(ModelEnded)
    assert (end.status, end.error_type) == ("error", "TimeoutError")


def test_an_error_passes_through_its_agents(watch: Any, scripted: Any):
    """Everything above the call has failed too."""
    builder: Any = StateGraph(MessagesState)
    builder.add_node("bob", create_agent(scripted(ValueError("no")), [], name="bob"))
    builder.add_edge(START, "bob")
    with pytest.raises(ValueError, match="no"):
        builder.compile(name="team").invoke(ASK, watch.config)

    assert watch.tree == ["workflow team (error ValueError)", "  agent bob (error ValueError)", "    chat (error ValueError)"]


def test_a_failed_tool_is_an_error_of_the_tool_alone(watch: Any, scripted: Any, call: Any):
    """The agent reads of the failure and goes on."""

    @tool
    def broken(q: str) -> str:
        """Break."""
        raise ToolException("no")

    broken.handle_tool_error = False
    node = create_agent(scripted(call("broken", q="x"), "done"), [broken], name="alice", middleware=[_recovers()])
    node.invoke(ASK, watch.config)

    assert watch.tree == ["agent alice", "  chat", "  tool broken (error langchain_core.tools.base.ToolException)", "  chat"]


def _recovers() -> Any:
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.messages import ToolMessage

    class Recovers(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            try:
                return handler(request)
            except ToolException:
                return ToolMessage("failed", tool_call_id=request.tool_call["id"])

    return Recovers()


def test_an_interrupt_in_a_node_interrupts_the_graph(watch: Any, scripted: Any):
    """A person is waited for: nobody has failed."""
    model = scripted("draft")

    def write(state: Any) -> Any:
        draft = model.invoke(state["messages"])
        return {"messages": [AIMessage(f"{draft.content} {interrupt('fine?')}")]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node("write", write)
    builder.add_edge(START, "write")
    graph = builder.compile(name="desk", checkpointer=InMemorySaver())
    graph.invoke(ASK, watch.thread("t1"))
    graph.invoke(Command(resume="yes"), watch.thread("t1"))

    assert watch.tree == [
        "workflow desk (interrupted)",
        "  agent write (interrupted)",
        "    chat",
        "workflow desk",
        "  agent write",
        "    chat",
    ]


def test_an_interrupt_is_seen_when_streaming(watch: Any, scripted: Any, call: Any):
    """A stream's output does not say so, its nodes do."""

    @tool
    def confirm(what: str) -> str:
        """Ask a person."""
        return str(interrupt(what))

    agent = create_agent(scripted(call("confirm", what="x")), [confirm], name="alice", checkpointer=InMemorySaver())
    list(agent.stream(ASK, watch.thread("t1")))

    assert watch.tree == ["agent alice (interrupted)", "  chat", "  tool confirm (interrupted)"]


def test_an_interrupt_beneath_a_tool_interrupts_all_above(watch: Any, scripted: Any, call: Any):
    """It bubbles up from the sub-agent through the tool."""

    @tool
    def confirm(what: str) -> str:
        """Ask a person."""
        return str(interrupt(what))

    bob = create_agent(scripted(call("confirm", what="x")), [confirm], name="bob")

    @tool
    def ask_bob(q: str) -> str:
        """Ask Bob."""
        return bob.invoke(question(q))["messages"][-1].content

    agent = create_agent(scripted(call("ask_bob", q="x")), [ask_bob], name="alice", checkpointer=InMemorySaver())
    agent.invoke(ASK, watch.thread("t1"))

    assert watch.tree == [
        "agent alice (interrupted)",
        "  chat",
        "  tool ask_bob (interrupted)",
        "    agent bob (interrupted)",
        "      chat",
        "      tool confirm (interrupted)",
    ]


def test_a_stream_that_is_broken_off_is_cancelled(watch: Any, scripted: Any):
    """What had come is kept: the text so far."""
    stream = scripted("one two three", streams=True).stream("hello", watch.config)
    next(stream)
    stream.close()

    [end] = watch.of(ModelEnded)
    assert (end.status, end.error_type, [part.text for part in end.output]) == ("cancelled", None, ["one "])


def test_a_stream_says_when_its_first_chunk_came(watch: Any, scripted: Any):
    """Once a call."""
    list(scripted("one two three", streams=True).stream("hello", watch.config))

    assert len(watch.of(FirstChunk)) == 1


def test_usage_within_a_stream_is_summed(watch: Any, scripted: Any):
    """Chunks carry what is new since the last one."""
    list(scripted("one two", streams=True).stream("hello", watch.config))

    [seen] = watch.of(UsageSeen)
    assert (seen.usage.input, seen.usage.output) == (10, 5)


def test_a_cancelled_task_is_cancelled(watch: Any, scripted: Any):
    """Cancellation belongs to the program: it is no error."""

    async def main() -> None:
        model = scripted("one two three", streams=True)

        async def read() -> None:
            async for _ in model.astream("hello", watch.config):
                await asyncio.sleep(10)

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # LangChain tells only when the loop closes the generator, after the caller has gone on.
        await asyncio.sleep(0.05)

    asyncio.run(main())

    assert [end.status for end in watch.of(ModelEnded)] == ["cancelled"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()])
def test_what_stops_the_program_cancels_a_chain(watch: Any, scripted: Any, error: BaseException):
    """Nothing above it has failed either."""
    from token_otel_langchain.outcome import verdict

    assert verdict(error) == ("cancelled", None)


def test_every_run_ends_once(watch: Any, scripted: Any, call: Any):
    """One end for each start."""

    @tool
    def search(q: str) -> str:
        """Look something up."""
        return q

    create_agent(scripted(call("search", q="x"), "done"), [search], name="alice").invoke(ASK, watch.config)

    ends = [event.run_id for event in watch.tape.events if isinstance(event, Ended | ModelEnded)]
    assert len(ends) == len(set(ends)) == 4


def test_a_call_that_nobody_can_end_any_more_is_cancelled(watch: Any, scripted: Any):
    """LangChain tells neither an end nor an error; but nobody holds the run's id any more."""

    async def main() -> None:
        model = scripted("one two three")
        never = asyncio.Event()

        async def wait(*_: Any, **__: Any) -> Any:
            await never.wait()

        model.__dict__["_agenerate"] = wait
        task = asyncio.create_task(model.ainvoke("hello", watch.config))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    gc.collect()

    assert [(type(event).__name__, event.status) for event in watch.tape.events if isinstance(event, Ended | ModelEnded)] == [
        ("Ended", "cancelled")
    ]


def test_a_run_whose_id_is_held_stays_open(watch: Any):
    """Whoever holds it may end it."""
    run_id = uuid4()
    watch.handler.on_tool_start({"name": "search"}, "", run_id=run_id)
    gc.collect()
    assert watch.of(Ended) == []
    del run_id
    gc.collect()

    assert [event.status for event in watch.of(Ended)] == ["cancelled"]


def test_what_a_stream_has_used_until_it_was_broken_off_is_not_its_bill(watch: Any, scripted: Any):
    """It has been told as seen; the end itself reports nothing."""
    stream = scripted("one", streams=True).stream("hello", watch.config)
    for chunk in stream:
        if chunk.usage_metadata:
            break
    stream.close()

    [end], [seen] = watch.of(ModelEnded), watch.of(UsageSeen)
    assert (end.status, seen.usage.input) == ("cancelled", 10)
    assert end.usage is None or end.finish_reasons
