"""The real clients of OpenAI and Anthropic, against servers on this machine that bill as the providers do."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from token_otel.events import FirstChunk, ModelEnded, ModelStarted, UsageSeen
from token_otel.testing.loopback import Answer, LoopbackAnthropic, LoopbackOpenAI, ToolCall

openai = pytest.importorskip("langchain_openai")
anthropic = pytest.importorskip("langchain_anthropic")

ASK: Any = {"messages": [("user", "What is the weather in Paris?")]}
LONG = "You are a careful assistant who answers in short sentences. " * 200


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}"


@pytest.fixture
def gpt() -> Iterator[LoopbackOpenAI]:
    with LoopbackOpenAI({"gpt-5": [Answer("It is sunny.", reasoning_tokens=64)] * 3}) as server:
        yield server


@pytest.fixture
def claude() -> Iterator[LoopbackAnthropic]:
    with LoopbackAnthropic({"claude-sonnet-5": [Answer("It is sunny.")] * 3}) as server:
        yield server


def chat_openai(server: LoopbackOpenAI, **kwargs: Any) -> Any:
    return openai.ChatOpenAI(model="gpt-5", base_url=server.base_url, api_key="x", max_retries=0, **kwargs)


def chat_anthropic(server: LoopbackAnthropic, **kwargs: Any) -> Any:
    return anthropic.ChatAnthropic(model="claude-sonnet-5", base_url=server.base_url, api_key="x", max_retries=0, **kwargs)


def billed(server: Any) -> list[tuple[int, int, int]]:
    """Return input, output and cache reads of every bill that the server wrote."""
    return [(bill.input, bill.output, bill.cache_read) for bill in server.bills]


def reported(watch: Any) -> list[tuple[int, int, int]]:
    """Return the same of every call that was reported."""
    return [(end.usage.input, end.usage.output, end.usage.cache_read or 0) for end in watch.of(ModelEnded)]


@pytest.mark.parametrize("responses", [False, True])
def test_openai_is_reported_as_billed(watch: Any, gpt: LoopbackOpenAI, responses: bool):
    """Chat Completions and Responses, invoked and streamed; the second call reads from the cache."""
    model = chat_openai(gpt, use_responses_api=responses, stream_usage=True)
    for _ in range(2):
        model.invoke([("system", LONG), ("user", "hello")], watch.config)
    list(model.stream([("system", LONG), ("user", "hello")], watch.config))

    assert reported(watch) == billed(gpt)
    assert reported(watch)[1][2] > 0
    assert [end.usage.reasoning for end in watch.of(ModelEnded)] == [64, 64, 64]


def test_openai_says_who_answered(watch: Any, gpt: LoopbackOpenAI):
    """The model that answered, the id of its answer, why it stopped."""
    chat_openai(gpt).invoke("hello", watch.config)

    [start], [end] = watch.of(ModelStarted), watch.of(ModelEnded)
    assert (start.model, start.provider) == ("gpt-5", "openai")
    assert end.model.startswith("gpt-5")
    assert end.response_id
    assert end.finish_reasons == ("stop",)


def test_a_stream_without_include_usage_is_unreported(watch: Any, gpt: LoopbackOpenAI):
    """With a server of one's own LangChain does not ask for the usage: it is unknown, not 0."""
    list(chat_openai(gpt).stream("hello", watch.config))

    [end] = watch.of(ModelEnded)
    assert end.usage is None
    assert [part.text for part in end.output] == ["It is sunny."]


def test_several_choices_of_openai_are_billed_once(watch: Any, gpt: LoopbackOpenAI):
    """One bill for both."""
    chat_openai(gpt, n=2).invoke("hello", watch.config)

    assert reported(watch) == billed(gpt)
    assert len(watch.of(ModelEnded)[0].finish_reasons) == 2


def test_anthropic_is_reported_as_billed(watch: Any, claude: LoopbackAnthropic):
    """Its input leaves the cache out, LangChain's and ours do not."""
    model = chat_anthropic(claude)
    prompt: Any = [
        ("system", [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]),
        ("user", "hello"),
    ]
    for _ in range(2):
        model.invoke(prompt, watch.config)
    list(model.stream(prompt, watch.config))

    written, read, streamed = (end.usage for end in watch.of(ModelEnded))
    assert reported(watch) == billed(claude)
    assert written.cache_write_1h > 1000
    assert read.cache_read == streamed.cache_read == written.cache_write_1h


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_an_agent_on_openai(watch: Any, way: str):
    """Every call of the loop is reported, however it is run."""
    answers = [Answer(tool_calls=[ToolCall("weather", {"city": "Paris"})]), Answer("It is sunny.")]
    with LoopbackOpenAI({"gpt-5": answers}) as server:
        _run(create_agent(chat_openai(server, stream_usage=True), [weather], name="alice"), way, watch.config)

        assert watch.tree == ["agent alice", "  chat", "  tool weather", "  chat"]
        assert reported(watch) == billed(server)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_an_agent_on_anthropic(watch: Any, way: str):
    """The same on the Messages API."""
    answers = [Answer("I look.", tool_calls=[ToolCall("weather", {"city": "Paris"})]), Answer("It is sunny.")]
    with LoopbackAnthropic({"claude-sonnet-5": answers}) as server:
        _run(create_agent(chat_anthropic(server), [weather], name="alice"), way, watch.config)

        assert watch.tree == ["agent alice", "  chat", "  tool weather", "  chat"]
        assert reported(watch) == billed(server)


@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.parametrize("provider", ["openai", "responses", "anthropic"])
def test_what_was_said_comes_back_word_for_word(watch: Any, provider: str, way: str):
    """The parts of an answer stand in the next prompt under the same ids and with the same text."""
    answers = [Answer("I look.", tool_calls=[ToolCall("weather", {"city": "Paris"})]), Answer("It is sunny.")]
    with LoopbackOpenAI({"gpt-5": answers}) as gpt, LoopbackAnthropic({"claude-sonnet-5": answers}) as claude:
        model = chat_anthropic(claude) if provider == "anthropic" else chat_openai(gpt, use_responses_api=provider == "responses")
        _run(create_agent(model, [weather]), way, watch.config)

    said = {(part.kind, part.message_id, part.call_id, part.text) for part in watch.of(ModelEnded)[0].output}
    read = {(part.kind, part.message_id, part.call_id, part.text) for part in watch.of(ModelStarted)[1].prompt}
    assert said <= read
    assert {kind for kind, *_ in said} == {"assistant", "tool_call"}


def test_a_broken_stream_of_anthropic_keeps_what_was_seen(watch: Any, claude: LoopbackAnthropic):
    """The text so far is the output; the call is cancelled."""
    stream = chat_anthropic(claude).stream("hello", watch.config)
    next(stream)
    next(stream)
    stream.close()

    [end] = watch.of(ModelEnded)
    assert end.status == "cancelled"
    assert len(watch.of(FirstChunk)) == 1


def test_usage_is_seen_while_it_streams(watch: Any, claude: LoopbackAnthropic):
    """The last that was seen is what is reported in the end."""
    list(chat_anthropic(claude).stream("hello", watch.config))

    assert watch.of(UsageSeen)[-1].usage == watch.of(ModelEnded)[0].usage


def test_a_refused_call_is_an_error(watch: Any):
    """By the client's class."""
    with LoopbackOpenAI({"gpt-5": [Answer(error=429)]}) as server, pytest.raises(Exception, match="429"):
        chat_openai(server).invoke("hello", watch.config)

    [end] = watch.of(ModelEnded)
    assert (end.status, end.usage) == ("error", None)
    assert end.error_type.endswith("RateLimitError")


def _run(agent: Any, way: str, config: Any) -> None:
    async def drain() -> None:
        async for _ in agent.astream(ASK, config, stream_mode="messages"):
            pass

    match way:
        case "invoke":
            agent.invoke(ASK, config)
        case "ainvoke":
            asyncio.run(agent.ainvoke(ASK, config))
        case "stream":
            list(agent.stream(ASK, config, stream_mode="messages"))
        case _:
            asyncio.run(drain())
