"""Responses and chunks of google-genai, mistralai, Bedrock and others, in their documented shapes: as mappings, and as objects.

Sources: https://ai.google.dev/api/generate-content, https://docs.mistral.ai/api,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, .../API_runtime_ConverseStream.html,
https://docs.ollama.com/api/chat, https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.manual.spans import values
from tests.tapes import Bench, bench

import token_otel
from token_otel import Usage
from token_otel.manual.chunks import Gathered
from token_otel.manual.responses import answer_of
from token_otel.otel import semconv as sc

TEXT = "The wells are deep."
ARGUMENTS = {"query": "wells", "pages": 3}
COMPACT = 'search {"query":"wells","pages":3}'


def as_object(value: Any) -> Any:
    """Return what an SDK would make of a mapping."""
    if isinstance(value, Mapping):
        return SimpleNamespace(**{key: as_object(item) for key, item in cast("Mapping[str, Any]", value).items()})
    return [as_object(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


@dataclass(frozen=True)
class Row:
    """A response, the same as a stream, and what both say."""

    response: dict[str, Any]
    chunks: list[dict[str, Any]]
    usage: Usage
    model: str | None
    response_id: str | None
    reason: str
    tier: str | None = None
    parts: tuple[tuple[str, str], ...] = (("assistant", TEXT), ("tool_call", COMPACT))
    call_id: str | None = "call_1"


GOOGLE_USAGE = {"prompt_token_count": 90, "candidates_token_count": 12, "thoughts_token_count": 8, "cached_content_token_count": 40}
GOOGLE_CALL = {"function_call": {"id": "call_1", "name": "search", "args": ARGUMENTS}}
MISTRAL_USAGE = {"prompt_tokens": 90, "completion_tokens": 20, "total_tokens": 110}
BEDROCK_USAGE = {"inputTokens": 50, "outputTokens": 20, "cacheReadInputTokens": 40, "totalTokens": 110}
MISTRAL_CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"query":"wells","pages":3}'}, "index": 0}

ROWS = {
    "google": Row(
        response={
            "candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}, GOOGLE_CALL]}, "finish_reason": "STOP"}],
            "usage_metadata": GOOGLE_USAGE,
            "model_version": "gemini-3-pro",
            "response_id": "r1",
        },
        chunks=[
            {"candidates": [{"content": {"parts": [{"text": "The wells "}]}}], "usage_metadata": {"prompt_token_count": 90}},
            {"candidates": [{"content": {"parts": [{"text": "are deep."}]}}], "model_version": "gemini-3-pro", "response_id": "r1"},
            {"candidates": [{"content": {"parts": [GOOGLE_CALL]}, "finish_reason": "STOP"}], "usage_metadata": GOOGLE_USAGE},
        ],
        usage=Usage(input=90, output=20, cache_read=40, reasoning=8),  # output: 12 of candidates and 8 of thoughts
        model="gemini-3-pro",
        response_id="r1",
        reason="STOP",
    ),
    "google over REST": Row(
        response={
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [{"text": TEXT}, {"functionCall": {"id": "call_1", "name": "search", "args": ARGUMENTS}}],
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 90, "candidatesTokenCount": 20},
            "modelVersion": "gemini-3-pro",
            "responseId": "r1",
        },
        chunks=[
            {
                "candidates": [
                    {
                        "content": {"parts": [{"text": TEXT}, {"functionCall": {"id": "call_1", "name": "search", "args": ARGUMENTS}}]},
                        "finishReason": "STOP",
                    }
                ],
                "usageMetadata": {"promptTokenCount": 90, "candidatesTokenCount": 20},
                "modelVersion": "gemini-3-pro",
                "responseId": "r1",
            }
        ],
        usage=Usage(input=90, output=20),
        model="gemini-3-pro",
        response_id="r1",
        reason="STOP",
    ),
    "mistral": Row(
        response={
            "id": "m1",
            "model": "mistral-large-2512",
            "object": "chat.completion",
            "usage": MISTRAL_USAGE,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": TEXT, "tool_calls": [MISTRAL_CALL]}, "finish_reason": "tool_calls"}
            ],
        },
        chunks=[
            {
                "data": {
                    "id": "m1",
                    "model": "mistral-large-2512",
                    "choices": [{"index": 0, "delta": {"role": "assistant", "content": TEXT}}],
                }
            },
            {
                "data": {
                    "id": "m1",
                    "model": "mistral-large-2512",
                    "usage": MISTRAL_USAGE,
                    "choices": [{"index": 0, "delta": {"content": "", "tool_calls": [MISTRAL_CALL]}, "finish_reason": "tool_calls"}],
                }
            },
        ],
        usage=Usage(input=90, output=20),
        model="mistral-large-2512",
        response_id="m1",
        reason="tool_calls",
    ),
    "bedrock converse": Row(
        response={
            "ResponseMetadata": {"RequestId": "b1"},
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [{"text": TEXT}, {"toolUse": {"toolUseId": "call_1", "name": "search", "input": ARGUMENTS}}],
                }
            },
            "stopReason": "tool_use",
            "usage": BEDROCK_USAGE,
            "serviceTier": {"type": "flex"},
        },
        chunks=[
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "The wells "}, "contentBlockIndex": 0}},
            {"contentBlockDelta": {"delta": {"text": "are deep."}, "contentBlockIndex": 0}},
            {"contentBlockStop": {"contentBlockIndex": 0}},
            {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "call_1", "name": "search"}}, "contentBlockIndex": 1}},
            {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"query": "wells",'}}, "contentBlockIndex": 1}},
            {"contentBlockDelta": {"delta": {"toolUse": {"input": ' "pages": 3}'}}, "contentBlockIndex": 1}},
            {"contentBlockStop": {"contentBlockIndex": 1}},
            {"messageStop": {"stopReason": "tool_use"}},
            {"metadata": {"usage": BEDROCK_USAGE, "serviceTier": {"type": "flex"}}},
        ],
        usage=Usage(input=90, output=20, cache_read=40),  # input: 50 and the 40 from the cache
        model=None,
        response_id=None,
        reason="tool_use",
        tier="flex",
    ),
    "ollama": Row(
        response={
            "model": "llama3",
            "message": {"role": "assistant", "content": TEXT},
            "prompt_eval_count": 90,
            "eval_count": 20,
            "done_reason": "stop",
        },
        chunks=[
            {"model": "llama3", "message": {"role": "assistant", "content": "The wells "}, "done": False},
            {"model": "llama3", "message": {"content": "are deep."}, "done": True, "prompt_eval_count": 90, "eval_count": 20},
        ],
        usage=Usage(input=90, output=20),
        model="llama3",
        response_id=None,
        reason="stop",
        parts=(("assistant", TEXT),),
        call_id=None,
    ),
}


def said(parts: Any) -> tuple[tuple[str, str], ...]:
    return tuple((part.kind, part.text) for part in parts)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("make", [dict, as_object], ids=["mapping", "object"])
def test_a_response_says_what_it_says(row: Row, make: Any):
    """Usage, output, model, id, reason and tier, by whatever names."""
    answer = answer_of(make(row.response))

    assert answer.usage == row.usage
    assert said(answer.output) == row.parts
    assert (answer.model, answer.finish_reasons, answer.service_tier) == (row.model, (row.reason,), row.tier)
    if "ResponseMetadata" not in row.response:
        assert answer.response_id == row.response_id
    assert {part.call_id for part in answer.output if part.kind == "tool_call"} == {row.call_id} - {None}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("make", [dict, as_object], ids=["mapping", "object"])
def test_a_stream_says_the_same(row: Row, make: Any):
    """Together, its chunks are the response."""
    gathered = Gathered()
    for chunk in row.chunks:
        gathered.add(make(chunk) if row.response.get("stopReason") is None else chunk)
    answer = gathered.answer(whole=True)

    assert answer.usage == row.usage
    assert said(answer.output) == row.parts
    assert (answer.model, answer.response_id, answer.service_tier) == (row.model, row.response_id, row.tier)
    assert answer.finish_reasons in ((row.reason,), ())


def test_the_body_of_invoke_model_is_the_models_own_words():
    """Anthropic's at Bedrock, as a whole and as a stream of bytes; Llama's and Titan's counts stand on the body."""
    body = {"type": "message", "id": "msg_1", "content": [{"type": "text", "text": TEXT}], "usage": {"input_tokens": 9, "output_tokens": 5}}
    events = [
        {"type": "message_start", "message": {**body, "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 5}},
    ]
    gathered = Gathered()
    for event in events:
        gathered.add({"chunk": {"bytes": json.dumps(event).encode()}})

    for answer in (answer_of(body), gathered.answer(whole=True)):
        assert (answer.usage, said(answer.output), answer.response_id) == (Usage(input=9, output=5), (("assistant", TEXT),), "msg_1")
    assert answer_of({"generation": TEXT, "prompt_token_count": 9, "generation_token_count": 5}).usage == Usage(input=9, output=5)
    titan = answer_of({"inputTextTokenCount": 9, "results": [{"tokenCount": 5, "outputText": TEXT}]})
    assert (titan.usage, said(titan.output)) == (Usage(input=9, output=5), (("assistant", TEXT),))


def test_reasoning_is_told_apart():
    """DeepSeek's field beside the content, Mistral's and Google's blocks, in responses and in streams."""
    thought, expected = "Let me think.", (("reasoning", "Let me think."), ("assistant", TEXT))
    block: Any = {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}
    messages: list[Any] = [
        {"role": "assistant", "content": TEXT, "reasoning_content": thought},
        {"role": "assistant", "content": [block, {"type": "text", "text": TEXT}]},
    ]
    google = {"parts": [{"text": thought, "thought": True}, {"text": TEXT}]}
    streams: list[list[dict[str, Any]]] = [
        [{"choices": [{"delta": {"reasoning_content": thought}}]}, {"choices": [{"delta": {"content": TEXT}}]}],
        [{"choices": [{"delta": {"content": [block]}}]}, {"choices": [{"delta": {"content": TEXT}}]}],
        [{"candidates": [{"content": google}]}],
        [
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": thought}}}},
            {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": TEXT}}},
        ],
    ]
    for message in messages:
        assert said(answer_of({"choices": [{"message": message}]}).output) == expected
    assert said(answer_of({"candidates": [{"content": google}]}).output) == expected
    for chunks in streams:
        gathered = Gathered()
        for chunk in chunks:
            gathered.add(chunk)
        assert said(gathered.answer(whole=True).output) == expected


def test_sealed_reasoning_weighs_what_its_call_reported():
    """When it comes back, the request does not say what it has cost: the answer did."""
    from token_otel.manual.messages import prompt_of

    thinking = {"type": "thinking", "thinking": "A summary.", "signature": "c2lnbmF0dXJl" * 9}
    response = {
        "type": "message",
        "content": [thinking, {"type": "text", "text": TEXT}],
        "usage": {"input_tokens": 9, "output_tokens": 300, "output_tokens_details": {"thinking_tokens": 280}},
    }
    [first, _] = answer_of(response).output
    [again, _] = prompt_of([{"role": "assistant", "content": response["content"]}])

    assert (first.sealed_tokens, again.sealed_tokens) == (280, 280)


def test_what_a_server_adds_is_read_too():
    """Costs that OpenRouter reports, and fields that an SDK does not know yet."""

    class Tier(Enum):
        FLEX = "flex"

    class Response:
        __pydantic_extra__ = {"service_tier": "ignored where the field is there"}  # noqa: RUF012

        def __init__(self) -> None:
            self.model = "cheap"
            self.service_tier = Tier.FLEX
            self.choices: list[Any] = []
            self.usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.25}

    answer = answer_of(Response())
    assert (str(answer.cost_usd), answer.service_tier) == ("0.25", "flex")


def test_searches_of_responses_are_counted():
    """They are billed apiece, and its usage leaves them out."""
    output = [{"type": "web_search_call", "id": "ws_1"}, {"type": "message", "role": "assistant", "content": TEXT}]
    answer = answer_of({"object": "response", "status": "completed", "output": output, "usage": {"input_tokens": 9, "output_tokens": 5}})

    assert answer.usage is not None
    assert answer.usage.web_searches == 1


@pytest.mark.parametrize("response", [object(), 42, {"nothing": "known"}, [], SimpleNamespace(model=object()), b"bytes"])
def test_what_is_no_response_is_said_once(response: Any, caplog: pytest.LogCaptureFixture):
    """In one sentence, with what to do; the call is unreported, and the program unaffected."""
    made = bench(raise_errors=False)
    for _ in range(2):
        with token_otel.model("cheap", recorder=made.recorder) as call:
            assert call.end(response) is response

    assert len([message for message in caplog.messages if "give it usage= and output=" in message]) == 1
    assert {values(span)[sc.USAGE_STATUS] for span in made.spans} == {"unreported"}


@pytest.mark.parametrize(
    "usage", [Usage(input=9, output=5), {"input_tokens": 9, "output_tokens": 5}, SimpleNamespace(prompt_tokens=9, completion_tokens=5)]
)
def test_usage_and_output_may_be_given_apart(usage: Any):
    """As a `Usage`, or in any provider's words; also against what the response says."""
    made: Bench = bench()
    with token_otel.model("cheap", recorder=made.recorder) as call:
        response: Any = {"choices": [], "usage": {"prompt_tokens": 1}}
        call.end(response, usage=usage, output=TEXT, model="tiered", cost_usd="0.5")

    found = values(made.span("chat cheap"))
    assert (found[sc.INPUT_TOKENS], found[sc.OUTPUT_TOKENS], found[sc.OUTPUT_TEXT]) == (9, 5, 5)
    assert (found[sc.RESPONSE_MODEL], found[sc.COST_TOTAL], found[sc.PRICE_SOURCE]) == ("tiered", 0.5, "provider")


@pytest.mark.parametrize("cost", ["dear", -1, float("nan")])
def test_a_cost_that_is_none_is_refused(cost: Any):
    """It is the program's own mistake, and a silent 0 would be worse."""
    with pytest.raises(ValueError, match="cost_usd is"):
        token_otel.tool("t", recorder=bench().recorder).end("x", cost_usd=cost)
