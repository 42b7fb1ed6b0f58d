"""OpenAI's formats and their dialects: a row for each trap, with the document that describes it."""

from __future__ import annotations

from tests.wire.row import Row

from token_otel import Usage, wire

_OPENAI = "https://platform.openai.com/docs/api-reference/chat/object"
_LITELLM = "https://docs.litellm.ai/docs/completion/usage"
_PERPLEXITY = "https://docs.perplexity.ai/getting-started/models/models/sonar-deep-research"

CHAT = [
    # Cached, written and reasoning tokens are inside the totals.
    Row(
        "openai chat",
        wire.openai_chat,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "total_tokens": 1200,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100, "audio_tokens": 50},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 20, "rejected_prediction_tokens": 0},
        },
        Usage(input=1000, output=200, cache_read=600, cache_write_5m=100, reasoning=128, audio_input=50, audio_output=20),
        _OPENAI,
    ),
    Row(
        "openai chat, details of null",
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": None},
        Usage(input=10, output=5),
        _OPENAI,
    ),
    Row(
        "openai completions say totals alone",
        wire.openai_chat,
        {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        Usage(input=5, output=7),
        "https://platform.openai.com/docs/api-reference/completions/object",
    ),
    Row(
        "azure names its predictions",
        wire.openai_chat,
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"accepted_prediction_tokens": 4, "rejected_prediction_tokens": 6, "reasoning_tokens": 0},
        },
        Usage(input=100, output=20, cache_read=0, reasoning=0, audio_input=0),
        "https://learn.microsoft.com/azure/ai-foundry/openai/reference-preview",
    ),
    Row(
        "mistral's num_cached_tokens are billed in full",
        wire.openai_chat,
        {"prompt_tokens": 64, "completion_tokens": 6, "total_tokens": 70, "num_cached_tokens": 32},
        Usage(input=64, output=6),
        "https://docs.mistral.ai/api/#tag/chat",
    ),
    Row(
        "groq adds times",
        wire.openai_chat,
        {
            "queue_time": 0.1,
            "prompt_tokens": 24,
            "prompt_time": 0.002,
            "completion_tokens": 9,
            "total_tokens": 33,
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
        Usage(input=24, output=9, reasoning=4),
        "https://console.groq.com/docs/api-reference#chat-create",
    ),
    Row(
        "deepseek names hits at the top",
        wire.openai_chat,
        {"prompt_tokens": 100, "completion_tokens": 9, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        Usage(input=100, output=9, cache_read=64),
        "https://api-docs.deepseek.com/guides/kv_cache",
    ),
    Row(
        "moonshot names reads at the top",
        wire.openai_chat,
        {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "cached_tokens": 64},
        Usage(input=100, output=9, cache_read=64),
        "https://platform.moonshot.ai/docs/api/chat",
    ),
    # 9 + 94: the total is 32 + 9 + 94.
    Row(
        "xai leaves reasoning out of the completion",
        wire.openai_chat,
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        Usage(input=32, output=103, reasoning=94),
        "https://docs.x.ai/docs/guides/reasoning",
    ),
    Row(
        "xai's own client names both at the top",
        wire.openai_chat,
        {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "reasoning_tokens": 94, "cached_prompt_text_tokens": 30},
        Usage(input=32, output=103, cache_read=30, reasoning=94),
        "https://docs.x.ai/docs/guides/reasoning",
    ),
    Row(
        "openrouter counts searches beside its cost",
        wire.openai_chat,
        {
            "prompt_tokens": 888,
            "completion_tokens": 74,
            "total_tokens": 962,
            "cost": 0.0145,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "server_tool_use_details": {"tool_calls_requested": 1, "web_search_requests": 1},
        },
        Usage(input=888, output=74, cache_read=0, cache_write_5m=0, web_searches=1),
        "https://openrouter.ai/docs/use-cases/usage-accounting",
    ),
    Row(
        "perplexity counts its searches",
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "num_search_queries": 2},
        Usage(input=10, output=5, web_searches=2),
        _PERPLEXITY,
    ),
    # 500 + 7,000 + 2,000: the total leaves both out.
    Row(
        "perplexity leaves reasoning and citations out",
        wire.openai_chat,
        {
            "prompt_tokens": 30,
            "completion_tokens": 500,
            "total_tokens": 530,
            "citation_tokens": 2000,
            "num_search_queries": 18,
            "reasoning_tokens": 7000,
        },
        Usage(input=30, output=9500, reasoning=7000, citation=2000, web_searches=18),
        _PERPLEXITY,
    ),
    # 10 + 90 + 20.
    Row(
        "bedrock invoke leaves caches out of the prompt",
        wire.openai_chat,
        {"prompt_tokens": 10, "completion_tokens": 5, "cache_read_input_tokens": 90, "cache_write_input_tokens": 20},
        Usage(input=120, output=5, cache_read=90, cache_write_5m=20),
        "https://reference.langchain.com/python/integrations/langchain_aws/",
    ),
    Row(
        "litellm repeats the cache in Anthropic's words",
        wire.openai_chat,
        {
            "prompt_tokens": 120,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 90, "cache_creation_tokens": 20},
            "cache_read_input_tokens": 90,
            "cache_creation_input_tokens": 20,
        },
        Usage(input=120, output=5, cache_read=90, cache_write_5m=20),
        _LITELLM,
    ),
    Row(
        "litellm of old details reads alone",
        wire.openai_chat,
        {
            "prompt_tokens": 120,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0},
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 20,
        },
        Usage(input=120, output=5, cache_read=0, cache_write_5m=20),
        _LITELLM,
    ),
    Row(
        "litellm splits writes by lifetime and counts searches",
        wire.openai_chat,
        {
            "prompt_tokens": 120,
            "completion_tokens": 5,
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "cache_creation_tokens": 100,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 60},
            },
            "server_tool_use": {"web_search_requests": 2},
        },
        Usage(input=120, output=5, cache_read=0, cache_write_5m=40, cache_write_1h=60, web_searches=2),
        _LITELLM,
    ),
]

OPENAI = [
    Row(
        "openai responses",
        wire.openai_responses,
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 256},
            "total_tokens": 1300,
        },
        Usage(input=1000, output=300, cache_read=512, cache_write_5m=0, reasoning=256),
        "https://platform.openai.com/docs/api-reference/responses/object",
    ),
    Row(
        "openai images are responses with modalities",
        wire.openai_responses,
        {
            "input_tokens": 50,
            "output_tokens": 4160,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            "output_tokens_details": {"image_tokens": 4160},
        },
        Usage(input=50, output=4160, image_input=40, image_output=4160),
        "https://platform.openai.com/docs/api-reference/images/object",
    ),
    Row(
        "openai embeddings have no output",
        wire.openai_embeddings,
        {"prompt_tokens": 4, "total_tokens": 4},
        Usage(input=4),
        "https://platform.openai.com/docs/api-reference/embeddings/create",
    ),
    Row(
        "voyage says the total alone",
        wire.openai_embeddings,
        {"total_tokens": 3},
        Usage(input=3),
        "https://docs.voyageai.com/reference/embeddings-api",
        detected=False,
    ),
]
