"""Runs that are seen twice, in part, by nobody, or broken off: one posting each, and only what is known."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import OpenAI
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from tests.scenarios.bench import Bench, attributes, bench, chats, check_balance, check_origins
from tests.scenarios.scenes import LOCKS, NOTES, QUESTION, flow, fresh, read_locks, read_soundings, tree

from token_otel import Recorder, Settings
from token_otel.testing.loopback import Answer, Request, ToolCall
from token_otel_langchain import TokenOtelHandler, integration

LOOP = [Answer(tool_calls=[ToolCall("read_soundings")]), Answer(NOTES)]
TREE = ["invoke_agent pilot", "  chat gpt-5-mini", "  execute_tool read_soundings", "  chat gpt-5-mini"]


def user_asks() -> Any:
    """The state with which every run begins."""
    return {"messages": [HumanMessage(QUESTION)]}


def pilot(b: Bench, tools: Sequence[Any] = (read_soundings,), **options: Any) -> Any:
    """An agent with tools."""
    return create_agent(b.gpt("gpt-5-mini"), tools, name="pilot", **options)


def status(bench: Bench) -> dict[str, str]:
    """How the spans ended, by name."""
    return {span.name: attributes(span)["token_otel.run.status"] for span in bench.spans}


def test_handlers_everywhere_post_once():
    """In the constructor, bound, in the config and process-wide at once: one span a run, one posting a call."""
    with bench({"gpt-5-mini": LOOP}) as b:
        second = TokenOtelHandler(recorder=b.handler.recorder)
        integration.instrument(b.handler.recorder)
        try:
            model = b.gpt("gpt-5-mini", callbacks=[b.handler])
            agent: Any = create_agent(model, [read_soundings], name="pilot").with_config(callbacks=[second])
            agent.invoke(user_asks(), b.config)
        finally:
            integration.uninstrument()
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot"})
        assert tree(b) == TREE


def test_the_users_own_spans_stand_around_and_inside():
    """With the process watched: the agent beneath the caller's span, the tool's own work beneath the tool's span."""
    with bench({"gpt-5-mini": [Answer(tool_calls=[ToolCall("query")]), Answer(NOTES)]}) as b:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(b.exporter))
        tracer = provider.get_tracer("user")

        @tool
        def query() -> str:
            """Query the soundings."""
            with tracer.start_as_current_span("SELECT"):
                return LOCKS

        integration.instrument(b.handler.recorder)
        try:
            with tracer.start_as_current_span("request"):
                pilot(b, [query]).invoke(user_asks())
                assert getattr(trace.get_current_span(), "name", None) == "request"
        finally:
            integration.uninstrument()
        assert tree(b) == [
            "request",
            "  invoke_agent pilot",
            "    chat gpt-5-mini",
            "    execute_tool query",
            "      SELECT",
            "    chat gpt-5-mini",
        ]


def test_a_stream_left_in_the_middle_of_the_second_call():
    """The first call is booked, the second is cancelled without a bill, and the agent says that one call is open."""

    async def read_three_words(agent: Any, config: Any) -> None:
        stream = agent.astream(user_asks(), config, stream_mode="messages")
        words = 0
        async for message, _ in stream:
            words += isinstance(message, AIMessage) and bool(message.text)
            if words == 3:
                break
        await stream.aclose()

    with bench({"gpt-5-mini": [LOOP[0], Answer(NOTES * 20, chunk_delay_s=0.005)]}) as b:
        asyncio.run(read_three_words(pilot(b), b.config))
        b.openai.wait_for_bills(2)
        check_balance(b)
        [first, second] = [span for span in b.spans if span.name == "chat gpt-5-mini"]
        assert [attributes(span)["token_otel.run.status"] for span in (first, second)] == ["ok", "cancelled"]
        assert attributes(b.spans[-1])["token_otel.run.status"] == "cancelled"
        assert attributes(b.spans[-1])["token_otel.agent.incomplete"] == 1


def test_a_cancelled_task_is_no_error():
    """Cancelled while the model thinks, or while one of two tools works: cancelled, not failed, and what was billed is booked."""

    @tool
    async def wait() -> str:
        """Wait."""
        await asyncio.sleep(30)
        return ""

    arrived = threading.Event()

    def slow(_: Request) -> Answer:
        arrived.set()
        return Answer(NOTES, delay_s=0.5)

    async def cancel(b: Bench, agent: Any, spans: int) -> None:
        task = asyncio.create_task(agent.ainvoke(user_asks(), b.config))
        while not arrived.is_set() or b.handler.recorder.open_runs < 2 or len(b.spans) < spans:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with bench({"gpt-5-mini": slow}) as b:
        asyncio.run(cancel(b, pilot(b), 0))
        b.openai.wait_for_bills(1)
        check_balance(b)
        assert status(b) == {"invoke_agent pilot": "cancelled", "chat gpt-5-mini": "cancelled"}
    with bench({"gpt-5-mini": [Answer(tool_calls=[ToolCall("wait"), ToolCall("read_locks")])]}) as b:
        asyncio.run(cancel(b, pilot(b, [wait, read_locks]), 2))
        check_balance(b)
        assert status(b) == {
            "invoke_agent pilot": "cancelled",
            "chat gpt-5-mini": "ok",
            "execute_tool read_locks": "ok",
            "execute_tool wait": "cancelled",
        }
    assert {span.status.status_code.name for span in b.spans} == {"UNSET"}


def test_an_answer_from_the_frameworks_cache_is_not_billed():
    """The second asking costs nothing and says what it saved."""
    with bench({"gpt-5-mini": [Answer(NOTES)]}) as b:
        model = b.gpt("gpt-5-mini", cache=InMemoryCache())
        for _ in range(2):
            model.invoke([HumanMessage(QUESTION)], b.config)
        first, second = (attributes(span) for span in b.spans)
        assert not any(name.startswith("gen_ai.usage.") for name in second)
        assert (second["token_otel.cost.status"], second["token_otel.cost.total_usd"]) == ("cached", 0.0)
        assert second["token_otel.saved.cost_usd"] == first["token_otel.cost.total_usd"]
        assert sum(attributes(span).get("gen_ai.usage.input_tokens", 0) for span in b.spans) == sum(bill.input for bill in b.bills)


def test_completions_are_billed_as_reported():
    """The older kind of model, once plainly and once with two choices."""
    with bench({"gpt-3.5-turbo-instruct": lambda request: Answer("It depends. " + NOTES)}) as b:
        for options in ({}, {"n": 2, "best_of": 2}):
            model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline", **options)  # pyright: ignore[reportArgumentType]
            model.invoke(QUESTION, b.config)
        for span, bill in zip(b.spans, b.bills, strict=True):
            values = attributes(span)
            assert span.name == "text_completion gpt-3.5-turbo-instruct"
            assert (values["gen_ai.usage.input_tokens"], values["gen_ai.usage.output_tokens"]) == (bill.input, bill.output)
            assert flow(span) == {"user": bill.input}


def test_metadata_tags_and_baggage_reach_every_span():
    """Those that were asked for, and no others."""
    with bench({"gpt-5-mini": LOOP}, metadata=("user_id", "tags"), baggage=("tenant",)) as b:
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        try:
            pilot(b).invoke(user_asks(), b.config | {"metadata": {"user_id": "u7", "other": "x"}, "tags": ["beta"]})
        finally:
            context.detach(token)
        for values in map(attributes, b.spans):
            assert (values["user_id"], values["tags"], values["tenant"], "other" in values) == ("u7", ("beta",), "acme", False)


class Switch(Sampler):
    """Samples what comes while it is on."""

    on = False

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        """Decide by the switch."""
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self.on else Decision.DROP)

    def get_description(self) -> str:
        """Name it."""
        return "switch"


def test_a_turn_that_is_not_sampled_costs_metrics_alone():
    """Turn one leaves no span and all its tokens; turn two reads it, names its origins, and links to none of its spans."""
    sampler, reader, exporter = Switch(), InMemoryMetricReader(), InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, MeterProvider([reader]), settings=Settings(worker="inline", raise_errors=True))
    with bench({"gpt-5-mini": [*LOOP, Answer("Two hundred miles further.")]}) as b:
        agent = pilot(b, checkpointer=InMemorySaver())
        config: Any = {"callbacks": [TokenOtelHandler(recorder=recorder)], "configurable": {"thread_id": "river"}}
        agent.invoke(user_asks(), config)
        assert exporter.get_finished_spans() == ()
        sampler.on = True
        agent.invoke({"messages": [HumanMessage("And how much further is that in spring?")]}, config)
        [chat] = [span for span in exporter.get_finished_spans() if span.name == "chat gpt-5-mini"]
        assert {"tool:read_soundings", "self"} <= set(flow(chat))
        assert fresh(chat)["tool:read_soundings"] == 0
        assert (list(chat.links), "token_otel.flow.producers" in attributes(chat)) == ([], False)
        assert counted(reader, "token_otel.flow.tokens") == sum(bill.input for bill in b.bills)
        assert counted(reader, "gen_ai.client.inference.usage.output_tokens") == sum(bill.output for bill in b.bills)


def counted(reader: InMemoryMetricReader, name: str) -> int:
    """The sum of a counter over all its labels."""
    data: Any = reader.get_metrics_data()
    metrics = [metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
    return sum(point.value for metric in metrics if metric.name == name for point in metric.data.data_points)


def test_another_agent_of_the_same_name_is_the_same_agent():
    """In turn two an agent of another model has the name: what turn one said is its own."""
    with bench({"gpt-5-mini": [Answer(NOTES)], "gpt-5": [Answer("Two hundred miles further.")]}) as b:
        saver = InMemorySaver()
        for model, question in (("gpt-5-mini", QUESTION), ("gpt-5", "And how much further is that in spring?")):
            agent: Any = create_agent(b.gpt(model), [], name="pilot", checkpointer=saver)
            agent.invoke({"messages": [HumanMessage(question)]}, b.thread("river"))
        check_balance(b)
        check_origins(b, {"gpt-5-mini": "pilot", "gpt-5": "pilot"})
        assert "self" in flow(chats(b)[-1])
