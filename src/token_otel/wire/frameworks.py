"""What frameworks make of it: LangChain's `UsageMetadata`."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, fitted, mapping_of, sum_of

_TIERS = ("priority", "flex")
_TIER = {f"{tier}_{name}": name for tier in _TIERS for name in ("cache_read", "cache_creation", "reasoning")}


def langchain(raw: Raw) -> Usage:
    """Read LangChain's `UsageMetadata`, whose totals include caches, audio and reasoning.

    langchain-openai prefixes the details with the service tier (`priority_cache_read`). langchain-anthropic and
    langchain-aws set `cache_creation` to 0 where they know the lifetimes; in older releases it is the sum of them. Releases
    of langchain-aws that left caches out of the input show it by their total, or by caches larger than the input.

    Source: https://reference.langchain.com/python/langchain-core/messages/ai/UsageMetadata
    """
    given, made = _details(raw, "input_token_details"), _details(raw, "output_token_details")
    read, write = given.get("cache_read"), given.get("cache_creation")
    write_5m, write_1h = given.get("ephemeral_5m_input_tokens"), given.get("ephemeral_1h_input_tokens")
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
        reasoning=made.get("reasoning"),
        audio_input=given.get("audio"),
        audio_output=made.get("audio"),
        image_input=given.get("image"),
        image_output=made.get("image"),
    )


def _details(raw: Raw, name: str) -> dict[str, int]:
    """Return the counts among the details; those of several service tiers are added up."""
    details = mapping_of(raw, name)
    found: dict[str, int] = {}
    for told in details:
        count = count_of(details, told)
        if count is not None:
            known = _TIER.get(told, told)
            found[known] = found.get(known, 0) + count
    return found


def service_tier(raw: Raw) -> str | None:
    """Return the service tier that prefixes the details of a LangChain `UsageMetadata`."""
    for details in (mapping_of(raw, "input_token_details"), mapping_of(raw, "output_token_details")):
        for tier in _TIERS:
            if any(name == tier or str(name).startswith(f"{tier}_") for name in details):
                return tier
    return None
