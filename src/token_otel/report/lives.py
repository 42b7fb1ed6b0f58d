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
from token_otel.report.calls import CUT_AT, OTHER, ROLES, UNTRACED, Call, Flow, absolute, parse_producer
from token_otel.report.origins import Origins
from token_otel.report.rates import Rates, part
from token_otel.report.tree import AGENTS, SpanKey, Tree, agent_name, key_of, operation_of, scope_of

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


class First(NamedTuple):
    """The first read of a message by one agent: when it was over, and what was read. Of a role, all that was new counts."""

    at: float
    tokens: int
    cost_usd: Decimal | None

    def and_more(self, at: float, tokens: int, cost_usd: Decimal | None) -> First:
        """Return it with more that was new later."""
        known = [usd for usd in (self.cost_usd, cost_usd) if usd is not None]
        return First(min(self.at, at), self.tokens + tokens, sum(known, Decimal()) if known else None)


@dataclass(slots=True)
class Life(Reads):
    """All reads of one message.

    Attributes:
        first_tokens: What the first call to read it read of it.
        face_rate: What a token cost that call without a cache.
        readers: The first reads, by reader.
        at_least: Whether spans may hide more reads.
    """

    first_tokens: int | None = None
    face_rate: Decimal | None = None
    readers: dict[Reader, First] = field(default_factory=dict[Reader, First])
    at_least: bool = False


class _Listed(NamedTuple):
    """The dearest messages of an agent's run, as its own span lists them; `whole` if there were no more, `exact` if it forgot none."""

    reads: Mapping[Key, Reads] = {}
    whole: bool = False
    exact: bool = True

    def without_externals(self) -> _Listed:
        """Return it without what the run could not tell the producers of, where that is known now."""
        kept = {key: reads for key, reads in self.reads.items() if key.producer or key.origin.partition(":")[0] not in ("external", "tool")}
        return self._replace(reads=kept)


class _Amount(NamedTuple):
    """What one call read of one message; of a role, how much of it was new, and at what cost."""

    tokens: int
    cost_usd: Decimal | None
    new: tuple[int, Decimal | None] | None = None


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
        if any(call.joined for call in own):
            listed = listed.without_externals()
        _add(found, agent, own, listed, origins)
        cut += [(call, listed) for call in own if call.externals_cut or (not listed.whole and (call.hides or call.origins_cut))]
    _mark(found, cut, tree)
    return found


def _add(found: dict[Key, Life], agent: SpanRecord | None, calls: Sequence[Call], listed: _Listed, origins: Origins) -> None:
    told: dict[Key, Reads] = {}
    for call in calls:
        reader, at = Reader(call.agent, call.scope), call.span.end_ns
        for key, amount in _amounts(call, origins):
            unpriced = amount.tokens if amount.cost_usd is None and call.cost_status != "local" else 0
            told.setdefault(key, Reads()).add(Reads(1, amount.tokens, amount.cost_usd or Decimal(), unpriced))
            life = found.setdefault(key, Life())
            # A text has been read when the first call that read it is over, whichever started first.
            if at < min((first.at for first in life.readers.values()), default=inf):
                life.first_tokens, life.face_rate = amount.tokens, call.rates.uncached
            known = life.readers.get(reader)
            if amount.new is not None:
                life.readers[reader] = First(at, *amount.new) if known is None else known.and_more(at, *amount.new)
            elif known is None or at < known.at:
                life.readers[reader] = First(at, amount.tokens, amount.cost_usd)
    for key in {**told, **listed.reads}:
        life = found.setdefault(key, Life())
        reads, known = told.get(key, Reads()), listed.reads.get(key)
        if agent is not None and known is not None and known.tokens > reads.tokens:
            reads = replace(known, reads=max(reads.reads, known.reads), unpriced=reads.unpriced if reads.reads else known.unpriced)
            # No call tells of its first read: one read is taken to be like another.
            each_usd = None if known.unpriced else part(known.cost_usd, 1, max(1, known.reads))
            first = First(inf, known.tokens // max(1, known.reads), each_usd)
            life.readers.setdefault(Reader(agent_name(agent), scope_of(agent)), first)
        life.add(reads)


def _mark(found: Mapping[Key, Life], cut: Sequence[tuple[Call, _Listed]], tree: Tree) -> None:
    """Mark the messages that a call may have read without naming them."""
    # The last calls first: they are those that may have read most.
    scopes: dict[str, list[_Cut]] = {}
    for call, listed in sorted(cut, key=lambda each: -each[0].span.end_ns):
        scopes.setdefault(call.scope, []).append(_Cut(call, listed))
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
        self._listed: Mapping[Key, Reads] = listed.reads if listed.exact else {}
        self._producers = {read.producer for read in call.reads}
        self._origins = {flow.origin for flow in call.flows}
        self._least_flow = min((flow.tokens for flow in call.flows if flow.origin not in (OTHER, UNTRACED)), default=0)

    def may_hide(self, key: Key, size: int, since: int) -> bool:
        """Whether the call may have read a message of `size` tokens, which is there `since` then, and not say so."""
        call = self._call
        if key in self._listed:
            return False
        if key.producer is not None:
            return 0 < call.hides >= size and since <= call.span.end_ns and key.producer not in self._producers
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
        tokens, cost_usd, _ = named.get(flow.origin, _Amount(0, Decimal()))
        if flow.tokens > tokens:
            rest_usd = None if flow.cost_usd is None else flow.cost_usd - (cost_usd or Decimal())
            rest = _Amount(flow.tokens - tokens, rest_usd)
            newness_known = not tokens and sc.FLOW_NEW in call.span.attributes
            yield Key(None, flow.origin, call.agent), rest._replace(new=_new(flow, call.rates)) if newness_known else rest


def _new(flow: Flow, rates: Rates) -> tuple[int, Decimal | None]:
    """Return how much of a flow was read for the first time, and what that cost: what was re-read comes first, where the cache is."""
    again = flow.tokens - flow.new
    if flow.cost_usd is None or not 0 < again < flow.tokens:
        return flow.new, flow.cost_usd if again <= 0 else Decimal() if flow.cost_usd is not None else None
    read_usd = min(flow.cost_usd, flow.cache_read * (rates.read or Decimal()))
    cached = min(flow.cache_read, again)
    new_cached, new_fresh = flow.cache_read - cached, flow.new - (flow.cache_read - cached)
    usd = part(flow.cost_usd - read_usd, new_fresh, max(1, flow.tokens - flow.cache_read))
    return flow.new, usd + (part(read_usd, new_cached, flow.cache_read) if new_cached else 0)


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
    return _Listed(found, whole=0 < len(labels) < CUT_AT, exact=sc.AGENT_MESSAGE_AT_LEAST not in agent.attributes)
