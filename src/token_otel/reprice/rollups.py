"""What agents and workflows spent, at other prices: what their spans say, plus what the calls beneath cost more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.otel.values import Value
from token_otel.report import values
from token_otel.report.tree import SpanKey, Tree, key_of
from token_otel.reprice.calls import Repriced

Changes: TypeAlias = Mapping[str, Value | None]


@dataclass(slots=True)
class _Agent:
    """What changes for one agent: in its own calls, in those beneath it, and by the labels of what it read."""

    span: SpanRecord
    own_usd: Decimal = field(default_factory=Decimal)
    subtree_usd: Decimal = field(default_factory=Decimal)
    incomplete: int = 0
    own_unknown: bool = False
    unknown: bool = False
    before: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    after: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


def rollup_costs(tree: Tree, calls: Sequence[tuple[Repriced, Changes]]) -> dict[SpanKey, Changes]:
    """Return the new costs of every agent that has a repriced call beneath it; calls that are not in the file stay in its sum."""
    agents: dict[SpanKey, _Agent] = {}
    for call, written in calls:
        for depth, span in enumerate(tree.agents(call.span)):
            # An agent's span was written when it ended: what came later is not in it.
            if not call.late or span.end_ns >= call.span.end_ns:
                _add(agents.setdefault(key_of(span), _Agent(span)), call, written, own=depth == 0)
    return {key: _changes(agent) for key, agent in agents.items()}


def _add(agent: _Agent, call: Repriced, written: Changes, *, own: bool) -> None:
    more_usd = (call.cost.total_usd or Decimal()) - (call.before_usd or Decimal())
    unknown = call.cost.total_usd is None and call.cost.status != "local"
    agent.subtree_usd += more_usd
    agent.unknown = agent.unknown or unknown
    if not call.late and call.span.attributes.get(sc.USAGE_STATUS) != "partial":
        was_unknown = call.before_usd is None and call.span.attributes.get(sc.COST_STATUS) != "local"
        agent.incomplete += unknown - was_unknown
    if not own:
        return
    agent.own_usd += more_usd
    agent.own_unknown = agent.own_unknown or unknown
    for labels, costs in ((sc.FLOW_ORIGINS, sc.FLOW_COST), (sc.FLOW_PRODUCERS, sc.FLOW_PRODUCER_COST)):
        names = values.texts(call.span, labels)
        before = values.usds(call.span, costs, len(names))
        after = written[costs] if costs in written else [None if usd is None else float(usd) for usd in before]
        for i, name in enumerate(names):
            agent.before[name] = agent.before.get(name, Decimal()) + (before[i] or Decimal())
            usd = after[i] if isinstance(after, list) and i < len(after) else None
            agent.after[name] = agent.after.get(name, Decimal()) + (Decimal() if usd is None else Decimal(repr(usd)))


def _changes(agent: _Agent) -> Changes:
    own, subtree = sc.rollup(sc.OWN, "cost_usd"), sc.rollup(sc.SUBTREE, "cost_usd")
    changes: dict[str, Value | None] = {
        own: _sum(agent.span, own, agent.own_usd, unknown=agent.own_unknown),
        subtree: _sum(agent.span, subtree, agent.subtree_usd, unknown=agent.unknown),
    }
    if agent.incomplete:
        changes[sc.AGENT_INCOMPLETE] = max(0, (values.count(agent.span, sc.AGENT_INCOMPLETE) or 0) + agent.incomplete) or None
    labels = values.texts(agent.span, sc.AGENT_MESSAGE_PRODUCERS)
    if labels and agent.after != agent.before:
        before = values.usds(agent.span, sc.AGENT_MESSAGE_COST, len(labels))
        known = changes[own] is not None
        changes[sc.AGENT_MESSAGE_COST] = [float(_message(agent, *row)) for row in zip(labels, before, strict=True)] if known else None
    return changes


def _sum(span: SpanRecord, name: str, more_usd: Decimal, *, unknown: bool) -> float | None:
    """Return the new sum; a sum over calls of which none has a price is not 0, but unknown."""
    before = values.usd(span, name)
    after = (before or Decimal()) + more_usd
    if not more_usd and before is None:
        return None
    return None if unknown and not after else float(after)


def _message(agent: _Agent, label: str, before: Decimal | None) -> Decimal:
    """Return what one text cost over its life: in proportion, since a call names only the 16 largest."""
    was, now = agent.before.get(label, Decimal()), agent.after.get(label, Decimal())
    if before is None or not was:
        return now + (before or Decimal()) - was
    return before * now / was if before != was else now
