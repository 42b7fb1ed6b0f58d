"""`Account`: what each agent spent, itself and with the agents beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from token_otel.report.calls import Call
from token_otel.report.totals import Totals
from token_otel.report.tree import AGENTS, SpanKey, Tree, agent_name, key_of, operation_of

AccountKind: TypeAlias = Literal["agent", "workflow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One agent, all its runs together.

    Attributes:
        name: The agent's, or the workflow's.
        kind: A workflow coordinates agents; it is an agent here if it ran as one too.
        depth: How many agents called it, one by the other, when it first ran.
        runs: How often it ran; 0 if only its calls are known.
        own: Its own model calls. Over all accounts they sum to the totals.
        subtree: Its own and those of the agents that ran beneath it, each call once. Whom it hands off to runs beside it.
    """

    name: str
    kind: AccountKind
    depth: int
    runs: int
    own: Totals
    subtree: Totals


@dataclass(slots=True)
class _Open:
    caller: str | None
    is_agent: bool = False
    runs: int = 0
    own: Totals = field(default_factory=Totals)
    subtree: Totals = field(default_factory=Totals)


def accounts(tree: Tree, calls: Sequence[Call]) -> tuple[Account, ...]:
    """Return the account of each agent, callers before those they call, else in the order of their first runs."""
    by_call = {key_of(call.span): call for call in calls}
    books: dict[str, _Open] = {}
    for span in tree.spans:
        call = by_call.get(key_of(span))
        if call is not None:
            above = [agent_name(agent) for agent in tree.agents(span)]
            book = books.setdefault(call.agent, _Open(_caller(call.agent, above, books), is_agent=True))
            book.own += call.totals
            for name in {call.agent, *above}:
                books[name].subtree += call.totals
        elif operation_of(span) in AGENTS:
            name = agent_name(span)
            above = [agent_name(agent) for agent in tree.agents(span)]
            book = books.setdefault(name, _Open(_caller(name, above, books)))
            book.runs += 1
            book.is_agent = book.is_agent or operation_of(span) == "invoke_agent"
    return tuple(_in_order(books))


def unseen_calls(tree: Tree, calls: Sequence[Call], claimed: dict[SpanKey, int]) -> int:
    """Return how many calls agents count as their own whose spans are not here: not sampled, torn, or in another file."""
    seen: dict[SpanKey, int] = {}
    for call in calls:
        nearest = next(tree.agents(call.span), None)
        if nearest is not None:
            seen[key_of(nearest)] = seen.get(key_of(nearest), 0) + call.totals.calls
    return sum(max(0, count - seen.get(key, 0)) for key, count in claimed.items())


def _caller(name: str, above: Sequence[str], books: dict[str, _Open]) -> str | None:
    # Only who has an account already: two agents that call each other in turn are not above each other.
    return next((caller for caller in above if caller != name and caller in books), None)


def _in_order(books: dict[str, _Open]) -> Iterator[Account]:
    callees: dict[str | None, list[str]] = {}
    for name, book in books.items():
        callees.setdefault(book.caller, []).append(name)
    pending = [(name, 0) for name in reversed(callees.get(None, ()))]
    while pending:
        name, depth = pending.pop()
        book = books[name]
        kind: AccountKind = "agent" if book.is_agent else "workflow"
        yield Account(name=name, kind=kind, depth=depth, runs=book.runs, own=book.own, subtree=book.subtree)
        pending += [(callee, depth + 1) for callee in reversed(callees.get(name, ()))]
