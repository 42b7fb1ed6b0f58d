"""The bench: real clients, loopback providers, our spans; and the truth of who said what, worked out from the bills alone.

Nothing here uses token_otel's own bookkeeping: what a prompt's pieces are, and what each of them was billed, the loopback
providers know from the request; who said a piece is found by looking its words up in the earlier bills.
"""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from token_otel import Recorder, Settings
from token_otel.testing.loopback import Bill, LoopbackAnthropic, LoopbackOpenAI, PieceTruth
from token_otel_langchain import TokenOtelHandler

OPENAI_TOLERANCE = 0.02  # of the input: the same encoding, other rules for framing and tools
ANTHROPIC_TOLERANCE = 0.05  # another encoding, and a preamble that nobody sees
SMALL_TOLERANCE = 12  # tokens


@dataclass
class Bench:
    """One scenario's servers, handler and spans."""

    openai: LoopbackOpenAI
    anthropic: LoopbackAnthropic
    handler: TokenOtelHandler
    exporter: InMemorySpanExporter
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def gpt(self, model: str, **options: Any) -> ChatOpenAI:
        """The real client of OpenAI, on the loopback."""
        return ChatOpenAI(model=model, base_url=self.openai.base_url, api_key="offline", max_retries=0, **{"stream_usage": True} | options)  # pyright: ignore[reportArgumentType]

    def claude(self, model: str, **options: Any) -> ChatAnthropic:
        """The real client of Anthropic, on the loopback."""
        return ChatAnthropic(model_name=model, base_url=self.anthropic.base_url, api_key="offline", max_retries=0, **options)  # pyright: ignore[reportArgumentType]

    @property
    def config(self) -> Any:
        """The config of a run without a conversation id."""
        return {"callbacks": [self.handler]}

    def thread(self, thread_id: str) -> Any:
        """The config of a run in a conversation."""
        return {"callbacks": [self.handler], "configurable": {"thread_id": thread_id}}

    @property
    def bills(self) -> list[Bill]:
        """What the providers have billed."""
        return [*self.openai.bills, *self.anthropic.bills]

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What was exported."""
        return self.exporter.get_finished_spans()


@contextmanager
def bench(openai: Any = None, anthropic: Any = None, **settings: Any) -> Generator[Bench]:
    """Start the providers with these answers, and a recorder of their own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, settings=Settings(worker="inline", raise_errors=True, **settings))
    with LoopbackOpenAI(openai or {}) as gpt, LoopbackAnthropic(anthropic or {}) as claude:
        yield Bench(gpt, claude, TokenOtelHandler(recorder=recorder), exporter)
    assert recorder.open_runs == 0


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    """A span's attributes, never None."""
    return span.attributes or {}


def billed(bench: Bench) -> list[tuple[Bill, ReadableSpan]]:
    """Each delivered bill with the span of its call, in the order of the calls.

    They are joined by the provider's id of the answer; where a stream drops it, by the model and the order of the calls.
    """
    models = sorted((span for span in bench.spans if "token_otel.usage.status" in attributes(span)), key=lambda span: span.start_time or 0)
    by_id = {attributes(span).get("gen_ai.response.id"): span for span in models}
    nameless = [span for span in models if "gen_ai.response.id" not in attributes(span)]
    pairs: list[tuple[Bill, ReadableSpan]] = []
    for bill in (bill for bill in bench.bills if bill.delivered):
        span = by_id.get(bill.response_id) or next(span for span in nameless if attributes(span)["gen_ai.request.model"] == bill.model)
        if span in nameless:
            nameless.remove(span)
        pairs.append((bill, span))
    return sorted(pairs, key=lambda pair: pair[1].start_time or 0)


def chats(bench: Bench) -> list[ReadableSpan]:
    """The spans of the calls that were billed, in the order of the calls."""
    return [span for _, span in billed(bench)]


def check_balance(bench: Bench) -> None:
    """The sum over all exported spans is the sum of the delivered bills, in tokens and USD; the rest is marked unreported."""
    delivered = [bill for bill in bench.bills if bill.delivered]
    for name, billed in (
        ("gen_ai.usage.input_tokens", sum(bill.input for bill in delivered)),
        ("gen_ai.usage.output_tokens", sum(bill.output for bill in delivered)),
        ("gen_ai.usage.cache_read.input_tokens", sum(bill.cache_read for bill in delivered)),
        ("gen_ai.usage.cache_write.input_tokens", sum(bill.cache_write_5m + bill.cache_write_1h for bill in delivered)),
    ):
        assert sum(attributes(span).get(name, 0) for span in bench.spans) == billed, name
    cost = sum(
        Decimal(repr(attributes(span)["token_otel.cost.total_usd"]))
        for span in bench.spans
        if "token_otel.cost.total_usd" in attributes(span)
    )
    assert round(cost, 12) == sum(bill.cost_usd or Decimal() for bill in delivered)
    models = [span for span in bench.spans if "token_otel.usage.status" in attributes(span)]
    unreported = [span for span in models if attributes(span)["token_otel.usage.status"] == "unreported"]
    assert len(unreported) == sum(not bill.delivered for bill in bench.bills)


def check_calls(bench: Bench) -> None:
    """Each delivered bill stands on the span of its call: tokens, parts and USD."""
    for bill, span in billed(bench):
        values = attributes(span)
        assert values["gen_ai.usage.input_tokens"] == bill.input
        assert values["gen_ai.usage.output_tokens"] == bill.output
        assert values.get("gen_ai.usage.cache_read.input_tokens", 0) == bill.cache_read
        assert values.get("gen_ai.usage.cache_write.input_tokens", 0) == bill.cache_write_5m + bill.cache_write_1h
        assert values.get("gen_ai.usage.reasoning.output_tokens", 0) == bill.reasoning
        assert values["token_otel.cost.total_usd"] == float(bill.cost_usd or 0)
        assert sum(values["token_otel.flow.tokens"]) == bill.input
        assert round(sum(values["token_otel.flow.cost_usd"]), 12) == round(values["token_otel.cost.input_usd"], 12)
        parts = [values.get(f"token_otel.output.{part}_tokens", 0) for part in ("text", "tool_call", "reasoning")]
        assert sum(parts) == bill.output


def check_rollups(bench: Bench) -> None:
    """Each agent's own and subtree account is the sum of the bills of the calls beneath its span."""
    spans = {span.context.span_id: span for span in bench.spans if span.context is not None}
    bills = {span.context.span_id: bill for bill, span in billed(bench) if span.context is not None}
    own: dict[int, list[Bill]] = {}
    subtree: dict[int, list[Bill]] = {}
    for span_id, bill in bills.items():
        nearest, parent = True, spans[span_id].parent
        while parent is not None and parent.span_id in spans:
            if "token_otel.agent.own.calls" in attributes(spans[parent.span_id]):
                subtree.setdefault(parent.span_id, []).append(bill)
                if nearest:
                    own.setdefault(parent.span_id, []).append(bill)
                nearest = False
            parent = spans[parent.span_id].parent
    agents = {span_id: attributes(span) for span_id, span in spans.items() if "token_otel.agent.own.calls" in attributes(span)}
    for span_id, values in agents.items():
        for scope, sums in (("own", own), ("subtree", subtree)):
            account = sums.get(span_id, [])
            assert values[f"token_otel.agent.{scope}.input_tokens"] == sum(bill.input for bill in account)
            assert values[f"token_otel.agent.{scope}.output_tokens"] == sum(bill.output for bill in account)
            assert values[f"token_otel.agent.{scope}.cost_usd"] == float(sum(bill.cost_usd or Decimal() for bill in account))


def check_origins(
    bench: Bench, agents: Mapping[str, str], answers: Mapping[str, str] | None = None, said: Mapping[str, str] | None = None
) -> None:
    """Every call's origins are the truth: who said each piece of its prompt, with the tokens it was billed, cached or not.

    Args:
        bench: The scenario after its run.
        agents: Which agent runs on which model.
        answers: The origin of a tool's result, by the tool's name, where it is not the tool itself but an agent beneath it.
        said: The origin of a text that travels without an id, by the text.
    """
    pairs = billed(bench)
    for number, (bill, span) in enumerate(pairs):
        values = attributes(span)
        agent = agents[bill.model]
        assert values["gen_ai.agent.name"] == agent
        truth: dict[str, int] = {}
        cached: dict[str, int] = {}
        for piece in bill.messages:
            origin = _origin(piece, [earlier for earlier, _ in pairs[:number]], agents, answers or {}, said or {})
            origin = "self" if origin == f"agent:{agent}" else origin
            truth[origin] = truth.get(origin, 0) + piece.tokens
            cached[origin] = cached.get(origin, 0) + piece.cache_read
        ours = dict(zip(values["token_otel.flow.origins"], values["token_otel.flow.tokens"], strict=True))
        ours_cached = dict(zip(values["token_otel.flow.origins"], values["token_otel.flow.cache_read_tokens"], strict=True))
        framing = truth.pop("framing", 0)
        share = OPENAI_TOLERANCE if bill.provider == "openai" else ANTHROPIC_TOLERANCE
        tolerance = max(SMALL_TOLERANCE + framing, share * bill.input)
        assert set(ours) == set(truth), (agent, ours, truth)
        for origin, tokens in truth.items():
            assert abs(ours[origin] - tokens) <= tolerance, (agent, origin, ours, truth)
            assert abs(ours_cached[origin] - cached[origin]) <= tolerance, (agent, origin, ours_cached, cached)
        assert sum(ours.values()) == bill.input
        assert sum(ours_cached.values()) == bill.cache_read


def _origin(piece: PieceTruth, earlier: list[Bill], agents: Mapping[str, str], answers: Mapping[str, str], said: Mapping[str, str]) -> str:
    if piece.kind in ("preamble", "tools"):
        return "tools"
    if piece.kind == "framing":
        return "framing"
    if piece.tool_call_id is not None:
        [name] = {call.name for bill in earlier for call in bill.tool_calls if call.id == piece.tool_call_id}
        return answers.get(name, f"tool:{name}")
    if piece.text in said:
        return said[piece.text]
    if piece.kind == "system":
        return "system"
    if piece.role == "assistant":
        words = {_canonical(line) for line in piece.text.split("\n")} | {_canonical(piece.text)}
        for bill in reversed(earlier):
            if words & {
                _canonical(word)
                for word in (bill.output_text, *(f"{call.name}{json.dumps(call.arguments)}" for call in bill.tool_calls))
                if word
            }:
                return f"agent:{agents[bill.model]}"
        return "external"
    return "user"


def _canonical(text: str) -> str:
    """A tool call's words, however its arguments were written; any other text as it is."""
    name, brace, rest = text.partition("{")
    try:
        return name + json.dumps(json.loads(brace + rest), sort_keys=True) if brace else text
    except ValueError:
        return text
