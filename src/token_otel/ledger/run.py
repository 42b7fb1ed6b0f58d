"""`Run`: what the ledger keeps of something that has started; `Closed`: what it tells the writers of its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from token_otel.events import AgentStarted, Attributes, End, ModelStarted, RetrievalStarted, Start, ToolStarted, UsageSeen
from token_otel.flow.book import Reading
from token_otel.flow.producer import Producer, SpanRef
from token_otel.ledger.postings import Posting, Reads, Totals

DEAREST = 16
ACCOUNTS = 4_096  # of texts that one run has read: of an agent that never ends, the cheapest half goes
LINEAGE = 64  # runs over, one beneath the other, in which what is spent below is still counted: none of them will tell of it
NO_TAGS: Attributes = {}


class Run:
    """Something that has started, until nothing refers to it any more."""

    __slots__ = (
        "above",
        "agent",
        "bills",
        "by_block",
        "caused_by",
        "children",
        "closed",
        "conversation",
        "conversation_id",
        "cut",
        "depth",
        "early",
        "event",
        "first_chunk_ns",
        "forgot",
        "handle",
        "handoffs",
        "last_output",
        "messages",
        "open_span",
        "opened",
        "own",
        "parent",
        "posting",
        "reading",
        "root",
        "seen",
        "span",
        "subtree",
        "tags",
        "tool",
    )

    def __init__(self, event: Start, parent: Run | None) -> None:
        self.event = event
        self.parent = parent
        self.root: Run = self if parent is None else parent.root
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.conversation_id: str | None = event.conversation_id or (parent.conversation_id if parent is not None else None)
        self.conversation: str | None = None  # of a root: where the texts of runs without a conversation id belong
        # The nearest agent owns what is spent; the nearest tool, up to the next agent, returns what is answered.
        self.agent: Run | None = parent.agent if parent is not None else None
        self.tool: Run | None = parent.tool if parent is not None else None
        if isinstance(event, AgentStarted):
            self.agent, self.tool = self, None
        elif isinstance(event, ToolStarted):
            self.tool = self
        # The bills that it is put on, and what the user wants to see on its span: whoever starts it adds to these.
        self.bills: tuple[Any, ...] = parent.bills if parent is not None else ()
        self.tags: Attributes = parent.tags if parent is not None else NO_TAGS
        self.by_block = False  # whether its parent is the block it starts in: then the span around is beneath its parent's
        # The nearest run above that is open, and the open runs for which this is it.
        self.above: Run | None = parent
        while self.above is not None and self.above.closed:
            self.above = self.above.above
        self.children: dict[str, Run] = {}
        self.closed = False
        self.cut = False
        self.span: SpanRef | None = None
        self.caused_by: SpanRef | None = None
        self.handle: Any = None  # what the span writer keeps: the OpenTelemetry context in which this run is current,
        self.open_span: Any = None  # and its span until it is ended
        self.opened = True  # whether that span is open, or has been; while it is not, an end waits here
        self.early: list[Closed] = []
        self.own = Totals()
        self.subtree = Totals()
        self.messages: dict[SpanRef | str, Reads] = {}
        self.forgot = False  # whether an account has gone: one of the same producer that is opened later lacks what was in it
        self.handoffs: list[str] = []
        self.last_output: Producer | None = None
        self.first_chunk_ns: int | None = None
        self.seen: UsageSeen | None = None
        self.reading: Reading | None = None
        self.posting: Posting | None = None

    @property
    def name(self) -> str | None:
        """The name of the agent, tool or retriever, or the model asked for."""
        if isinstance(self.event, AgentStarted | ToolStarted | RetrievalStarted):
            return self.event.name
        return self.event.model if isinstance(self.event, ModelStarted) else None

    @property
    def agent_name(self) -> str | None:
        """The name of the nearest agent; a workflow without a name has none."""
        return self.agent.name if self.agent is not None else None

    @property
    def texts_belong_to(self) -> str:
        """The conversation of this run's texts: its own, or that which its root continues, or the root run itself."""
        if self.conversation_id is not None:
            return f"id:{self.conversation_id}"
        if self.root.conversation is None:
            self.root.conversation = f"run:{self.root.event.run_id}"
        return self.root.conversation

    def open_below(self) -> list[Run]:
        """Return the open runs beneath this one, children before their parents."""
        below: list[Run] = []
        rest: list[Run] = [self]
        while rest:
            children = rest.pop().children.values()
            below += children
            rest += children
        return below[::-1]

    def note_reads(self, posting: Posting) -> None:
        """Add what one of this agent's own calls read to the account of each producer, or role: one read a call."""
        split = posting.split
        if split is None:
            return
        messages, labels = self.messages, set[SpanRef | str]()
        costs = split.costs or [0] * len(split.tokens)
        decimals = split.decimals
        for label, tokens, cost in zip(split.labels, split.tokens, costs, strict=True):
            if tokens:
                account = messages.get(label)
                if account is None:
                    account = messages[label] = Reads()
                if label not in labels:
                    account.reads += 1
                    labels.add(label)
                account.add(tokens, cost, decimals)
        if len(messages) > ACCOUNTS:
            self.messages, self.forgot = dict(self._ranked()[: ACCOUNTS // 2]), True

    def open(self) -> list[Closed]:
        """Note that its span is open; return the end that came before, from another thread: it is yet to be written."""
        self.opened = True
        early, self.early = self.early, []
        return early

    def close(self) -> None:
        """Mark the run as over; what is open beneath it belongs to the nearest run above that is open."""
        self.closed = True
        if self.above is not None:
            self.above.children.pop(self.event.run_id, None)
            self.above.children |= self.children
        for child in self.children.values():
            child.above = self.above
        self.children = {}

    def shorten(self) -> None:
        """Let go of the runs above that are over, when they are many: in a loop each run may begin beneath the one before, without end."""
        if self.depth >= LINEAGE and self.opened:  # a span that is not open yet will be opened beneath its parent
            for run in (self, self.agent, self.tool):
                if run is not None and run.closed:
                    run._let_go()

    def _let_go(self) -> None:
        above = self.parent
        while self.handle is None and above is not None:
            self.handle, above = above.handle, above.parent
        while self.above is not None and self.above.closed:
            self.above = self.above.above
        self.parent = self.above
        self.depth = 0 if self.above is None else self.above.depth + 1

    def dearest(self) -> list[tuple[SpanRef | str, Reads]]:
        """Return the 16 producers whose texts cost this run most, the dearest first: their spans, or roles."""
        return self._ranked()[:DEAREST]

    def _ranked(self) -> list[tuple[SpanRef | str, Reads]]:
        return sorted(self.messages.items(), key=lambda item: (-item[1].cost_usd, -item[1].tokens, str(item[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A run that is over, as the writers need it.

    Attributes:
        run: The run.
        event: Its end.
        posting: For a model call, what was booked.
        open_calls: For an agent, how many model calls beneath it were still open.
        late: The real end of a call that was closed before it came: it gets a span of its own.
    """

    run: Run
    event: End
    posting: Posting | None = None
    open_calls: int = 0
    late: bool = False


def to_write(closed: list[Closed]) -> list[Closed]:
    """Return what can be written now: an end that came before its span was open is left to whoever opens it."""
    if all(item.run.opened for item in closed):
        return closed
    for item in closed:
        if not item.run.opened:
            item.run.early.append(item)
    return [item for item in closed if item.run.opened]
