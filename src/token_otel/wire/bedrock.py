"""What Bedrock says a call used: Converse, and InvokeModel in the words of the model that it runs."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.counts import Raw, count_of, first_of, fitted, mappings_of, sum_of


def bedrock_converse(raw: Raw) -> Usage:
    """Read `usage` of Converse, or the `amazon-bedrock-invocationMetrics` that end a stream of InvokeModel.

    Input leaves out both caches. Converse spells `cacheReadInputTokens`, a stream's metrics and some answers
    `cacheReadInputTokenCount`; where both stand they are the same.

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


def bedrock_invoke(raw: Raw) -> Usage:
    """Read the counts in the body of an InvokeModel answer of Llama or Titan, which cache nothing.

    Claude, Nova, Mistral and the open models answer with a `usage` in their own words: Anthropic's, Converse's, OpenAI's.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html, .../model-parameters-titan-text.html
    """
    written = [count_of(row, "tokenCount") for row in mappings_of(raw, "results")]
    return fitted(
        first_of(count_of(raw, "prompt_token_count"), count_of(raw, "inputTextTokenCount")),
        first_of(count_of(raw, "generation_token_count"), sum_of(*written)),
    )
