"""Metrics of both generations, with their values; never an id, and a bounded number of agents."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.tapes import Bench, bench

from token_otel import Usage
from token_otel.events import (
    AgentStarted,
    Ended,
    Event,
    FirstChunk,
    ModelEnded,
    ModelStarted,
    Part,
    RetrievalStarted,
    ToolStarted,
    UsageSeen,
)

SECOND_NS = 1_000_000_000
USAGE = Usage(input=1_000, output=100, cache_read=600, cache_write_5m=100, reasoning=40)
TRACE: list[Event] = [
    AgentStarted(run_id="a", name="planner", at_ns=0, conversation_id="thread-7"),
    ModelStarted(
        run_id="m",
        parent_id="a",
        model="cheap",
        provider="openai",
        at_ns=1 * SECOND_NS,
        prompt=(Part(kind="system", text="hello" + " hello" * 995), Part(kind="user", text="hi", message_id="msg_0123456789abcdef")),
    ),
    FirstChunk(run_id="m", at_ns=SECOND_NS + SECOND_NS // 2),
    ModelEnded(run_id="m", usage=USAGE, model="cheap-1", response_id="resp_1", at_ns=3 * SECOND_NS),
    ToolStarted(run_id="t", parent_id="a", name="search", call_id="call_0", at_ns=3 * SECOND_NS),
    Ended(run_id="t", at_ns=7 * SECOND_NS, status="error", error_type="TimeoutError"),
    Ended(run_id="a", at_ns=10 * SECOND_NS),
]
MODEL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "cheap",
    "gen_ai.response.model": "cheap-1",
}
ALWAYS = {
    "gen_ai.invoke_agent.duration",
    "gen_ai.execute_tool.duration",
    "token_otel.cost",
    "token_otel.flow.tokens",
}
LATEST = {
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    "gen_ai.client.inference.operation.input_tokens",
    "gen_ai.client.inference.operation.output_tokens",
}
LEGACY = {"gen_ai.client.operation.duration", "gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.token.usage"}
UNKNOWN = {"gen_ai.token.modality": "unknown"}


def played(*events: Event, **settings: Any) -> Bench:
    return bench(**settings).play(list(events))


def points(made: Bench, name: str) -> list[tuple[dict[str, Any], float]]:
    """Each data point's labels, and its sum."""
    found = made.metrics().get(name, [])
    return [(dict(point.attributes), point.value if hasattr(point, "value") else point.sum) for point in found]


@pytest.mark.parametrize(
    ("generations", "names"),
    [("both", ALWAYS | LATEST | LEGACY), ("latest", ALWAYS | LATEST), ("legacy", ALWAYS | LEGACY), ("off", set[str]())],
)
def test_either_generation_is_written(generations: str, names: set[str]):
    """Or both, or none."""
    assert set(played(*TRACE, metrics=generations).metrics()) == names


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("gen_ai.client.inference.duration", MODEL, 2.0),
        ("gen_ai.client.operation.duration", MODEL, 2.0),
        ("gen_ai.client.inference.time_to_first_chunk", MODEL, 0.5),
        ("gen_ai.client.operation.time_to_first_chunk", MODEL, 0.5),
        ("gen_ai.client.inference.operation.input_tokens", MODEL, 1_000),
        ("gen_ai.client.inference.operation.output_tokens", MODEL, 100),
        ("gen_ai.client.inference.usage.input_tokens", MODEL | UNKNOWN, 1_000),
        ("gen_ai.client.inference.usage.output_tokens", MODEL | UNKNOWN, 100),
        ("gen_ai.client.inference.usage.cache_read.input_tokens", MODEL | UNKNOWN, 600),
        ("gen_ai.client.inference.usage.cache_write.input_tokens", MODEL | UNKNOWN, 100),
        ("gen_ai.client.inference.usage.reasoning.output_tokens", MODEL | UNKNOWN, 40),
        ("gen_ai.invoke_agent.duration", {"gen_ai.agent.name": "planner"}, 10.0),
        (
            "gen_ai.execute_tool.duration",
            {"gen_ai.tool.name": "search", "gen_ai.tool.type": "function", "gen_ai.agent.name": "planner", "error.type": "TimeoutError"},
            4.0,
        ),
        # fresh 300 x $3 + read 600 x $0.30 + written 100 x $3.75 + 100 x $15, per million, and $0.001 for the request
        ("token_otel.cost", MODEL | {"gen_ai.agent.name": "planner"}, 0.003955),
    ],
)
def test_a_call_adds_its_figures(name: str, labels: dict[str, Any], value: float):
    """Under the labels of the conventions."""
    assert points(played(*TRACE), name) == [(labels, pytest.approx(value, abs=1e-12))]


def test_the_older_token_histogram_tells_input_from_output():
    """By a label."""
    values = {labels["gen_ai.token.type"]: value for labels, value in points(played(*TRACE), "gen_ai.client.token.usage")}

    assert values == {"input": 1_000, "output": 100}


def test_the_flow_is_summed_by_kind_cache_and_newness():
    """The whole input, by who produced it and who reads it."""
    flows = points(played(*TRACE), "token_otel.flow.tokens")

    assert sum(value for _, value in flows) == 1_000
    assert {labels["gen_ai.agent.name"] for labels, _ in flows} == {"planner"}
    assert {labels["token_otel.flow.producer.kind"] for labels, _ in flows} == {"system", "user"}
    by_cache: dict[str, float] = {}
    for labels, value in flows:
        by_cache[labels["token_otel.flow.cache"]] = by_cache.get(labels["token_otel.flow.cache"], 0) + value
        assert labels["token_otel.flow.reread"] is False
    assert by_cache == {"read": 600, "write": 100, "none": 300}


def test_no_label_is_an_id():
    """Neither of a run, a conversation, a message, a response nor a tool call."""
    labels = repr([point.attributes for found in played(*TRACE).metrics().values() for point in found])

    for identity in ("thread-7", "msg_0123456789abcdef", "resp_1", "call_0", "user.id"):
        assert identity not in labels


def test_fifty_agents_have_names_and_the_rest_is_other():
    """A program that names an agent after each request costs no backend its memory."""
    made = bench()
    for number in range(60):
        made.recorder.record(AgentStarted(run_id=str(number), name=f"agent {number}", at_ns=0))
        made.recorder.record(Ended(run_id=str(number), at_ns=SECOND_NS))

    sums = {labels["gen_ai.agent.name"]: value for labels, value in points(made, "gen_ai.invoke_agent.duration")}
    assert sums == {f"agent {number}": 1.0 for number in range(50)} | {"other": 10.0}


def test_a_workflow_has_a_duration_of_its_own():
    """It is no agent."""
    made = played(AgentStarted(run_id="w", name="pipeline", kind="workflow", at_ns=0), Ended(run_id="w", at_ns=SECOND_NS))

    assert points(made, "gen_ai.invoke_workflow.duration") == [({"gen_ai.workflow.name": "pipeline"}, 1.0)]
    assert points(made, "gen_ai.invoke_agent.duration") == []


COUNTERS = [
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
]
SIZES = ["gen_ai.client.inference.operation.input_tokens", "gen_ai.client.inference.operation.output_tokens"]


def test_a_call_that_failed_says_how():
    """On its durations and sizes, which are 0; its counters get the 0 that the conventions ask for, under no error."""
    made = played(
        ModelStarted(run_id="m", model="cheap", provider="openai", at_ns=0),
        ModelEnded(run_id="m", status="error", error_type="RateLimitError", at_ns=SECOND_NS),
    )

    labels = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "cheap"}
    failed = labels | {"error.type": "RateLimitError"}
    for name in ("gen_ai.client.operation.duration", "gen_ai.client.inference.duration"):
        assert points(made, name) == [(failed, 1.0)]
    assert {name: points(made, name) for name in COUNTERS} == {name: [(labels | UNKNOWN, 0)] for name in COUNTERS}
    assert {name: points(made, name) for name in SIZES} == {name: [(failed, 0)] for name in SIZES}
    assert points(made, "gen_ai.client.token.usage") == []
    assert points(made, "token_otel.cost") == []


def test_a_call_without_usage_counts_0_and_has_no_size():
    """A counter loses nothing by a 0; a distribution would be wrong by it."""
    made = played(ModelStarted(run_id="m", model="cheap", at_ns=0), ModelEnded(run_id="m", at_ns=SECOND_NS))

    labels = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "cheap"}
    assert {name: points(made, name) for name in COUNTERS} == {name: [(labels | UNKNOWN, 0)] for name in COUNTERS}
    assert [points(made, name) for name in SIZES] == [[], []]
    assert points(made, "gen_ai.client.token.usage") == []


def test_audio_and_images_are_counted_apart():
    """The rest may be text or video: the conventions have no word for either of them being guessed."""
    usage = Usage(
        input=1_000, cache_read=400, audio_input=300, audio_cache_read=100, image_input=50, output=90, audio_output=60, reasoning=10
    )
    made = played(ModelStarted(run_id="m", model="cheap"), ModelEnded(run_id="m", usage=usage))

    counted = {name: {str(labels["gen_ai.token.modality"]): value for labels, value in points(made, name)} for name in COUNTERS}
    assert list(counted.values()) == [
        {"audio": 300, "image": 50, "unknown": 650},
        {"audio": 60, "unknown": 30},
        {"audio": 100, "unknown": 300},
        {"unknown": 0},
        {"unknown": 10},
    ]


def test_the_service_tier_is_a_label_of_openais_calls():
    """Of all their metrics, since it halves the price."""
    made = played(
        ModelStarted(run_id="o", model="cheap", provider="openai"),
        ModelEnded(run_id="o", usage=Usage(input=70, output=7), service_tier="flex"),
        ModelStarted(run_id="a", model="cheap", provider="anthropic"),
        ModelEnded(run_id="a", usage=Usage(input=70, output=7), service_tier="standard"),
    )

    for name in ("gen_ai.client.inference.duration", "gen_ai.client.operation.duration", COUNTERS[0], SIZES[0], "token_otel.cost"):
        tiers = {labels["gen_ai.provider.name"]: labels.get("openai.response.service_tier") for labels, _ in points(made, name)}
        assert tiers == {"openai": "flex", "anthropic": None}


@pytest.mark.parametrize("generation", ["latest", "legacy", "both"])
def test_embeddings_and_retrieval_are_operations_and_no_inference(generation: str):
    """Their duration has one name in both generations; what the embedding used is counted, and no output is made up."""
    made = played(
        RetrievalStarted(run_id="r", name="library", at_ns=0),
        ModelStarted(run_id="e", parent_id="r", model="cheap", provider="openai", operation="embeddings", at_ns=0),
        ModelEnded(run_id="e", usage=Usage(input=70), at_ns=SECOND_NS),
        Ended(run_id="r", at_ns=3 * SECOND_NS, status="error", error_type="TimeoutError"),
        metrics=generation,
    )

    embedding = {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai", "gen_ai.request.model": "cheap"}
    assert points(made, "gen_ai.client.operation.duration") == [
        (embedding, 1.0),
        ({"gen_ai.operation.name": "retrieval", "error.type": "TimeoutError"}, 3.0),
    ]
    assert points(made, "gen_ai.client.inference.duration") == []
    latest, legacy = [(embedding | UNKNOWN, 70)], [(embedding | {"gen_ai.token.type": "input"}, 70)]
    assert points(made, COUNTERS[0]) == (latest if generation != "legacy" else [])
    assert points(made, COUNTERS[1]) == []
    assert points(made, "gen_ai.client.token.usage") == (legacy if generation != "latest" else [])


def test_what_does_not_stream_has_no_first_chunk():
    """In neither generation."""
    made = played(ModelStarted(run_id="m", model="cheap"), ModelEnded(run_id="m", usage=USAGE))

    assert points(made, "gen_ai.client.inference.time_to_first_chunk") == []
    assert points(made, "gen_ai.client.operation.time_to_first_chunk") == []


@pytest.mark.parametrize(
    ("start", "name", "labels"),
    [
        (AgentStarted(run_id="x", name="planner", at_ns=0), "gen_ai.invoke_agent.duration", {"gen_ai.agent.name": "planner"}),
        (
            AgentStarted(run_id="x", name="pipeline", kind="workflow", at_ns=0),
            "gen_ai.invoke_workflow.duration",
            {"gen_ai.workflow.name": "pipeline"},
        ),
        (AgentStarted(run_id="x", name=None, kind="workflow", at_ns=0), "gen_ai.invoke_workflow.duration", {}),
        (
            ToolStarted(run_id="x", name="search", at_ns=0),
            "gen_ai.execute_tool.duration",
            {"gen_ai.tool.name": "search", "gen_ai.tool.type": "function"},
        ),
    ],
)
def test_what_fails_says_how_on_its_duration(start: Event, name: str, labels: dict[str, str]):
    """An agent, a workflow, a tool."""
    made = played(start, Ended(run_id="x", at_ns=SECOND_NS, status="error", error_type="ValueError"))

    assert points(made, name) == [(labels | {"error.type": "ValueError"}, 1.0)]


def test_tokens_without_a_price_are_counted_apart():
    """So that a dashboard of cost can say what it lacks."""
    made = played(ModelStarted(run_id="m", model="unknown"), ModelEnded(run_id="m", usage=Usage(input=70, output=7)))

    assert [value for _, value in points(made, "token_otel.unpriced_tokens")] == [77]
    assert points(made, "token_otel.cost") == []


@pytest.mark.parametrize("end", [ModelEnded(run_id="m", usage=USAGE, local_cache=True), None])
def test_an_answer_from_the_local_cache_adds_nothing(end: ModelEnded | None):
    """No call was made; nor does a start alone add anything before its end."""
    made = bench()
    made.recorder.record(ModelStarted(run_id="m", model="cheap"))
    if end is not None:
        made.recorder.record(end)

    assert made.metrics() == {}
    made.recorder.settle()


def test_a_late_end_adds_its_tokens_and_no_second_duration():
    """The call lasted once."""
    made = bench()
    made.recorder.record(ModelStarted(run_id="m", model="cheap", at_ns=0))
    made.recorder.record(UsageSeen(run_id="m", usage=Usage(input=1_000, output=40)))
    made.recorder.settle()
    made.recorder.record(ModelEnded(run_id="m", usage=Usage(input=1_000, output=100)))

    assert [point.count for point in made.metrics()["gen_ai.client.operation.duration"]] == [1]
    assert [point.count for point in made.metrics()["gen_ai.client.inference.operation.output_tokens"]] == [1]
    assert [value for _, value in points(made, "gen_ai.client.inference.usage.output_tokens")] == [100]
    # 1,000 x $3 + 100 x $15, and $0.001 for the request, once
    assert [value for _, value in points(made, "token_otel.cost")] == [pytest.approx(0.0055, abs=1e-12)]


CLIENT_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
INSTRUMENTS = {
    "gen_ai.client.inference.duration": ("s", CLIENT_S),
    "gen_ai.client.inference.time_to_first_chunk": ("s", CLIENT_S),
    **dict.fromkeys(COUNTERS, ("{token}", None)),
    **dict.fromkeys(SIZES, ("{token}", TOKENS)),
    "gen_ai.client.operation.duration": ("s", CLIENT_S),
    "gen_ai.client.operation.time_to_first_chunk": ("s", CLIENT_S),
    "gen_ai.client.token.usage": ("{token}", TOKENS),
    "gen_ai.invoke_agent.duration": ("s", (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)),
    "gen_ai.invoke_workflow.duration": ("s", (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)),
    "gen_ai.execute_tool.duration": ("s", CLIENT_S),
    "token_otel.cost": ("{USD}", None),
    "token_otel.flow.tokens": ("{token}", None),
    "token_otel.unpriced_tokens": ("{token}", None),
}


def test_instruments_have_the_conventions_units_and_buckets():
    """A counter has no buckets and never falls; what measures time is a histogram of seconds."""
    workflow = [AgentStarted(run_id="w", name="pipeline", kind="workflow", at_ns=0), Ended(run_id="w", at_ns=SECOND_NS)]
    unpriced = [ModelStarted(run_id="u", model="unknown"), ModelEnded(run_id="u", usage=Usage(input=70, output=7))]
    data: Any = played(*TRACE, *workflow, *unpriced).reader.get_metrics_data()

    metrics: list[Any] = [metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
    assert {metric.name: (metric.unit, getattr(metric.data.data_points[0], "explicit_bounds", None)) for metric in metrics} == INSTRUMENTS
    assert {metric.name for metric in metrics if getattr(metric.data, "is_monotonic", False)} == {
        name for name, (_, buckets) in INSTRUMENTS.items() if buckets is None
    }


LATE_PROVIDER = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from token_otel import Recorder, Usage
from token_otel.events import ModelEnded, ModelStarted

recorder, reader = Recorder(), InMemoryMetricReader()
for run_id in ("before", "after", "later"):
    recorder.record(ModelStarted(run_id=run_id, model="m", provider="openai"))
    recorder.record(ModelEnded(run_id=run_id, usage=Usage(input=10, output=1)))
    if run_id == "before":
        metrics.set_meter_provider(MeterProvider([reader]))
found = [metric for resource in reader.get_metrics_data().resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
[usage] = [metric for metric in found if metric.name == "gen_ai.client.inference.usage.input_tokens"]
print(sum(point.value for point in usage.data.data_points))
"""


def test_a_provider_that_is_set_late_counts_from_then_on():
    """Two calls of 10 tokens after it; the API itself drops what comes before."""
    run = subprocess.run([sys.executable, "-c", LATE_PROVIDER], check=True, capture_output=True, text=True)

    assert run.stdout == "20\n"
