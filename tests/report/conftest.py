"""Spans written by hand, and a team of agents whose figures are worked out on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import AttributeValue, LinkRecord, SpanRecord
from token_otel.report import Report, build

MICRO = 1_000_000


class Spans:
    """Spans as a file holds them. Spans are named by one letter or number: `c1` is the span `c1` padded to 16 digits."""

    def __init__(self) -> None:
        self.records: list[SpanRecord] = []

    @property
    def report(self) -> Report:
        return build(self.records)

    @staticmethod
    def ref(span: str, trace: str = "1") -> str:
        """The name of a span on other spans."""
        return f"{trace:0<32}:{span:0<16}"

    def add(
        self,
        span: str,
        parent: str | None,
        operation: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        trace: str = "1",
        at: int = 0,
        ends: int | None = None,
        links: Sequence[LinkRecord] = (),
        scope: str = sc.SCOPE,
        status: Any = "unset",
        process: str | None = None,
    ) -> None:
        """Add any span; `at` and `ends` are milliseconds, `process` is the instance that wrote it."""
        self.records.append(
            SpanRecord(
                trace_id=f"{trace:0<32}",
                span_id=f"{span:0<16}",
                parent_id=None if parent is None else f"{parent:0<16}",
                name=operation,
                kind=1,
                start_ns=at * MICRO,
                end_ns=(at + 1 if ends is None else ends) * MICRO,
                status=status,
                attributes={sc.OPERATION_NAME: operation, **(attributes or {})},
                links=tuple(links),
                resource={} if process is None else {"service.instance.id": process},
                scope=scope,
            )
        )

    def agent(self, span: str, parent: str | None, name: str, *, workflow: bool = False, **more: Any) -> None:
        """Add an agent, or a workflow."""
        named: Mapping[str, AttributeValue] = {sc.WORKFLOW_NAME if workflow else sc.AGENT_NAME: name, **more.pop("attributes", {})}
        self.add(span, parent, "invoke_workflow" if workflow else "invoke_agent", named, **more)

    def tool(self, span: str, parent: str | None, name: str, **more: Any) -> None:
        """Add a tool's run."""
        self.add(span, parent, "execute_tool", {sc.TOOL_NAME: name}, **more)

    def call(
        self,
        span: str,
        parent: str | None,
        agent: str | None,
        *,
        reads: Mapping[str, tuple[int, int]] | None = None,
        of: Mapping[str, tuple[int, int]] | None = None,
        new: int | None = None,
        output: tuple[int, int] | None = None,
        cached: int = 0,
        again: int | None = None,
        uncached: int | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        **more: Any,
    ) -> None:
        """Add a model call.

        `reads` has (tokens, millionths of a USD) by origin, `of` the same by producing span, `output` is (tokens, millionths).
        `again` is what the re-read tokens cost, `uncached` what the input would have cost without a cache, in millionths.
        """
        values: dict[str, AttributeValue] = {sc.RESPONSE_MODEL: "m-1", sc.CONVERSATION_ID: "c7"}
        if agent is not None:
            values[sc.AGENT_NAME] = agent
        if reads is not None and output is not None:
            tokens = sum(read for read, _ in reads.values())
            usd = sum(cost for _, cost in reads.values())
            values |= {
                sc.INPUT_TOKENS: tokens,
                sc.OUTPUT_TOKENS: output[0],
                sc.CACHE_READ_TOKENS: cached,
                sc.COST_INPUT: usd / MICRO,
                sc.COST_OUTPUT: output[1] / MICRO,
                sc.COST_TOTAL: (usd + output[1]) / MICRO,
                sc.FLOW_ORIGINS: tuple(reads),
                sc.FLOW_TOKENS: tuple(read for read, _ in reads.values()),
                sc.FLOW_COST: tuple(cost / MICRO for _, cost in reads.values()),
                sc.INPUT_REREAD: tokens - (tokens if new is None else new),
            }
        if again is not None:
            values[sc.COST_REREAD] = again / MICRO
        if uncached is not None:
            values[sc.COST_UNCACHED] = uncached / MICRO
        if of is not None:
            values[sc.FLOW_PRODUCERS] = tuple(of)
            values[sc.FLOW_PRODUCER_TOKENS] = tuple(read for read, _ in of.values())
            values[sc.FLOW_PRODUCER_COST] = tuple(cost / MICRO for _, cost in of.values())
        self.add(span, parent, more.pop("operation", "chat"), {**values, **(attributes or {})}, **more)

    def write(self, path: Path) -> Path:
        """Write them as a line of OTLP/JSON."""
        spans = [
            {
                "traceId": span.trace_id,
                "spanId": span.span_id,
                "parentSpanId": span.parent_id or "",
                "name": span.name,
                "startTimeUnixNano": str(span.start_ns),
                "endTimeUnixNano": str(span.end_ns),
                "attributes": [{"key": key, "value": _encoded(value)} for key, value in span.attributes.items()],
            }
            for span in self.records
        ]
        path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": sc.SCOPE}, "spans": spans}]}]}) + "\n")
        return path


def _encoded(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [_encoded(item) for item in value]}}


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def new_spans() -> type[Spans]:
    return Spans


@pytest.fixture
def team(spans: Spans) -> Spans:
    """Two turns of one conversation, at 2 USD a million in, 0.20 from the cache, 10 out.

    Turn 1: the supervisor asks the researcher through a tool, then hands off to the writer, who runs beside it. Turn 2: the
    supervisor answers by itself, and its cache holds what it read in turn 1.
    """
    ref = spans.ref
    informed = [
        LinkRecord(f"{1:0<32}", f"{'b2':0<16}", {sc.LINK_TYPE: sc.INFORMED_BY, sc.LINK_TOKENS: 100, sc.LINK_ORIGIN: "agent:researcher"})
    ]
    called = {sc.OUTPUT_TOOL_CALL: 20}
    spans.agent("1", None, "team", workflow=True, at=0, ends=100)
    spans.agent("2", "1", "supervisor", at=1, ends=60, attributes={sc.AGENT_HANDOFFS: ("writer",)})
    spans.call("a1", "2", "supervisor", at=2, reads={"system": (60, 120), "user": (40, 80)}, output=(20, 200), attributes=called)
    spans.tool("3", "2", "ask_researcher", at=4, ends=40)
    spans.agent("4", "3", "researcher", at=5, ends=39)
    spans.call(
        "b1", "4", "researcher", at=6, reads={"system": (50, 100), "agent:supervisor": (30, 60)}, of={ref("a1"): (30, 60)}, output=(10, 100)
    )
    spans.tool("c1", "4", "web", at=8)
    spans.call(
        "b2",
        "4",
        "researcher",
        at=10,
        # 50 tokens at 0.20 are 10 millionths, 30 at 2 are 60, 10 are 20, 210 are 420
        reads={"tool:web": (210, 420), "system": (50, 10), "agent:supervisor": (30, 60), "self": (10, 20)},
        of={ref("c1"): (210, 420), ref("a1"): (30, 60), ref("b1"): (10, 20)},
        new=220,
        cached=50,
        again=10 + 60,  # the system prompt and the supervisor's words
        uncached=300 * 2,
        output=(100, 1000),
        attributes={sc.OUTPUT_TEXT: 100},
    )
    spans.call(
        "a2",
        "2",
        "supervisor",
        at=42,
        reads={"agent:researcher": (100, 200), "system": (60, 120), "user": (40, 80), "self": (20, 40)},
        of={ref("b2"): (100, 200), ref("a1"): (20, 40)},
        new=120,
        again=120 + 80,  # the system prompt and the question
        output=(30, 300),
        links=informed,
    )
    spans.agent("5", "1", "writer", at=61, ends=99)
    spans.call(
        "d1",
        "5",
        "writer",
        at=62,
        reads={"agent:researcher": (100, 200), "agent:supervisor": (50, 100), "user": (40, 80), "system": (30, 60)},
        of={ref("b2"): (100, 200), ref("a2"): (30, 60), ref("a1"): (20, 40)},
        output=(200, 2000),
        links=informed,
    )
    spans.agent("1", None, "team", workflow=True, trace="2", at=200, ends=210)
    spans.agent("2", "1", "supervisor", trace="2", at=201, ends=209)
    spans.call(
        "a3",
        "2",
        "supervisor",
        trace="2",
        at=202,
        # from the cache: the system prompt (60), the old question (40), its own first answer (20), the researcher's (100)
        reads={
            "agent:writer": (200, 400),
            "agent:researcher": (100, 20),
            "system": (60, 12),
            "user": (50, 28),
            "self": (50, 64),
            "unexplained": (40, 80),
        },
        of={ref("d1"): (200, 400), ref("b2"): (100, 20), ref("a2"): (30, 60), ref("a1"): (20, 4)},
        new=280,
        cached=220,
        again=44,  # 220 at 0.20, all of it from the cache
        uncached=500 * 2,
        output=(50, 500),
    )
    return spans
