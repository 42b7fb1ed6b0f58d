"""What OpenAI says a call used, and the many servers that speak its formats: Azure, Mistral, Groq, DeepSeek, xAI, OpenRouter, ..."""

from __future__ import annotations

from decimal import Decimal

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, first_of, fitted, mapping_of, sum_of

_LARGEST = 10**12  # USD: beyond is no bill, and one that no double holds would spoil a counter for good


def openai_chat(raw: Raw) -> Usage:
    """Read `usage` of Chat Completions and of the older Completions, and of the many servers that speak them.

    Cached and reasoning tokens are inside the totals, but in three dialects. Bedrock's InvokeModel leaves caches out of
    `prompt_tokens` and names them as Anthropic does; LiteLLM repeats those names beside totals that include them, and its
    details show it. xAI leaves reasoning out of `completion_tokens`, and only its total shows it. Perplexity names searches,
    and leaves reasoning and the citations that it read out of both. DeepSeek, Moonshot and Together name cache reads at the
    top. Mistral's `num_cached_tokens` is no cache read: it is what the server had at hand, billed as any other input.

    Source: https://platform.openai.com/docs/api-reference/chat/object, https://api-docs.deepseek.com/guides/kv_cache,
    https://docs.x.ai/docs/guides/reasoning, https://docs.perplexity.ai/getting-started/models/models/sonar-deep-research,
    https://docs.litellm.ai/docs/completion/usage
    """
    given, made = mapping_of(raw, "prompt_tokens_details"), mapping_of(raw, "completion_tokens_details")
    total, output = count_of(raw, "prompt_tokens"), count_of(raw, "completion_tokens")
    read = first_of(
        *(count_of(given, "cached_tokens"), count_of(raw, "prompt_cache_hit_tokens")),
        *(count_of(raw, "cached_tokens"), count_of(raw, "cached_prompt_text_tokens")),
    )
    write = first_of(count_of(given, "cache_write_tokens"), count_of(given, "cache_creation_tokens"))
    beside_read = count_of(raw, "cache_read_input_tokens")
    beside_write = first_of(count_of(raw, "cache_write_input_tokens"), count_of(raw, "cache_creation_input_tokens"))
    if read is None and write is None and (beside_read or beside_write):
        total = sum_of(total, beside_read, beside_write)
    read, write = first_of(read, beside_read), first_of(write, beside_write)
    hour = count_of(mapping_of(given, "cache_creation_token_details"), "ephemeral_1h_input_tokens")
    reasoning = first_of(count_of(made, "reasoning_tokens"), count_of(raw, "reasoning_tokens"))
    searches, citations = count_of(raw, "num_search_queries"), count_of(raw, "citation_tokens")
    if searches is not None or citations is not None:
        output = sum_of(output, count_of(raw, "reasoning_tokens"), citations)
    elif output is not None and reasoning and count_of(raw, "total_tokens") == sum_of(total, output, reasoning):
        output += reasoning
    return fitted(
        total,
        output,
        cache_read=read,
        cache_write_5m=write if write is None else write - min(write, hour or 0),
        cache_write_1h=hour,
        reasoning=reasoning,
        citation=citations,
        audio_input=count_of(given, "audio_tokens"),
        audio_output=count_of(made, "audio_tokens"),
        image_input=count_of(given, "image_tokens"),
        image_output=count_of(made, "image_tokens"),
        video_input=count_of(given, "video_tokens"),
        web_searches=first_of(
            searches,
            count_of(mapping_of(raw, "server_tool_use_details"), "web_search_requests"),
            count_of(mapping_of(raw, "server_tool_use"), "web_search_requests"),
            count_of(given, "web_search_requests"),
        ),
    )


def openai_responses(raw: Raw) -> Usage:
    """Read `usage` of the Responses API, and of Images: cached and reasoning tokens are inside the totals.

    The searches that it bills apiece are no part of it: they are items of the output (`web_search_call`).

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


def openai_embeddings(raw: Raw) -> Usage:
    """Read `usage` of Embeddings, which have no output; Voyage gives the total alone.

    Source: https://platform.openai.com/docs/api-reference/embeddings, https://docs.voyageai.com/reference/embeddings-api
    """
    return fitted(first_of(count_of(raw, "prompt_tokens"), count_of(raw, "total_tokens")), None)


def reported_cost(raw: Raw) -> Decimal | None:
    """Return the USD that a usage says the call has cost; `None` if it does not say.

    OpenRouter's `cost` is what it charges itself: with a key of your own (`is_byok`) what the provider charges comes on top.
    Perplexity gives a mapping with the total in it.

    Source: https://openrouter.ai/docs/use-cases/usage-accounting, https://docs.perplexity.ai/getting-started/pricing
    """
    cost = _usd(raw.get("cost"))
    if cost is None:
        return _usd(mapping_of(raw, "cost").get("total_cost"))
    if raw.get("is_byok") is True:
        cost += _usd(mapping_of(raw, "cost_details").get("upstream_inference_cost")) or 0
    return cost


def _usd(value: object) -> Decimal | None:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        usd = Decimal(str(value)) if isinstance(value, float) else Decimal(value)  # str() refuses integers of thousands of digits
        return usd if usd.is_finite() and 0 <= usd <= _LARGEST else None
    return None
