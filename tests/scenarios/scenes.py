"""What the scenarios have in common: the texts of a river, its tools, and ways to look at the spans."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from langchain_core.tools import tool
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext
from tests.scenarios.bench import Bench, attributes

SOUNDINGS = " ".join(f"Fact {number}: the river at mile {number * 7} is {number + 11} feet deep in spring." for number in range(60))
LOCKS = " ".join(f"Note {number}: the lock at mile {number * 11} is closed on day {number + 3} of every month." for number in range(40))
NOTES = "The river is navigable for barges up to mile 700, and in a usual spring up to mile 900."
DRAFT = "Barges can travel the river for seven hundred miles in any season, and for nine hundred in spring."
QUESTION = "How far up the river can a barge travel, and does it depend on the season?"
ASKED = "Up to which mile is the river navigable for barges, in spring and otherwise?"


@tool
def read_soundings() -> str:
    """Read the table of soundings of the river."""
    return SOUNDINGS


@tool
def read_locks() -> str:
    """Read the table of locks of the river."""
    return LOCKS


def tree(bench: Bench) -> list[str]:
    """The names of all spans, each indented beneath its parent, in the order of their start."""
    known = {span.context.span_id for span in bench.spans if span.context is not None}
    below: dict[int | None, list[ReadableSpan]] = {}
    for span in sorted(bench.spans, key=lambda span: span.start_time or 0):
        parent = span.parent.span_id if span.parent is not None and span.parent.span_id in known else None
        below.setdefault(parent, []).append(span)

    def lines(span_id: int | None, indent: str) -> list[str]:
        return [
            line
            for span in below.get(span_id, [])
            if span.context is not None
            for line in (indent + span.name, *lines(span.context.span_id, indent + "  "))
        ]

    return lines(None, "")


def place(context: SpanContext | None) -> tuple[int, int]:
    """A span's place in the world: its trace and its own id."""
    return (context.trace_id, context.span_id) if context is not None else (0, 0)


def flow(span: ReadableSpan) -> dict[str, int]:
    """The tokens of a call by origin."""
    values = attributes(span)
    return dict(zip(values["token_otel.flow.origins"], values["token_otel.flow.tokens"], strict=True))


def fresh(span: ReadableSpan) -> dict[str, int]:
    """The tokens of a call that it reads for the first time, by origin."""
    values = attributes(span)
    return dict(zip(values["token_otel.flow.origins"], values["token_otel.flow.new_tokens"], strict=True))


def check_rollups(bench: Bench) -> None:
    """What each agent and workflow says it used, itself and with all beneath, is the sum over the calls."""
    spans = {span.context.span_id: span for span in bench.spans if span.context is not None}

    def agents_above(span: ReadableSpan) -> list[ReadableSpan]:
        found: list[ReadableSpan] = []
        above = spans.get(span.parent.span_id) if span.parent is not None else None
        while above is not None:
            if above.name.startswith("invoke_"):
                found.append(above)
            above = spans.get(above.parent.span_id) if above.parent is not None else None
        return found

    calls = [(span, agents_above(span)) for span in bench.spans if "token_otel.usage.status" in attributes(span)]
    for agent in (span for span in bench.spans if span.name.startswith("invoke_")):
        values: dict[str, Any] = dict(attributes(agent))
        own = [attributes(span) for span, above in calls if above[:1] == [agent]]
        subtree = [attributes(span) for span, above in calls if agent in above]
        for scope, group in (("own", own), ("subtree", subtree)):
            prefix = f"token_otel.agent.{scope}"
            assert values[f"{prefix}.calls"] == len(group)
            assert values[f"{prefix}.input_tokens"] == sum(call.get("gen_ai.usage.input_tokens", 0) for call in group)
            assert values[f"{prefix}.output_tokens"] == sum(call.get("gen_ai.usage.output_tokens", 0) for call in group)
            assert values[f"{prefix}.reread_tokens"] == sum(call.get("token_otel.input.reread_tokens", 0) for call in group)
            cost = sum(call.get("token_otel.cost.total_usd", 0.0) for call in group)
            assert abs(values[f"{prefix}.cost_usd"] - cost) < 1e-12
