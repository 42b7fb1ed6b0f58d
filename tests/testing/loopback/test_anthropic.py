"""LoopbackAnthropic as the real client sees it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from token_otel.testing.loopback import Answer, Bill, LoopbackAnthropic, ToolCall

MODEL = "claude-haiku-4-5"
SEARCH: dict[str, Any] = {
    "title": "search",
    "description": "Search the web.",
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
}
CALLS = Answer(
    "Let me look.", tool_calls=[ToolCall("search", {"query": "tea"}), ToolCall("search", {"query": "coffee"})], reasoning_tokens=64
)
LONG = "word " * 1_500
THINKING: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1_024}}
ways = pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])


def chat(server: LoopbackAnthropic, **given: Any) -> Any:
    settings: dict[str, Any] = {"model": MODEL, "api_key": "x", "max_retries": 0, **given}
    return ChatAnthropic(base_url=server.base_url, **settings)


def ask(model: Any, messages: Any, *, streamed: bool, **given: Any) -> Any:
    if not streamed:
        return model.invoke(messages, **given)
    return whole(model.stream(messages, **given))


def whole(chunks: Iterable[Any]) -> Any:
    first, *rest = chunks
    for chunk in rest:
        first = first + chunk
    return first


def agree(message: Any, bill: Bill) -> None:
    """What LangChain saw is what the books say, and the books balance."""
    seen = message.usage_metadata
    details = seen["input_token_details"]
    written = sum(details.get(key, 0) for key in ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))
    assert (seen["input_tokens"], seen["output_tokens"]) == (bill.input, bill.output)
    assert (details["cache_read"], written) == (bill.cache_read, bill.cache_write_5m + bill.cache_write_1h)
    assert seen.get("output_token_details", {}).get("reasoning", 0) == bill.reasoning
    balance(bill)
    assert (bill.status, bill.delivered) == ("ok", True)


def balance(bill: Bill) -> None:
    assert sum(piece.tokens for piece in bill.messages) == bill.input
    assert sum(piece.cache_read for piece in bill.messages) == bill.cache_read
    assert sum(piece.cache_write for piece in bill.messages) == bill.cache_write_5m + bill.cache_write_1h
    assert bill.text_tokens + bill.tool_call_tokens + bill.reasoning == bill.output


@ways
def test_langchain_sees_the_bill(streamed: bool):
    """Text, tools, calls and thinking, with and without a stream."""
    with LoopbackAnthropic({MODEL: [Answer("Hello, world! How are you today?"), CALLS]}) as server:
        first = ask(chat(server), "hi", streamed=streamed)
        second = ask(chat(server).bind_tools([SEARCH]), "tea?", streamed=streamed)
        one, two = server.bills

    agree(first, one)
    agree(second, two)
    assert first.text == one.output_text == "Hello, world! How are you today?"
    # frame 7 + "hi" 1; out: Hello , world ! How are you today ?
    assert (one.input, one.output) == (8, 9)
    # 8 x $1 + 9 x $5, per million
    assert one.cost_usd == Decimal("0.000053")
    assert [(call["name"], call["args"], call["id"]) for call in second.tool_calls] == [
        (call.name, call.arguments, call.id) for call in two.tool_calls
    ]
    assert (two.messages[0].kind, two.messages[0].tokens) == ("preamble", 346)
    assert (two.reasoning, two.text_tokens) == (64, 4)


@ways
def test_thinking_is_shown_if_enabled(streamed: bool):
    """As a signed block that comes back with the history, where it is billed as what was thought, not as what is shown."""
    with LoopbackAnthropic({MODEL: [CALLS, Answer("done")]}) as server:
        model = chat(server, **THINKING).bind_tools([SEARCH])
        history = [SystemMessage("Be brief."), HumanMessage("tea?")]
        reply = ask(model, history, streamed=streamed)
        results = [ToolMessage(f"result of {call['args']['query']}", tool_call_id=str(call["id"])) for call in reply.tool_calls]
        agree(ask(model, [*history, reply, *results], streamed=streamed), server.bills[1])
        first, second = server.bills

    assert reply.content[0]["signature"]
    assert [(piece.text, piece.tool_call_id) for piece in second.messages if piece.kind == "message"] == [
        ("tea?", None),
        ("Let me think this through.", None),
        ("Let me look.", None),
        ('search{"query":"tea"}', None),
        ('search{"query":"coffee"}', None),
        ("result of tea", first.tool_calls[0].id),
        ("result of coffee", first.tool_calls[1].id),
    ]
    assert second.messages[4].tokens == 7 + 64


@ways
def test_a_cached_system_prompt(streamed: bool):
    """Written by the first call for an hour, read by the second; the tail is fresh."""
    system = SystemMessage([{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}])
    with LoopbackAnthropic({MODEL: [Answer("a"), Answer("b")]}) as server:
        for text in ("hi", "hello"):
            agree(ask(chat(server), [system, HumanMessage(text)], streamed=streamed), server.bills[-1])
        first, second = server.bills

    prefix = first.messages[0].tokens
    assert (first.cache_write_1h, first.cache_write_5m, first.cache_read) == (prefix, 0, 0)
    assert (second.cache_write_1h, second.cache_write_5m, second.cache_read) == (0, 0, prefix)
    assert first.usage is not None
    assert first.usage["cache_creation"]["ephemeral_1h_input_tokens"] == prefix
    # fresh 8 x $1, out 1 x $5, and the prefix written at $2 or read at $0.10, per million
    assert first.cost_usd == Decimal(8 + 5 + 2 * prefix) / 1_000_000
    assert second.cost_usd == (Decimal(8 + 5) + Decimal("0.1") * prefix) / 1_000_000


def test_the_top_level_field_follows_the_conversation():
    """Every call reads what the last one wrote, and writes what is new."""
    with LoopbackAnthropic({MODEL: [Answer("sure"), Answer("b")]}) as server:
        model = chat(server)
        history = [HumanMessage(LONG)]
        reply = model.invoke(history, cache_control={"type": "ephemeral"})
        agree(model.invoke([*history, reply, HumanMessage("more")], cache_control={"type": "ephemeral"}), server.bills[1])
        first, second = server.bills

    assert (first.cache_write_5m, second.cache_read) == (first.input, first.input)
    assert second.cache_write_5m == second.input - first.input


def test_a_cache_expires_by_the_clock():
    """The clock is the test's."""
    now = 0.0
    with LoopbackAnthropic({MODEL: lambda _: Answer("a")}, clock=lambda: now) as server:
        model = chat(server)
        for now in (0.0, 10.0, 400.0):  # noqa: B007  (the clock reads it)
            model.invoke(LONG, cache_control={"type": "ephemeral"})

    assert [bill.cache_read > 0 for bill in server.bills] == [False, True, False]


def test_five_breakpoints_are_refused():
    """With Anthropic's own message; no answer is used up."""
    blocks: list[Any] = [{"type": "text", "text": str(number), "cache_control": {"type": "ephemeral"}} for number in range(5)]
    with LoopbackAnthropic({MODEL: [Answer("a")]}) as server:
        with pytest.raises(anthropic.BadRequestError, match=r"A maximum of 4 blocks .* Found 5\."):
            chat(server).invoke([HumanMessage(blocks)])
        assert chat(server).invoke("hi").text == "a"

    assert [bill.status for bill in server.bills] == ["error", "ok"]


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (529, anthropic.APIStatusError, "overloaded_error"),
        (500, anthropic.InternalServerError, "api_error"),
    ],
)
def test_an_error_is_billed_nothing(status: int, error: type[anthropic.APIStatusError], kind: str):
    """And is kept, with the provider's body."""
    with LoopbackAnthropic({MODEL: [Answer(error=status)]}) as server:
        with pytest.raises(error, match=kind) as caught:
            chat(server).invoke("hi")
        [bill] = server.bills

    assert (bill.status, bill.delivered, bill.input, bill.cost_usd) == ("error", False, 0, None)
    assert caught.value.request_id == bill.request_id


def test_a_cut_stream_is_billed_for_what_was_sent():
    """LangChain never sees `message_delta`, hence no usage."""
    seen: list[Any] = []
    with LoopbackAnthropic({MODEL: [Answer("hello world again", chunk_chars=5, cut_after=2)]}) as server:
        with pytest.raises((anthropic.APIConnectionError, httpx2.HTTPError)):
            seen.extend(chat(server).stream("hi"))
        [bill] = server.bills

    assert (bill.status, bill.delivered, bill.output_text, bill.input) == ("cut", False, "hello worl", 8)
    balance(bill)


def test_a_client_that_leaves_is_billed_for_what_was_sent():
    """Closing a stream closes its connection; the server sees it at the next chunk."""
    answer = Answer("hello world again and again", chunk_chars=5, chunk_delay_s=0.05)
    with LoopbackAnthropic({MODEL: [answer]}) as server:
        with (
            anthropic.Anthropic(base_url=server.base_url, api_key="x") as client,
            client.messages.stream(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hi"}]) as stream,
        ):
            next(stream.text_stream)
        [bill] = server.wait_for_bills(1)

    assert (bill.status, bill.delivered) == ("hung_up", False)
    assert 0 < len(bill.output_text) < len(answer.text)


def test_the_start_of_a_stream_has_the_split_and_its_end_the_totals():
    """Only `message_start` tells the times to live; the output is told at the end."""
    body: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    with LoopbackAnthropic({MODEL: [Answer("hello world")]}) as server:
        with anthropic.Anthropic(base_url=server.base_url, api_key="x") as client:
            events: list[Any] = list(client.messages.create(messages=[{"role": "user", "content": LONG}], stream=True, **body))
        [bill] = server.bills

    start = events[0].message.usage
    [end] = [event.usage for event in events if event.type == "message_delta"]
    assert (start.cache_creation.ephemeral_1h_input_tokens, start.output_tokens, start.service_tier) == (bill.input, 1, "standard")
    assert (end.input_tokens, end.cache_creation_input_tokens, end.output_tokens) == (0, bill.input, 2)
    assert "cache_creation" not in end.model_dump()
    assert bill.usage == {**start.model_dump(exclude_none=True), **end.model_dump(exclude_none=True)}
