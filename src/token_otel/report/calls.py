"""`Call`: one model call, read back from its span: the only spans that hold tokens and money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.rates import Rates, cache_writes, rates_of
from token_otel.report.totals import Totals
from token_otel.report.tree import CALLS, SpanKey, Tree, agent_name, key_of, operation_of, scope_of

CUT_AT = 16  # entries that an array on a span has at most
OTHER = "other"  # what lies beyond, in the array of origins
UNTRACED = "untraced"  # input whose origin was not looked for: a row of ours, on no span
ROLES = frozenset({"system", "tools", "user", "media", "external", "unexplained", OTHER, UNTRACED})  # no span produced them

CostStatus: TypeAlias = Literal["priced", "unpriced", "unreported", "refused", "local", "cached", "late"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one call read of one origin; `cost_usd` is `None` where it is not priced."""

    origin: str
    tokens: int
    cache_read: int = 0
    new: int = 0
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one call read of the texts of one span."""

    producer: SpanKey
    tokens: int
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One model call.

    Attributes:
        agent: The agent that made it.
        cost_status: Whether its cost is known, and if not, why.
        flows: Its input by origin, under names that mean the same for every reader; they sum to the billed input.
        reads: Its input by producing span: the largest 16.
        roles: Its input by the part it plays (`system`, `self`, `agents`, `tool_results`, ...); sums to the billed input.
        rates: What its input cost by the token.
        origins_cut: Whether there were more origins than `flows` names.
        producers_cut: Whether there may have been more producing spans than `reads` names.
        joined: Whether messages of another process were put back under the names of their producers.
        externals_cut: Whether there were more such messages than its span has ids.
        hides: The size of the largest text that it may have read without naming its producer.
    """

    span: SpanRecord
    agent: str
    cost_status: CostStatus
    totals: Totals
    flows: tuple[Flow, ...]
    reads: tuple[Read, ...]
    roles: Mapping[str, int]
    rates: Rates
    origins_cut: bool
    producers_cut: bool
    hides: int
    joined: bool = False
    externals_cut: bool = False

    @property
    def scope(self) -> str:
        """The conversation, or the trace where there is none."""
        return scope_of(self.span)


def calls(tree: Tree) -> tuple[Call, ...]:
    """Read the model calls of all traces."""
    spans = [span for span in tree.spans if operation_of(span) in CALLS]
    continued = {
        (link.trace_id, link.span_id) for span in spans for link in span.links if link.attributes.get(sc.LINK_TYPE) == sc.CONTINUES
    }
    return tuple([_call(span, bill_came_later=key_of(span) in continued) for span in spans])


def run_status(span: SpanRecord) -> str:
    """Return how a run ended: `ok`, `error`, `cancelled` or `interrupted`."""
    return values.text(span, sc.RUN_STATUS) or ("error" if span.status == "error" else "ok")


def parse_producer(label: str) -> SpanKey | None:
    """Return the span that a label `traceid:spanid` names; a role is none."""
    trace_id, _, span_id = label.partition(":")
    return (trace_id, span_id) if len(trace_id) == 32 and len(span_id) == 16 else None


def absolute(origin: str, reader: str) -> str:
    """Return an origin under the name that it has for every reader: `self` is the agent that reads."""
    return f"agent:{reader}" if origin == "self" else origin


def role_of(origin: str, reader: str) -> str:
    """Return the role of an origin, which is given under its name for every reader, in the eyes of `reader`."""
    kind, _, name = origin.partition(":")
    if kind == "agent":
        return "self" if name == reader else "agents"
    return {"tool": "tool_results", "document": "documents"}.get(kind, kind)


def _call(span: SpanRecord, *, bill_came_later: bool) -> Call:
    agent = agent_name(span)
    cost_status = _cost_status(span, bill_came_later=bill_came_later)
    flows = tuple(_flows(span, agent))
    reads = tuple(_reads(span))
    traceable = sum(flow.tokens for flow in flows if flow.origin not in ROLES or flow.origin == OTHER)
    cut = len(reads) >= CUT_AT and sum(read.tokens for read in reads) < traceable
    return Call(
        span=span,
        agent=agent,
        cost_status=cost_status,
        totals=_totals(span, cost_status),
        flows=flows,
        reads=reads,
        roles=_roles(span, flows, agent),
        rates=rates_of(span),
        origins_cut=any(flow.origin == OTHER for flow in flows),
        producers_cut=cut,
        hides=min(read.tokens for read in reads) if cut else 0,
    )


def _cost_status(span: SpanRecord, *, bill_came_later: bool) -> CostStatus:
    if span.attributes.get(sc.LOCAL_CACHE) is True:
        return "cached"
    known = sc.INPUT_TOKENS in span.attributes or sc.OUTPUT_TOKENS in span.attributes
    if sc.COST_TOTAL in span.attributes:
        return "priced"
    if span.attributes.get(sc.COST_STATUS) == "local" and known:
        return "local"
    if known:
        return "unpriced"
    if bill_came_later or span.attributes.get(sc.LATE) is True:
        return "late"
    return "refused" if run_status(span) == "error" else "unreported"


def _totals(span: SpanRecord, cost_status: CostStatus) -> Totals:
    if cost_status == "cached":
        return Totals(cached=1, saved_usd=values.usd(span, sc.SAVED_COST) or Decimal())
    call = int(span.attributes.get(sc.LATE) is not True)
    reread = values.count(span, sc.INPUT_REREAD)
    input_tokens = values.count(span, sc.INPUT_TOKENS) or 0
    status = run_status(span)
    unreported = cost_status == "unreported"
    return Totals(
        calls=call,
        input=input_tokens,
        output=values.count(span, sc.OUTPUT_TOKENS) or 0,
        cache_read=values.count(span, sc.CACHE_READ_TOKENS) or 0,
        cache_write=cache_writes(span),
        traced=0 if reread is None else input_tokens,
        reread=reread or 0,
        cost_usd=values.usd(span, sc.COST_TOTAL) or Decimal(),
        input_usd=values.usd(span, sc.COST_INPUT) or Decimal(),
        output_usd=values.usd(span, sc.COST_OUTPUT) or Decimal(),
        **_split(span, cost_status),
        unreported=int(unreported),
        unpriced=int(cost_status == "unpriced"),
        estimated=int(span.attributes.get(sc.USAGE_STATUS) == "estimated"),
        guessed_input=(values.count(span, sc.ESTIMATED_INPUT) or 0) if unreported else 0,
        guessed_output=(values.count(span, sc.ESTIMATED_OUTPUT) or 0) if unreported else 0,
        cancelled=call * (status == "cancelled"),
        errors=call * (status == "error"),
        local=call * (cost_status == "local"),
    )


def _split(span: SpanRecord, cost_status: CostStatus) -> dict[str, Any]:
    """Return what new and re-read tokens cost, and what caching saved, as far as the span says."""
    found: dict[str, Any] = {}
    tokens, reread, usd = values.count(span, sc.INPUT_TOKENS) or 0, values.count(span, sc.INPUT_REREAD), values.usd(span, sc.COST_INPUT)
    reread_usd = Decimal() if reread == 0 else values.usd(span, sc.COST_REREAD)
    if reread is not None and usd is not None and reread_usd is not None:
        found |= {"new_usd": usd - reread_usd, "reread_usd": reread_usd}
    elif reread is not None and cost_status != "local":
        found["unsplit"] = tokens
    if (values.count(span, sc.CACHE_READ_TOKENS) or cache_writes(span)) and cost_status != "local":
        uncached_usd = values.usd(span, sc.COST_UNCACHED)
        if usd is not None and uncached_usd is not None:
            found["caching_saved_usd"] = uncached_usd - usd
        else:
            found["caching_unknown"] = 1
    return found


def _flows(span: SpanRecord, reader: str) -> Iterator[Flow]:
    origins = values.texts(span, sc.FLOW_ORIGINS)
    columns = (
        values.counts(span, sc.FLOW_TOKENS, len(origins)),
        values.counts(span, sc.FLOW_CACHE_READ, len(origins)),
        values.counts(span, sc.FLOW_NEW, len(origins)),
        values.usds(span, sc.FLOW_COST, len(origins)),
    )
    rest = values.count(span, sc.INPUT_TOKENS) or 0
    for origin, tokens, cache_read, new, cost_usd in zip(origins, *columns, strict=True):
        rest -= tokens
        yield Flow(origin=absolute(origin, reader), tokens=tokens, cache_read=cache_read, new=new, cost_usd=cost_usd)
    if rest:
        cost_usd = None if origins else values.usd(span, sc.COST_INPUT)
        yield Flow(origin=UNTRACED, tokens=rest, cost_usd=cost_usd)


def _roles(span: SpanRecord, flows: Sequence[Flow], reader: str) -> Mapping[str, int]:
    # The scalars are whole where the arrays were cut.
    roles = {role: tokens for role, name in sc.INPUT_BY_ROLE.items() if (tokens := values.count(span, name))}
    whole = bool(roles)
    for flow in flows:
        if flow.origin == UNTRACED or not whole:
            role = role_of(flow.origin, reader)
            roles[role] = roles.get(role, 0) + flow.tokens
    return roles


def _reads(span: SpanRecord) -> Iterator[Read]:
    producers = values.texts(span, sc.FLOW_PRODUCERS)
    tokens = values.counts(span, sc.FLOW_PRODUCER_TOKENS, len(producers))
    costs = values.usds(span, sc.FLOW_PRODUCER_COST, len(producers))
    for label, read, cost_usd in zip(producers, tokens, costs, strict=True):
        producer = parse_producer(label)
        if producer is not None:
            yield Read(producer=producer, tokens=read, cost_usd=cost_usd)
