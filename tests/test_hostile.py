"""What a program may do to us by mistake or on purpose: nothing raises, each span ends once, no sound call is spoilt."""

from __future__ import annotations

import logging
import math
import os
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from tests.hostile import SECRET, Touchy, TouchyText, Vandal, numbers
from tests.tapes import Bench, bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Event, FirstChunk, Handoff, ModelEnded, ModelStarted, Part, ToolStarted
from token_otel.otel import semconv as sc
from token_otel.otel.otlp_json import encode_line

EXAMPLES = settings(max_examples=math.ceil(int(os.environ.get("TOKEN_OTEL_EXAMPLES") or 5000) / 100))
WORDS = "The keeper at Brenn closes the upper gate ten days after the first frost."


def sound_tape() -> list[Event]:
    """An agent, its tool, and three calls that read one another."""
    prompt = (Part(kind="system", text="You keep the gates."), Part(kind="user", text="When does the gate close?", message_id="u1"))
    call = Part(kind="tool_call", text='ask {"q": "the upper gate of Brenn"}', call_id="call_1", message_id="m1")
    result = Part(kind="tool_result", text=WORDS, call_id="call_1", name="ask")
    common: Any = {"model": "cheap", "provider": "openai", "parent_id": "good"}
    return [
        AgentStarted(run_id="good", name="keeper", conversation_id="sound"),
        ModelStarted(run_id="good1", prompt=prompt, **common),
        FirstChunk(run_id="good1"),
        ModelEnded(run_id="good1", usage=Usage(input=40, output=12), output=(call,)),
        ToolStarted(run_id="good2", parent_id="good", name="ask", call_id="call_1"),
        Ended(run_id="good2", output=(result,)),
        ModelStarted(run_id="good3", prompt=(*prompt, call, result), **common),
        ModelEnded(
            run_id="good3", usage=Usage(input=90, output=20, cache_read=32), output=(Part(kind="assistant", text=WORDS, message_id="m2"),)
        ),
        Handoff(run_id="good", to_agent="writer"),
        Ended(run_id="good"),
    ]


def said(span: ReadableSpan) -> tuple[str, dict[str, Any]]:
    values = dict(span.attributes or {})
    for name in (sc.FLOW_PRODUCERS, sc.AGENT_MESSAGE_PRODUCERS, sc.TIME_TO_FIRST_CHUNK):
        values.pop(name, None)
    return span.name, values


def mixed(tape: list[Event], vandal: Vandal, numbers: list[int]) -> Bench:
    """Play a tape with hostile events in between, by every door."""
    made = bench(raise_errors=False)
    rest = [*tape]
    for number in numbers:
        dice = Random(number)
        if rest and dice.random() < 0.4:
            made.recorder.record(rest.pop(0))
        event = vandal.event(number)
        (made.recorder.record if dice.random() < 0.9 else made.recorder.record_later)(event)
        with made.recorder.activate(getattr(event, "run_id", "nobody") if type(event) is AgentStarted else "v1"):
            if dice.random() < 0.02:
                made.recorder.flush()
    for event in rest:
        made.recorder.record(event)
    made.recorder.flush()
    made.recorder.settle()
    return made


@given(numbers)
@EXAMPLES
def test_hostile_events_cost_nobody_else_anything(drawn: list[int]):
    """What a sound conversation says is the same to the last token beside others that are out of their minds."""
    alone = [said(span) for span in bench().play(sound_tape()).spans]

    made = mixed(sound_tape(), Vandal(), drawn)

    assert [said(span) for span in made.spans if (span.attributes or {}).get(sc.CONVERSATION_ID) == "sound"] == alone


@given(numbers)
@EXAMPLES
def test_hostile_events_end_their_spans_once_and_can_be_exported(drawn: list[int]):
    """Beneath a sound agent too: whatever was told of a run, its span ends, and every encoder can encode it."""
    made = mixed(sound_tape(), Vandal(parents=("good", "good1", "good2")), drawn)

    assert made.recorder.open_runs == 0
    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
    assert all((span.end_time or 0) >= (span.start_time or 0) for span in made.spans)
    assert encode_line(made.spans)
    assert encode_spans(made.spans).SerializeToString()
    data = made.reader.get_metrics_data()
    assert data is not None
    assert encode_metrics(data).SerializeToString()


@given(numbers)
@EXAMPLES
def test_what_hostile_events_used_adds_up(drawn: list[int]):
    """An agent's roll-up is the sum of the calls beneath it, and each call's split sums to its bill."""
    made = mixed(sound_tape(), Vandal(parents=("good", "good1", "good2")), drawn)

    for run, posting in made.postings:
        if posting.shares and posting.usage is not None:
            assert sum(share.tokens for share in posting.shares) == posting.usage.input
        assert run.closed
    booked = sum((posting.usage or Usage()).input or 0 for _, posting in made.postings)
    assert sum((span.attributes or {}).get(sc.INPUT_TOKENS, 0) for span in made.spans) == booked  # pyright: ignore
    for item in made.closed:
        if item.run.event.run_id == "good":
            below = [posting for run, posting in made.postings if run.root is item.run]
            assert item.run.subtree.input == sum((posting.usage or Usage()).input or 0 for posting in below)
            assert item.run.subtree.cost_usd.is_finite()


class Lines(logging.Handler):
    """What was logged, by anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@given(numbers)
@settings(max_examples=10)
def test_hostile_events_are_said_once_for_each_cause(drawn: list[int]):
    """The same again and again adds no line, neither of ours nor of OpenTelemetry's; and none quotes what was told."""
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    try:
        made = mixed([], Vandal(), drawn)
        before = len(handler.lines)
        for _ in range(5):
            for number in drawn:
                made.recorder.record(Vandal().event(number))
    finally:
        root.removeHandler(handler)

    assert not any(SECRET in line for line in handler.lines)
    assert len(set(handler.lines)) == len(handler.lines)
    assert len(handler.lines) - before <= 3 * len(drawn)  # a run that is open already meets other causes


BAD: tuple[Any, ...] = (Touchy(), TouchyText("x"), math.nan, 10**400, object(), [], b"x")


@pytest.mark.parametrize("bad", range(len(BAD)))
@pytest.mark.parametrize("field", ["at_ns", "status", "error_type", "output", "model", "response_id", "service_tier", "cost_usd"])
def test_a_field_that_cannot_be_costs_itself_alone(field: str, bad: int):
    """The call has ended, and its bill is on its span."""
    made = bench(raise_errors=False)
    made.recorder.record(ModelStarted(run_id="m", model="cheap"))
    made.recorder.record(ModelEnded(run_id="m", usage=Usage(input=10, output=2), **{field: BAD[bad]}))

    [span] = made.spans
    assert (span.attributes or {})[sc.INPUT_TOKENS] == 10
    assert isinstance(span.end_time, int)


@pytest.mark.parametrize("bad", range(len(BAD)))
@pytest.mark.parametrize(
    "field", ["parent_id", "at_ns", "conversation_id", "attributes", "model", "provider", "operation", "attempt", "request"]
)
def test_a_start_that_cannot_be_is_a_start(field: str, bad: int):
    """What is wrong with it is not said; that it was is."""
    made = bench(raise_errors=False)
    told: dict[str, Any] = {"run_id": "m", "model": "cheap", field: BAD[bad]}
    made.recorder.record(ModelStarted(**told))
    made.recorder.record(ModelEnded(run_id="m", usage=Usage(input=10, output=2)))

    [span] = made.spans
    assert (span.attributes or {})[sc.INPUT_TOKENS] == 10


def test_a_value_that_is_none_is_left_out():
    """One bad attribute costs neither its neighbours nor the span."""
    made = bench()
    attributes: Any = {"user": "u1", "": "x", 7: "x", "deep": [[1]], "mixed": ("a", 1), "thing": object(), "touchy": Touchy(), "none": None}
    made.play([AgentStarted(run_id="a", name="a", attributes=attributes), Ended(run_id="a")])

    values = dict(made.spans[0].attributes or {})
    assert values["user"] == "u1"
    assert values["deep"] == ()
    assert values.keys().isdisjoint({"", 7, "mixed", "thing", "touchy", "none"})


def test_names_and_texts_are_cut_at_1024_characters():
    """A name of 10 MB would be kept, and sent, with every span: the backend refuses them, and the program's own with them."""
    name = "n" * 10_000_000
    made = bench()
    made.play(
        [
            AgentStarted(run_id="a", name=name, conversation_id=name, attributes={"user": name, "tags": (name,) * 1000}),
            ModelStarted(run_id="m", parent_id="a", model=name, provider=name),
            ModelEnded(run_id="m", model=name, response_id=name, output=(Part(kind="assistant", text=name, message_id=name),)),
            Ended(run_id="a"),
        ]
    )

    agent = made.spans[1]
    assert len((agent.attributes or {})[sc.AGENT_NAME]) == 1024  # pyright: ignore
    assert len(encode_spans(made.spans).SerializeToString()) < 200_000
    assert made.recorder._ledger._flow.store.bytes < 100_000  # pyright: ignore


def test_an_event_of_a_destructor_that_cannot_be_costs_no_other():
    """What waits its turn is taken one by one: the next sound event counts, and so does the one that brought them in."""
    made = bench(raise_errors=False)
    made.recorder.record(AgentStarted(run_id="a", name="a"))
    for event in (None, Touchy(), Ended(run_id="a")):
        made.recorder.record_later(event)  # pyright: ignore[reportArgumentType]
    made.recorder.record(AgentStarted(run_id="b", name="b"))

    assert [span.name for span in made.spans] == ["invoke_agent a"]
    assert made.recorder.open_runs == 1


def test_a_prompt_that_cannot_be_weighed_costs_no_other_run_its_end():
    """At shutdown all is closed at once: a call that fails in that must not take the others with it."""
    made = bench(raise_errors=False)
    for number, text in enumerate(("words", 7, "more words")):
        made.recorder.record(ModelStarted(run_id=str(number), model="cheap", prompt=(Part(kind="user", text=text),)))  # pyright: ignore
    made.recorder.settle()

    assert len(made.spans) == 3
