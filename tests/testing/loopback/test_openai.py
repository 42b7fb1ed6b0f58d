"""LoopbackOpenAI as the real clients see it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

from token_otel.testing.loopback import Answer, Bill, LoopbackOpenAI, Rates, Request, ToolCall

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
apis = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])


def chat(server: LoopbackOpenAI, **given: Any) -> Any:
    settings: dict[str, Any] = {"model": "gpt-5", "api_key": "x", "stream_usage": True, "max_retries": 0, **given}
    return ChatOpenAI(base_url=server.base_url, **settings)


def whole(chunks: Iterable[Any]) -> Any:
    first, *rest = chunks
    for chunk in rest:
        first = first + chunk
    return first


def agree(message: Any, bill: Bill) -> None:
    """What LangChain saw is what the books say, and the books balance."""
    seen = message.usage_metadata
    assert (seen["input_tokens"], seen["output_tokens"]) == (bill.input, bill.output)
    assert seen["input_token_details"]["cache_read"] == bill.cache_read
    assert seen["output_token_details"]["reasoning"] == bill.reasoning
    balance(bill)
    assert (bill.status, bill.delivered) == ("ok", True)


def balance(bill: Bill) -> None:
    assert sum(piece.tokens for piece in bill.messages) == bill.input
    assert sum(piece.cache_read for piece in bill.messages) == bill.cache_read
    assert sum(piece.cache_write for piece in bill.messages) == bill.cache_write_5m + bill.cache_write_1h == 0
    assert bill.text_tokens + bill.tool_call_tokens + bill.reasoning == bill.output


@apis
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
def test_langchain_sees_the_bill(responses: bool, streamed: bool):
    """Text, tools, calls and reasoning, with and without a stream."""
    with LoopbackOpenAI({"gpt-5": [Answer("Hello, world! How are you today?"), CALLS]}) as server:
        plain = chat(server, use_responses_api=responses)
        model = plain.bind_tools([SEARCH])
        first = whole(plain.stream("hi")) if streamed else plain.invoke("hi")
        second: Any = whole(model.stream("tea?")) if streamed else model.invoke("tea?")
        one, two = server.bills

    agree(first, one)
    agree(second, two)
    assert first.text == one.output_text == "Hello, world! How are you today?"
    # 3 + role 1 + "hi" 1, and 3 to reply; out: Hello , world ! How are you today ?
    assert (one.input, one.output) == (8, 9)
    # 8 x $1.25 + 9 x $10, per million
    assert one.cost_usd == Decimal("0.0001")
    assert second.text == "Let me look."
    assert [(call["name"], call["args"], call["id"]) for call in second.tool_calls] == [
        (call.name, call.arguments, call.id) for call in two.tool_calls
    ]
    assert len({call.id for call in two.tool_calls}) == 2
    assert [piece.kind for piece in two.messages] == ["tools", "message", "framing"]
    assert (two.reasoning, two.text_tokens) == (64, 4)


@apis
def test_a_tool_loop_reads_the_history(responses: bool):
    """What the client sends back is read piece by piece; a result names its call."""
    with LoopbackOpenAI({"gpt-5": [CALLS, Answer("done")]}) as server:
        model = chat(server, use_responses_api=responses).bind_tools([SEARCH])
        history = [SystemMessage("Be brief."), HumanMessage("tea?")]
        reply = model.invoke(history)
        results = [ToolMessage(f"result of {call['args']['query']}", tool_call_id=str(call["id"])) for call in reply.tool_calls]
        agree(model.invoke([*history, reply, *results]), server.bills[1])
        first, second = server.bills

    assert [piece.tool_call_id for piece in second.messages if piece.tool_call_id] == [call.id for call in first.tool_calls]
    assert [piece.text for piece in second.messages if piece.tool_call_id] == ["result of tea", "result of coffee"]
    assert [piece.kind for piece in second.messages][:2] == ["tools", "system"]


@apis
def test_the_second_call_reads_the_cache(responses: bool):
    """1,024 tokens and more, in steps of 128; the tools come first."""
    with LoopbackOpenAI({"gpt-5": [Answer("a"), Answer("b")]}) as server:
        model = chat(server, use_responses_api=responses).bind_tools([SEARCH])
        model.invoke([SystemMessage(LONG), HumanMessage("hi")])
        message = model.invoke([SystemMessage(LONG), HumanMessage("hi")])
        first, second = server.bills

    agree(message, second)
    # the tools are 40 tokens or so, the words 1,500: twelve steps
    assert (first.cache_read, second.cache_read) == (0, 1_536)
    assert second.messages[0].cache_read == second.messages[0].tokens
    # 1,536 of the input at a tenth
    assert first.cost_usd is not None
    assert second.cost_usd == first.cost_usd - 1_536 * (Decimal("1.25") - Decimal("0.125")) / 1_000_000


def test_choices_are_billed_once_in_and_each_out():
    """With n=2 the input is read once; calls have ids of their own in each choice."""
    with LoopbackOpenAI({"gpt-5": [Answer("hi", tool_calls=[ToolCall("search", {})])] * 2}) as server:
        result = chat(server, n=2).generate([[HumanMessage("hi")]])
        chunks = list(chat(server, n=2).stream("hi"))
        one, two = server.bills

    assert result.llm_output is not None
    assert result.llm_output["token_usage"]["completion_tokens"] == one.output
    assert len(result.generations[0]) == 2
    # twice: hi 1; search 1 and {} 1
    assert (one.input, one.text_tokens, one.tool_call_tokens) == (8, 2, 4)
    assert len({call.id for call in one.tool_calls}) == 2
    assert chunks[-1].usage_metadata or any(chunk.usage_metadata for chunk in chunks)
    assert (two.input, two.output) == (one.input, one.output)


def test_a_stream_without_include_usage_delivers_none():
    """The call is billed, but the client was not told."""
    with LoopbackOpenAI({"gpt-5": [Answer("hello")]}) as server:
        message = whole(chat(server, stream_usage=False).stream("hi"))
        [bill] = server.bills

    assert message.usage_metadata is None
    assert (bill.status, bill.delivered, bill.input, bill.output) == ("ok", False, 8, 1)
    assert bill.usage is not None


def test_a_callable_serves_a_fan_out():
    """Sixteen threads at once: each request has its own index, each reply its own ids."""
    seen: list[Request] = []

    def echo(request: Request) -> Answer:
        seen.append(request)
        return Answer(request.last_text.upper(), delay_s=0.02)

    with LoopbackOpenAI({"gpt-5": echo}) as server, ThreadPoolExecutor(16) as pool:
        model = chat(server).bind_tools([SEARCH])
        replies = [message.text for message in pool.map(model.invoke, [f"word {number}" for number in range(16)])]

    assert replies == [f"WORD {number}" for number in range(16)]
    assert sorted(request.index for request in seen) == list(range(16))
    assert seen[0].tools[0]["function"]["name"] == "search"
    assert len({bill.response_id for bill in server.bills}) == 16


@apis
def test_a_tier_is_echoed_and_priced(responses: bool):
    """LangChain prefixes its keys with the tier; flex costs half."""
    with LoopbackOpenAI({"gpt-5": [Answer("hi"), Answer("hi", service_tier="scale")]}) as server:
        model = chat(server, use_responses_api=responses, service_tier="flex")
        message = model.invoke("hi")
        model.invoke("hi")
        flex, scale = server.bills

    assert "flex_cache_read" in message.usage_metadata["input_token_details"]
    assert (flex.service_tier, flex.cost_usd) == ("flex", Decimal("0.000010"))
    assert (scale.service_tier, scale.cost_usd) == ("scale", None)


def test_responses_remember_the_conversation():
    """With `previous_response_id` the provider bills what the request does not show."""
    with LoopbackOpenAI({"gpt-5": [Answer("hello"), Answer("again")]}) as server:
        model = chat(server, use_responses_api=True, use_previous_response_id=True)
        first = model.invoke("hi")
        model.invoke([HumanMessage("hi"), first, HumanMessage("more")])
        with pytest.raises(openai.BadRequestError, match="'resp_0' not found"):
            model.bind(previous_response_id="resp_0").invoke("hi")
        second = server.bills[1]

    assert [(piece.text, piece.index) for piece in second.messages] == [("hi", None), ("hello", None), ("more", 0), ("", None)]
    balance(second)


def test_text_completions():
    """One answer and one piece per prompt, without frames."""
    with LoopbackOpenAI({"gpt-4o": [Answer("one"), Answer("two"), Answer("three and four", chunk_chars=5)]}) as server:
        model = OpenAI(model="gpt-4o", base_url=server.base_url, api_key="x", max_retries=0)  # pyright: ignore[reportArgumentType]
        result = model.generate(["hello world", "hi"])
        streamed = "".join(model.stream("hi"))
        both, stream = server.bills

    assert [generations[0].text for generations in result.generations] == ["one", "two"]
    assert result.llm_output is not None
    assert result.llm_output["token_usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert (both.input, both.output, [piece.tokens for piece in both.messages]) == (3, 2, [2, 1])
    assert streamed == stream.output_text == "three and four"
    assert not stream.delivered


def test_text_completions_stream_their_usage_if_asked():
    """As chat does."""
    with LoopbackOpenAI({"gpt-4o": [Answer("hi")]}) as server, openai.OpenAI(base_url=server.base_url, api_key="x") as client:
        last = list(client.completions.create(model="gpt-4o", prompt="hi", stream=True, stream_options={"include_usage": True}))[-1]
        [bill] = server.bills

    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (bill.input, bill.output) == (1, 1)
    assert bill.delivered


def test_embeddings_need_no_script():
    """The same text has the same vector, in both encodings; the input is billed."""
    with LoopbackOpenAI(prices={"small": Rates(Decimal("0.02"), Decimal(0))}) as server:
        settings: dict[str, Any] = {"model": "small", "api_key": "x", "check_embedding_ctx_length": False}
        [a, b, c] = OpenAIEmbeddings(base_url=server.base_url, **settings).embed_documents(["hello world", "hi", "hi"])
        with openai.OpenAI(base_url=server.base_url, api_key="x") as client:
            plain = client.embeddings.create(model="small", input="hi", encoding_format="float")
        bill, ids = server.bills

    assert a != b == c == plain.data[0].embedding
    assert (bill.input, bill.output, bill.response_id, bill.cost_usd) == (4, 0, None, Decimal("0.00000008"))
    assert ids.input == 1


def test_snapshots_have_their_family_s_price():
    """And what nobody listed has none."""
    with LoopbackOpenAI({"gpt-5-2025-08-07": [Answer("hi")], "mystery": [Answer("hi")]}) as server:
        for model in ("gpt-5-2025-08-07", "mystery"):
            chat(server, model=model).invoke("hi")
        dated, unknown = server.bills

    # 8 x $1.25 + 1 x $10, per million
    assert dated.cost_usd == Decimal("0.00002")
    assert unknown.cost_usd is None


def test_an_assistant_message_is_an_ai_message():
    """Whole and streamed replies are what LangChain's agents expect."""
    with LoopbackOpenAI({"gpt-5": [CALLS]}) as server:
        message = chat(server).invoke("hi")

    assert isinstance(message, AIMessage)
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert message.response_metadata["id"] == server.bills[0].response_id


def test_keeps_the_connection_alive():
    """Two calls of one client share a connection, also after a stream."""
    with LoopbackOpenAI({"gpt-5": [Answer("a"), Answer("b"), Answer("c")]}) as server, httpx2.Client() as http:
        client = openai.OpenAI(base_url=server.base_url, api_key="x", http_client=http)
        peers: set[Any] = set()
        for stream in (False, True, False):
            body = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
            response = http.post(f"{server.base_url}/chat/completions", json=body)
            peers.add(response.extensions["network_stream"].get_extra_info("client_addr"))
        assert http.post(f"{server.base_url}/nothing", json={}).status_code == 404
        client.close()

    assert len(peers) == 1
