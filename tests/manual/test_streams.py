"""Streams that end otherwise than well, early or late: each call ends once, with what was seen."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.manual.spans import values
from tests.tapes import Bench

import token_otel
from token_otel.otel import semconv as sc

USAGE = {"prompt_tokens": 1000, "completion_tokens": 20}


def chunk(text: str = "", **more: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "cheap", "choices": [{"index": 0, "delta": {"content": text}}], **more}


def chunks(*, usage_with_each: bool = False) -> Iterator[dict[str, Any]]:
    for word in ("The ", "wells ", "are ", "deep."):
        yield chunk(word, **({"usage": USAGE} if usage_with_each else {}))
    yield {"choices": [], "usage": USAGE}


async def async_chunks() -> AsyncIterator[dict[str, Any]]:
    for each in chunks(usage_with_each=True):
        await asyncio.sleep(0)
        yield each


def asked(made: Bench) -> Any:
    return token_otel.model("cheap", messages="How deep are the wells?", recorder=made.recorder)


def outcome(made: Bench) -> tuple[Any, ...]:
    found = values(made.span("chat cheap"))
    assert made.counting.started == made.counting.ended
    assert made.recorder.open_runs == 0
    return found[sc.RUN_STATUS], found[sc.USAGE_STATUS], found.get(sc.INPUT_TOKENS)


def test_a_stream_is_passed_on_as_it_is(made: Bench):
    """Chunk by chunk, with all else that the stream has; it ends the call when it ends."""

    class Words:
        response = "the HTTP response"

        def __iter__(self) -> Iterator[dict[str, Any]]:
            return chunks()

    with token_otel.track() as bill, asked(made) as call:
        stream = call.stream(Words())
        assert stream.response == "the HTTP response"
        assert list(stream) == list(chunks())
        assert bill.complete
        assert list(stream) == []
        with pytest.raises(AttributeError):
            _ = stream.nothing

    assert outcome(made) == ("ok", "reported", 1000)
    assert values(made.span("chat cheap"))[sc.REQUEST_STREAM] is True


def test_a_loop_that_breaks_off_is_booked_with_what_was_seen(made: Bench):
    """When the block is left, at once; the call is cancelled, and its bill not whole."""
    with token_otel.track() as bill, asked(made) as call:
        for _ in call.stream(chunks(usage_with_each=True)):
            break

    assert outcome(made) == ("cancelled", "partial", 1000)
    assert (bill.calls, bill.open_calls, bill.input_tokens, bill.complete) == (1, 0, 1000, False)


def test_a_stream_broken_off_without_usage_is_unreported(made: Bench):
    """Nobody knows what it cost: an estimate stands beside."""
    with token_otel.track() as bill, asked(made) as call:
        for _ in call.stream(chunks()):
            break

    assert outcome(made) == ("cancelled", "unreported", None)
    assert values(made.span("chat cheap"))[sc.ESTIMATED_OUTPUT] > 0
    assert (bill.cost_usd, bill.complete) == (None, False)


def test_an_error_while_it_streams_ends_it_once(made: Bench):
    """Of the program's own, in the loop's body; or the stream's."""

    def breaks() -> Iterator[dict[str, Any]]:
        yield chunk("The ", usage=USAGE)
        raise ConnectionError("Rosebud")

    def fails(call: Any) -> None:
        for _ in call.stream(chunks(usage_with_each=True)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), asked(made) as call:
        fails(call)
    with pytest.raises(ConnectionError), asked(made) as call:
        list(call.stream(breaks()))

    first, second = map(values, made.spans)
    assert (first[sc.RUN_STATUS], first[sc.ERROR_TYPE]) == ("error", "ZeroDivisionError")
    assert (second[sc.RUN_STATUS], second[sc.ERROR_TYPE]) == ("error", "ConnectionError")
    assert [each[sc.INPUT_TOKENS] for each in (first, second)] == [1000, 1000]


def test_a_stream_given_away_ends_its_call_later(made: Bench):
    """A function may return it from inside the block, for its caller to go through."""

    def answer() -> Iterator[dict[str, Any]]:
        with asked(made) as call:
            return call.stream(chunks())

    with token_otel.track() as bill:
        stream = answer()
        assert (bill.open_calls, bill.complete) == (1, False)
        assert len(list(stream)) == 5

    assert bill.complete
    assert outcome(made) == ("ok", "reported", 1000)


def test_a_stream_that_is_dropped_is_cancelled(made: Bench):
    """Given away and never gone through: it is recorded before the next event, or within a second."""

    def answer() -> Any:
        with asked(made) as call:
            return call.stream(chunks(usage_with_each=True))

    stream = answer()
    next(stream)
    del stream
    gc.collect()
    made.recorder.flush()

    assert outcome(made) == ("cancelled", "partial", 1000)


def test_closing_a_stream_closes_what_it_wraps(made: Bench):
    """By hand, or by its own `with`."""
    inner = chunks(usage_with_each=True)
    with asked(made) as call, call.stream(inner) as stream:
        next(stream)

    assert list(inner) == []
    assert outcome(made) == ("cancelled", "partial", 1000)


def test_an_async_stream_is_cancelled_with_its_task(made: Bench):
    """In the middle of a chunk; the cancellation passes."""

    async def listen() -> None:
        async with asked(made) as call:
            async for _ in call.stream(async_chunks()):
                await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(listen())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert outcome(made) == ("cancelled", "partial", 1000)


def test_an_async_stream_may_be_closed(made: Bench):
    """By `async with`, as the SDKs' own."""

    async def main() -> None:
        async with asked(made) as call, call.stream(async_chunks()) as stream:
            await anext(stream)

    asyncio.run(main())
    assert outcome(made) == ("cancelled", "partial", 1000)


def test_the_first_chunk_is_timed(made: Bench):
    """From the start of the call."""
    with asked(made) as call:
        list(call.stream(chunks()))

    assert values(made.span("chat cheap"))[sc.TIME_TO_FIRST_CHUNK] > 0


def test_a_chunk_that_cannot_be_read_costs_itself_alone(caplog: pytest.LogCaptureFixture):
    """Not the stream, nor the bill that comes after it; and its words are not logged."""
    from tests.tapes import bench

    made = bench(raise_errors=False)

    class Hostile:
        @property
        def type(self) -> str:
            raise ValueError("Rosebud")

    with asked(made) as call:
        assert len(list(call.stream([Hostile(), chunk("deep"), {"choices": [], "usage": USAGE}]))) == 3

    assert outcome(made) == ("ok", "reported", 1000)
    assert "Rosebud" not in caplog.text


def test_what_ends_twice_is_booked_once(made: Bench):
    """The stream, and then the final message that the SDK has put together."""
    with token_otel.track() as bill, asked(made) as call:
        list(call.stream(chunks()))
        call.end({"choices": [], "usage": USAGE})

    assert (bill.calls, bill.input_tokens) == (1, 1000)


def test_an_answer_that_is_told_after_the_block_is_booked(made: Bench):
    """As the late rest of a call that nobody had told the end of."""
    with token_otel.track() as bill, asked(made) as call:
        pass
    assert (bill.calls, bill.complete) == (1, False)
    call.end({"choices": [{"message": {"content": "Deep."}}], "usage": USAGE})

    assert (bill.calls, bill.input_tokens, bill.complete) == (1, 1000, True)
    assert [values(span).get(sc.LATE) for span in made.spans] == [None, True]
