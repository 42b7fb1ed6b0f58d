"""Spans: one whole trace as it lands, then links, names, kinds, status and what never leaves."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, SamplingResult, StaticSampler
from opentelemetry.trace import SpanKind, StatusCode
from tests.tapes import Bench, bench

from token_otel import Recorder, Settings, Usage
from token_otel.events import (
    AgentStarted,
    Ended,
    Event,
    FirstChunk,
    Handoff,
    ModelEnded,
    ModelStarted,
    Part,
    RetrievalStarted,
    StepStarted,
    ToolStarted,
    UsageSeen,
)
from token_otel.otel import semconv as sc

SECOND_NS = 1_000_000_000
QUESTION = "How many tokens flow between the agents?"
TASK = "Count the tokens that flow between the agents."
FOUND = "Between the agents flow forty-two tokens a minute."
SUMMARY = "The researcher found that it is forty-two a minute."


def words(tokens: int) -> str:
    return "hello" + " hello" * (tokens - 1)


# A supervisor on gpt asks a researcher on claude through a tool, and reads its answer.
ASK = Part(kind="tool_call", text=f'ask {{"task": "{TASK}"}}', call_id="call_0", message_id="msg_00000000000000a1", name="ask")
TEAM: list[Event] = [
    AgentStarted(run_id="a", name="supervisor", at_ns=1 * SECOND_NS, conversation_id="thread-7", attributes={"user.id": "u1"}),
    ModelStarted(
        run_id="1",
        parent_id="a",
        at_ns=2 * SECOND_NS,
        model="gpt-5",
        provider="openai",
        request={"temperature": 0.5},
        prompt=(Part(kind="tools", text=words(100)), Part(kind="system", text=words(96)), Part(kind="user", text=QUESTION)),
    ),
    FirstChunk(run_id="1", at_ns=2 * SECOND_NS + SECOND_NS // 4),
    ModelEnded(
        run_id="1",
        at_ns=3 * SECOND_NS,
        usage=Usage(input=230, output=25, cache_read=128, reasoning=8),
        output=(ASK,),
        model="gpt-5-2025-08-07",
        response_id="resp_1",
        finish_reasons=("tool_calls",),
        service_tier="default",
    ),
    ToolStarted(run_id="t", parent_id="a", at_ns=4 * SECOND_NS, name="ask", call_id="call_0"),
    AgentStarted(run_id="b", parent_id="t", at_ns=5 * SECOND_NS, name="researcher"),
    ModelStarted(
        run_id="2",
        parent_id="b",
        at_ns=6 * SECOND_NS,
        model="claude-sonnet-4-5",
        provider="anthropic",
        prompt=(Part(kind="system", text=words(46)), Part(kind="user", text=TASK)),
    ),
    ModelEnded(
        run_id="2",
        at_ns=7 * SECOND_NS,
        usage=Usage(input=90, output=12, cache_read=0, cache_write_5m=40),
        output=(Part(kind="assistant", text=FOUND, message_id="msg_00000000000000b2"),),
        model="claude-sonnet-4-5-20250929",
        finish_reasons=("end_turn",),
    ),
    Ended(run_id="b", at_ns=8 * SECOND_NS),
    Ended(run_id="t", at_ns=9 * SECOND_NS, output=(Part(kind="tool_result", text=FOUND, call_id="call_0", name="ask"),)),
    ModelStarted(
        run_id="3",
        parent_id="a",
        at_ns=10 * SECOND_NS,
        model="gpt-5",
        provider="openai",
        prompt=(
            Part(kind="tools", text=words(100)),
            Part(kind="system", text=words(96)),
            Part(kind="user", text=QUESTION),
            ASK,
            Part(kind="tool_result", text=FOUND, call_id="call_0", name="ask"),
        ),
    ),
    ModelEnded(
        run_id="3",
        at_ns=11 * SECOND_NS,
        usage=Usage(input=265, output=14, cache_read=192, reasoning=0),
        output=(Part(kind="assistant", text=SUMMARY),),
        model="gpt-5-2025-08-07",
    ),
    Ended(run_id="a", at_ns=12 * SECOND_NS),
]


class Numbering:
    """Ids as small numbers, in the order of the spans' starts."""

    def __init__(self, spans: tuple[ReadableSpan, ...]) -> None:
        ordered = sorted(spans, key=lambda span: span.start_time or 0)
        self._names = {span.get_span_context().span_id: f"#{n}" for n, span in enumerate(ordered, 1)}  # pyright: ignore[reportOptionalMemberAccess]
        self.ordered = ordered

    def of(self, span_id: int) -> str:
        return self._names[span_id]

    def text(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [self.text(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, str) and len(value) == 49 and value[32] == ":":
            return self.of(int(value[33:], 16))
        return value


def shown(spans: tuple[ReadableSpan, ...]) -> list[dict[str, Any]]:
    numbering = Numbering(spans)
    return [
        {
            "span": f"{numbering.of(span.get_span_context().span_id)} {span.name}",  # pyright: ignore[reportOptionalMemberAccess]
            "parent": numbering.of(span.parent.span_id) if span.parent is not None else None,
            "kind": span.kind.name,
            "links": [(numbering.of(link.context.span_id), *(link.attributes or {}).values()) for link in span.links],
            "attributes": {name: numbering.text(value) for name, value in sorted((span.attributes or {}).items())},
        }
        for span in numbering.ordered
    ]


def test_a_whole_trace():
    """A supervisor, a tool, a researcher on another provider; every attribute, link and parent."""
    made = bench(prices=NoBook()).play(TEAM)

    assert shown(made.spans) == snapshot(
        [
            {
                "span": "#1 invoke_agent supervisor",
                "parent": None,
                "kind": "INTERNAL",
                "links": [],
                "attributes": {
                    "gen_ai.agent.name": "supervisor",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "invoke_agent",
                    "token_otel.agent.messages.cost_usd": [0.000145125, 3e-05, 3e-05, 2.8625e-05, 2.5e-05],
                    "token_otel.agent.messages.producers": ["system", "#2", "user", "tools", "#5"],
                    "token_otel.agent.messages.reads": [2, 1, 2, 2, 1],
                    "token_otel.agent.messages.tokens": [198, 24, 24, 229, 20],
                    "token_otel.agent.own.calls": 2,
                    "token_otel.agent.own.cost_usd": 0.00064875,
                    "token_otel.agent.own.input_tokens": 495,
                    "token_otel.agent.own.output_tokens": 39,
                    "token_otel.agent.own.reread_tokens": 221,
                    "token_otel.agent.subtree.calls": 3,
                    "token_otel.agent.subtree.cost_usd": 0.00112875,
                    "token_otel.agent.subtree.input_tokens": 585,
                    "token_otel.agent.subtree.output_tokens": 51,
                    "token_otel.agent.subtree.reread_tokens": 221,
                    "token_otel.run.status": "ok",
                    "user.id": "u1",
                },
            },
            {
                "span": "#2 chat gpt-5",
                "parent": "#1",
                "kind": "CLIENT",
                "links": [],
                "attributes": {
                    "gen_ai.agent.name": "supervisor",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.request.stream": True,
                    "gen_ai.request.temperature": 0.5,
                    "gen_ai.response.finish_reasons": ["tool_calls"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-5-2025-08-07",
                    "gen_ai.response.time_to_first_chunk": 0.25,
                    "gen_ai.usage.cache_read.input_tokens": 128,
                    "gen_ai.usage.cost": 0.0003935,
                    "gen_ai.usage.input_tokens": 230,
                    "gen_ai.usage.output_tokens": 25,
                    "gen_ai.usage.reasoning.output_tokens": 8,
                    "openai.response.service_tier": "default",
                    "token_otel.cost.cache_read_usd": 1.6e-05,
                    "token_otel.cost.input_usd": 0.0001435,
                    "token_otel.cost.output_usd": 0.00025,
                    "token_otel.cost.reasoning_usd": 8e-05,
                    "token_otel.cost.status": "priced",
                    "token_otel.cost.total_usd": 0.0003935,
                    "token_otel.cost.uncached_usd": 0.0002875,
                    "token_otel.flow.cache_read_tokens": [118, 10, 0],
                    "token_otel.flow.cost_usd": [1.475e-05, 0.00011375, 1.5e-05],
                    "token_otel.flow.method": "ids+text+pieces+o200k/1",
                    "token_otel.flow.new_tokens": [118, 100, 12],
                    "token_otel.flow.origins": ["tools", "system", "user"],
                    "token_otel.flow.tokens": [118, 100, 12],
                    "token_otel.input.new_tokens": 230,
                    "token_otel.input.reread_tokens": 0,
                    "token_otel.input.system_tokens": 100,
                    "token_otel.input.tools_tokens": 118,
                    "token_otel.input.user_tokens": 12,
                    "token_otel.message.ids": ["msg_00000000000000a1"],
                    "token_otel.output.reasoning_tokens": 8,
                    "token_otel.output.tool_call_tokens": 17,
                    "token_otel.price.model": "openai/gpt-5",
                    "token_otel.price.source": "genai-prices",
                    "token_otel.price.version": "0.2.3",
                    "token_otel.run.status": "ok",
                    "token_otel.usage.status": "reported",
                },
            },
            {
                "span": "#3 execute_tool ask",
                "parent": "#1",
                "kind": "INTERNAL",
                "links": [("#2", "CAUSED_BY_GENERATION")],
                "attributes": {
                    "gen_ai.agent.name": "supervisor",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.id": "call_0",
                    "gen_ai.tool.name": "ask",
                    "gen_ai.tool.type": "function",
                    "token_otel.run.status": "ok",
                },
            },
            {
                "span": "#4 invoke_agent researcher",
                "parent": "#3",
                "kind": "INTERNAL",
                "links": [],
                "attributes": {
                    "gen_ai.agent.name": "researcher",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "invoke_agent",
                    "token_otel.agent.messages.cost_usd": [0.000243, 5.7e-05],
                    "token_otel.agent.messages.producers": ["system", "#2"],
                    "token_otel.agent.messages.reads": [1, 1],
                    "token_otel.agent.messages.tokens": [71, 19],
                    "token_otel.agent.own.calls": 1,
                    "token_otel.agent.own.cost_usd": 0.00048,
                    "token_otel.agent.own.input_tokens": 90,
                    "token_otel.agent.own.output_tokens": 12,
                    "token_otel.agent.own.reread_tokens": 0,
                    "token_otel.agent.subtree.calls": 1,
                    "token_otel.agent.subtree.cost_usd": 0.00048,
                    "token_otel.agent.subtree.input_tokens": 90,
                    "token_otel.agent.subtree.output_tokens": 12,
                    "token_otel.agent.subtree.reread_tokens": 0,
                    "token_otel.run.status": "ok",
                },
            },
            {
                "span": "#5 chat claude-sonnet-4-5",
                "parent": "#4",
                "kind": "CLIENT",
                "links": [("#2", "INFORMED_BY", 19, "agent:supervisor")],
                "attributes": {
                    "gen_ai.agent.name": "researcher",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.request.model": "claude-sonnet-4-5",
                    "gen_ai.response.finish_reasons": ["end_turn"],
                    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
                    "gen_ai.usage.cache_read.input_tokens": 0,
                    "gen_ai.usage.cache_write.input_tokens": 40,
                    "gen_ai.usage.cost": 0.00048,
                    "gen_ai.usage.input_tokens": 90,
                    "gen_ai.usage.output_tokens": 12,
                    "token_otel.cost.cache_read_usd": 0.0,
                    "token_otel.cost.cache_write_usd": 0.00015,
                    "token_otel.cost.input_usd": 0.0003,
                    "token_otel.cost.output_usd": 0.00018,
                    "token_otel.cost.status": "priced",
                    "token_otel.cost.total_usd": 0.00048,
                    "token_otel.cost.uncached_usd": 0.00027,
                    "token_otel.flow.cache_read_tokens": [0, 0],
                    "token_otel.flow.cost_usd": [0.000243, 5.7e-05],
                    "token_otel.flow.method": "ids+text+pieces+o200k/1",
                    "token_otel.flow.new_tokens": [71, 19],
                    "token_otel.flow.origins": ["system", "agent:supervisor"],
                    "token_otel.flow.producer_cost_usd": [5.7e-05],
                    "token_otel.flow.producer_tokens": [19],
                    "token_otel.flow.producers": ["#2"],
                    "token_otel.flow.tokens": [71, 19],
                    "token_otel.input.agents_tokens": 19,
                    "token_otel.input.new_tokens": 90,
                    "token_otel.input.reread_tokens": 0,
                    "token_otel.input.system_tokens": 71,
                    "token_otel.message.ids": ["msg_00000000000000b2"],
                    "token_otel.output.text_tokens": 12,
                    "token_otel.price.model": "anthropic/claude-sonnet-4-5",
                    "token_otel.price.source": "genai-prices",
                    "token_otel.price.version": "0.2.3",
                    "token_otel.run.status": "ok",
                    "token_otel.usage.status": "reported",
                },
            },
            {
                "span": "#6 chat gpt-5",
                "parent": "#1",
                "kind": "CLIENT",
                "links": [("#2", "INFORMED_BY", 24, "self"), ("#5", "INFORMED_BY", 20, "agent:researcher")],
                "attributes": {
                    "gen_ai.agent.name": "supervisor",
                    "gen_ai.conversation.id": "thread-7",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.response.model": "gpt-5-2025-08-07",
                    "gen_ai.usage.cache_read.input_tokens": 192,
                    "gen_ai.usage.cost": 0.00025525,
                    "gen_ai.usage.input_tokens": 265,
                    "gen_ai.usage.output_tokens": 14,
                    "gen_ai.usage.reasoning.output_tokens": 0,
                    "token_otel.cost.cache_read_usd": 2.4e-05,
                    "token_otel.cost.input_usd": 0.00011525,
                    "token_otel.cost.output_usd": 0.00014,
                    "token_otel.cost.reasoning_usd": 0.0,
                    "token_otel.cost.reread_usd": 6.025e-05,
                    "token_otel.cost.status": "priced",
                    "token_otel.cost.total_usd": 0.00025525,
                    "token_otel.cost.uncached_usd": 0.00033125,
                    "token_otel.flow.cache_read_tokens": [111, 81, 0, 0, 0],
                    "token_otel.flow.cost_usd": [1.3875e-05, 3.1375e-05, 3e-05, 2.5e-05, 1.5e-05],
                    "token_otel.flow.method": "ids+text+pieces+o200k/1",
                    "token_otel.flow.new_tokens": [0, 0, 24, 20, 0],
                    "token_otel.flow.origins": ["tools", "system", "self", "agent:researcher", "user"],
                    "token_otel.flow.producer_cost_usd": [3e-05, 2.5e-05],
                    "token_otel.flow.producer_tokens": [24, 20],
                    "token_otel.flow.producers": ["#2", "#5"],
                    "token_otel.flow.tokens": [111, 98, 24, 20, 12],
                    "token_otel.input.agents_tokens": 20,
                    "token_otel.input.new_tokens": 44,
                    "token_otel.input.reread_tokens": 221,
                    "token_otel.input.self_tokens": 24,
                    "token_otel.input.system_tokens": 98,
                    "token_otel.input.tools_tokens": 111,
                    "token_otel.input.user_tokens": 12,
                    "token_otel.output.text_tokens": 14,
                    "token_otel.price.model": "openai/gpt-5",
                    "token_otel.price.source": "genai-prices",
                    "token_otel.price.version": "0.2.3",
                    "token_otel.run.status": "ok",
                    "token_otel.usage.status": "reported",
                },
            },
        ]
    )


class NoBook:
    """A book that knows nothing, so that genai-prices is asked."""

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> None:
        return None


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def played(*events: Event, **settings: Any) -> Bench:
    return bench(**settings).play(list(events))


CALL = ModelStarted(run_id="m", model="cheap", at_ns=0)
USAGE = Usage(input=1_000, output=100)


@pytest.mark.parametrize(
    ("start", "end", "name", "kind"),
    [
        (AgentStarted(run_id="m", name="planner"), Ended(run_id="m"), "invoke_agent planner", SpanKind.INTERNAL),
        (AgentStarted(run_id="m", name=None), Ended(run_id="m"), "invoke_agent", SpanKind.INTERNAL),
        (AgentStarted(run_id="m", name="team", kind="workflow"), Ended(run_id="m"), "invoke_workflow team", SpanKind.INTERNAL),
        (CALL, ModelEnded(run_id="m"), "chat cheap", SpanKind.CLIENT),
        (ModelStarted(run_id="m", model=None), ModelEnded(run_id="m"), "chat", SpanKind.CLIENT),
        (ModelStarted(run_id="m", model="ada", operation="embeddings"), ModelEnded(run_id="m"), "embeddings ada", SpanKind.CLIENT),
        (ModelStarted(run_id="m", model="x", operation="text_completion"), ModelEnded(run_id="m"), "text_completion x", SpanKind.CLIENT),
        (ToolStarted(run_id="m", name="search"), Ended(run_id="m"), "execute_tool search", SpanKind.INTERNAL),
        (RetrievalStarted(run_id="m", name="library"), Ended(run_id="m"), "retrieval library", SpanKind.CLIENT),
    ],
)
def test_a_span_is_named_after_its_operation(start: Event, end: Event, name: str, kind: SpanKind):
    """And then after the model, the agent or the tool."""
    [span] = played(start, end).spans

    assert (span.name, span.kind) == (name, kind)
    assert attributes(span)[sc.OPERATION_NAME] == name.split()[0]


def test_a_step_has_no_span():
    """It keeps the ancestry."""
    made = played(
        AgentStarted(run_id="a", name="x"),
        StepStarted(run_id="s", parent_id="a"),
        ToolStarted(run_id="t", parent_id="s", name="search"),
        Ended(run_id="s"),
        ToolStarted(run_id="u", parent_id="s", name="late"),
    )

    agent = made.span("invoke_agent x").get_span_context()
    assert agent is not None
    assert [span.parent and span.parent.span_id for span in made.spans if span.name != "invoke_agent x"] == [agent.span_id] * 2


def test_a_child_that_starts_after_its_parent_ended_is_still_its_child():
    """Fire and forget."""
    made = played(AgentStarted(run_id="a", name="x"), Ended(run_id="a"), ToolStarted(run_id="t", parent_id="a", name="search"))

    agent = made.span("invoke_agent x").get_span_context()
    parent = made.span("execute_tool search").parent
    assert agent is not None
    assert parent is not None
    assert (parent.trace_id, parent.span_id) == (agent.trace_id, agent.span_id)


@pytest.mark.parametrize(
    ("status", "code"),
    [("ok", StatusCode.UNSET), ("error", StatusCode.ERROR), ("cancelled", StatusCode.UNSET), ("interrupted", StatusCode.UNSET)],
)
def test_an_error_alone_is_an_error(status: Any, code: StatusCode):
    """Cancellation and interruption are not; the error's text never leaves."""
    [span] = played(CALL, ModelEnded(run_id="m", status=status, error_type="TimeoutError" if status == "error" else None)).spans

    assert (span.status.status_code, span.status.description, list(span.events)) == (code, None, [])
    assert attributes(span)[sc.RUN_STATUS] == status
    assert attributes(span).get(sc.ERROR_TYPE) == ("TimeoutError" if status == "error" else None)


SECRET = "Rosebud was his sledge, and nobody may know."


@pytest.mark.parametrize("names", ["plain", "hashed"])
def test_no_text_leaves(names: str):
    """Neither of prompts nor of answers, arguments or results; the metrics have none either."""
    parts = tuple(
        Part(kind=kind, text=SECRET, message_id="m1")
        for kind in ("system", "tools", "user", "assistant", "tool_call", "tool_result", "document", "reasoning")
    )
    made = played(
        AgentStarted(run_id="a", name="x"),
        ModelStarted(run_id="m", parent_id="a", model="cheap", prompt=parts),
        ModelEnded(run_id="m", usage=USAGE, output=parts),
        ToolStarted(run_id="t", parent_id="a", name="search"),
        Ended(run_id="t", output=parts),
        names=names,
    )

    assert "Rosebud" not in repr([(span.name, span.attributes, span.links) for span in made.spans])
    assert "Rosebud" not in repr(made.metrics())


def test_hashed_names_are_hashed_everywhere():
    """In names of spans, attributes, arrays, links and metrics, and the same everywhere the key is the same."""
    made = bench(prices=NoBook(), names="hashed", names_key="k", cost_attributes=("langfuse", "openinference")).play(
        [*TEAM[:-1], Handoff(run_id="a", to_agent="writer"), TEAM[-1]]
    )
    everything = repr([(span.name, span.attributes, [link.attributes for link in span.links]) for span in made.spans])
    everything += repr(made.metrics())

    for name in ("supervisor", "researcher", "thread-7", "writer", "execute_tool ask", "'ask'", "tool:ask"):
        assert name not in everything
    assert "agent:" in everything
    again = bench(names="hashed", names_key="k").play([AgentStarted(run_id="a", name="supervisor"), Ended(run_id="a")])
    assert attributes(again.spans[0])[sc.AGENT_NAME] in everything


def test_hashed_names_stand_in_no_id():
    """Of a tool call, an answer, or another process's message; where they are the same, so are their hashes."""
    told = Part(kind="assistant", text="It is 640 miles long.", message_id="alice@example.org-17")
    made = played(
        ToolStarted(run_id="t", name="search", call_id="functions.search:0"),
        ModelStarted(run_id="m", model="cheap", prompt=(told,)),
        ModelEnded(run_id="m", usage=USAGE, output=(Part(kind="assistant", text=QUESTION, message_id="alice@example.org-17"),)),
        names="hashed",
        names_key="k",
    )
    call = next(attributes(span) for span in made.spans if span.name.startswith("chat"))

    assert not any(word in repr([span.attributes for span in made.spans]) for word in ("search", "alice"))
    assert call[sc.FLOW_EXTERNAL_IDS] == call[sc.MESSAGE_IDS]


def test_a_role_is_not_a_name():
    """Hashing leaves `user` and `unexplained` readable."""
    made = played(
        ModelStarted(run_id="m", model="cheap", prompt=(Part(kind="user", text=QUESTION),)),
        ModelEnded(run_id="m", usage=USAGE),
        names="hashed",
    )

    assert attributes(made.spans[0])[sc.FLOW_ORIGINS] == ("unexplained", "user")


def test_the_conversation_is_inherited():
    """A run may have another one than its parent; then those beneath it have that."""
    made = played(
        AgentStarted(run_id="a", name="x", conversation_id="c1"),
        ToolStarted(run_id="t", parent_id="a", name="search"),
        AgentStarted(run_id="b", parent_id="t", name="y", conversation_id="c2"),
        ModelStarted(run_id="m", parent_id="b", model="cheap"),
        ModelStarted(run_id="n", model="tiered"),
    )

    ids = {span.name: attributes(span).get(sc.CONVERSATION_ID) for span in made.spans}
    assert ids == {
        "invoke_agent x": "c1",
        "execute_tool search": "c1",
        "invoke_agent y": "c2",
        "chat cheap": "c2",
        "chat tiered": None,
    }


def test_what_the_user_asked_to_see_replaces_nothing_of_ours():
    """Metadata under our own names is theirs to keep, not to show."""
    start = AgentStarted(run_id="a", name="x", attributes={"tenant": "t1", sc.AGENT_NAME: "y", sc.OPERATION_NAME: "z"})
    [span] = played(start, Ended(run_id="a")).spans

    assert attributes(span)["tenant"] == "t1"
    assert (attributes(span)[sc.AGENT_NAME], attributes(span)[sc.OPERATION_NAME]) == ("x", "invoke_agent")


def test_a_retry_says_which_attempt_it_is():
    """The first does not."""
    made = played(CALL, ModelEnded(run_id="m"), ModelStarted(run_id="n", model="cheap", attempt=2), ModelEnded(run_id="n"))

    assert [attributes(span).get(sc.ATTEMPT) for span in made.spans] == [None, 2]


def test_the_service_tier_is_said_for_openai_alone():
    """The attribute is OpenAI's."""
    for provider, tier in (("openai", "flex"), ("anthropic", None)):
        [span] = played(ModelStarted(run_id="m", model="cheap", provider=provider), ModelEnded(run_id="m", service_tier="flex")).spans
        assert attributes(span).get(sc.OPENAI_SERVICE_TIER) == tier


def test_ids_of_an_answer_are_said_once_each():
    """Sixteen at most."""
    output = tuple(Part(kind="assistant", message_id=f"m{number // 2}") for number in range(40))
    [span] = played(CALL, ModelEnded(run_id="m", output=output)).spans

    assert attributes(span)[sc.MESSAGE_IDS] == tuple(f"m{number}" for number in range(16))


def test_a_late_end_has_a_span_of_its_own():
    """In the same trace, linked to the first, with what the first lacked."""
    made = bench()
    for event in (
        ModelStarted(run_id="m", model="cheap", at_ns=5),
        UsageSeen(run_id="m", usage=Usage(input=1_000, output=40)),
    ):
        made.recorder.record(event)
    made.recorder.settle()
    made.recorder.record(ModelEnded(run_id="m", usage=USAGE, at_ns=SECOND_NS * 10**9))

    first, late = made.spans
    link = late.links[0]
    assert link.context == first.get_span_context()
    assert (link.attributes or {})[sc.LINK_TYPE] == sc.CONTINUES
    assert late.parent == first.get_span_context()
    assert (late.name, late.start_time, late.end_time) == ("chat cheap", 5, SECOND_NS * 10**9)
    assert attributes(late)[sc.LATE] is True
    assert sc.LATE not in attributes(first)
    assert (attributes(late)[sc.OUTPUT_TOKENS], sc.INPUT_TOKENS in attributes(late)) == (60, False)
    assert attributes(late)[sc.COST_TOTAL] == 0.0009  # 60 x $15
    assert (attributes(first)[sc.RUN_STATUS], attributes(first)[sc.USAGE_STATUS]) == ("cancelled", "partial")
    assert attributes(late)[sc.USAGE_STATUS] == "reported"


def test_a_root_hangs_beneath_the_callers_span():
    """And what it carries in its baggage is copied, where it is asked for."""
    made = bench(baggage=("tenant", "user.id"))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("host")
    with tracer.start_as_current_span("request") as request:
        token = context.attach(baggage.set_baggage("tenant", "t1", baggage.set_baggage("secret", "s")))
        made.play([AgentStarted(run_id="a", name="x"), ModelStarted(run_id="m", parent_id="a", model="cheap")])
        context.detach(token)

    agent = made.span("invoke_agent x")
    assert agent.parent == request.get_span_context()
    for span in made.spans:
        assert attributes(span)["tenant"] == "t1"
        assert {"secret", "user.id"}.isdisjoint(attributes(span))


def test_baggage_stays_where_nobody_asks_for_it():
    """By default none is copied."""
    token = context.attach(baggage.set_baggage("tenant", "t1"))
    made = played(CALL)
    context.detach(token)

    assert "tenant" not in attributes(made.spans[0])


def test_the_ambient_context_is_left_alone():
    """Whatever is open, the caller's current span stays its own."""
    made = bench()
    before = context.get_current()
    for event in TEAM[:8]:
        made.recorder.record(event)

    assert context.get_current() == before
    assert not trace.get_current_span().is_recording()
    made.recorder.settle()


class BrokenSampler(StaticSampler):
    """Fails for one name."""

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **kwargs: Any) -> SamplingResult:
        if "search" in name:
            raise RuntimeError("broken")
        return super().should_sample(parent_context, trace_id, name, *args, **kwargs)


def test_a_span_that_could_not_be_opened_ends_nobody_elses():
    """Neither its parent's nor the caller's current one."""
    provider = TracerProvider(sampler=BrokenSampler(Decision.RECORD_AND_SAMPLE), shutdown_on_exit=False)
    recorder = Recorder(provider, settings=Settings(worker="inline", metrics="off"))
    with provider.get_tracer("host").start_as_current_span("request") as request:
        recorder.record(ToolStarted(run_id="t", name="search"))
        recorder.record(Ended(run_id="t"))
        assert request.is_recording()
    recorder.record(AgentStarted(run_id="a", name="x"))
    recorder.record(ToolStarted(run_id="u", parent_id="a", name="search"))
    recorder.record(Ended(run_id="u"))
    agent = recorder._ledger.find("a")  # pyright: ignore[reportPrivateUsage]

    assert agent is not None
    assert agent.open_span.is_recording()
    recorder.settle()
    assert recorder.open_runs == 0


def test_without_spans_of_models_the_agents_sum_up_all_the_same():
    """Another instrumentation writes those; what hangs beneath a call hangs beneath its agent."""
    made = played(
        AgentStarted(run_id="a", name="x"),
        ModelStarted(run_id="m", parent_id="a", model="cheap"),
        ToolStarted(run_id="t", parent_id="m", name="search"),
        Ended(run_id="t"),
        ModelEnded(run_id="m", usage=USAGE),
        Ended(run_id="a"),
        model_spans=False,
    )

    agent = made.span("invoke_agent x")
    assert [span.name for span in made.spans] == ["execute_tool search", "invoke_agent x"]
    assert made.spans[0].parent == agent.get_span_context()
    assert attributes(agent)[sc.rollup(sc.OWN, "input_tokens")] == 1_000


def test_an_unsampled_span_is_no_producer():
    """It is never linked to or named; its words keep their origin."""
    exporter = bench().exporter
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    recorder = Recorder(provider, settings=Settings(worker="inline", metrics="off", raise_errors=True))
    recorder.record(AgentStarted(run_id="a", name="x"))
    recorder.record(ModelStarted(run_id="m", parent_id="a", model="cheap"))
    recorder.record(ModelEnded(run_id="m", usage=USAGE, output=(Part(kind="assistant", text=FOUND),)))
    run = recorder._ledger.find("m")  # pyright: ignore[reportPrivateUsage]

    assert run is not None
    assert run.span is None
    assert exporter.get_finished_spans() == ()
    recorder.record(ModelStarted(run_id="n", parent_id="a", model="cheap", prompt=(Part(kind="assistant", text=FOUND),)))
    recorder.record(ModelEnded(run_id="n", usage=USAGE))
    reader = recorder._ledger.find("n")  # pyright: ignore[reportPrivateUsage]
    assert reader is not None
    assert reader.posting is not None
    assert "self" in {share.origin for share in reader.posting.shares}
    recorder.settle()


def test_a_closed_run_keeps_no_span_alive():
    """Thousands are remembered; what they carried is not."""
    made = bench()
    for event in (AgentStarted(run_id="a", name="x"), StepStarted(run_id="s", parent_id="a")):
        made.recorder.record(event)
    run = made.recorder._ledger.find("a")  # pyright: ignore[reportPrivateUsage]
    assert run is not None
    span = weakref.ref(run.open_span)
    for event in (Ended(run_id="s"), Ended(run_id="a")):
        made.recorder.record(event)
    made.exporter.clear()
    gc.collect()

    assert span() is None


def test_what_cannot_be_encoded_cannot_reach_an_exporter():
    """Half a surrogate pair in a name would cost the program's own spans their batch, a number of 70 bits its attribute."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    lone = "half a pair: \ud800"
    made = played(
        AgentStarted(run_id="a", name=lone, conversation_id=lone, attributes={"tags": (lone, "b"), "seat": 2**70}, at_ns=-5),
        ToolStarted(run_id="t", parent_id="a", name=lone, call_id=lone, at_ns=1 << 70),
        Ended(run_id="t"),
        ModelStarted(run_id="m", parent_id="a", model=lone, provider=lone, prompt=(Part(kind="assistant", text="x", message_id=lone),)),
        ModelEnded(run_id="m", usage=Usage(input=10**12, output=1), response_id=lone, finish_reasons=(lone,), model=lone),
        Ended(run_id="a"),
    )

    assert encode_spans(made.spans).SerializeToString()
    assert attributes(made.span("invoke_agent half a pair: ?"))["seat"] == 2**63 - 1
    assert attributes(made.span("invoke_agent half a pair: ?"))["tags"] == ("half a pair: ?", "b")
