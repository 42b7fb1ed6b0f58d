"""`Report`: everything there is to say about some spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values
from token_otel.report.accounts import Account, accounts, unseen_calls
from token_otel.report.breaks import Break, breaks, charged
from token_otel.report.calls import calls
from token_otel.report.conversations import Conversation, conversations
from token_otel.report.joins import joined
from token_otel.report.matrix import Matrix, matrix
from token_otel.report.messages import Message, messages
from token_otel.report.totals import Totals
from token_otel.report.traces import Trace, traces
from token_otel.report.tree import AGENTS, Tree, key_of, operation_of
from token_otel.report.unread import Unread, unread
from token_otel.report.velocity import Velocity, together, velocities


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What some spans say, every sum recomputed from the model calls.

    Attributes:
        traces: In the order in which they began.
        totals: Over all model calls.
        accounts: One for each agent.
        matrix: Which agent read how much of whom.
        messages: What was read, the dearest over its life first.
        unread: What was put out and not read by any call here, the dearest first; final answers among them.
        conversations: What was said in each, and how each agent's context grew in it.
        velocity: Of all words of agents and tools: how often a token that they put out is read; `velocities` of each, by origin.
        breaks: Calls whose prefix was broken, or whose cache had expired, the dearest first.
        links: How many links our spans carry, by type.
        foreign_spans: Spans of other scopes: they count for ancestry alone.
        torn_lines: Lines of the files that broke off: their spans are missing.
        unseen_calls: Calls that agents count as theirs, and whose spans are missing.
    """

    traces: tuple[Trace, ...]
    totals: Totals
    accounts: tuple[Account, ...]
    matrix: Matrix
    messages: tuple[Message, ...]
    unread: tuple[Unread, ...]
    conversations: tuple[Conversation, ...]
    velocity: Velocity
    velocities: Mapping[str, Velocity]
    breaks: tuple[Break, ...]
    links: Mapping[str, int]
    foreign_spans: int
    torn_lines: int
    unseen_calls: int

    @property
    def spans(self) -> int:
        """The number of our spans."""
        return sum(len(trace.nodes) for trace in self.traces)


def build(spans: Iterable[SpanRecord], *, torn_lines: int = 0) -> Report:
    """Work out the report of some spans."""
    tree = Tree(spans)
    read = joined(tree, calls(tree))
    broken = breaks(read)
    found = charged(read, broken)
    texts = messages(tree, found)
    spread = velocities(found, texts)
    opened = accounts(tree, found)
    shown = traces(tree, found)
    claimed = {key_of(span): values.count(span, sc.rollup(sc.OWN, "calls")) or 0 for span in tree.spans if operation_of(span) in AGENTS}
    return Report(
        traces=shown,
        totals=sum((call.totals for call in found), Totals()),
        accounts=opened,
        matrix=matrix(found, [account.name for account in opened]),
        messages=texts,
        unread=unread(tree, found, texts),
        conversations=conversations(found, texts),
        velocity=together(spread.values()),
        velocities=spread,
        breaks=broken,
        links=_links(tree),
        foreign_spans=tree.foreign,
        torn_lines=torn_lines,
        unseen_calls=unseen_calls(tree, found, claimed),
    )


def _links(tree: Tree) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for span in tree.spans:
        for link in span.links:
            kind = values.written(link.attributes.get(sc.LINK_TYPE)) or "other"
            counts[kind] = counts.get(kind, 0) + 1
    return counts
