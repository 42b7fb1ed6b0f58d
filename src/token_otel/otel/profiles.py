"""Cost and usage under the names that each backend reads; one computation, several spellings.

Source: the code of the backends, as of 2026-11: OpenLIT 1.45, Langfuse, Logfire 6, MLflow 3.17, Phoenix 20, semconv PR #443.
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
    usage, cost = posting.usage, posting.cost
    if usage is not None:
        # Langfuse's buckets exclude one another; ours are inclusive.
        buckets = {
            "input": usage.uncached if usage.input is not None else None,
            "input_cached_tokens": usage.cache_read,
            "input_cache_creation": usage.cache_write,
            "output": None if usage.output is None else usage.output - (usage.reasoning or 0),
            "output_reasoning_tokens": usage.reasoning,
            "total": _total(usage),
        }
        values[sc.LANGFUSE_USAGE] = json.dumps({name: tokens for name, tokens in buckets.items() if tokens is not None})
    figures = {"input": cost.input_usd, "output": cost.output_usd, "total": cost.total_usd}
    known = {name: float(usd) for name, usd in figures.items() if usd is not None}
    if known:
        values[sc.LANGFUSE_COST] = json.dumps(known)
    return values


def _openinference(posting: Posting) -> Values:
    usage, cost = posting.usage, posting.cost
    figures: dict[str, int | float | None] = {
        sc.OPENINFERENCE_COST_INPUT: None if cost.input_usd is None else float(cost.input_usd),
        sc.OPENINFERENCE_COST_OUTPUT: None if cost.output_usd is None else float(cost.output_usd),
        sc.OPENINFERENCE_COST_TOTAL: None if cost.total_usd is None else float(cost.total_usd),
    }
    if usage is not None:
        figures |= {
            sc.OPENINFERENCE_INPUT: usage.input,
            sc.OPENINFERENCE_OUTPUT: usage.output,
            sc.OPENINFERENCE_TOTAL: _total(usage),
            sc.OPENINFERENCE_CACHE_READ: usage.cache_read,
            sc.OPENINFERENCE_CACHE_WRITE: usage.cache_write,
            sc.OPENINFERENCE_REASONING: usage.reasoning,
        }
    return {name: value for name, value in figures.items() if value is not None}


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
        elif profile == "mlflow" and operation in ("invoke_workflow", "retrieval"):
            values[sc.MLFLOW_SPAN_TYPE] = json.dumps("WORKFLOW" if operation == "invoke_workflow" else "RETRIEVER")
        elif profile == "langfuse" and conversation_id is not None:
            values[sc.LANGFUSE_SESSION] = conversation_id
    return values


def cost_attributes(profiles: Iterable[str], posting: Posting) -> Values:
    """Return one call's cost, and where a backend needs it its tokens, in the words of each profile."""
    values: Values = {}
    for profile in profiles:
        values |= PROFILES[profile](posting)
    return values
