"""Attributes: scalars that sum, arrays that are cut, and what is unknown is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.tapes import bench

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Handoff, ModelEnded, ModelStarted, Part
from token_otel.flow.book import OutputSplit
from token_otel.flow.producer import Producer, SpanRef
from token_otel.flow.split import Group, Share, Split
from token_otel.ledger import Posting
from token_otel.otel import flows
from token_otel.otel import semconv as sc
from token_otel.otel.attributes import posting_attributes, usage_attributes
from token_otel.otel.names import Names
from token_otel.otel.values import Values, encodable
from token_otel.prices.cost import UNPRICED, Cost

PLAIN = Names()


def producer(number: int, kind: Any = "agent", name: str = "x") -> Producer:
    return Producer(kind, name, SpanRef(f"{number:032x}", f"{number:016x}"))


def split(shares: Sequence[Share]) -> Split:
    """The split of these shares, in units of a millionth of a USD."""
    groups = [Group(share.origin, share.producer, share.external_id) for share in shares]
    read, write_5m, write_1h = ({i: getattr(share, name) for i, share in enumerate(shares)} for name in _CACHED)
    made = Split(groups, [share.new for share in shares], [share.fresh for share in shares], read, write_5m, write_1h)
    if shares and all(share.cost_usd is not None for share in shares):
        made.costs, made.decimals = [int((share.cost_usd or Decimal()).scaleb(6)) for share in shares], 6
    return made


def flow_attributes(shares: Sequence[Share], names: Names) -> Mapping[str, Any]:
    return flows.flow_attributes(split(shares), names)


def informing(shares: Sequence[Share], names: Names) -> list[tuple[SpanRef, Values]]:
    return flows.informing(split(shares), names)


_CACHED = ("cache_read", "cache_write_5m", "cache_write_1h")


def share(origin: str, fresh: int, read: int = 0, **more: Any) -> Share:
    given: dict[str, Any] = {"producer": None, "new": True, "external_id": None, "cache_write_5m": 0, "cache_write_1h": 0, "cost_usd": None}
    return Share(origin=origin, fresh=fresh, cache_read=read, **given | more)


def test_origins_are_summed_by_role():
    """Agents, tools and documents each under one scalar, only those above 0."""
    values = flow_attributes(
        [
            share("agent:a", 10),
            share("agent:b", 20),
            share("self", 5),
            share("tool:search", 7),
            share("tool", 1),
            share("document", 3),
            share("user", 0),
        ],
        PLAIN,
    )

    assert {name: values[name] for name in sc.INPUT_BY_ROLE.values() if name in values} == {
        "token_otel.input.agents_tokens": 30,
        "token_otel.input.self_tokens": 5,
        "token_otel.input.tool_results_tokens": 8,
        "token_otel.input.documents_tokens": 3,
    }


@pytest.mark.parametrize(
    "origin", ["system", "tools", "user", "self", "agent:x", "tool:x", "tool", "document", "media", "external", "unexplained"]
)
def test_every_origin_has_its_scalar(origin: str):
    """So that the scalars always sum to the input."""
    values = flow_attributes([share(origin, 9)], PLAIN)

    assert [values.get(name) for name in sc.INPUT_BY_ROLE.values()].count(9) == 1


def test_arrays_are_parallel_and_ranked():
    """Most tokens first, equal ones by name."""
    values = flow_attributes(
        [
            share("user", 10, new=False, cost_usd=Decimal("0.1")),
            share("agent:b", 5, 15, cost_usd=Decimal("0.2")),
            share("agent:a", 15, cost_usd=Decimal("0.3")),
            share("agent:a", 5, new=False, cost_usd=Decimal("0.4")),
        ],
        PLAIN,
    )

    assert values[sc.FLOW_ORIGINS] == ["agent:a", "agent:b", "user"]
    assert values[sc.FLOW_TOKENS] == [20, 20, 10]
    assert values[sc.FLOW_CACHE_READ] == [0, 15, 0]
    assert values[sc.FLOW_NEW] == [15, 20, 0]
    assert values[sc.FLOW_COST] == [0.7, 0.2, 0.1]
    assert (values[sc.INPUT_NEW], values[sc.INPUT_REREAD]) == (35, 15)


def test_beyond_sixteen_origins_the_rest_is_other():
    """Nothing is lost: the sums stand."""
    shares = [share(f"tool:t{number:02}", 100 - number, cost_usd=Decimal(1)) for number in range(20)]
    values = flow_attributes(shares, PLAIN)

    assert values[sc.FLOW_ORIGINS] == [f"tool:t{number:02}" for number in range(16)] + ["other"]
    assert values[sc.FLOW_TOKENS] == [*range(100, 84, -1), 84 + 83 + 82 + 81]
    assert values[sc.FLOW_COST] == [1.0] * 16 + [4.0]


def test_producers_are_cut_at_sixteen():
    """Without an `other`: it would name no span."""
    values = flow_attributes([share("agent:x", 100 - n, producer=producer(n + 1), cost_usd=Decimal(n)) for n in range(20)], PLAIN)

    assert len(values[sc.FLOW_PRODUCERS]) == 16
    assert values[sc.FLOW_PRODUCER_TOKENS] == list(range(100, 84, -1))
    assert values[sc.FLOW_PRODUCER_COST] == [float(n) for n in range(16)]
    assert str(values[sc.FLOW_PRODUCERS]).startswith(f"['{1:032x}:{1:016x}'")


def test_external_words_keep_the_ids_of_their_messages():
    """Most tokens first, the parts of one message together."""
    values = flow_attributes(
        [
            share("external", 3, external_id="m1"),
            share("external", 5, external_id="m2"),
            share("external", 4, external_id="m1"),
            share("external", 9),
        ],
        PLAIN,
    )

    assert values[sc.FLOW_EXTERNAL_IDS] == ["m1", "m2"]
    assert values[sc.FLOW_EXTERNAL_TOKENS] == [7, 5]


def test_what_is_read_again_has_its_cost():
    """20 tokens were read before, for $2 and $3; nothing is said where nothing was."""
    again = [share("user", 10, new=False, cost_usd=Decimal(2)), share("self", 10, new=False, cost_usd=Decimal(3))]
    first = share("user", 10, cost_usd=Decimal(7))

    assert flow_attributes([*again, first], PLAIN)[sc.COST_REREAD] == 5.0
    assert sc.COST_REREAD not in flow_attributes([first], PLAIN)


def test_an_unpriced_call_has_no_costs_of_origins():
    """Not zeros."""
    values = flow_attributes([share("agent:x", 3, producer=producer(1))], PLAIN)

    assert {sc.FLOW_COST, sc.FLOW_PRODUCER_COST}.isdisjoint(values)


def test_no_flow_is_no_attribute():
    """With the flow switched off, or a call without a report."""
    assert flow_attributes([], PLAIN) == {}


def test_links_lead_to_what_is_read_for_the_first_time():
    """Most tokens first, sixteen at most; what was read before, or by nobody known, has none."""
    shares = [
        share("agent:x", 5, producer=producer(1)),
        share("agent:x", 99, producer=producer(2), new=False),
        share("user", 99),
        share("agent:y", 99, producer=Producer("agent", "y")),
        share("tool:t", 7, producer=producer(3, "tool", "t")),
        *(share("self", 1, producer=producer(number)) for number in range(10, 40)),
    ]
    links = informing(shares, PLAIN)

    assert [(str(span)[-1], values[sc.LINK_TOKENS], values[sc.LINK_ORIGIN]) for span, values in links[:2]] == [
        ("3", 7, "tool:t"),
        ("1", 5, "agent:x"),
    ]
    assert len(links) == 16
    assert {values[sc.LINK_TYPE] for _, values in links} == {"INFORMED_BY"}


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("new", {sc.CACHE_WRITE_TOKENS: 6}),
        ("old", {sc.CACHE_CREATION_TOKENS: 6}),
        ("both", {sc.CACHE_WRITE_TOKENS: 6, sc.CACHE_CREATION_TOKENS: 6}),
    ],
)
def test_cache_writes_go_by_either_name(name: str, attributes: dict[str, int]):
    """It changed in August 2026."""
    values = usage_attributes(Usage(input=10, cache_write_5m=4, cache_write_1h=2), cache_write_name=name)

    assert values == {sc.INPUT_TOKENS: 10} | attributes


def test_every_bucket_has_its_attribute():
    """Inclusive, as reported."""
    usage = Usage(
        input=100, output=50, cache_read=10, reasoning=5, audio_input=4, audio_output=3, image_input=2, image_output=1, cache_write_5m=0
    )

    assert usage_attributes(usage) == {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 10,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.input_tokens": 4,
        "gen_ai.usage.audio.output_tokens": 3,
        "gen_ai.usage.image.input_tokens": 2,
        "gen_ai.usage.image.output_tokens": 1,
    }


def test_an_unreported_call_has_an_estimate_alone():
    """Under a name of ours: a backend would price the other as fact."""
    values = posting_attributes(Posting(usage=None, usage_status="unreported", cost=UNPRICED, model="x", estimated=(120, 7)), PLAIN)

    assert values == {
        "token_otel.usage.status": "unreported",
        "token_otel.cost.status": "unpriced",
        "token_otel.estimated.input_tokens": 120,
        "token_otel.estimated.output_tokens": 7,
    }


def test_an_answer_from_the_local_cache_says_what_it_saved():
    """It has cost nothing, and used nothing of a provider's."""
    cost = Cost(status="priced", input_usd=Decimal(1), output_usd=Decimal(1), total_usd=Decimal(2))
    saved = Posting(usage=Usage(input=10, output=5), usage_status="reported", cost=cost, model="x")
    values = posting_attributes(Posting(usage=None, usage_status="reported", cost=Cost(status="cached"), model="x", saved=saved), PLAIN)

    assert values == {
        "token_otel.cost.status": "cached",
        "token_otel.cache.local": True,
        "token_otel.saved.input_tokens": 10,
        "token_otel.saved.output_tokens": 5,
        "token_otel.saved.cost_usd": 2.0,
        "token_otel.cost.total_usd": 0.0,
    }


def test_parts_of_the_output_above_nothing_are_said():
    """A call that wrote only text has no other part."""
    posting = Posting(usage=Usage(output=5), usage_status="partial", cost=UNPRICED, model="x", output=OutputSplit(5, 0, 0))

    assert posting_attributes(posting, PLAIN) == {
        "token_otel.cost.status": "unpriced",
        "token_otel.usage.status": "partial",
        "gen_ai.usage.output_tokens": 5,
        "token_otel.output.text_tokens": 5,
    }


def agent_attributes(*calls: tuple[str, Usage | None]) -> dict[str, Any]:
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="x"))
    for number, (model, usage) in enumerate(calls):
        made.recorder.record(ModelStarted(run_id=str(number), parent_id="a", model=model, prompt=(Part(kind="user", text="hi"),)))
        made.recorder.record(ModelEnded(run_id=str(number), usage=usage))
    made.play([Ended(run_id="a")])
    return dict(made.span("invoke_agent x").attributes or {})


def test_a_sum_over_unpriced_calls_is_not_nothing():
    """Unpriced is not free: the cost is left off, of the roll-ups and of the messages."""
    values = agent_attributes(("unknown", Usage(input=1_000, output=10)))

    assert (values["token_otel.agent.own.input_tokens"], values["token_otel.agent.incomplete"]) == (1_000, 1)
    assert not [name for name in values if name.endswith("cost_usd")]


def test_an_agent_that_called_nobody_has_spent_nothing():
    """That is known."""
    values = agent_attributes()

    assert (values["token_otel.agent.own.cost_usd"], values["token_otel.agent.own.calls"]) == (0.0, 0)
    assert sc.AGENT_INCOMPLETE not in values


def test_a_sum_that_is_partly_known_says_so():
    """At least so much, and how many calls are missing."""
    values = agent_attributes(("cheap", Usage(input=1_000, output=0)), ("unknown", Usage(input=1_000, output=10)), ("cheap", None))

    # 1,000 x $3 and $0.001 for the request
    assert (values["token_otel.agent.own.cost_usd"], values["token_otel.agent.incomplete"], values["token_otel.agent.own.calls"]) == (
        0.004,
        2,
        3,
    )


def test_open_calls_count_as_incomplete():
    """When the agent's span ends before them."""
    made = bench()
    for event in (AgentStarted(run_id="a", name="x"), ModelStarted(run_id="m", parent_id="a", model="cheap"), Ended(run_id="a")):
        made.recorder.record(event)
    made.recorder.settle()

    assert (made.span("invoke_agent x").attributes or {})[sc.AGENT_INCOMPLETE] == 1


def test_handoffs_are_listed():
    """In order, sixteen at most."""
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="x"))
    for number in range(20):
        made.recorder.record(Handoff(run_id="a", to_agent=f"agent {number}"))
    made.play([Ended(run_id="a")])

    assert (made.span("invoke_agent x").attributes or {})[sc.AGENT_HANDOFFS] == tuple(f"agent {number}" for number in range(16))


def size(span: Any) -> int:
    [encoded] = encode_spans([span]).resource_spans[0].scope_spans[0].spans
    bare = Span()
    bare.CopyFrom(encoded)
    bare.ClearField("attributes")
    return len(encoded.SerializeToString()) - len(bare.SerializeToString())


def test_a_span_stays_small():
    """500 messages of 20 agents and 200 tools: under 6 KB of attributes; a usual call under 2 KB."""
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="supervisor", conversation_id="0123456789abcdef0123456789abcdef"))
    prompt = [Part(kind="tools", text=f"schema {number}") for number in range(200)]
    for number in range(500):
        agent = f"agent-{number % 20}"
        answer = Part(kind="assistant", text=f"This is the answer number {number}.", message_id=f"run--{number:032}")
        made.recorder.record(AgentStarted(run_id=f"a{number}", parent_id="a", name=agent))
        made.recorder.record(ModelStarted(run_id=str(number), parent_id=f"a{number}", model="cheap", provider="openai"))
        made.recorder.record(ModelEnded(run_id=str(number), usage=Usage(input=100, output=10), output=(answer,)))
        prompt.append(answer)
    prompt += [Part(kind="assistant", text=f"Said elsewhere {number}", message_id=f"other--{number:032}") for number in range(50)]
    for run_id, parts in (("big", prompt), ("usual", prompt[199:203])):
        made.recorder.record(ModelStarted(run_id=run_id, parent_id="a", model="tiered", provider="openai", prompt=tuple(parts)))
        made.recorder.record(ModelEnded(run_id=run_id, usage=Usage(input=20_000, output=10, cache_read=10_000), model="tiered-2026-11-24"))
    made.recorder.settle()

    big, usual = (span for span in made.spans if span.name == "chat tiered")
    assert len(big.links) == 16
    assert size(big) < 6_000
    assert size(usual) < 2_000
    assert size(made.span("invoke_agent supervisor")) < 6_000


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("plain", "plain"),
        ("é\ud800", "é?"),
        (True, True),
        (1.5, 1.5),
        (2**80, 2**63 - 1),
        (-(2**80), -(2**63 - 1)),
        (["a\udfff", "b"], ["a?", "b"]),
        ([1, 2**80], [1, 2**63 - 1]),
        ((), []),
    ],
)
def test_values_are_made_encodable(value: Any, encoded: Any):
    """UTF-8 and 64 bits."""
    assert encodable({"x": value}) == {"x": encoded}
