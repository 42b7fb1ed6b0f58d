"""`Life`: all reads of one message, joined from the spans of its readers.

A run of an agent tells of its reads twice: each of its calls names the 16 largest producers, and its own span the 16
dearest over all its calls. Both are lower bounds, so the larger figure is the better one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import inf
from typing import NamedTuple

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.calls import CUT_AT, OTHER, ROLES, UNTRACED, Call, absolute, parse_producer
from token_otel.report.origins import Origins
from token_otel.report.tree import AGENTS, SpanKey, Tree, agent_name, key_of, operation_of

NOT_MESSAGES = frozenset({OTHER, UNTRACED, "unexplained"})


class Key(NamedTuple):
    """What identifies a message: the span that produced it; where none did, its origin and its reader."""

    producer: SpanKey | None
    origin: str = ""
    reader: str = ""


class Reader(NamedTuple):
    """An agent in one conversation, or, where there is none, in one trace: there it reads a text for the first time once."""

    agent: str
    scope: str


@dataclass(slots=True)
class Reads:
    """The reads of one message, by one run of an agent or by all."""

    reads: int = 0
    tokens: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)
    unpriced: int = 0

    def add(self, other: Reads) -> None:
        """Add the reads of another run."""
        self.reads += other.reads
        self.tokens += other.tokens
        self.cost_usd += other.cost_usd
        self.unpriced += other.unpriced


@dataclass(slots=True)
class Life(Reads):
    """All reads of one message; `readers` has when each first had read it, `at_least` whether spans may hide more."""

    first_tokens: int | None = None
    readers: dict[Reader, float] = field(default_factory=dict[Reader, float])
    at_least: bool = False


class _Listed(NamedTuple):
    """The dearest messages of an agent's run, as its own span lists them; `whole` if there were no more."""

    reads: Mapping[Key, Reads] = {}
    whole: bool = False


class _Amount(NamedTuple):
    tokens: int
    cost_usd: Decimal | None


def lives(tree: Tree, calls: Sequence[Call], origins: Origins) -> Mapping[Key, Life]:
    """Return the lives of all messages that were read."""
    runs: dict[SpanKey | None, list[Call]] = {key_of(span): [] for span in tree.spans if operation_of(span) in AGENTS}
    for call in calls:
        nearest = next(tree.agents(call.span), None)
        runs.setdefault(key_of(nearest) if nearest is not None else None, []).append(call)
    found: dict[Key, Life] = {}
    cut: list[tuple[Call, _Listed]] = []
    for run, own in runs.items():
        agent = tree.find(run) if run is not None else None
        listed = _listed(agent) if agent is not None else _Listed()
        _add(found, agent, own, listed, origins)
        if not listed.whole:
            cut += [(call, listed) for call in own if call.producers_cut or call.origins_cut]
    _mark(found, cut, tree)
    return found


def _add(found: dict[Key, Life], agent: SpanRecord | None, calls: Sequence[Call], listed: _Listed, origins: Origins) -> None:
    told: dict[Key, Reads] = {}
    for call in calls:
        reader, at = Reader(call.agent, _scope(call.span)), call.span.end_ns
        for key, amount in _amounts(call, origins):
            unpriced = amount.tokens if amount.cost_usd is None and call.cost_status != "local" else 0
            told.setdefault(key, Reads()).add(Reads(1, amount.tokens, amount.cost_usd or Decimal(), unpriced))
            life = found.setdefault(key, Life())
            # A text has been read when the first call that read it is over, whichever started first.
            if at < min(life.readers.values(), default=inf):
                life.first_tokens = amount.tokens
            life.readers[reader] = min(at, life.readers.get(reader, inf))
    for key in {**told, **listed.reads}:
        life = found.setdefault(key, Life())
        reads, known = told.get(key, Reads()), listed.reads.get(key)
        if agent is not None and known is not None and known.tokens > reads.tokens:
            reads = replace(known, reads=max(reads.reads, known.reads), unpriced=reads.unpriced if reads.reads else known.unpriced)
            life.readers.setdefault(Reader(agent_name(agent), _scope(agent)), inf)
        life.add(reads)


def _mark(found: Mapping[Key, Life], cut: Sequence[tuple[Call, _Listed]], tree: Tree) -> None:
    """Mark the messages that a call may have read without naming them."""
    # The last calls first: they are those that may have read most.
    scopes: dict[str, list[_Cut]] = {}
    for call, listed in sorted(cut, key=lambda each: -each[0].span.end_ns):
        scopes.setdefault(_scope(call.span), []).append(_Cut(call, listed))
    for key, life in found.items():
        span = tree.find(key.producer) if key.producer is not None else None
        since = span.end_ns if span is not None else 0
        # Rounding may make one token of difference between two reads of the same text.
        size = (life.first_tokens or 0) - 1
        hiders = (each for scope in {reader.scope for reader in life.readers} for each in scopes.get(scope, ()))
        life.at_least = any(each.may_hide(key, size, since) for each in hiders)


class _Cut:
    """A call whose arrays were cut: what it does not name is no larger than the least it names."""

    def __init__(self, call: Call, listed: _Listed) -> None:
        self._call = call
        self._listed = listed.reads
        self._producers = {read.producer for read in call.reads}
        self._origins = {flow.origin for flow in call.flows}
        self._least_read = min((read.tokens for read in call.reads), default=0)
        self._least_flow = min((flow.tokens for flow in call.flows if flow.origin not in (OTHER, UNTRACED)), default=0)

    def may_hide(self, key: Key, size: int, since: int) -> bool:
        """Whether the call may have read a message of `size` tokens, which is there `since` then, and not say so."""
        call = self._call
        if key in self._listed:
            return False
        if key.producer is not None:
            return call.producers_cut and size <= self._least_read and since <= call.span.end_ns and key.producer not in self._producers
        if key.reader != call.agent:
            return False
        if call.producers_cut and key.origin not in ROLES:
            return True
        return call.origins_cut and size <= self._least_flow and key.origin not in self._origins


def _amounts(call: Call, origins: Origins) -> Iterator[tuple[Key, _Amount]]:
    """Yield what one call read of each span, and of each origin what no span is named for."""
    named: dict[str, _Amount] = {}
    resolved = not call.producers_cut
    for read in call.reads:
        yield Key(read.producer), _Amount(read.tokens, read.cost_usd)
        origin = origins.of(read.producer)
        if origin is None:
            resolved = False
        else:
            before = named.get(origin, _Amount(0, Decimal()))
            named[origin] = _Amount(before.tokens + read.tokens, (before.cost_usd or Decimal()) + (read.cost_usd or Decimal()))
    for flow in call.flows:
        if flow.origin in NOT_MESSAGES or (flow.origin not in ROLES and not resolved):
            continue
        tokens, cost_usd = named.get(flow.origin, _Amount(0, Decimal()))
        if flow.tokens > tokens:
            rest_usd = None if flow.cost_usd is None else flow.cost_usd - (cost_usd or Decimal())
            yield Key(None, flow.origin, call.agent), _Amount(flow.tokens - tokens, rest_usd)


def _listed(agent: SpanRecord) -> _Listed:
    labels = values.texts(agent, sc.AGENT_MESSAGE_PRODUCERS)
    columns = (
        values.counts(agent, sc.AGENT_MESSAGE_READS, len(labels)),
        values.counts(agent, sc.AGENT_MESSAGE_TOKENS, len(labels)),
        values.usds(agent, sc.AGENT_MESSAGE_COST, len(labels)),
    )
    name = agent_name(agent)
    found: dict[Key, Reads] = {}
    for label, reads, tokens, cost_usd in zip(labels, *columns, strict=True):
        producer = parse_producer(label)
        if label not in NOT_MESSAGES:
            key = Key(None, absolute(label, name), name) if producer is None else Key(producer)
            found[key] = Reads(reads, tokens, cost_usd or Decimal(), tokens if cost_usd is None else 0)
    return _Listed(found, whole=0 < len(labels) < CUT_AT)


def _scope(span: SpanRecord) -> str:
    return values.text(span, sc.CONVERSATION_ID) or span.trace_id
