"""`Conversation`: what was said in one, and how the context of each agent grew in it, call by call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.report import values
from token_otel.report.breaks import model_of
from token_otel.report.calls import Call
from token_otel.report.messages import Message
from token_otel.report.totals import Totals
from token_otel.report.tree import SpanKey, key_of, operation_of
from token_otel.report.velocity import Velocity, together, velocities


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One call of an agent, by what fills its context.

    Attributes:
        span: The call.
        model: The model that answered.
        input: Its input, `reread` of it read before by this agent, `cache_read` from a cache.
        roles: The input by role: `system`, `tools`, `user`, `self`, `agents`, `tool_results`, ...; sums to it.
        cost_usd: What the whole call cost; `None` if that is not known.
    """

    span: SpanKey
    model: str
    input: int
    reread: int
    cache_read: int
    roles: Mapping[str, int]
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one agent read in one conversation.

    Attributes:
        agent: The agent.
        totals: Its calls.
        velocity: Of its words in this conversation.
        first: The input of its first call; likewise `last`, and `peak` of the largest.
        grew: By how much each role grew from the first call to the largest, most first; together they are its growth.
        turns: Its calls in their order, embeddings and calls without usage left out.
    """

    agent: str
    totals: Totals
    velocity: Velocity
    first: int
    peak: int
    last: int
    grew: Mapping[str, int]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation, or one trace without a conversation's id.

    Attributes:
        id: The conversation's id; `None` where there is none.
        traces: Its traces, in the order in which they began.
        totals: All calls in it.
        velocity: Of all words of agents and tools in it.
        contexts: Its agents, in the order of their first calls.
    """

    id: str | None
    traces: tuple[str, ...]
    totals: Totals
    velocity: Velocity
    contexts: tuple[Context, ...]


def conversations(calls: Sequence[Call], messages: Iterable[Message]) -> tuple[Conversation, ...]:
    """Return the conversations in the order in which they began."""
    by_scope: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda call: (call.span.start_ns, call.span.end_ns)):
        by_scope.setdefault(call.scope, []).append(call)
    read: dict[str, list[Message]] = {}
    for message in messages:
        for scope in message.new_in:
            read.setdefault(scope, []).append(message)
    return tuple([_conversation(scope, own, read.get(scope, [])) for scope, own in by_scope.items()])


def _conversation(scope: str, calls: Sequence[Call], messages: Sequence[Message]) -> Conversation:
    by_agent: dict[str, list[Call]] = {}
    for call in calls:
        by_agent.setdefault(call.agent, []).append(call)
    found = velocities(calls, messages, scope)
    return Conversation(
        id=values.text(calls[0].span, sc.CONVERSATION_ID),
        traces=tuple(dict.fromkeys(call.span.trace_id for call in calls)),
        totals=_sum(calls),
        velocity=together(found.values()),
        contexts=tuple([_context(agent, own, found[f"agent:{agent}"]) for agent, own in by_agent.items()]),
    )


def _context(agent: str, calls: Sequence[Call], velocity: Velocity) -> Context:
    turns = tuple([_turn(call) for call in calls if call.totals.input and operation_of(call.span) != "embeddings"])
    sizes = [turn.input for turn in turns] or [0]
    return Context(
        agent=agent,
        totals=_sum(calls),
        velocity=velocity,
        first=sizes[0],
        peak=max(sizes),
        last=sizes[-1],
        grew=_growth(turns[0].roles, turns[sizes.index(max(sizes))].roles) if turns else {},
        turns=turns,
    )


def _turn(call: Call) -> Turn:
    return Turn(
        span=key_of(call.span),
        model=model_of(call),
        input=call.totals.input,
        reread=call.totals.reread,
        cache_read=call.totals.cache_read,
        roles=call.roles,
        cost_usd=call.totals.cost_usd if call.cost_status == "priced" else None,
    )


def _growth(first: Mapping[str, int], peak: Mapping[str, int]) -> Mapping[str, int]:
    by_role = {role: peak.get(role, 0) - first.get(role, 0) for role in {**first, **peak}}
    return {role: grown for role, grown in sorted(by_role.items(), key=lambda item: -abs(item[1])) if grown}


def _sum(calls: Iterable[Call]) -> Totals:
    return sum((call.totals for call in calls), Totals())
