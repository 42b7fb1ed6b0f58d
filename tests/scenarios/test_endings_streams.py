"""A model's call that ends in any way: its stream is left, its task cancelled, its neighbour fails."""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI, OpenAI
from openai import APIStatusError, InternalServerError
from tests.scenarios.endings import PROTOCOL, WATCHED, Ending, Gate, ending
from tests.scenarios.scenes import NOTES, QUESTION

from token_otel.testing.loopback import Answer

SLOW = Answer(NOTES * 20, chunk_delay_s=0.005)
CANCELLED = [("chat gpt-5-mini", "cancelled")]


@WATCHED
@pytest.mark.parametrize("dropped", [False, True])
def test_a_stream_is_closed_or_dropped(instrumented: bool, dropped: bool):
    """What its reader has not waited for is not known: cancelled, without a bill."""
    with ending({"gpt-5-mini": [SLOW]}, instrumented=instrumented) as b:
        stream: Any = b.gpt("gpt-5-mini").stream(QUESTION, b.config)
        next(stream)
        next(stream)
        if not dropped:
            stream.close()
        del stream
        b.openai.wait_for_bills(1)
    assert b.statuses == CANCELLED


async def read_on(stream: Any) -> None:
    """Read to the end."""
    async for _ in stream:
        pass


@WATCHED
@pytest.mark.parametrize("way", ["closed", "dropped", "closed by another task", "cancelled"])
def test_an_async_stream_is_left(instrumented: bool, way: str):
    """In each of the ways in which a web client leaves."""

    async def read(b: Ending) -> None:
        stream: Any = b.gpt("gpt-5-mini").astream(QUESTION, b.config)
        async for message in stream:
            if message.text:
                break
        match way:
            case "closed":
                await stream.aclose()
            case "closed by another task":
                await asyncio.create_task(stream.aclose())
            case "cancelled":
                task = asyncio.create_task(read_on(stream))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            case _:
                del stream
        gc.collect()  # the oldest versions leave the connection to the collector, and what is not hung up on is delivered
        await asyncio.sleep(0)

    with ending({"gpt-5-mini": [SLOW]}, instrumented=instrumented) as b:
        b.run(lambda: read(b))
        b.openai.wait_for_bills(1)
    assert b.statuses == CANCELLED


class Metered(BaseChatModel):
    """A model of somebody's own, which says with each word what has been used so far, as some servers do."""

    @property
    def _llm_type(self) -> str:
        return "metered"

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _get_ls_params(self, *args: Any, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": "gpt-5-mini"}

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for number, word in enumerate(NOTES.split()):
            usage: Any = {"input_tokens": 0 if number else 100, "output_tokens": 1, "total_tokens": 1 if number else 101}
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=f"{word} ", usage_metadata=usage))
            if run_manager is not None:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


@WATCHED
def test_what_a_stream_has_reported_is_booked_when_it_is_left(instrumented: bool):
    """100 tokens read and 2 written so far: partial, cancelled, and no error."""
    with ending(instrumented=instrumented) as b:
        b.balanced = False
        stream: Any = Metered().stream(QUESTION, b.config)
        next(stream)
        next(stream)
        stream.close()
    values = b.values("chat gpt-5-mini")
    assert b.statuses == CANCELLED
    assert [values[f"gen_ai.usage.{part}_tokens"] for part in ("input", "output")] == [100, 2]
    assert values["token_otel.usage.status"] == "partial"


def test_a_connection_that_breaks_is_an_error():
    """The provider has gone, not the reader."""
    with (
        ending({"gpt-5-mini": [Answer(NOTES, cut_after=2)]}, failed=["chat gpt-5-mini"]) as b,
        pytest.raises(Exception, match=r"peer closed|Connection error"),
    ):
        list(b.gpt("gpt-5-mini").stream(QUESTION, b.config))
    assert b.statuses == [("chat gpt-5-mini", "error")]


@WATCHED
@pytest.mark.parametrize("way", ["task", "timeout", "wait_for"])
def test_an_awaited_call_is_cancelled(instrumented: bool, way: str):
    """LangChain tells nobody; the call ends once nobody can tell of it any more."""
    gate = Gate(Answer(NOTES))

    async def call(b: Ending) -> None:
        model = b.gpt("gpt-5-mini")
        if way == "task":
            task = asyncio.create_task(model.ainvoke(QUESTION, b.config))
            await gate.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif way == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await model.ainvoke(QUESTION, b.config)
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(model.ainvoke(QUESTION, b.config), 0.1)
        gate.open.set()

    with ending({"gpt-5-mini": gate}, instrumented=instrumented) as b:
        b.run(lambda: call(b))
        b.balanced = False  # the bill of an answer that comes too late is delivered to nobody
    assert b.statuses == CANCELLED
    assert b.values("chat gpt-5-mini")["token_otel.usage.status"] == "unreported"


@PROTOCOL
def test_a_protocol_stream_is_not_read_to_its_end():
    """LangChain tells nobody: cancelled once the stream is let go."""
    with ending({"gpt-5-mini": [SLOW]}) as b:
        stream: Any = b.gpt("gpt-5-mini").stream_events(QUESTION, b.config, version="v3")
        events = iter(stream)
        next(events)
        next(events)
        del events, stream
        gc.collect()
        b.openai.wait_for_bills(1)
    assert b.statuses == CANCELLED


@PROTOCOL
@pytest.mark.parametrize("closed", [True, False])
def test_an_async_protocol_stream_is_not_read_to_its_end(closed: bool):
    """Its own task reads on unless it is closed; then it is cancelled."""

    async def read(b: Ending) -> None:
        stream: Any = await b.gpt("gpt-5-mini").astream_events(QUESTION, b.config, version="v3")
        async for _ in stream:
            break
        if closed:
            await stream.aclose()
            await asyncio.sleep(0)

    with ending({"gpt-5-mini": [SLOW]}) as b:
        b.run(lambda: read(b))
        b.openai.wait_for_bills(1)
    assert b.statuses == CANCELLED


def three() -> list[list[BaseMessage]]:
    """Three prompts."""
    return [[HumanMessage(f"{QUESTION} ({number})")] for number in range(3)]


def sync_generate(b: Ending) -> Any:
    """Answer all three."""
    return b.gpt("gpt-5-mini").generate(three(), callbacks=[b.handler])


def async_generate(b: Ending) -> Any:
    """Answer all three."""
    return b.run(lambda: b.gpt("gpt-5-mini").agenerate(three(), callbacks=[b.handler]))


@pytest.mark.parametrize("how", ["chat", "achat"])
def test_the_second_of_three_fails(how: str):
    """`generate` ends none of the others, and drops the first one's answer; `agenerate` ends them all."""
    answers = lambda request: Answer(error=500) if "(1)" in request.last_text else Answer(NOTES)  # noqa: E731
    with ending({"gpt-5-mini": answers}, failed=["chat gpt-5-mini"]) as b:
        generate = sync_generate if how == "chat" else async_generate
        with pytest.raises(InternalServerError):
            generate(b)
        b.balanced = how == "achat"
    others = "cancelled" if how == "chat" else "ok"
    assert b.statuses == sorted([("chat gpt-5-mini", others), ("chat gpt-5-mini", "error"), ("chat gpt-5-mini", others)])


def test_a_completion_of_three_fails_as_one():
    """They are one request, with one bill."""
    with ending({"gpt-3.5-turbo-instruct": [Answer(error=500)]}, failed=["text_completion gpt-3.5-turbo-instruct"] * 3) as b:
        b.balanced = False
        model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportArgumentType]
        with pytest.raises(InternalServerError):
            model.generate([QUESTION] * 3, callbacks=[b.handler])
    assert {status for _, status in b.statuses} == {"error"}


def test_a_completion_stream_is_closed():
    """As a chat's."""
    with ending({"gpt-3.5-turbo-instruct": [SLOW]}) as b:
        model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline")  # pyright: ignore[reportArgumentType]
        stream: Any = model.stream(QUESTION, b.config)
        next(stream)
        stream.close()
        b.openai.wait_for_bills(1)
    assert b.statuses == [("text_completion gpt-3.5-turbo-instruct", "cancelled")]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_of_a_batch_fails(asynchronous: bool):
    """The others are booked, whether or not anybody waits for them."""
    answers = lambda request: Answer(error=500) if "(1)" in request.last_text else Answer(NOTES)  # noqa: E731
    with ending({"gpt-5-mini": answers}, failed=["chat gpt-5-mini"]) as b:
        model = b.gpt("gpt-5-mini")
        if asynchronous:
            b.run(lambda: model.abatch([*three()], b.config, return_exceptions=True))
        else:
            model.batch([*three()], b.config, return_exceptions=True)
    assert [status for _, status in b.statuses] == ["error", "ok", "ok"]


def test_a_batch_is_left_before_it_is_complete():
    """What was asked for already comes, and is booked."""
    with ending({"gpt-5-mini": lambda request: Answer(NOTES)}) as b:
        answers: Any = b.gpt("gpt-5-mini").batch_as_completed([*three()], b.config)
        next(answers)
        answers.close()
    assert {status for _, status in b.statuses} == {"ok"}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_retry_after_a_failure(streamed: bool):
    """The refused attempt is an error that has cost nothing."""
    with ending({"gpt-5-mini": [Answer(error=500), Answer(NOTES)]}, failed=["chat gpt-5-mini"]) as b:
        model = b.gpt("gpt-5-mini", streaming=streamed).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
        model.invoke(QUESTION, b.config)
    assert [status for name, status in b.statuses if name.startswith("chat")] == ["error", "ok"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_fallback_after_a_failure(way: str):
    """Another model answers: it is booked, and what stands around both has not failed."""
    answers = {"gpt-5": [Answer(error=500)], "gpt-5-mini": [Answer(NOTES)]}
    with ending(answers, failed=["chat gpt-5"]) as b:
        model: Any = b.gpt("gpt-5").with_fallbacks([b.gpt("gpt-5-mini")])
        match way:
            case "invoke":
                model.invoke(QUESTION, b.config)
            case "ainvoke":
                b.run(lambda: model.ainvoke(QUESTION, b.config))
            case "stream":
                list(model.stream(QUESTION, b.config))
            case _:
                b.run(lambda: read_on(model.astream(QUESTION, b.config)))
    assert [each for each in b.statuses if each[0].startswith("chat")] == [("chat gpt-5", "error"), ("chat gpt-5-mini", "ok")]


class SilentError(Exception):
    """An exception without a message."""


def test_an_exception_without_a_message_is_an_error():
    """By its class."""
    with ending({"gpt-5-mini": [Answer(NOTES)]}, failed=["chat gpt-5-mini"]) as b:
        b.balanced = False

        class Broken(ChatOpenAI):
            def _generate(self, *args: Any, **kwargs: Any) -> Any:
                raise SilentError

        with pytest.raises(SilentError):
            Broken(model="gpt-5-mini", api_key="offline").invoke(QUESTION, b.config)  # pyright: ignore[reportArgumentType]
    assert b.values("chat gpt-5-mini")["error.type"].endswith("SilentError")


def test_a_refused_call_is_an_error_by_its_class():
    """With the SDK's own class."""
    with ending({"gpt-5-mini": [Answer(error=429)]}, failed=["chat gpt-5-mini"]) as b, pytest.raises(APIStatusError):
        b.gpt("gpt-5-mini").invoke(QUESTION, b.config)
    assert b.values("chat gpt-5-mini")["error.type"].endswith("RateLimitError")
