"""`Run`, `Posting` and `Closed`: what the ledger keeps of a run, books of a call, and tells the writers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from token_otel.events import AgentStarted, End, ModelStarted, RetrievalStarted, Start, ToolStarted, UsageSeen
from token_otel.flow.allocation import Share
from token_otel.flow.book import OutputSplit, Reading
from token_otel.flow.producer import Producer, SpanRef
from token_otel.flow.store import Conversation
from token_otel.prices import Cost
from token_otel.usage import Usage

UsageStatus: TypeAlias = Literal["reported", "partial", "unreported", "estimated"]

DEAREST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One model call in the books.

    Attributes:
        usage: The tokens booked; `None` if the provider reported none.
        usage_status: How well they are known.
        cost: What they cost.
        model: The model that answered, else the one that was asked.
        shares: The input by origin and producer; they sum to `usage.input`.
        method: How the shares were found.
        output: The output by kind; sums to `usage.output`.
        estimated: Our own estimate of `(input, output)`, where nothing was reported.
        saved: For an answer from the framework's own cache, what it would have used and cost.
        refused: An attempt that failed without a bill: it has cost nothing.
    """

    usage: Usage | None
    usage_status: UsageStatus
    cost: Cost
    model: str | None
    shares: tuple[Share, ...] = ()
    method: str | None = None
    output: OutputSplit | None = None
    estimated: tuple[int, int] | None = None
    saved: Posting | None = None
    refused: bool = False

    @property
    def complete(self) -> bool:
        """Whether its tokens and its cost are known, or known to be none."""
        if self.saved is not None or self.refused:
            return True
        return self.usage is not None and (self.cost.total_usd is not None or self.cost.status == "local")

    @property
    def reread_tokens(self) -> int:
        """Input tokens that the same agent had read before in this conversation."""
        return sum(share.tokens for share in self.shares if not share.new)


@dataclass(slots=True)
class Totals:
    """Sums over postings; `incomplete` counts those whose tokens or cost are not known."""

    calls: int = 0
    input: int = 0
    output: int = 0
    reread: int = 0
    incomplete: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)

    def add(self, posting: Posting) -> None:
        """Add one posting; an answer from the framework's own cache is no call."""
        self.calls += posting.saved is None
        self.incomplete += not posting.complete
        if posting.usage is not None:
            self.input += posting.usage.input or 0
            self.output += posting.usage.output or 0
            self.reread += posting.reread_tokens
        self.cost_usd += posting.cost.total_usd or Decimal()


@dataclass(slots=True)
class Reads:
    """How often a run read the texts of one producer, with tokens and cost over all its reads."""

    reads: int = 0
    tokens: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)


class Run:
    """Something that has started, until nothing refers to it any more."""

    __slots__ = (
        "agent",
        "caused_by",
        "children",
        "closed",
        "conversation",
        "conversation_id",
        "cut",
        "event",
        "first_chunk_ns",
        "handle",
        "handoffs",
        "last_output",
        "messages",
        "own",
        "parent",
        "posting",
        "reading",
        "root",
        "seen",
        "span",
        "subtree",
        "tool",
    )

    def __init__(self, event: Start, parent: Run | None) -> None:
        self.event = event
        self.parent = parent
        self.root: Run = self if parent is None else parent.root
        self.conversation_id: str | None = event.conversation_id or (parent.conversation_id if parent is not None else None)
        self.conversation: Conversation | None = None
        # The nearest agent owns what is spent; the nearest tool, up to the next agent, returns what is answered.
        self.agent: Run | None = parent.agent if parent is not None else None
        self.tool: Run | None = parent.tool if parent is not None else None
        if isinstance(event, AgentStarted):
            self.agent, self.tool = self, None
        elif isinstance(event, ToolStarted):
            self.tool = self
        self.children: dict[str, Run] = {}
        self.closed = False
        self.cut = False
        self.span: SpanRef | None = None
        self.caused_by: SpanRef | None = None
        self.handle: Any = None  # what the span writer keeps: the OpenTelemetry context in which this run is current
        self.own = Totals()
        self.subtree = Totals()
        self.messages: dict[str, Reads] = {}
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

    def note_reads(self, posting: Posting) -> None:
        """Add what one of this agent's own calls read to the account of each producer, or role: one read a call."""
        labels: set[str] = set()
        for share in posting.shares:
            label = str(share.producer.span) if share.producer is not None and share.producer.span is not None else share.origin
            account = self.messages.setdefault(label, Reads())
            account.reads += label not in labels
            account.tokens += share.tokens
            account.cost_usd += share.cost_usd or Decimal()
            labels.add(label)

    def dearest(self) -> list[tuple[str, Reads]]:
        """Return the 16 producers whose texts cost this run most, the dearest first."""
        ranked = sorted(self.messages.items(), key=lambda item: (-item[1].cost_usd, -item[1].tokens, item[0]))
        return ranked[:DEAREST]


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
