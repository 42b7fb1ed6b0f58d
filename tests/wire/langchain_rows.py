"""LangChain's `UsageMetadata`, inclusive whatever the provider, and what each of its integrations makes of it."""

from __future__ import annotations

from tests.wire.row import Row

from token_otel import Usage, wire

_CORE = "https://reference.langchain.com/python/langchain-core/messages/ai/UsageMetadata"
_ANTHROPIC = "https://reference.langchain.com/python/integrations/langchain_anthropic/"
_AWS = "https://reference.langchain.com/python/integrations/langchain_aws/"
_OPENAI = "https://reference.langchain.com/python/integrations/langchain_openai/"

LANGCHAIN = [
    Row(
        "langchain",
        wire.langchain,
        {
            "input_tokens": 350,
            "output_tokens": 240,
            "total_tokens": 590,
            "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
            "output_token_details": {"audio": 10, "reasoning": 200},
        },
        Usage(input=350, output=240, cache_read=100, cache_write_5m=200, reasoning=200, audio_input=10, audio_output=10),
        _CORE,
    ),
    Row(
        "langchain without details",
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        Usage(input=10, output=5),
        _CORE,
    ),
    Row(
        "langchain details of null",
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": None}},
        Usage(input=10, output=5),
        _CORE,
    ),
    Row(
        "langchain-anthropic sets cache_creation to 0 beside the lifetimes",
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
        _ANTHROPIC,
    ),
    Row(
        "langchain-anthropic of old repeats the writes",
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
        _ANTHROPIC,
    ),
    Row(
        "langchain-openai prefixes the tier",
        wire.langchain,
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            "input_token_details": {"priority": 36, "priority_cache_read": 64, "priority_cache_creation": 8},
            "output_token_details": {"priority": 10, "priority_reasoning": 40},
        },
        Usage(input=100, output=50, cache_read=64, cache_write_5m=8, reasoning=40),
        _OPENAI,
    ),
    # 10 + 90: the total counts the cache.
    Row(
        "langchain-aws of old left caches out",
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 105, "input_token_details": {"cache_read": 90}},
        Usage(input=100, output=5, cache_read=90),
        _AWS,
    ),
    Row(
        "langchain-aws of old with caches that exceed the input",
        wire.langchain,
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": 90}},
        Usage(input=100, output=5, cache_read=90),
        _AWS,
    ),
]

# What contradicts itself is cut down part by part, and what is no count is unknown.
BROKEN = [
    Row(
        "more reasoning than output",
        wire.openai_responses,
        {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 9}},
        Usage(input=10, output=5, reasoning=5),
        "by hand",
    ),
    Row(
        "more cached than read",
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 8}},
        Usage(input=10, output=5, cache_read=8, cache_write_5m=2),
        "by hand",
    ),
    Row(
        "more modalities than tokens",
        wire.gemini,
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}, {"modality": "IMAGE", "tokenCount": 8}],
            "cachedContentTokenCount": 4,
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}],
        },
        Usage(input=10, output=5, cache_read=4, audio_input=8, audio_cache_read=4, image_input=2),
        "by hand",
    ),
    Row(
        "parts without a total",
        wire.anthropic_messages,
        {"cache_read_input_tokens": 8, "output_tokens": 5},
        Usage(output=5),
        "by hand",
    ),
    Row(
        "no counts",
        wire.openai_chat,
        {"prompt_tokens": "10", "completion_tokens": True, "prompt_tokens_details": [], "total_tokens": -1},
        Usage(),
        "by hand",
    ),
    Row("nothing", wire.langchain, {}, Usage(), "by hand", detected=False),
]
