"""Profiles: the same cost in the words of each backend."""

import json
from decimal import Decimal
from typing import Any

import pytest

from token_otel import Usage
from token_otel.ledger import Posting
from token_otel.otel import semconv as sc
from token_otel.otel.profiles import PROFILES, cost_attributes, operation_attributes
from token_otel.prices.cost import UNPRICED, Cost
from token_otel.settings import COST_PROFILES

PRICED = Posting(
    usage=Usage(input=1_000, output=100, cache_read=600, cache_write_5m=50, reasoning=40),
    usage_status="reported",
    cost=Cost(
        status="priced",
        input_usd=Decimal("0.003"),
        output_usd=Decimal("0.0015"),
        total_usd=Decimal("0.0045"),
        cache_read_usd=Decimal("0.0002"),
        cache_write_usd=Decimal("0.0001"),
        reasoning_usd=Decimal("0.0006"),
        source="genai-prices",
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
                    "input_cache_creation_5m": 50,
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
                "llm.model_name": "x",
                "llm.cost.prompt": 0.003,
                "llm.cost.prompt_details.cache_read": 0.0002,
                "llm.cost.prompt_details.cache_write": 0.0001,
                "llm.cost.completion_details.reasoning": 0.0006,
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
    assert cost_attributes(["openinference"], PARTIAL) == {"llm.model_name": "x", "llm.token_count.prompt": 1_000}


@pytest.mark.parametrize(
    ("usage", "buckets"),
    [
        # 1,000 - 600 - 50 - 30, an hour and five minutes apart
        (
            Usage(input=1_000, output=100, cache_read=600, cache_write_5m=50, cache_write_1h=30),
            {
                "input": 320,
                "input_cached_tokens": 600,
                "input_cache_creation_5m": 50,
                "input_cache_creation_1h": 30,
                "output": 100,
                "total": 1_100,
            },
        ),
        # 200 of the 300 for audio are fresh: 1,000 - 400 - 200; 90 - 10 - 60
        (
            Usage(input=1_000, output=90, cache_read=400, audio_input=300, audio_cache_read=100, audio_output=60, reasoning=10),
            {
                "input": 400,
                "input_cached_tokens": 400,
                "input_audio_tokens": 200,
                "output": 20,
                "output_reasoning_tokens": 10,
                "output_audio_tokens": 60,
                "total": 1_090,
            },
        ),
        # it is not said how much of the audio is cached, but only 100 are fresh
        (
            Usage(input=1_000, output=5, cache_read=900, audio_input=1_000),
            {"input": 0, "input_cached_tokens": 900, "input_audio_tokens": 100, "output": 5, "total": 1_005},
        ),
        # nor how much of the audio was thought: 30 are neither
        (Usage(output=100, audio_output=90, reasoning=70), {"output": 0, "output_reasoning_tokens": 70, "output_audio_tokens": 30}),
        (Usage(input=70), {"input": 70}),
    ],
)
def test_langfuses_buckets_exclude_one_another(usage: Usage, buckets: dict[str, int]):
    """All but the total sum to it: an inclusive bucket would be counted, and priced, twice."""
    posting = Posting(usage=usage, usage_status="reported", cost=UNPRICED, model="x")
    written = json.loads(str(cost_attributes(["langfuse"], posting)["langfuse.observation.usage_details"]))

    assert written == buckets
    assert sum(tokens for name, tokens in buckets.items() if name != "total") == (usage.input or 0) + (usage.output or 0)


def test_a_call_of_which_nothing_is_known_has_no_buckets():
    """Not an empty one: Langfuse would take it for the whole usage."""
    posting = Posting(usage=Usage(web_searches=2), usage_status="reported", cost=UNPRICED, model="x")

    assert cost_attributes(["langfuse"], posting) == {}


def test_openinference_tells_audio():
    """Inclusive, as its other details are."""
    usage = Usage(input=1_000, output=90, audio_input=300, audio_cache_read=100, cache_read=400, audio_output=60)
    posting = Posting(usage=usage, usage_status="reported", cost=UNPRICED, model=None)

    assert cost_attributes(["openinference"], posting) == {
        "llm.token_count.prompt": 1_000,
        "llm.token_count.completion": 90,
        "llm.token_count.total": 1_090,
        "llm.token_count.prompt_details.cache_read": 400,
        "llm.token_count.prompt_details.audio": 300,
        "llm.token_count.completion_details.audio": 60,
    }


@pytest.mark.parametrize("profile", ["langfuse", "openinference"])
def test_no_audio_is_not_spoken_of(profile: str):
    """OpenAI reports a 0 on every call, and Phoenix would show a row for it."""
    posting = Posting(usage=Usage(input=70, output=7, audio_input=0, audio_output=0), usage_status="reported", cost=UNPRICED, model="x")

    assert "audio" not in repr(cost_attributes([profile], posting))


@pytest.mark.parametrize("left_out", ["semconv-draft", "openlit"])
def test_several_profiles_stand_side_by_side(left_out: str):
    """None replaces another's key, and none of a span's keys is the beginning of another: stores that expand dots refuse that."""
    chosen = [name for name in PROFILES if name != left_out]
    together = cost_attributes(chosen, PRICED) | operation_attributes(chosen, "chat", "c1")

    alone = [{**cost_attributes([name], PRICED), **operation_attributes([name], "chat", "c1")} for name in chosen]
    assert sum(map(len, alone)) == len(together)
    keys = {*together, *(str(value) for name, value in vars(sc).items() if name.isupper() and name[:2] != "M_" and isinstance(value, str))}
    keys -= set(cost_attributes([left_out], PRICED)) - set(together)
    assert [(key, longer) for key in keys for longer in keys if longer.startswith(f"{key}.") and key != sc.SCOPE] == []


@pytest.mark.parametrize(
    ("profile", "operation", "values"),
    [
        ("openinference", "chat", {"openinference.span.kind": "LLM", "session.id": "c1"}),
        ("openinference", "text_completion", {"openinference.span.kind": "LLM", "session.id": "c1"}),
        ("openinference", "embeddings", {"openinference.span.kind": "EMBEDDING", "session.id": "c1"}),
        ("openinference", "execute_tool", {"openinference.span.kind": "TOOL", "session.id": "c1"}),
        ("openinference", "retrieval", {"openinference.span.kind": "RETRIEVER", "session.id": "c1"}),
        ("openinference", "invoke_agent", {"openinference.span.kind": "AGENT", "session.id": "c1"}),
        ("openinference", "invoke_workflow", {"openinference.span.kind": "CHAIN", "session.id": "c1"}),
        ("mlflow", "invoke_workflow", {"mlflow.spanType": '"WORKFLOW"'}),
        ("mlflow", "retrieval", {"mlflow.spanType": '"RETRIEVER"'}),
        ("mlflow", "chat", {}),
        ("langfuse", "chat", {"langfuse.observation.type": "generation", "langfuse.session.id": "c1"}),
        ("langfuse", "text_completion", {"langfuse.observation.type": "generation", "langfuse.session.id": "c1"}),
        ("langfuse", "embeddings", {"langfuse.observation.type": "embedding", "langfuse.session.id": "c1"}),
        ("langfuse", "execute_tool", {"langfuse.observation.type": "tool", "langfuse.session.id": "c1"}),
        ("langfuse", "retrieval", {"langfuse.observation.type": "retriever", "langfuse.session.id": "c1"}),
        ("langfuse", "invoke_agent", {"langfuse.observation.type": "agent", "langfuse.session.id": "c1"}),
        ("langfuse", "invoke_workflow", {"langfuse.observation.type": "chain", "langfuse.session.id": "c1"}),
        ("openlit", "chat", {}),
    ],
)
def test_a_span_says_what_it_is(profile: str, operation: str, values: dict[str, str]):
    """To a backend that would not know it from the conventions."""
    assert operation_attributes([profile], operation, "c1") == values


def test_no_conversation_is_no_session():
    """Unknown is absent."""
    assert operation_attributes(["langfuse", "openinference"], "chat", None) == {
        "langfuse.observation.type": "generation",
        "openinference.span.kind": "LLM",
    }
