"""Cost and usage under the names that each backend reads; one computation, several spellings.

Source: the code of the backends, as of 2026-11: OpenLIT 1.45, Langfuse, Logfire 6, MLflow 3.17, Phoenix 20, OpenInference 0.1.42,
semconv PR #443.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from token_otel.ledger import Posting
from token_otel.otel import semconv as sc
from token_otel.otel.values import Values
from token_otel.usage import Usage

Profile = Callable[[Posting], Values]


def _openlit(posting: Posting) -> Values:
    return _scalar(sc.OPENLIT_COST, posting)


def _logfire(posting: Posting) -> Values:
    return _scalar(sc.LOGFIRE_COST, posting)


def _scalar(name: str, posting: Posting) -> Values:
    return {} if posting.cost.total_usd is None else {name: float(posting.cost.total_usd)}


def _draft(posting: Posting) -> Values:
    if posting.cost.total_usd is None:
        return {}
    source = "provider" if posting.cost.source == "provider" else "local"
    return {sc.DRAFT_COST_AMOUNT: float(posting.cost.total_usd), sc.DRAFT_COST_CURRENCY: "USD", sc.DRAFT_COST_SOURCE: source}


def _mlflow(posting: Posting) -> Values:
    figures = {
        "input_cost": posting.cost.input_usd,
        "output_cost": posting.cost.output_usd,
        "total_cost": posting.cost.total_usd,
    }
    known = {name: float(usd) for name, usd in figures.items() if usd is not None}
    return {sc.MLFLOW_COST: json.dumps(known)} if "total_cost" in known else {}


def _langfuse(posting: Posting) -> Values:
    values: Values = {}
    buckets = {} if posting.usage is None else _exclusive(posting.usage)
    if buckets:
        values[sc.LANGFUSE_USAGE] = json.dumps(buckets)
    cost = posting.cost
    figures = {"input": cost.input_usd, "output": cost.output_usd, "total": cost.total_usd}
    known = {name: float(usd) for name, usd in figures.items() if usd is not None}
    if known:
        values[sc.LANGFUSE_COST] = json.dumps(known)
    return values


def _exclusive(usage: Usage) -> dict[str, int]:
    """Return the tokens in Langfuse's buckets, which exclude one another: all but the total sum to the total.

    What is cached counts as cached, whatever its modality: a bucket for cached audio is not known to Langfuse.
    """
    audio_in = min((usage.audio_input or 0) - (usage.audio_cache_read or 0), usage.uncached)
    output = (usage.output or 0) - (usage.reasoning or 0)
    audio_out = min(usage.audio_output or 0, output)
    buckets = {
        "input": None if usage.input is None else usage.uncached - audio_in,
        "input_cached_tokens": usage.cache_read,
        "input_cache_creation_5m": usage.cache_write_5m,
        "input_cache_creation_1h": usage.cache_write_1h,
        "input_audio_tokens": audio_in or None,
        "output": None if usage.output is None else output - audio_out,
        "output_reasoning_tokens": usage.reasoning,
        "output_audio_tokens": audio_out or None,
        "total": _total(usage),
    }
    return {name: tokens for name, tokens in buckets.items() if tokens is not None}


def _openinference(posting: Posting) -> Values:
    usage, cost = posting.usage, posting.cost
    dollars = {
        sc.OPENINFERENCE_COST_INPUT: cost.input_usd,
        sc.OPENINFERENCE_COST_CACHE_READ: cost.cache_read_usd,
        sc.OPENINFERENCE_COST_CACHE_WRITE: cost.cache_write_usd,
        sc.OPENINFERENCE_COST_OUTPUT: cost.output_usd,
        sc.OPENINFERENCE_COST_REASONING: cost.reasoning_usd,
        sc.OPENINFERENCE_COST_TOTAL: cost.total_usd,
    }
    values: Values = {name: float(usd) for name, usd in dollars.items() if usd is not None}
    if posting.model is not None:
        values[sc.OPENINFERENCE_MODEL] = posting.model
    if usage is not None:
        counts = {
            sc.OPENINFERENCE_INPUT: usage.input,
            sc.OPENINFERENCE_OUTPUT: usage.output,
            sc.OPENINFERENCE_TOTAL: _total(usage),
            sc.OPENINFERENCE_CACHE_READ: usage.cache_read,
            sc.OPENINFERENCE_CACHE_WRITE: usage.cache_write,
            sc.OPENINFERENCE_AUDIO_INPUT: usage.audio_input or None,  # Phoenix gives each a row, even of 0
            sc.OPENINFERENCE_REASONING: usage.reasoning,
            sc.OPENINFERENCE_AUDIO_OUTPUT: usage.audio_output or None,
        }
        values |= {name: tokens for name, tokens in counts.items() if tokens is not None}
    return values


def _total(usage: Usage) -> int | None:
    return (usage.input or 0) + (usage.output or 0) if usage.complete else None


PROFILES: Mapping[str, Profile] = {
    "openlit": _openlit,
    "openinference": _openinference,
    "langfuse": _langfuse,
    "logfire": _logfire,
    "mlflow": _mlflow,
    "semconv-draft": _draft,
}

_LANGFUSE_TYPE = {
    "chat": "generation",
    "text_completion": "generation",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "retrieval": "retriever",
    "invoke_agent": "agent",
    "invoke_workflow": "chain",
}

_OPENINFERENCE_KIND = {
    "chat": "LLM",
    "text_completion": "LLM",
    "embeddings": "EMBEDDING",
    "execute_tool": "TOOL",
    "retrieval": "RETRIEVER",
    "invoke_agent": "AGENT",
    "invoke_workflow": "CHAIN",
}


def operation_attributes(profiles: Iterable[str], operation: str, conversation_id: str | None) -> Values:
    """Return the type of a span in the words of each backend that would not know it from `gen_ai.operation.name`."""
    values: Values = {}
    for profile in profiles:
        if profile == "openinference":
            values[sc.OPENINFERENCE_KIND] = _OPENINFERENCE_KIND[operation]
            if conversation_id is not None:
                values[sc.OPENINFERENCE_SESSION] = conversation_id
        elif profile == "mlflow" and operation in ("invoke_workflow", "retrieval"):
            values[sc.MLFLOW_SPAN_TYPE] = json.dumps("WORKFLOW" if operation == "invoke_workflow" else "RETRIEVER")
        elif profile == "langfuse":
            values[sc.LANGFUSE_TYPE] = _LANGFUSE_TYPE[operation]
            if conversation_id is not None:
                values[sc.LANGFUSE_SESSION] = conversation_id
    return values


def cost_attributes(profiles: Iterable[str], posting: Posting) -> Values:
    """Return one call's cost, and where a backend needs it its tokens, in the words of each profile."""
    values: Values = {}
    for profile in profiles:
        values |= PROFILES[profile](posting)
    return values
