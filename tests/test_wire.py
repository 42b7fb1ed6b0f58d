"""Every provider's words for what a call used: one row for each format and each trap."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel import Usage, wire

ROWS: dict[str, tuple[Any, dict[str, Any], Usage]] = {
    # Chat Completions: cached, written and reasoning tokens are inside the totals.
    "openai chat": (
        wire.openai_chat,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "total_tokens": 1200,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100, "audio_tokens": 50},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 20, "rejected_prediction_tokens": 0},
        },
        Usage(input=1000, output=200, cache_read=600, cache_write_5m=100, reasoning=128, audio_input=50, audio_output=20),
    ),
    "openai chat, details of null": (
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": None},
        Usage(input=10, output=5),
    ),
    "openai embeddings have no output": (wire.openai_chat, {"prompt_tokens": 4, "total_tokens": 4}, Usage(input=4)),
    "deepseek names hits at the top": (
        wire.openai_chat,
        {"prompt_tokens": 100, "completion_tokens": 9, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        Usage(input=100, output=9, cache_read=64),
    ),
    "xai leaves reasoning out of the completion": (
        wire.openai_chat,
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        Usage(input=32, output=103, reasoning=94),
    ),
    "bedrock invoke leaves caches out of the prompt": (
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "cache_read_input_tokens": 90, "cache_write_input_tokens": 20},
        Usage(input=120, output=5, cache_read=90, cache_write_5m=20),
    ),
    "litellm repeats the cache in Anthropic's words": (
        wire.openai_chat,
        {
            "prompt_tokens": 120,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 90, "cache_creation_tokens": 20},
            "cache_read_input_tokens": 90,
            "cache_creation_input_tokens": 20,
        },
        Usage(input=120, output=5, cache_read=90, cache_write_5m=20),
    ),
    "perplexity counts its searches": (
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "num_search_queries": 2},
        Usage(input=10, output=5, web_searches=2),
    ),
    "openai responses": (
        wire.openai_responses,
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 256},
            "total_tokens": 1300,
        },
        Usage(input=1000, output=300, cache_read=512, cache_write_5m=0, reasoning=256),
    ),
    # Messages: the input leaves both caches out. 10 + 4,000 + 900 + 100 = 5,010.
    "anthropic": (
        wire.anthropic_messages,
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 4000,
            "cache_creation_input_tokens": 1000,
            "cache_creation": {"ephemeral_5m_input_tokens": 900, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 200,
            "output_tokens_details": {"thinking_tokens": 150},
            "server_tool_use": {"web_search_requests": 3},
            "service_tier": "standard",
        },
        Usage(
            input=5010,
            output=200,
            cache_read=4000,
            cache_write_5m=900,
            cache_write_1h=100,
            reasoning=150,
            web_searches=3,
        ),
    ),
    "anthropic without lifetimes": (
        wire.anthropic_messages,
        {"input_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 1000, "output_tokens": 2},
        Usage(input=1010, output=2, cache_read=0, cache_write_5m=1000),
    ),
    "anthropic bills compactions beside the totals": (
        wire.anthropic_messages,
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "iterations": [
                {"type": "compaction", "input_tokens": 1000, "output_tokens": 50},
                {"type": "message", "input_tokens": 10, "output_tokens": 5},
            ],
        },
        Usage(input=1010, output=55),
    ),
    # Gemini: what tools put in comes on top of the prompt, thoughts on top of the candidates.
    "gemini": (
        wire.gemini,
        {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 40,
            "cachedContentTokenCount": 60,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 30,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 75}, {"modality": "AUDIO", "tokenCount": 25}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 25}, {"modality": "TEXT", "tokenCount": 35}],
        },
        Usage(input=140, output=50, cache_read=60, reasoning=30, audio_input=25, audio_cache_read=25),
    ),
    "gemini in snake case": (
        wire.gemini,
        {
            "prompt_token_count": 100,
            "candidates_token_count": 20,
            "thoughts_token_count": None,
            "prompt_tokens_details": [{"modality": "MediaModality.IMAGE", "token_count": 58}],
        },
        Usage(input=100, output=20, image_input=58),
    ),
    "gemini that only thought": (
        wire.gemini,
        {"promptTokenCount": 100, "thoughtsTokenCount": 30, "totalTokenCount": 130},
        Usage(input=100, output=30, reasoning=30),
    ),
    # Converse: as Anthropic, in other words.
    "bedrock converse": (
        wire.bedrock_converse,
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 1115,
            "cacheReadInputTokens": 1000,
            "cacheWriteInputTokens": 100,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
        },
        Usage(input=1110, output=5, cache_read=1000, cache_write_5m=40, cache_write_1h=60),
    ),
    "bedrock stream metrics": (
        wire.bedrock_converse,
        {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 90, "invocationLatency": 7},
        Usage(input=100, output=5, cache_read=90),
    ),
    "ollama": (wire.ollama, {"prompt_eval_count": 26, "eval_count": 298, "eval_duration": 1}, Usage(input=26, output=298)),
    "ollama whose cache held the prompt": (wire.ollama, {"eval_count": 298}, Usage(output=298)),
    "plain counts of cohere are floats": (
        wire.token_usage,
        {"input_tokens": 7.0, "output_tokens": 3.0},
        Usage(input=7, output=3),
    ),
    "plain counts of watsonx": (
        wire.token_usage,
        {"input_token_count": 7, "generated_token_count": 3},
        Usage(input=7, output=3),
    ),
    # LangChain: inclusive, whatever the provider.
    "langchain": (
        wire.langchain,
        {
            "input_tokens": 350,
            "output_tokens": 240,
            "total_tokens": 590,
            "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
            "output_token_details": {"audio": 10, "reasoning": 200},
        },
        Usage(input=350, output=240, cache_read=100, cache_write_5m=200, reasoning=200, audio_input=10, audio_output=10),
    ),
    "langchain without details": (
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        Usage(input=10, output=5),
    ),
    "langchain-anthropic sets cache_creation to 0 beside the lifetimes": (
        wire.langchain,
        {
            "input_tokens": 5010,
            "output_tokens": 200,
            "total_tokens": 5210,
            "input_token_details": {
                "cache_read": 4000,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 900,
                "ephemeral_1h_input_tokens": 100,
            },
        },
        Usage(input=5010, output=200, cache_read=4000, cache_write_5m=900, cache_write_1h=100),
    ),
    "langchain-anthropic of old repeats the writes": (
        wire.langchain,
        {
            "input_tokens": 2209,
            "output_tokens": 1,
            "total_tokens": 2210,
            "input_token_details": {
                "cache_read": 0,
                "cache_creation": 2201,
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 2201,
            },
        },
        Usage(input=2209, output=1, cache_read=0, cache_write_5m=0, cache_write_1h=2201),
    ),
    "langchain-openai prefixes the tier": (
        wire.langchain,
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            "input_token_details": {"priority": 36, "priority_cache_read": 64, "priority_cache_creation": 8},
            "output_token_details": {"priority": 10, "priority_reasoning": 40},
        },
        Usage(input=100, output=50, cache_read=64, cache_write_5m=8, reasoning=40),
    ),
    "langchain-aws of old left caches out": (
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 105, "input_token_details": {"cache_read": 90}},
        Usage(input=100, output=5, cache_read=90),
    ),
    "langchain details of null": (
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": None}},
        Usage(input=10, output=5),
    ),
    # What contradicts itself is cut down part by part, and what is no count is unknown.
    "more reasoning than output": (
        wire.openai_responses,
        {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 9}},
        Usage(input=10, output=5, reasoning=5),
    ),
    "more cached than read": (
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 8}},
        Usage(input=10, output=5, cache_read=8, cache_write_5m=2),
    ),
    "parts without a total": (
        wire.anthropic_messages,
        {"cache_read_input_tokens": 8, "output_tokens": 5},
        Usage(output=5),
    ),
    "no counts": (
        wire.openai_chat,
        {"prompt_tokens": "10", "completion_tokens": True, "prompt_tokens_details": [], "total_tokens": -1},
        Usage(),
    ),
    "nothing": (wire.langchain, {}, Usage()),
}


@pytest.mark.parametrize(("read", "raw", "usage"), ROWS.values(), ids=ROWS.keys())
def test_reads(read: Any, raw: dict[str, Any], usage: Usage):
    """The figures are the providers' documented examples, or made by hand."""
    assert read(raw) == usage


@pytest.mark.parametrize("row", [name for name in ROWS if name not in {"nothing", "no counts"} and not name.startswith("parts")])
def test_detects_the_format_by_its_names(row: str):
    """Where nobody says which provider it was."""
    _, raw, usage = ROWS[row]

    assert wire.detect(raw) == usage


def test_detects_nothing_in_other_mappings():
    """A mapping without counts is no report."""
    assert wire.detect({"total_tokens": 0}) is None


@pytest.mark.parametrize(
    ("details", "tier"),
    [({"flex": 10, "flex_cache_read": 4}, "flex"), ({"priority_cache_read": 4}, "priority"), ({"cache_read": 4}, None)],
)
def test_the_service_tier_is_a_prefix(details: dict[str, int], tier: str | None):
    """LangChain keeps no other trace of it."""
    assert wire.service_tier({"input_token_details": details}) == tier


_NAMES = sorted({name for _, raw, _ in ROWS.values() for name in raw} | {"cached_tokens", "reasoning_tokens", "cache_read"})
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10_000) | st.floats(allow_nan=True) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=12))
def test_nothing_raises(raw: dict[str, Any]):
    """Whatever a provider sends, every function reads what it can."""
    for read in {read for read, _, _ in ROWS.values()}:
        assert isinstance(read(raw), Usage)
    wire.detect(raw)
    wire.service_tier(raw)


def test_real_bills():
    """A thousand recorded bills: read as genai-prices reads them, and detected by their names alone."""
    path = os.environ.get("TOKEN_OTEL_PROVIDER_CALLS")
    if not path:
        pytest.skip("TOKEN_OTEL_PROVIDER_CALLS is not set")
    extract = pytest.importorskip("genai_prices").extract_usage
    formats: dict[str, tuple[Any, str, str, str]] = {
        "openai.chat": (wire.openai_chat, "openai", "chat", "gpt-4o"),
        "openai.responses": (wire.openai_responses, "openai", "responses", "gpt-4o"),
        "google.generate": (wire.gemini, "google", "default", "gemini-2.5-pro"),
        "anthropic.messages": (wire.anthropic_messages, "anthropic", "default", "claude-sonnet-4-5"),
    }
    checked = 0
    for line in gzip.decompress(Path(path).read_bytes()).splitlines():
        row: dict[str, Any] = json.loads(line)
        if row["flavor"] not in formats or not wire.detect(row["usage"]):
            continue
        read, provider, flavor, model = formats[row["flavor"]]
        usage = read(row["usage"])
        where = "usageMetadata" if provider == "google" else "usage"
        theirs = extract({"model": model, "modelVersion": model, where: row["usage"]}, provider_id=provider, api_flavor=flavor).usage
        assert (usage.input, usage.output, usage.cache_read or 0, usage.cache_write or 0) == (
            theirs.input_tokens,
            theirs.output_tokens,
            theirs.cache_read_tokens or 0,
            theirs.cache_write_tokens or 0,
        )
        assert wire.detect(row["usage"]) == usage
        checked += 1
    assert checked > 500
