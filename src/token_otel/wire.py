"""What providers say a call used, in each one's own words: one pure function per wire format, mapping -> `Usage`.

Each function says whether its format counts cached and reasoning tokens inside the totals; `Usage` always does.
Nothing raises: what is not a count is unknown, and a part that exceeds its total is cut down to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from token_otel.usage import Usage

Raw: TypeAlias = Mapping[str, object]

_NOTHING: Raw = {}
_TIERS = ("priority", "flex")


def openai_chat(raw: Raw) -> Usage:
    """Read `usage` of Chat Completions, and of the many servers that speak it.

    Cached and reasoning tokens are inside the totals. Three dialects are not: Bedrock's InvokeModel leaves caches out of
    `prompt_tokens` and names them as Anthropic does; xAI leaves reasoning out of `completion_tokens`, and only its total
    shows it; DeepSeek and Moonshot name cache reads at the top.

    Source: https://platform.openai.com/docs/api-reference/chat/object
    """
    given, made = _map(raw, "prompt_tokens_details"), _map(raw, "completion_tokens_details")
    total, output, reasoning = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens"), _count(made, "reasoning_tokens")
    read = _first(_count(given, "cached_tokens"), _count(raw, "prompt_cache_hit_tokens"), _count(raw, "cached_tokens"))
    write = _first(_count(given, "cache_write_tokens"), _count(given, "cache_creation_tokens"))
    beside_read = _count(raw, "cache_read_input_tokens")
    beside_write = _first(_count(raw, "cache_write_input_tokens"), _count(raw, "cache_creation_input_tokens"))
    if read is None and write is None and (beside_read or beside_write):
        read, write = beside_read, beside_write
        total = _sum(total, read, write)
    if output and reasoning and _count(raw, "total_tokens") == _sum(total, output, reasoning):
        output += reasoning
    return _usage(
        total,
        output,
        cache_read=read,
        cache_write_5m=write,
        reasoning=reasoning,
        audio_input=_count(given, "audio_tokens"),
        audio_output=_count(made, "audio_tokens"),
        image_input=_count(given, "image_tokens"),
        image_output=_count(made, "image_tokens"),
        web_searches=_count(raw, "num_search_queries"),
    )


def openai_responses(raw: Raw) -> Usage:
    """Read `usage` of the Responses API: cached and reasoning tokens are inside the totals.

    Source: https://platform.openai.com/docs/api-reference/responses/object
    """
    given, made = _map(raw, "input_tokens_details"), _map(raw, "output_tokens_details")
    return _usage(
        _count(raw, "input_tokens"),
        _count(raw, "output_tokens"),
        cache_read=_count(given, "cached_tokens"),
        cache_write_5m=_count(given, "cache_write_tokens"),
        reasoning=_count(made, "reasoning_tokens"),
        audio_input=_count(given, "audio_tokens"),
        audio_output=_count(made, "audio_tokens"),
        image_input=_count(given, "image_tokens"),
        image_output=_count(made, "image_tokens"),
    )


def anthropic_messages(raw: Raw) -> Usage:
    """Read `usage` of the Messages API: `input_tokens` leaves out what was read from and written to the cache.

    `cache_creation` splits the writes by lifetime; what it does not cover counts as five minutes. Compactions among the
    beta's `iterations` are billed but stand in no total.

    Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    """
    ttl = _map(raw, "cache_creation")
    read, write = _count(raw, "cache_read_input_tokens"), _count(raw, "cache_creation_input_tokens")
    write_5m, write_1h = _count(ttl, "ephemeral_5m_input_tokens"), _count(ttl, "ephemeral_1h_input_tokens")
    if write is not None:
        write_5m = max(write - (write_1h or 0), write_5m or 0)
    total = _count(raw, "input_tokens")
    if total is not None:
        total = _sum(total, read, write_5m, write_1h)
    output = _count(raw, "output_tokens")
    for iteration in _maps(raw, "iterations"):
        if iteration.get("type") == "compaction":
            total, output = _sum(total, _count(iteration, "input_tokens")), _sum(output, _count(iteration, "output_tokens"))
    return _usage(
        total,
        output,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=_count(_map(raw, "output_tokens_details"), "thinking_tokens"),
        web_searches=_count(_map(raw, "server_tool_use"), "web_search_requests"),
    )


def gemini(raw: Raw) -> Usage:
    """Read `usageMetadata` of Gemini and Vertex, in camel or snake case.

    The prompt includes what was cached, not what tools put in; the candidates leave out the thoughts.

    Source: https://ai.google.dev/api/generate-content#UsageMetadata
    """

    def count(name: str) -> int | None:
        return _first(_count(raw, name), _count(raw, _snake(name)))

    def modality(name: str, wanted: str) -> int | None:
        rows = [*_maps(raw, name), *_maps(raw, _snake(name))]
        found = [_first(_count(row, "tokenCount"), _count(row, "token_count")) for row in rows if _plain(row.get("modality")) == wanted]
        return sum(n or 0 for n in found) if found else None

    thoughts, candidates = count("thoughtsTokenCount"), count("candidatesTokenCount")
    return _usage(
        _sum(count("promptTokenCount"), count("toolUsePromptTokenCount")),
        _sum(candidates, thoughts),
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
        return _first(_count(raw, name), _count(raw, name.removesuffix("s") + "Count"))

    read, write = count("cacheReadInputTokens"), count("cacheWriteInputTokens")
    hour = [_count(row, "inputTokens") or 0 for row in _maps(raw, "cacheDetails") if row.get("ttl") == "1h"]
    write_1h = min(sum(hour), write or 0) if hour else None
    total = count("inputTokens")
    return _usage(
        total if total is None else _sum(total, read, write),
        count("outputTokens"),
        cache_read=read,
        cache_write_5m=write if write is None else write - (write_1h or 0),
        cache_write_1h=write_1h,
    )


def ollama(raw: Raw) -> Usage:
    """Read the counts that Ollama puts on its last chunk; a prompt that its cache held has no `prompt_eval_count`.

    Source: https://docs.ollama.com/api/usage
    """
    return _usage(_count(raw, "prompt_eval_count"), _count(raw, "eval_count"))


def token_usage(raw: Raw) -> Usage:
    """Read a plain pair of counts under any of the names in use (Cohere, watsonx, Hugging Face, older clients)."""
    return _usage(
        _first(*(_count(raw, name) for name in ("input_tokens", "prompt_tokens", "input_token_count", "inputTokens"))),
        _first(*(_count(raw, name) for name in ("output_tokens", "completion_tokens", "generated_token_count", "outputTokens"))),
    )


def langchain(raw: Raw) -> Usage:
    """Read LangChain's `UsageMetadata`, whose totals include caches, audio and reasoning.

    langchain-openai prefixes the details with the service tier (`priority_cache_read`). langchain-anthropic and
    langchain-aws set `cache_creation` to 0 where they know the lifetimes; in older releases it is the sum of them. Releases
    of langchain-aws that left caches out of the input show it by their total, or by caches larger than the input.

    Source: https://reference.langchain.com/python/langchain-core/messages/ai/UsageMetadata
    """
    given, made = _map(raw, "input_token_details"), _map(raw, "output_token_details")

    def detail(details: Raw, name: str) -> int | None:
        if not details:
            return None
        return _sum(_count(details, name), *[_count(details, f"{tier}_{name}") for tier in _TIERS])

    read, write = detail(given, "cache_read"), detail(given, "cache_creation")
    write_5m, write_1h = _count(given, "ephemeral_5m_input_tokens"), _count(given, "ephemeral_1h_input_tokens")
    if write is not None:
        write_5m = (write_5m or 0) + max(0, write - (write_5m or 0) - (write_1h or 0))
    total, output = _count(raw, "input_tokens"), _count(raw, "output_tokens")
    cached = _sum(read, write_5m, write_1h)
    if total is not None and cached and (cached > total or _count(raw, "total_tokens") == total + (output or 0) + cached):
        total += cached
    return _usage(
        total,
        output,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=detail(made, "reasoning"),
        audio_input=_count(given, "audio"),
        audio_output=_count(made, "audio"),
        image_input=_count(given, "image"),
        image_output=_count(made, "image"),
    )


def service_tier(raw: Raw) -> str | None:
    """Return the service tier that prefixes the details of a LangChain `UsageMetadata`."""
    for details in (_map(raw, "input_token_details"), _map(raw, "output_token_details")):
        for tier in _TIERS:
            if any(name == tier or name.startswith(f"{tier}_") for name in details):
                return tier
    return None


def detect(raw: Raw) -> Usage | None:
    """Read a usage mapping whose format is not known, by the names in it; `None` if it has none of them."""
    names = raw.keys()
    if names & {"promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count"}:
        return gemini(raw)
    if names & {"inputTokens", "outputTokens", "inputTokenCount", "outputTokenCount"}:
        return bedrock_converse(raw)
    if names & {"prompt_eval_count", "eval_count"}:
        return ollama(raw)
    if names & {"prompt_tokens", "completion_tokens"}:
        return openai_chat(raw)
    if names & {"input_token_details", "output_token_details"}:
        return langchain(raw)
    if names & {"input_tokens", "output_tokens"}:
        by_anthropic = {"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use", "iterations"}
        return anthropic_messages(raw) if names & by_anthropic else openai_responses(raw)
    return token_usage(raw) if names & {"input_token_count", "generated_token_count"} else None


def _usage(total: int | None, output: int | None, **parts: int | None) -> Usage:
    """Make a `Usage` of counts that may contradict each other: each part is cut down to what its total leaves."""
    kept = {name: value for name, value in parts.items() if value is not None}

    def fit(name: str, room: int | None) -> int:
        if name not in kept:
            return 0
        if room is None:
            del kept[name]
            return 0
        kept[name] = min(kept[name], room)
        return kept[name]

    room = total
    for name in ("cache_read", "cache_write_5m", "cache_write_1h"):
        room = _less(room, fit(name, room))
    fit("image_input", _less(total, fit("audio_input", total)))
    fit("reasoning", output)
    fit("image_output", _less(output, fit("audio_output", output)))
    if "audio_cache_read" in kept:
        fit("audio_cache_read", min(kept.get("cache_read", 0), kept.get("audio_input", 0)))
    return Usage(input=total, output=output, **kept)


def _count(raw: Raw, name: str) -> int | None:
    value = raw.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _map(raw: Raw, name: str) -> Raw:
    value = raw.get(name)
    # A dict is asked for first: an abstract class takes ten times as long to answer.
    return cast("Raw", value) if isinstance(value, dict | Mapping) else _NOTHING


def _maps(raw: Raw, name: str) -> Iterable[Raw]:
    value = raw.get(name)
    if not isinstance(value, list | tuple):
        return ()
    return [cast("Raw", item) for item in cast("list[object]", value) if isinstance(item, Mapping)]


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _less(total: int | None, part: int) -> int | None:
    return None if total is None else total - part


def _plain(value: object) -> str:
    """Return an enumeration's member, or its name, as a bare word."""
    return str(getattr(value, "value", value)).rpartition(".")[2].upper()


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
