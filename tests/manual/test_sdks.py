"""Calls by the real SDKs of OpenAI and Anthropic, over HTTP to providers on this machine: the bill is theirs, to the last digit."""

# The SDKs overload what they return by `stream`.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.manual.spans import values
from tests.tapes import Bench, bench

import token_otel
from token_otel.otel import semconv as sc
from token_otel.prices.genai import GenaiBook
from token_otel.testing.loopback import Answer, LoopbackAnthropic, LoopbackOpenAI, ToolCall

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

GPT, CLAUDE = "gpt-5", "claude-sonnet-4-5"
QUESTION: Any = [{"role": "user", "content": "How deep are the wells of the district, and who says so?"}]
TEXT = "The wells of the district are deep, says the survey of nineteen hundred and ten."
CALL = ToolCall("search", {"query": "the depth of the wells", "pages": 3})


@pytest.fixture
def made() -> Bench:
    return bench(prices=GenaiBook())


@pytest.fixture
def gpt() -> Iterator[LoopbackOpenAI]:
    with LoopbackOpenAI({GPT: lambda request: Answer(TEXT, tool_calls=[CALL], reasoning_tokens=64)}) as server:
        yield server


@pytest.fixture
def claude() -> Iterator[LoopbackAnthropic]:
    with LoopbackAnthropic({CLAUDE: lambda request: Answer(TEXT, tool_calls=[CALL])}) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's, of models that retire
        yield server


def openai_client(server: LoopbackOpenAI, kind: str = "OpenAI") -> Any:
    return getattr(openai, kind)(base_url=server.base_url, api_key="offline", max_retries=0)


def anthropic_client(server: LoopbackAnthropic, kind: str = "Anthropic") -> Any:
    return getattr(anthropic, kind)(base_url=server.base_url, api_key="offline", max_retries=0)


def asked(made: Bench, model: str, provider: str, **options: Any) -> Any:
    return token_otel.model(model, provider=provider, messages=QUESTION, recorder=made.recorder, **options)


def check(made: Bench, server: Any, bill: token_otel.Bill, model: str) -> dict[str, Any]:
    """Compare the provider's bill with the span and with ours; return the attributes of the span."""
    [theirs] = server.bills
    found = values(made.span(f"chat {model}"))
    assert found[sc.INPUT_TOKENS] == bill.input_tokens == theirs.input
    assert found[sc.OUTPUT_TOKENS] == bill.output_tokens == theirs.output
    assert bill.cost_usd == theirs.cost_usd
    assert (bill.calls, bill.complete, list(bill.by_model)) == (1, True, [model])
    assert found[sc.RESPONSE_ID] == theirs.response_id
    assert found[sc.OUTPUT_TOOL_CALL] > 0 < found[sc.OUTPUT_TEXT]
    return found


CHAT: list[Callable[[Any], Any]] = [
    lambda client: client.chat.completions.create(model=GPT, messages=QUESTION),
    lambda client: client.responses.create(model=GPT, input=QUESTION),
]
CHAT_STREAMS: list[Callable[[Any], Any]] = [
    lambda client: client.chat.completions.create(model=GPT, messages=QUESTION, stream=True, stream_options={"include_usage": True}),
    lambda client: client.responses.create(model=GPT, input=QUESTION, stream=True),
]


@pytest.mark.parametrize("create", CHAT, ids=["chat", "responses"])
@pytest.mark.parametrize("as_dict", [False, True], ids=["object", "dict"])
def test_a_response_of_openai(made: Bench, gpt: LoopbackOpenAI, create: Callable[[Any], Any], as_dict: bool):
    """The object, or what it is as a mapping: usage, output, id, model, tier and reasons."""
    with token_otel.track() as bill, asked(made, GPT, "openai") as call:
        response = create(openai_client(gpt))
        assert call.end(response.model_dump() if as_dict else response) is not None

    found = check(made, gpt, bill, GPT)
    assert found[sc.REASONING_TOKENS] == 64
    assert found[sc.OPENAI_SERVICE_TIER] == "default"
    assert found[sc.FINISH_REASONS] in (("tool_calls",), ("completed",))


@pytest.mark.parametrize("create", CHAT_STREAMS, ids=["chat", "responses"])
@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_stream_of_openai(made: Bench, gpt: LoopbackOpenAI, create: Callable[[Any], Any], how: str):
    """Chunk by chunk, the same bill."""

    async def go_through() -> int:
        async with token_otel.model(GPT, provider="openai", messages=QUESTION, recorder=made.recorder) as call:
            return len([chunk async for chunk in call.stream(await create(openai_client(gpt, "AsyncOpenAI")))])

    with token_otel.track() as bill:
        if how == "async":
            chunks = asyncio.run(go_through())
        else:
            with asked(made, GPT, "openai") as call:
                chunks = len(list(call.stream(create(openai_client(gpt)))))

    found = check(made, gpt, bill, GPT)
    assert chunks > 5
    assert (found[sc.REQUEST_STREAM], found[sc.OPENAI_SERVICE_TIER]) == (True, "default")


def test_embeddings_of_openai(made: Bench, gpt: LoopbackOpenAI):
    """They have no output, and are priced."""
    with token_otel.track() as bill, asked(made, "text-embedding-3-small", "openai", operation="embeddings") as call:
        call.end(openai_client(gpt).embeddings.create(model="text-embedding-3-small", input=["How deep are the wells?"]))

    [theirs] = gpt.bills
    assert (bill.input_tokens, bill.output_tokens, bill.complete) == (theirs.input, 0, True)
    assert made.span("embeddings text-embedding-3-small")


@pytest.mark.parametrize("as_dict", [False, True], ids=["object", "dict"])
def test_a_response_of_anthropic(made: Bench, claude: LoopbackAnthropic, as_dict: bool):
    """Its input leaves out what is cached; ours does not."""
    with token_otel.track() as bill, asked(made, CLAUDE, "anthropic") as call:
        response = anthropic_client(claude).messages.create(model=CLAUDE, max_tokens=100, messages=QUESTION)
        call.end(response.model_dump() if as_dict else response)

    assert check(made, claude, bill, CLAUDE)[sc.FINISH_REASONS] == ("tool_use",)


@pytest.mark.parametrize("how", ["create", "stream", "async"])
def test_a_stream_of_anthropic(made: Bench, claude: LoopbackAnthropic, how: str):
    """Of `create(stream=True)`, and of the SDK's own helper, whose events come doubled."""
    options: Any = {"model": CLAUDE, "max_tokens": 100, "messages": QUESTION}

    async def go_through() -> None:
        async with token_otel.model(CLAUDE, provider="anthropic", messages=QUESTION, recorder=made.recorder) as call:
            async for _ in call.stream(await anthropic_client(claude, "AsyncAnthropic").messages.create(**options, stream=True)):
                pass

    with token_otel.track() as bill:
        if how == "async":
            asyncio.run(go_through())
        else:
            with asked(made, CLAUDE, "anthropic") as call:
                if how == "create":
                    list(call.stream(anthropic_client(claude).messages.create(**options, stream=True)))
                else:
                    with anthropic_client(claude).messages.stream(**options) as events:
                        list(call.stream(events))
                        assert events.get_final_message().usage.output_tokens == claude.bills[0].output

    assert check(made, claude, bill, CLAUDE)[sc.FINISH_REASONS] == ("tool_use",)


@pytest.mark.parametrize("provider", ["openai", "responses", "anthropic"])
def test_a_loop_reads_what_its_model_and_its_tools_said(made: Bench, gpt: LoopbackOpenAI, claude: LoopbackAnthropic, provider: str):
    """The answer goes back as the SDK gave it, the result under the id of the call: each has its producer, none is from elsewhere."""
    result = "The survey of nineteen hundred and ten lists forty wells in the district, each of them deeper than sixty feet."
    history = list(QUESTION)
    with token_otel.agent("planner", recorder=made.recorder):
        for _ in range(2):
            model = CLAUDE if provider == "anthropic" else GPT
            with token_otel.model(model, provider=provider, messages=history, system="You survey wells.") as call:
                if provider == "anthropic":
                    client = anthropic_client(claude)
                    answer = call.end(client.messages.create(model=model, max_tokens=100, messages=history, system="You survey wells."))
                    ids = [block.id for block in answer.content if block.type == "tool_use"]
                    more = [{"role": "assistant", "content": answer.content}]
                    results = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": one, "content": result} for one in ids]}]
                elif provider == "openai":
                    answer = call.end(openai_client(gpt).chat.completions.create(model=model, messages=history))
                    more = [answer.choices[0].message]
                    ids = [one.id for one in more[0].tool_calls]
                    results = [{"role": "tool", "tool_call_id": one, "content": result} for one in ids]
                else:
                    answer = call.end(openai_client(gpt).responses.create(model=model, input=history))
                    more = [item for item in answer.output if item.type != "reasoning"]
                    ids = [item.call_id for item in more if item.type == "function_call"]
                    results = [{"type": "function_call_output", "call_id": one, "output": result} for one in ids]
            for one in ids:
                with token_otel.tool("search", call_id=one) as tool:
                    tool.end(result)
            history += [*more, *results]

    _, last = [span for span in made.spans if span.name.startswith("chat")]
    flow = dict(zip(values(last)[sc.FLOW_ORIGINS], values(last)[sc.FLOW_TOKENS], strict=True))
    assert {"system", "user", "self", "tool:search"} <= flow.keys()
    assert "external" not in flow


def test_a_refused_request_has_cost_nothing(made: Bench):
    """The SDK's exception passes; the call is an error, and the bill complete."""
    refusing = LoopbackOpenAI({GPT: [Answer(error=429)]})
    with refusing as server, token_otel.track() as bill, pytest.raises(openai.RateLimitError), asked(made, GPT, "openai") as call:
        call.end(openai_client(server).chat.completions.create(model=GPT, messages=QUESTION))

    found = values(made.span(f"chat {GPT}"))
    assert (found[sc.RUN_STATUS], found[sc.ERROR_TYPE]) == ("error", "openai.RateLimitError")
    assert (bill.calls, bill.cost_usd, bill.complete) == (1, 0, True)


def test_a_stream_that_the_server_cuts_is_an_error(made: Bench):
    """With what has come of it; what it cost nobody knows."""
    with LoopbackAnthropic({CLAUDE: [Answer(TEXT * 9, cut_after=3)]}) as server, token_otel.track() as bill, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(Exception, match=r"."), asked(made, CLAUDE, "anthropic") as call:
            for _ in call.stream(anthropic_client(server).messages.create(model=CLAUDE, max_tokens=100, messages=QUESTION, stream=True)):
                pass

    found = values(made.span(f"chat {CLAUDE}"))
    assert (found[sc.RUN_STATUS], found[sc.USAGE_STATUS]) == ("error", "partial")
    assert found[sc.INPUT_TOKENS] == server.bills[0].input
    assert (bill.complete, bill.open_calls) == (False, 0)
