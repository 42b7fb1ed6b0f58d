"""What providers with a format of their own say a call used, each in its own words."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, first_of, fitted, mapping_of, mappings_of, plain, snake, sum_of


def anthropic_messages(raw: Raw) -> Usage:
    """Read `usage` of the Messages API: `input_tokens` leaves out what was read from and written to the cache.

    `cache_creation` splits the writes by lifetime; what it does not cover counts as five minutes. Compactions among the
    beta's `iterations` are billed but stand in no total, their caches included.

    Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching, .../build-with-claude/compaction
    """
    whole = [raw, *(row for row in mappings_of(raw, "iterations") if row.get("type") == "compaction")]

    def count(name: str, within: str | None = None) -> int | None:
        return sum_of(*(count_of(row if within is None else mapping_of(row, within), name) for row in whole))

    read, write = count("cache_read_input_tokens"), count("cache_creation_input_tokens")
    write_5m = count("ephemeral_5m_input_tokens", "cache_creation")
    write_1h = count("ephemeral_1h_input_tokens", "cache_creation")
    if write is not None:
        write_5m = max(write - (write_1h or 0), write_5m or 0)
    # Without the message's own total nothing is known: a compaction's is not the call's.
    known = count_of(raw, "input_tokens") is not None
    return fitted(
        sum_of(count("input_tokens"), read, write_5m, write_1h) if known else None,
        count("output_tokens"),
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=count_of(mapping_of(raw, "output_tokens_details"), "thinking_tokens"),
        web_searches=count_of(mapping_of(raw, "server_tool_use"), "web_search_requests"),
    )


def gemini(raw: Raw) -> Usage:
    """Read `usageMetadata` of Gemini and Vertex, in camel or snake case.

    The prompt includes what was cached, not what tools put in; the candidates leave out the thoughts. Pages of a document
    are read as images. A stream repeats it on every chunk, each time for the whole call.

    Source: https://ai.google.dev/api/generate-content#UsageMetadata
    """

    def count(name: str) -> int | None:
        return first_of(count_of(raw, name), count_of(raw, snake(name)))

    def modality(wanted: tuple[str, ...], *names: str) -> int | None:
        rows = [row for name in names for spelling in (name, snake(name)) for row in mappings_of(raw, spelling)]
        return sum_of(
            *(
                first_of(count_of(row, "tokenCount"), count_of(row, "token_count"), 0)
                for row in rows
                if plain(row.get("modality")) in wanted
            )
        )

    audio, image, video = ("AUDIO",), ("IMAGE", "DOCUMENT"), ("VIDEO",)
    thoughts, candidates = count("thoughtsTokenCount"), count("candidatesTokenCount")
    return fitted(
        sum_of(count("promptTokenCount"), count("toolUsePromptTokenCount")),
        sum_of(candidates, thoughts),
        cache_read=count("cachedContentTokenCount"),
        reasoning=thoughts,
        audio_input=modality(audio, "promptTokensDetails", "toolUsePromptTokensDetails"),
        image_input=modality(image, "promptTokensDetails", "toolUsePromptTokensDetails"),
        video_input=modality(video, "promptTokensDetails", "toolUsePromptTokensDetails"),
        audio_output=modality(audio, "candidatesTokensDetails"),
        image_output=modality(image, "candidatesTokensDetails"),
        video_output=modality(video, "candidatesTokensDetails"),
        audio_cache_read=modality(audio, "cacheTokensDetails"),
        image_cache_read=modality(image, "cacheTokensDetails"),
        video_cache_read=modality(video, "cacheTokensDetails"),
    )


def cohere(raw: Raw) -> Usage:
    """Read `usage` of Chat v2, or `meta` of Chat v1 and Embed: the billed units, not all tokens, where both are told.

    The tokens include the chat's template, which is not billed.

    Source: https://docs.cohere.com/reference/chat, https://docs.cohere.com/docs/how-does-cohere-pricing-work
    """
    units, tokens = mapping_of(raw, "billed_units"), mapping_of(raw, "tokens")
    return fitted(
        first_of(count_of(units, "input_tokens"), count_of(tokens, "input_tokens")),
        first_of(count_of(units, "output_tokens"), count_of(tokens, "output_tokens")),
        cache_read=count_of(raw, "cached_tokens"),
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
