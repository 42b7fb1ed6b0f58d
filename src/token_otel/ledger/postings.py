"""`Posting`: one model call in the books; `Totals` and `Reads`: sums over postings."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from token_otel.flow.book import OutputSplit
from token_otel.flow.split import Share, Split
from token_otel.prices import Cost
from token_otel.prices.rates import EXACT
from token_otel.usage import Usage

UsageStatus: TypeAlias = Literal["reported", "partial", "unreported", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One model call in the books.

    Attributes:
        usage: The tokens booked; `None` if the provider reported none.
        usage_status: How well they are known.
        cost: What they cost.
        model: The model that answered, else the one that was asked.
        split: The input by origin and producer; it sums to `usage.input`.
        method: How the split was found.
        output: The output by kind; sums to `usage.output`.
        estimated: Our own estimate of `(input, output)`, where nothing was reported; an output that nobody saw is unknown.
        saved: For an answer from the framework's own cache, what it would have used and cost.
        refused: An attempt that failed without a bill: it has cost nothing.
        first: For the real end of a call that was closed before it came, what was booked then: the rest is booked here.
    """

    usage: Usage | None
    usage_status: UsageStatus
    cost: Cost
    model: str | None
    split: Split | None = None
    method: str | None = None
    output: OutputSplit | None = None
    estimated: tuple[int, int | None] | None = None
    saved: Posting | None = None
    refused: bool = False
    first: Posting | None = None

    @property
    def complete(self) -> bool:
        """Whether its tokens and its cost are known, or known to be none."""
        if self.saved is not None or self.refused:
            return True
        known = self.usage is not None and self.usage_status != "partial"
        return known and (self.cost.total_usd is not None or self.cost.status == "local")

    @property
    def reread_tokens(self) -> int:
        """Input tokens that the same agent had read before in this conversation."""
        return self.split.reread_tokens if self.split is not None else 0

    @property
    def shares(self) -> tuple[Share, ...]:
        """The split, entry by entry."""
        return self.split.shares if self.split is not None else ()


@dataclass(slots=True)
class Totals:
    """Sums over postings; `incomplete` counts those whose tokens or cost are not known."""

    calls: int = 0
    input: int = 0
    output: int = 0
    reread: int = 0
    incomplete: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)

    @property
    def cost_is_known(self) -> bool:
        """Whether a cost is known of anything: a sum over unpriced calls alone is not 0."""
        return bool(self.cost_usd) or not self.incomplete

    def add(self, posting: Posting) -> None:
        """Add one posting; an answer from the framework's own cache is no call, nor is the late rest of one."""
        if posting.first is None:
            self.calls += posting.saved is None
            self.incomplete += not posting.complete
        else:
            self.incomplete += posting.first.complete - posting.complete
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
    cost: int = 0
    decimals: int = 0

    @property
    def cost_usd(self) -> Decimal:
        """What they cost."""
        return Decimal(self.cost).scaleb(-self.decimals, EXACT)

    def add(self, tokens: int, cost: int, decimals: int) -> None:
        """Add some tokens, and their cost in units of 10 ** -`decimals` USD."""
        self.tokens += tokens
        if decimals > self.decimals:
            self.cost *= 10 ** (decimals - self.decimals)
            self.decimals = decimals
        self.cost += cost if decimals == self.decimals else cost * 10 ** (self.decimals - decimals)
