"""Metrics of both generations, with their values; never an id, and a bounded number of agents."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tapes import Bench, bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Event, FirstChunk, ModelEnded, ModelStarted, Part, ToolStarted, UsageSeen

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
LEGACY = {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


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
        ("gen_ai.client.inference.operation.input_tokens", MODEL, 1_000),
        ("gen_ai.client.inference.operation.output_tokens", MODEL, 100),
        ("gen_ai.client.inference.usage.input_tokens", MODEL | {"gen_ai.token.modality": "unknown"}, 1_000),
        ("gen_ai.client.inference.usage.output_tokens", MODEL | {"gen_ai.token.modality": "unknown"}, 100),
        ("gen_ai.client.inference.usage.cache_read.input_tokens", MODEL | {"gen_ai.token.modality": "unknown"}, 600),
        ("gen_ai.client.inference.usage.cache_write.input_tokens", MODEL | {"gen_ai.token.modality": "unknown"}, 100),
        ("gen_ai.client.inference.usage.reasoning.output_tokens", MODEL | {"gen_ai.token.modality": "unknown"}, 40),
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


def test_a_call_that_failed_says_how():
    """On its duration; it has no tokens to speak of."""
    made = played(
        ModelStarted(run_id="m", model="cheap", at_ns=0),
        ModelEnded(run_id="m", status="error", error_type="RateLimitError", at_ns=SECOND_NS),
    )

    labels = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "cheap"}
    assert points(made, "gen_ai.client.operation.duration") == [(labels | {"error.type": "RateLimitError"}, 1.0)]
    assert points(made, "gen_ai.client.token.usage") == []
    assert points(made, "token_otel.cost") == []


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
    assert [value for _, value in points(made, "gen_ai.client.inference.usage.output_tokens")] == [100]
    # 1,000 x $3 + 100 x $15, and $0.001 for the request, once
    assert [value for _, value in points(made, "token_otel.cost")] == [pytest.approx(0.0055, abs=1e-12)]


def test_histograms_have_the_conventions_buckets():
    """Seconds from 10 ms to 82 s, tokens by powers of four."""
    metrics = played(*TRACE).metrics()

    assert metrics["gen_ai.client.operation.duration"][0].explicit_bounds[:3] == (0.01, 0.02, 0.04)
    assert metrics["gen_ai.client.token.usage"][0].explicit_bounds[-1] == 67_108_864
    assert metrics["gen_ai.invoke_agent.duration"][0].explicit_bounds[-1] == 409.6
