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
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import OpenAI
from tests.scenarios.endings import PROTOCOL, WATCHED, Ending, Gate, ending, read_on
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


def test_a_completion_stream_is_closed():
    """As a chat's."""
    with ending({"gpt-3.5-turbo-instruct": [SLOW]}) as b:
        model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline")  # pyright: ignore[reportArgumentType]
        stream: Any = model.stream(QUESTION, b.config)
        next(stream)
        stream.close()
        b.openai.wait_for_bills(1)
    assert b.statuses == [("text_completion gpt-3.5-turbo-instruct", "cancelled")]
