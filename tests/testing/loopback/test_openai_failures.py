"""LoopbackOpenAI when things go wrong: errors, streams that break off, clients that leave, scripts that end."""

import asyncio
import time
from typing import Any

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI

from token_otel.testing.loopback import Answer, Bill, LoopbackOpenAI, Request, ToolCall

apis = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])


def chat(server: LoopbackOpenAI, **given: Any) -> Any:
    settings: dict[str, Any] = {"model": "gpt-5", "api_key": "x", "stream_usage": True, "max_retries": 0, **given}
    return ChatOpenAI(base_url=server.base_url, **settings)


def balance(bill: Bill) -> None:
    assert sum(piece.tokens for piece in bill.messages) == bill.input
    assert sum(piece.cache_read for piece in bill.messages) == bill.cache_read
    assert sum(piece.cache_write for piece in bill.messages) == bill.cache_write_5m + bill.cache_write_1h == 0
    assert bill.text_tokens + bill.tool_call_tokens + bill.reasoning == bill.output


@apis
def test_a_cut_stream_is_billed_for_what_was_sent(responses: bool):
    """After two chunks of five characters the connection is gone."""
    with LoopbackOpenAI({"gpt-5": [Answer("hello world again", chunk_chars=5, cut_after=2)]}) as server:
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            list(chat(server, use_responses_api=responses).stream("hi"))
        [bill] = server.bills

    assert (bill.status, bill.delivered, bill.output_text, bill.input) == ("cut", False, "hello worl", 8)
    balance(bill)


def test_a_stream_cut_within_a_call_has_no_call():
    """Its arguments are billed as far as they went."""
    with LoopbackOpenAI({"gpt-5": [Answer(tool_calls=[ToolCall("search", {"query": "tea"})], chunk_chars=5, cut_after=1)]}) as server:
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            list(chat(server).stream("hi"))
        [bill] = server.bills

    assert bill.tool_calls == ()
    assert 0 < bill.tool_call_tokens == bill.output


def test_a_short_answer_is_cut_too():
    """Where there are fewer chunks than `cut_after`, the usage is what is missing."""
    with LoopbackOpenAI({"gpt-5": [Answer("hi", cut_after=9)]}) as server:
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            list(chat(server).stream("hi"))
        [bill] = server.bills

    assert (bill.status, bill.output_text) == ("cut", "hi")


def test_a_client_that_leaves_is_billed_for_what_was_sent():
    """Closing a stream closes its connection; the server sees it at the next chunk."""
    with LoopbackOpenAI({"gpt-5": [Answer("hello world again and again", chunk_chars=5, chunk_delay_s=0.05)]}) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        stream = client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hi"}], stream=True)
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        stream.close()
        client.close()
        [bill] = server.wait_for_bills(1)

    assert (bill.status, bill.delivered) == ("hung_up", False)
    assert 0 < len(bill.output_text) < len("hello world again and again")
    balance(bill)


def test_a_client_that_does_not_wait_for_the_answer():
    """It is billed whole: it was made."""
    with LoopbackOpenAI({"gpt-5": [Answer("hello", delay_s=0.15)]}) as server:

        async def leave() -> None:
            async with openai.AsyncOpenAI(base_url=server.base_url, api_key="x", max_retries=0) as client:
                call = client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hi"}])
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(call, 0.05)

        asyncio.run(leave())
        [bill] = server.wait_for_bills(1)

    assert (bill.status, bill.delivered, bill.output) == ("hung_up", False, 1)


@apis
@pytest.mark.parametrize(("status", "error"), [(429, openai.RateLimitError), (500, openai.InternalServerError)])
def test_an_error_is_billed_nothing(responses: bool, status: int, error: type[openai.APIStatusError]):
    """And is kept, with the provider's body."""
    with LoopbackOpenAI({"gpt-5": [Answer(error=status)]}) as server:
        with pytest.raises(error) as caught:
            chat(server, use_responses_api=responses).invoke("hi")
        [bill] = server.bills

    assert (bill.status, bill.delivered, bill.input, bill.output, bill.cost_usd, bill.messages) == ("error", False, 0, 0, None, ())
    assert caught.value.request_id == bill.request_id


def test_a_retry_is_not_slow():
    """A refused attempt and the one that succeeds are two bills."""
    with LoopbackOpenAI({"gpt-5": [Answer(error=429), Answer("ok")]}) as server:
        began = time.monotonic()
        assert chat(server, max_retries=1).invoke("hi").text == "ok"

        assert time.monotonic() - began < 0.4
    assert [bill.status for bill in server.bills] == ["error", "ok"]


def test_the_script_says_what_is_missing():
    """An exhausted queue, an unknown model and a callable that raises name the model."""

    def broken(request: Request) -> Answer:
        raise ValueError(request.last_text)

    with LoopbackOpenAI({"gpt-5": [], "gpt-4o": broken}) as server:
        with pytest.raises(openai.InternalServerError, match="the script for 'gpt-5' is exhausted: it had 0 answers"):
            chat(server).invoke("hi")
        with pytest.raises(openai.NotFoundError, match="no model 'gpt-9'"):
            chat(server, model="gpt-9").invoke("hi")
        with pytest.raises(openai.InternalServerError, match="hello"):
            chat(server, model="gpt-4o").invoke("hello")

    assert [bill.status for bill in server.bills] == ["error"] * 3


def test_a_closed_server_has_no_address():
    """Closing twice is nothing; a closed server can be started again."""
    server = LoopbackOpenAI({"gpt-5": [Answer("hi")]})
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.base_url
    server.start()
    server.close()
    server.close()
    with server.start():
        assert chat(server).invoke("hi").text == "hi"
    with pytest.raises(TimeoutError, match="1 bills"):
        server.wait_for_bills(2, timeout_s=0.01)
