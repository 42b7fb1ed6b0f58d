"""Formats of their own: a row for each trap, with the document that describes it."""

from __future__ import annotations

from tests.wire.row import Row

from token_otel import Usage, wire

_BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html"
_ANTHROPIC = "https://platform.claude.com/docs/en/build-with-claude/prompt-caching"
_GEMINI = "https://ai.google.dev/api/generate-content#UsageMetadata"

OTHERS = [
    # The input leaves both caches out. 10 + 4,000 + 900 + 100 = 5,010.
    Row(
        "anthropic",
        wire.anthropic_messages,
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 4000,
            "cache_creation_input_tokens": 1000,
            "cache_creation": {"ephemeral_5m_input_tokens": 900, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 200,
            "output_tokens_details": {"thinking_tokens": 150},
            "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 1},
            "service_tier": "standard",
        },
        Usage(input=5010, output=200, cache_read=4000, cache_write_5m=900, cache_write_1h=100, reasoning=150, web_searches=3),
        _ANTHROPIC,
    ),
    Row(
        "anthropic without lifetimes",
        wire.anthropic_messages,
        {"input_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 1000, "output_tokens": 2},
        Usage(input=1010, output=2, cache_read=0, cache_write_5m=1000),
        _ANTHROPIC,
    ),
    Row(
        "anthropic's count of a prompt has no output",
        wire.anthropic_messages,
        {"input_tokens": 1581},
        Usage(input=1581),
        "https://platform.claude.com/docs/en/build-with-claude/token-counting",
    ),
    # 10 + 1,000 in, 500 of which the compaction wrote to the cache beside them: 1,510; 5 + 50 out.
    Row(
        "anthropic bills compactions beside the totals",
        wire.anthropic_messages,
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "iterations": [
                {"type": "compaction", "input_tokens": 1000, "cache_creation_input_tokens": 500, "output_tokens": 50},
                {"type": "message", "input_tokens": 10, "output_tokens": 5},
            ],
        },
        Usage(input=1510, output=55, cache_write_5m=500),
        "https://platform.claude.com/docs/en/build-with-claude/compaction",
    ),
    # What tools put in comes on top of the prompt, thoughts on top of the candidates.
    Row(
        "gemini",
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
        _GEMINI,
    ),
    # 258 of the prompt's pages, 10 of what its tools put in.
    Row(
        "gemini reads documents as images, also those of its tools",
        wire.gemini,
        {
            "promptTokenCount": 300,
            "toolUsePromptTokenCount": 15,
            "candidatesTokenCount": 20,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 42}, {"modality": "DOCUMENT", "tokenCount": 258}],
            "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "IMAGE", "tokenCount": 10}],
        },
        Usage(input=315, output=20, image_input=268),
        _GEMINI,
    ),
    Row(
        "gemini tells every modality, also of its cache",
        wire.gemini,
        {
            "promptTokenCount": 655,
            "candidatesTokenCount": 78,
            "cachedContentTokenCount": 300,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 27},
                {"modality": "IMAGE", "tokenCount": 58},
                {"modality": "VIDEO", "tokenCount": 526},
                {"modality": "AUDIO", "tokenCount": 44},
            ],
            "cacheTokensDetails": [{"modality": "VIDEO", "tokenCount": 263}, {"modality": "IMAGE", "tokenCount": 37}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 70}],
        },
        Usage(
            input=655,
            output=78,
            cache_read=300,
            audio_input=44,
            image_input=58,
            image_cache_read=37,
            image_output=70,
            video_input=526,
            video_cache_read=263,
        ),
        _GEMINI,
    ),
    Row(
        "gemini in snake case",
        wire.gemini,
        {
            "prompt_token_count": 100,
            "candidates_token_count": 20,
            "thoughts_token_count": None,
            "prompt_tokens_details": [{"modality": "MediaModality.IMAGE", "token_count": 58}],
        },
        Usage(input=100, output=20, image_input=58),
        "https://googleapis.github.io/python-genai/genai.html#genai.types.GenerateContentResponseUsageMetadata",
    ),
    Row(
        "gemini that only thought",
        wire.gemini,
        {"promptTokenCount": 100, "thoughtsTokenCount": 30, "totalTokenCount": 130},
        Usage(input=100, output=30, reasoning=30),
        _GEMINI,
    ),
    # As Anthropic, in other words: 10 + 1,000 + 100.
    Row(
        "bedrock converse",
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
        _BEDROCK,
    ),
    Row(
        "bedrock converse in both spellings",
        wire.bedrock_converse,
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "cacheReadInputTokens": 90,
            "cacheReadInputTokenCount": 90,
            "cacheWriteInputTokens": 0,
            "cacheWriteInputTokenCount": 0,
        },
        Usage(input=100, output=5, cache_read=90, cache_write_5m=0),
        _BEDROCK,
    ),
    Row(
        "bedrock stream metrics",
        wire.bedrock_converse,
        {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 90, "invocationLatency": 7},
        Usage(input=100, output=5, cache_read=90),
        "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
    ),
    Row(
        "bedrock invoke of llama",
        wire.bedrock_invoke,
        {"generation": "Hi", "prompt_token_count": 12, "generation_token_count": 3, "stop_reason": "stop"},
        Usage(input=12, output=3),
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html",
    ),
    Row(
        "bedrock invoke of titan",
        wire.bedrock_invoke,
        {"inputTextTokenCount": 12, "results": [{"tokenCount": 3, "outputText": "Hi"}]},
        Usage(input=12, output=3),
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html",
    ),
    Row(
        "ollama",
        wire.ollama,
        {"prompt_eval_count": 26, "eval_count": 298, "eval_duration": 1},
        Usage(input=26, output=298),
        "https://docs.ollama.com/api/usage",
    ),
    Row(
        "ollama whose cache held the prompt",
        wire.ollama,
        {"eval_count": 298},
        Usage(output=298),
        "https://docs.ollama.com/api/usage",
    ),
    Row(
        "cohere bills fewer tokens than it reads",
        wire.cohere,
        {"billed_units": {"input_tokens": 5, "output_tokens": 418}, "tokens": {"input_tokens": 71, "output_tokens": 420}},
        Usage(input=5, output=418),
        "https://docs.cohere.com/reference/chat",
    ),
    Row(
        "cohere without billed units",
        wire.cohere,
        {"tokens": {"input_tokens": 71.0, "output_tokens": 420.0}, "cached_tokens": 64},
        Usage(input=71, output=420, cache_read=64),
        "https://docs.cohere.com/reference/chat",
    ),
    Row(
        "plain counts of cohere are floats",
        wire.token_usage,
        {"input_tokens": 7.0, "output_tokens": 3.0},
        Usage(input=7, output=3),
        "https://reference.langchain.com/python/integrations/langchain_cohere/",
    ),
    Row(
        "plain counts of watsonx",
        wire.token_usage,
        {"input_token_count": 7, "generated_token_count": 3},
        Usage(input=7, output=3),
        "https://cloud.ibm.com/apidocs/watsonx-ai#text-generation",
    ),
]
