"""Profiles: the same cost in the words of each backend."""

import json
from decimal import Decimal
from typing import Any

import pytest

from token_otel import Usage
from token_otel.ledger import Posting
from token_otel.otel.profiles import PROFILES, cost_attributes, operation_attributes
from token_otel.prices.cost import UNPRICED, Cost
from token_otel.settings import COST_PROFILES

PRICED = Posting(
    usage=Usage(input=1_000, output=100, cache_read=600, cache_write_5m=50, reasoning=40),
    usage_status="reported",
    cost=Cost(
        status="priced", input_usd=Decimal("0.003"), output_usd=Decimal("0.0015"), total_usd=Decimal("0.0045"), source="genai-prices"
    ),
    model="x",
)
UNKNOWN = Posting(usage=PRICED.usage, usage_status="reported", cost=UNPRICED, model="x")
TOTAL_ALONE = Posting(
    usage=PRICED.usage, usage_status="reported", cost=Cost(status="priced", total_usd=Decimal("0.25"), source="provider"), model="x"
)
PARTIAL = Posting(usage=Usage(input=1_000), usage_status="partial", cost=UNPRICED, model="x")


def test_every_profile_of_the_settings_exists():
    """And no other."""
    assert set(PROFILES) == set(COST_PROFILES)


@pytest.mark.parametrize(
    ("profile", "values"),
    [
        ("openlit", {"gen_ai.usage.cost": 0.0045}),
        ("logfire", {"operation.cost": 0.0045}),
        (
            "semconv-draft",
            {"gen_ai.usage.cost.amount": 0.0045, "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "local"},
        ),
        ("mlflow", {"mlflow.llm.cost": {"input_cost": 0.003, "output_cost": 0.0015, "total_cost": 0.0045}}),
        (
            "langfuse",
            {
                # Langfuse's buckets exclude one another: 1,000 - 600 - 50 and 100 - 40
                "langfuse.observation.usage_details": {
                    "input": 350,
                    "input_cached_tokens": 600,
                    "input_cache_creation": 50,
                    "output": 60,
                    "output_reasoning_tokens": 40,
                    "total": 1_100,
                },
                "langfuse.observation.cost_details": {"input": 0.003, "output": 0.0015, "total": 0.0045},
            },
        ),
        (
            "openinference",
            {
                "llm.cost.prompt": 0.003,
                "llm.cost.completion": 0.0015,
                "llm.cost.total": 0.0045,
                "llm.token_count.prompt": 1_000,
                "llm.token_count.completion": 100,
                "llm.token_count.total": 1_100,
                "llm.token_count.prompt_details.cache_read": 600,
                "llm.token_count.prompt_details.cache_write": 50,
                "llm.token_count.completion_details.reasoning": 40,
            },
        ),
    ],
)
def test_each_backend_reads_its_own_keys(profile: str, values: dict[str, Any]):
    """Structures as JSON, numbers as they are."""
    written = cost_attributes([profile], PRICED)

    assert {name: json.loads(value) if str(value).startswith("{") else value for name, value in written.items()} == values  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_unknown_cost_is_absent(profile: str):
    """Not 0, under any name."""
    assert not [name for name in cost_attributes([profile], UNKNOWN) if "cost" in name]


@pytest.mark.parametrize(
    ("profile", "values"),
    [
        ("semconv-draft", {"gen_ai.usage.cost.amount": 0.25, "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "provider"}),
        ("mlflow", {"mlflow.llm.cost": '{"total_cost": 0.25}'}),
        ("openlit", {"gen_ai.usage.cost": 0.25}),
    ],
)
def test_a_total_alone_is_said_alone(profile: str, values: dict[str, Any]):
    """What the provider charged, without a split."""
    assert cost_attributes([profile], TOTAL_ALONE) == values


def test_a_total_of_what_is_half_known_is_unknown():
    """A stream that was broken off has no sum of its tokens."""
    assert json.loads(str(cost_attributes(["langfuse"], PARTIAL)["langfuse.observation.usage_details"])) == {"input": 1_000}
    assert cost_attributes(["openinference"], PARTIAL) == {"llm.token_count.prompt": 1_000}


def test_several_profiles_stand_side_by_side():
    """None replaces another's key."""
    together = cost_attributes([name for name in PROFILES if name != "semconv-draft"], PRICED)

    assert sum(len(cost_attributes([name], PRICED)) for name in PROFILES if name != "semconv-draft") == len(together)


@pytest.mark.parametrize(
    ("profile", "operation", "values"),
    [
        ("openinference", "chat", {"openinference.span.kind": "LLM"}),
        ("openinference", "text_completion", {"openinference.span.kind": "LLM"}),
        ("openinference", "embeddings", {"openinference.span.kind": "EMBEDDING"}),
        ("openinference", "execute_tool", {"openinference.span.kind": "TOOL"}),
        ("openinference", "retrieval", {"openinference.span.kind": "RETRIEVER"}),
        ("openinference", "invoke_agent", {"openinference.span.kind": "AGENT"}),
        ("openinference", "invoke_workflow", {"openinference.span.kind": "CHAIN"}),
        ("mlflow", "invoke_workflow", {"mlflow.spanType": '"WORKFLOW"'}),
        ("mlflow", "retrieval", {"mlflow.spanType": '"RETRIEVER"'}),
        ("mlflow", "chat", {}),
        ("langfuse", "chat", {"langfuse.session.id": "c1"}),
        ("openlit", "chat", {}),
    ],
)
def test_a_span_says_what_it_is(profile: str, operation: str, values: dict[str, str]):
    """To a backend that would not know it from the conventions."""
    assert operation_attributes([profile], operation, "c1") == values


def test_no_conversation_is_no_session():
    """Unknown is absent."""
    assert operation_attributes(["langfuse"], "chat", None) == {}
