"""What frameworks make of it: LangChain's `UsageMetadata`."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, fitted, mapping_of, sum_of

_TIERS = ("priority", "flex")


def langchain(raw: Raw) -> Usage:
    """Read LangChain's `UsageMetadata`, whose totals include caches, audio and reasoning.

    langchain-openai prefixes the details with the service tier (`priority_cache_read`). langchain-anthropic and
    langchain-aws set `cache_creation` to 0 where they know the lifetimes; in older releases it is the sum of them. Releases
    of langchain-aws that left caches out of the input show it by their total, or by caches larger than the input.

    Source: https://reference.langchain.com/python/langchain-core/messages/ai/UsageMetadata
    """
    given, made = mapping_of(raw, "input_token_details"), mapping_of(raw, "output_token_details")

    def detail(details: Raw, name: str) -> int | None:
        if not details:
            return None
        return sum_of(count_of(details, name), *[count_of(details, f"{tier}_{name}") for tier in _TIERS])

    read, write = detail(given, "cache_read"), detail(given, "cache_creation")
    write_5m, write_1h = count_of(given, "ephemeral_5m_input_tokens"), count_of(given, "ephemeral_1h_input_tokens")
    if write is not None:
        write_5m = (write_5m or 0) + max(0, write - (write_5m or 0) - (write_1h or 0))
    total, output = count_of(raw, "input_tokens"), count_of(raw, "output_tokens")
    cached = sum_of(read, write_5m, write_1h)
    if total is not None and cached and (cached > total or count_of(raw, "total_tokens") == total + (output or 0) + cached):
        total += cached
    return fitted(
        total,
        output,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        reasoning=detail(made, "reasoning"),
        audio_input=count_of(given, "audio"),
        audio_output=count_of(made, "audio"),
        image_input=count_of(given, "image"),
        image_output=count_of(made, "image"),
    )


def service_tier(raw: Raw) -> str | None:
    """Return the service tier that prefixes the details of a LangChain `UsageMetadata`."""
    for details in (mapping_of(raw, "input_token_details"), mapping_of(raw, "output_token_details")):
        for tier in _TIERS:
            if any(name == tier or str(name).startswith(f"{tier}_") for name in details):
                return tier
    return None
