"""What providers say a call used, each in its own words."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, first_of, fitted, mapping_of, mappings_of, plain, snake, sum_of


def openai_chat(raw: Raw) -> Usage:
    """Read `usage` of Chat Completions, and of the many servers that speak it.

    Cached and reasoning tokens are inside the totals. Three dialects are not: Bedrock's InvokeModel leaves caches out of
    `prompt_tokens` and names them as Anthropic does; xAI leaves reasoning out of `completion_tokens`, and only its total
    shows it; DeepSeek and Moonshot name cache reads at the top.

    Source: https://platform.openai.com/docs/api-reference/chat/object
    """
    given, made = mapping_of(raw, "prompt_tokens_details"), mapping_of(raw, "completion_tokens_details")
    total, output, reasoning = count_of(raw, "prompt_tokens"), count_of(raw, "completion_tokens"), count_of(made, "reasoning_tokens")
    read = first_of(count_of(given, "cached_tokens"), count_of(raw, "prompt_cache_hit_tokens"), count_of(raw, "cached_tokens"))
    write = first_of(count_of(given, "cache_write_tokens"), count_of(given, "cache_creation_tokens"))
    beside_read = count_of(raw, "cache_read_input_tokens")
    beside_write = first_of(count_of(raw, "cache_write_input_tokens"), count_of(raw, "cache_creation_input_tokens"))
    if read is None and write is None and (beside_read or beside_write):
        read, write = beside_read, beside_write
        total = sum_of(total, read, write)
    if output and reasoning and count_of(raw, "total_tokens") == sum_of(total, output, reasoning):
        output += reasoning
    return fitted(
        total,
        output,
        cache_read=read,
        cache_write_5m=write,
        reasoning=reasoning,
        audio_input=count_of(given, "audio_tokens"),
        audio_output=count_of(made, "audio_tokens"),
        image_input=count_of(given, "image_tokens"),
        image_output=count_of(made, "image_tokens"),
        web_searches=count_of(raw, "num_search_queries"),
    )


def openai_responses(raw: Raw) -> Usage:
    """Read `usage` of the Responses API: cached and reasoning tokens are inside the totals.

    Source: https://platform.openai.com/docs/api-reference/responses/object
    """
    given, made = mapping_of(raw, "input_tokens_details"), mapping_of(raw, "output_tokens_details")
    return fitted(
        count_of(raw, "input_tokens"),
        count_of(raw, "output_tokens"),
        cache_read=count_of(given, "cached_tokens"),
        cache_write_5m=count_of(given, "cache_write_tokens"),
        reasoning=count_of(made, "reasoning_tokens"),
        audio_input=count_of(given, "audio_tokens"),
        audio_output=count_of(made, "audio_tokens"),
        image_input=count_of(given, "image_tokens"),
        image_output=count_of(made, "image_tokens"),
    )


def anthropic_messages(raw: Raw) -> Usage:
    """Read `usage` of the Messages API: `input_tokens` leaves out what was read from and written to the cache.

    `cache_creation` splits the writes by lifetime; what it does not cover counts as five minutes. Compactions among the
    beta's `iterations` are billed but stand in no total.

    Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    """
    ttl = mapping_of(raw, "cache_creation")
    read, write = count_of(raw, "cache_read_input_tokens"), count_of(raw, "cache_creation_input_tokens")
    write_5m, write_1h = count_of(ttl, "ephemeral_5m_input_tokens"), count_of(ttl, "ephemeral_1h_input_tokens")
    if write is not None:
        write_5m = max(write - (write_1h or 0), write_5m or 0)
    total = count_of(raw, "input_tokens")
    if total is not None:
        total = sum_of(total, read, write_5m, write_1h)
    output = count_of(raw, "output_tokens")
    for iteration in mappings_of(raw, "iterations"):
        if iteration.get("type") == "compaction":
            total, output = sum_of(total, count_of(iteration, "input_tokens")), sum_of(output, count_of(iteration, "output_tokens"))
    return fitted(
        total,
        output,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=count_of(mapping_of(raw, "output_tokens_details"), "thinking_tokens"),
        web_searches=count_of(mapping_of(raw, "server_tool_use"), "web_search_requests"),
    )


def gemini(raw: Raw) -> Usage:
    """Read `usageMetadata` of Gemini and Vertex, in camel or snake case.

    The prompt includes what was cached, not what tools put in; the candidates leave out the thoughts.

    Source: https://ai.google.dev/api/generate-content#UsageMetadata
    """

    def count(name: str) -> int | None:
        return first_of(count_of(raw, name), count_of(raw, snake(name)))

    def modality(name: str, wanted: str) -> int | None:
        rows = [*mappings_of(raw, name), *mappings_of(raw, snake(name))]
        found = [
            first_of(count_of(row, "tokenCount"), count_of(row, "token_count")) for row in rows if plain(row.get("modality")) == wanted
        ]
        return sum(n or 0 for n in found) if found else None

    thoughts, candidates = count("thoughtsTokenCount"), count("candidatesTokenCount")
    return fitted(
        sum_of(count("promptTokenCount"), count("toolUsePromptTokenCount")),
        sum_of(candidates, thoughts),
        cache_read=count("cachedContentTokenCount"),
        reasoning=thoughts,
        audio_input=modality("promptTokensDetails", "AUDIO"),
        image_input=modality("promptTokensDetails", "IMAGE"),
        audio_output=modality("candidatesTokensDetails", "AUDIO"),
        image_output=modality("candidatesTokensDetails", "IMAGE"),
        audio_cache_read=modality("cacheTokensDetails", "AUDIO"),
    )


def bedrock_converse(raw: Raw) -> Usage:
    """Read `usage` of Converse, or the `amazon-bedrock-invocationMetrics` of a stream: input leaves out both caches.

    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
    """

    def count(name: str) -> int | None:
        return first_of(count_of(raw, name), count_of(raw, name.removesuffix("s") + "Count"))

    read, write = count("cacheReadInputTokens"), count("cacheWriteInputTokens")
    hour = [count_of(row, "inputTokens") or 0 for row in mappings_of(raw, "cacheDetails") if row.get("ttl") == "1h"]
    write_1h = min(sum(hour), write or 0) if hour else None
    total = count("inputTokens")
    return fitted(
        total if total is None else sum_of(total, read, write),
        count("outputTokens"),
        cache_read=read,
        cache_write_5m=write if write is None else write - (write_1h or 0),
        cache_write_1h=write_1h,
    )


def ollama(raw: Raw) -> Usage:
    """Read the counts that Ollama puts on its last chunk; a prompt that its cache held has no `prompt_eval_count`.

    Source: https://docs.ollama.com/api/usage
    """
    return fitted(count_of(raw, "prompt_eval_count"), count_of(raw, "eval_count"))


def token_usage(raw: Raw) -> Usage:
    """Read a plain pair of counts under any of the names in use (Cohere, watsonx, Hugging Face, older clients)."""
    return fitted(
        first_of(*(count_of(raw, name) for name in ("input_tokens", "prompt_tokens", "input_token_count", "inputTokens"))),
        first_of(*(count_of(raw, name) for name in ("output_tokens", "completion_tokens", "generated_token_count", "outputTokens"))),
    )
