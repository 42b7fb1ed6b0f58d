"""Blocks of your own code that are runs: what stands beneath what, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from tests.manual.spans import values
from tests.tapes import Bench, bench

import token_otel
from token_otel.bills import NOWHERE, current
from token_otel.otel import semconv as sc


def above(made: Bench, name: str) -> str | None:
    """Return the name of the span above."""
    parent = made.span(name).parent
    ids = {span.get_span_context().span_id: span.name for span in made.spans}  # pyright: ignore[reportOptionalMemberAccess]
    return None if parent is None else ids[parent.span_id]


def call(made: Bench, model: str = "cheap", **options: Any) -> None:
    with token_otel.model(model, recorder=made.recorder, **options) as asked:
        asked.end(usage={"prompt_tokens": 1000, "completion_tokens": 100})


def test_blocks_nest(made: Bench):
    """What begins inside a block is beneath it, and charged to the nearest agent."""
    with (
        token_otel.agent("planner", kind="workflow", recorder=made.recorder),
        token_otel.agent("writer"),
        token_otel.step(),
        token_otel.tool("search", call_id="c1"),
    ):
        call(made)

    assert above(made, "invoke_workflow planner") is None
    assert above(made, "invoke_agent writer") == "invoke_workflow planner"
    assert above(made, "execute_tool search") == "invoke_agent writer"
    assert above(made, "chat cheap") == "execute_tool search"
    # 1,000 x $3 + 100 x $15 per million, and $0.001 for the request
    assert values(made.span("invoke_agent writer"))["token_otel.agent.own.cost_usd"] == 0.0055
    assert values(made.span("execute_tool search"))[sc.TOOL_CALL_ID] == "c1"
    assert made.recorder.open_runs == 0


def test_after_a_block_nothing_is_left(made: Bench):
    """Neither of ours nor of OpenTelemetry's context."""
    before = context.get_current()
    with token_otel.agent("planner", recorder=made.recorder, tags={"tenant": "a"}):
        assert current() is not NOWHERE

    assert current() is NOWHERE
    assert context.get_current() == before


def test_blocks_left_out_of_order_leave_nothing(made: Bench):
    """The outer one takes the inner one's surroundings with it, which does not bring them back."""
    before = context.get_current()
    outer, inner = token_otel.agent("outer", recorder=made.recorder), token_otel.agent("inner", recorder=made.recorder)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert current() is NOWHERE
    inner.__exit__(None, None, None)
    with token_otel.track():
        inner.__enter__()
    inner.__exit__(None, None, None)

    assert current() is NOWHERE
    assert context.get_current() == before


def test_a_call_within_a_call_belongs_to_whoever_asked(made: Bench):
    """A tool that is run before the block of its model call is left is no part of that call."""
    with token_otel.agent("planner", recorder=made.recorder), token_otel.model("cheap") as asked:
        asked.end(usage={"prompt_tokens": 10, "completion_tokens": 1})
        with token_otel.tool("search"):
            pass

    assert above(made, "execute_tool search") == "invoke_agent planner"
    assert values(made.span("execute_tool search"))[sc.RUN_STATUS] == "ok"


def test_the_users_own_spans_stand_between(made: Bench):
    """A span of the user's inside an agent is beneath it, and above the calls made inside."""
    tracer = made.recorder._tracer_provider.get_tracer("app")  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
    with token_otel.agent("planner", recorder=made.recorder), tracer.start_as_current_span("look it up"):
        call(made)

    assert above(made, "look it up") == "invoke_agent planner"
    assert above(made, "chat cheap") == "look it up"
    assert values(made.span("invoke_agent planner"))["token_otel.agent.own.calls"] == 1


@pytest.mark.parametrize(
    ("error", "status", "error_type"),
    [
        (ValueError("Rosebud"), "error", "ValueError"),
        (asyncio.CancelledError(), "cancelled", None),
        (KeyboardInterrupt(), "cancelled", None),
        (asyncio.QueueFull(), "error", "asyncio.queues.QueueFull"),
    ],
)
def test_an_error_passes_and_is_noted(made: Bench, error: BaseException, status: str, error_type: str | None):
    """On every block it comes through: its class, never its text; to be stopped is no error."""
    with pytest.raises(type(error)), token_otel.agent("planner", recorder=made.recorder), token_otel.tool("t"), token_otel.model("cheap"):
        raise error

    assert {span.name for span in made.spans} == {"invoke_agent planner", "execute_tool t", "chat cheap"}
    for span in made.spans:
        assert (values(span)[sc.RUN_STATUS], values(span).get(sc.ERROR_TYPE)) == (status, error_type)
        assert "Rosebud" not in str(values(span)) + str(span.events)


def test_a_tool_says_what_it_returned_and_cost(made: Bench):
    """The call that reads it names the tool; its own cost is on its span, in the metric and on the bill, not among the calls'."""
    said = "The wells of the district are deep, and hold water in most years of the survey."
    with token_otel.track() as bill, token_otel.agent("planner", recorder=made.recorder):
        with token_otel.tool("search", call_id="c1") as tool:
            assert tool.end(said, cost_usd="0.01") is said
        with token_otel.model("cheap", messages=[{"role": "tool", "tool_call_id": "c1", "content": said}]) as asked:
            asked.end(usage={"prompt_tokens": 20, "completion_tokens": 0})

    assert values(made.span("execute_tool search"))[sc.TOOL_COST] == 0.01
    assert values(made.span("chat cheap"))[sc.FLOW_ORIGINS] == ("tool:search",)
    # 0.01 for the search; 20 x $3 per million and $0.001 for the request
    assert (bill.by_tool, bill.cost_usd) == ({"search": Decimal("0.01")}, Decimal("0.01106"))
    costs = {point.attributes[sc.OPERATION_NAME]: point.value for point in made.metrics()[sc.M_COST]}
    assert costs == {"chat": 0.00106, "execute_tool": 0.01}


def test_what_a_retriever_found_is_a_document(made: Bench):
    """Texts, or objects that have one."""

    class Page:
        page_content = "The upper gate is closed ten days after the first frost of the year."

    with token_otel.agent("planner", recorder=made.recorder):
        with token_otel.retrieval("archive") as found:
            found.end([Page()])
        call(made, messages=f"Read this: {Page.page_content}")

    assert "document" in values(made.span("chat cheap"))[sc.FLOW_ORIGINS]
    assert values(made.span("retrieval archive"))[sc.DATA_SOURCE_ID] == "archive"


def test_a_handoff_is_noted_on_the_agent_at_work(made: Bench):
    """Control moves; outside any block nothing is said."""
    token_otel.handoff("nobody")
    with token_otel.agent("planner", recorder=made.recorder), token_otel.tool("transfer"):
        token_otel.handoff("writer")

    assert values(made.span("invoke_agent planner"))[sc.AGENT_HANDOFFS] == ("writer",)


def test_tags_reach_every_span_beneath(made: Bench):
    """The inner one's count where both name one; and so do tags of `track`; a key of ours is not taken over."""
    tags = {"tenant": "a", "plan": "free", sc.AGENT_NAME: "mine"}
    agent = token_otel.agent("planner", recorder=made.recorder, tags={"plan": "paid"})
    with token_otel.track(tags=tags), agent, token_otel.tool("search"):
        call(made)
    with token_otel.agent("other", recorder=made.recorder):
        pass

    for name in ("invoke_agent planner", "execute_tool search", "chat cheap"):
        found = values(made.span(name))
        assert (found["tenant"], found["plan"], found[sc.AGENT_NAME]) == ("a", "paid", "planner")
    assert "tenant" not in values(made.span("invoke_agent other"))


def test_tags_leave_as_they_are():
    """Names are hashed where that is asked for; tags are the user's own words."""
    made = bench(names="hashed", names_key="k")
    with token_otel.agent("planner", recorder=made.recorder, tags={"tenant": "acme"}):
        pass

    [span] = made.spans
    assert values(span)["tenant"] == "acme"
    assert "planner" not in span.name + str(values(span))


def test_baggage_and_chosen_tags_are_labels_of_what_is_spent():
    """Of the cost and the flow; other tags are not, and no more than a hundred values of one."""
    made = bench(metric_tags=("tenant", "region"), baggage=("region",))
    token = context.attach(baggage.set_baggage("region", "north"))
    try:
        for number in range(102):
            with token_otel.agent("planner", recorder=made.recorder, tags={"tenant": f"t{number:03}", "request": "r1"}):
                call(made, messages="How deep are the wells?")
    finally:
        context.detach(token)

    for metric in (sc.M_COST, sc.M_FLOW):
        points = made.metrics()[metric]
        assert {point.attributes["region"] for point in points} == {"north"}
        assert {point.attributes["tenant"] for point in points} == {*[f"t{number:03}" for number in range(100)], "other"}
        assert not any("request" in point.attributes for point in points)
    assert all("tenant" not in point.attributes for point in made.metrics()[sc.M_TOKEN_USAGE])


def test_a_conversation_is_inherited(made: Bench):
    """From the agent, or from `track` where nothing else names one."""
    with token_otel.track(conversation="c7"):
        call(made)
        with token_otel.agent("planner", recorder=made.recorder, conversation="c8"), token_otel.tool("t"):
            pass

    assert values(made.span("chat cheap"))[sc.CONVERSATION_ID] == "c7"
    assert values(made.span("execute_tool t"))[sc.CONVERSATION_ID] == "c8"


def test_what_one_turn_said_the_next_one_reads_as_its_own(made: Bench):
    """A conversation goes on across blocks and traces."""
    answer = "The upper gate is closed ten days after the first frost."
    for messages in (["When?"], ["When?", {"role": "assistant", "content": answer}, "Are you sure about that, and who says so?"]):
        with token_otel.agent("keeper", conversation="c1", recorder=made.recorder), token_otel.model("cheap", messages=messages) as asked:
            asked.end(usage={"prompt_tokens": 40, "completion_tokens": 12}, output=answer)

    _, last = [span for span in made.spans if span.name == "chat cheap"]
    assert values(last)["token_otel.input.self_tokens"] > 0
    assert "token_otel.input.external_tokens" not in values(last)


def test_two_recorders_keep_apart(made: Bench):
    """A block of another recorder inside a block is a root of its own there."""
    other = bench()
    with token_otel.agent("a", recorder=made.recorder), token_otel.agent("b", recorder=other.recorder):
        with token_otel.tool("c", recorder=made.recorder):
            pass
        call(other, model="tiered")

    assert above(made, "execute_tool c") == "invoke_agent a"
    assert {span.name for span in other.spans} == {"invoke_agent b", "chat tiered"}
    assert values(made.span("invoke_agent a"))["token_otel.agent.subtree.calls"] == 0
    assert values(other.span("invoke_agent b"))["token_otel.agent.own.calls"] == 1


def test_a_block_is_one_run(made: Bench):
    """To enter it again before it is left is refused; afterwards it is a run of its own."""
    block = token_otel.agent("planner", recorder=made.recorder)
    with block:
        first = block.run_id
        with pytest.raises(RuntimeError, match="entered already"):
            block.__enter__()
    with block:
        assert block.run_id != first

    assert [span.name for span in made.spans] == ["invoke_agent planner"] * 2


def test_functions_of_every_kind_are_decorated(made: Bench):
    """Plain, async, generators and async generators; what a tool returns is its result."""
    recorder = made.recorder

    @token_otel.tool("plain", recorder=recorder)
    def plain(x: int) -> str:
        """Say it."""
        return f"{x}"

    @token_otel.agent("waits", recorder=recorder)
    async def waits() -> str:
        await asyncio.sleep(0)
        return plain(2)

    @token_otel.agent("yields", recorder=recorder)
    def yields() -> Iterator[str]:
        yield plain(3)
        yield plain(4)

    @token_otel.agent("streams", recorder=recorder)
    async def streams() -> AsyncIterator[str]:
        yield plain(5)
        await asyncio.sleep(0)
        yield plain(6)

    async def main() -> list[str]:
        return [plain(1), await waits(), *yields(), *[item async for item in streams()]]

    assert (plain.__name__, plain.__doc__) == ("plain", "Say it.")
    assert asyncio.run(main()) == ["1", "2", "3", "4", "5", "6"]
    names = {span.get_span_context().span_id: span.name for span in made.spans}  # pyright: ignore[reportOptionalMemberAccess]
    tools = [span for span in made.spans if span.name == "execute_tool plain"]
    homes = [None if tool.parent is None else names[tool.parent.span_id].removeprefix("invoke_agent ") for tool in tools]
    assert homes == [None, "waits", "yields", "yields", "streams", "streams"]
    assert recorder.open_runs == 0


def test_between_the_steps_of_a_generator_nothing_belongs_to_it(made: Bench):
    """What its caller does meanwhile is the caller's; and a generator that is closed or fails ends its run."""

    @token_otel.agent("yields", recorder=made.recorder)
    def yields() -> Iterator[int]:
        yield 1
        yield 2

    steps: Any = yields()
    next(steps)
    assert current() is NOWHERE
    assert not trace.get_current_span().get_span_context().is_valid
    steps.close()

    assert values(made.span("invoke_agent yields"))[sc.RUN_STATUS] == "cancelled"


def test_what_is_thrown_into_a_generator_reaches_it(made: Bench):
    """And so does what is sent, and what it returns is returned."""

    @token_otel.agent("yields", recorder=made.recorder)
    def yields() -> Generator[str, str, str]:
        try:
            said = yield "ask"
        except LookupError:
            said = "caught"
        yield said
        return "done"

    steps = yields()
    assert (next(steps), steps.throw(LookupError())) == ("ask", "caught")
    with pytest.raises(StopIteration) as stopped:
        next(steps)
    assert stopped.value.value == "done"
    steps = yields()
    assert (next(steps), steps.send("told")) == ("ask", "told")
    with pytest.raises(ValueError, match="no"):
        steps.throw(ValueError("no"))

    assert [values(span)[sc.RUN_STATUS] for span in made.spans] == ["ok", "error"]


def test_an_async_generator_closed_early_is_cancelled(made: Bench):
    """Its own clean-up still belongs to it."""

    @token_otel.agent("streams", recorder=made.recorder)
    async def streams() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            with token_otel.tool("tidy"):
                pass

    async def main() -> None:
        steps: Any = streams()
        assert await anext(steps) == 1
        await steps.aclose()

    asyncio.run(main())
    assert above(made, "execute_tool tidy") == "invoke_agent streams"
    assert values(made.span("invoke_agent streams"))[sc.RUN_STATUS] == "cancelled"


def test_a_block_inside_a_generator_may_be_left_from_elsewhere(made: Bench, caplog: pytest.LogCaptureFixture):
    """An async generator that another task closes: no complaint of OpenTelemetry's, and the run ends."""

    async def streams() -> AsyncIterator[int]:
        with token_otel.agent("inside", recorder=made.recorder):
            yield 1
            yield 2

    async def main() -> None:
        steps: Any = streams()
        await asyncio.create_task(anext(steps))
        await asyncio.create_task(steps.aclose())
        assert current() is NOWHERE

    asyncio.run(main())
    assert values(made.span("invoke_agent inside"))[sc.RUN_STATUS] == "cancelled"
    assert caplog.messages == []


def test_switched_off_it_costs_nothing_but_the_block():
    """No run, no span, no context; results pass through."""
    made = bench(enabled=False)
    with token_otel.track() as bill, token_otel.agent("planner", recorder=made.recorder):
        with token_otel.tool("t", recorder=made.recorder) as tool:
            assert tool.end("x") == "x"
        with token_otel.model("cheap", recorder=made.recorder) as asked:
            assert asked.end("hello") == "hello"

    assert (made.spans, bill.calls) == ((), 0)
