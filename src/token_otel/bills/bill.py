"""`Bill`: what the calls inside a block have used and cost: in total, by agent, by model, and who read whom."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any, TypeVar
from weakref import WeakSet

from token_otel.bills.account import Account, Read, ReadSum, account_of, cost_of, dollars, plain, said
from token_otel.bills.budget import Budget, BudgetExceeded
from token_otel.events import Ended, ModelStarted, ToolStarted
from token_otel.figures import plural
from token_otel.flow.producer import NAMELESS
from token_otel.ledger import Closed, Posting, Totals
from token_otel.lifetime import at_fork
from token_otel.prices.rates import EXACT

logger = logging.getLogger("token_otel")

K = TypeVar("K")
V = TypeVar("V")

MOST = 1_000  # names in an account; what goes beyond is one, since a program may make them up
OTHER = "other"
UNKNOWN = "unknown"


class Bill:
    """What ran inside a `track()` block, in whatever thread or task, has used and cost; it is up to date after each call.

    Calls that started inside and end later are added when they end: until then it is not `complete`.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget
        self._lock = threading.RLock()  # a signal handler may ask in the middle of it
        self._total = Totals()
        self._unpriced_tokens = 0
        self._unpriced_calls = 0
        self._open: set[str] = set()
        self._tools_usd = Decimal()
        self._agents: dict[str, Totals] = {}
        self._models: dict[str, Totals] = {}
        self._tools: dict[str, Decimal] = {}
        self._flow: dict[tuple[str, str], ReadSum] = {}
        self._said: set[str] = set()
        _bills.add(self)

    @property
    def calls(self) -> int:
        """Model calls that have ended; answers from a framework's own cache are none."""
        return self._total.calls

    @property
    def open_calls(self) -> int:
        """Model calls that have started and not ended."""
        return len(self._open)

    @property
    def input_tokens(self) -> int:
        """As the providers reported, cached tokens included."""
        return self._total.input

    @property
    def output_tokens(self) -> int:
        """As the providers reported, reasoning included."""
        return self._total.output

    @property
    def cost_usd(self) -> Decimal | None:
        """USD of model calls and tools; `None` if nothing has a price, and at least that unless `complete`."""
        return cost_of(self._total, self._tools_usd)

    @property
    def complete(self) -> bool:
        """Whether no call is open, and tokens and cost of all are known."""
        return not self._open and self._total.incomplete == 0

    @property
    def unpriced_tokens(self) -> int:
        """Tokens of calls whose price is not known."""
        return self._unpriced_tokens

    @property
    def by_agent(self) -> dict[str, Account]:
        """What each agent spent itself; what ran outside any is `agent`'s."""
        return self._copy(self._agents, account_of)

    @property
    def by_model(self) -> dict[str, Account]:
        """What was spent on each model, by the name of that which answered."""
        return self._copy(self._models, account_of)

    @property
    def by_tool(self) -> dict[str, Decimal]:
        """USD that tools said they cost."""
        return self._copy(self._tools, Decimal)

    @property
    def flow(self) -> dict[tuple[str, str], Read]:
        """Who read whom, by producer and consumer: `("tool:search", "planner")`, `("agent:planner", "writer")`, `("user", "planner")`."""
        return self._copy(self._flow, ReadSum.read)

    def to_dict(self) -> dict[str, Any]:
        """Return what `json.dumps` takes, with money as texts, so that no digit is lost."""
        return {
            "calls": self.calls,
            "open_calls": self.open_calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "unpriced_tokens": self.unpriced_tokens,
            "cost_usd": said(self.cost_usd),
            "complete": self.complete,
            "by_agent": {name: plain(account) for name, account in self.by_agent.items()},
            "by_model": {name: plain(account) for name, account in self.by_model.items()},
            "by_tool": {name: said(usd) for name, usd in self.by_tool.items()},
            "flow": [
                {"producer": producer, "consumer": consumer, "tokens": read.tokens, "new_tokens": read.new_tokens}
                | {"cost_usd": said(read.cost_usd)}
                for (producer, consumer), read in self.flow.items()
            ],
        }

    def __str__(self) -> str:
        from token_otel.bills.table import table_of

        return table_of(self)

    def open(self, run_id: str) -> bool:
        """Note that a model call has started.

        Returns:
            Whether it is to be added: one that two recorders watch is on the bill once.
        """
        with self._lock:
            if run_id in self._open:
                return False
            self._open.add(run_id)
            return True

    def add(self, closed: Closed) -> None:
        """Add what has ended: a model call, the late rest of one, or a tool."""
        if closed.posting is None:
            if isinstance(closed.event, Ended) and closed.event.cost_usd is not None and isinstance(closed.run.event, ToolStarted):
                self._add_tool(closed.run.event.name, closed.event.cost_usd)
        elif isinstance(closed.run.event, ModelStarted):
            with self._lock, localcontext(EXACT):
                self._open.discard(closed.run.event.run_id)
                self._add(closed.posting, closed.run.agent_name or NAMELESS)
        self._warn()

    def check(self) -> None:
        """Let a model call start.

        Raises:
            BudgetExceeded: The budget is spent, and it was asked to raise then.
        """
        if self.budget is not None and self.budget.on_budget == "raise" and self._is_spent(self.budget):
            raise BudgetExceeded(self._spending(), self)

    def forked(self) -> None:
        """Begin anew in a child process: the lock may have been held."""
        self._lock = threading.RLock()

    def _add(self, posting: Posting, agent: str) -> None:
        self._total.add(posting)
        _at(self._agents, agent, Totals).add(posting)
        _at(self._models, posting.model or UNKNOWN, Totals).add(posting)
        if posting.cost.total_usd is None and posting.cost.status in ("unpriced", "partial") and posting.usage is not None:
            self._unpriced_tokens += (posting.usage.input or 0) + (posting.usage.output or 0)
            self._unpriced_calls += posting.first is None
        split = posting.split
        if split is None:
            return
        free = posting.cost.status == "local"
        for place, (group, tokens) in enumerate(zip(split.groups, split.tokens, strict=True)):
            if tokens:
                producer = f"agent:{agent}" if group.origin == "self" else group.origin
                row = _at(self._flow, (producer, agent), ReadSum, (OTHER, agent))
                row.tokens += tokens
                row.new_tokens += tokens * split.new[place]
                if split.costs is not None:
                    row.cost_usd += Decimal(split.costs[place]).scaleb(-split.decimals)
                elif not free:
                    row.unpriced += tokens

    def _add_tool(self, name: str, usd: Decimal) -> None:
        with self._lock, localcontext(EXACT):
            name = name if name in self._tools or len(self._tools) < MOST else OTHER
            self._tools[name] = self._tools.get(name, Decimal()) + usd
            self._tools_usd += usd

    def _is_spent(self, budget: Budget) -> bool:
        return budget.spent(self._total.cost_usd + self._tools_usd, self._total.input + self._total.output)

    def _spending(self) -> str:
        budget, usd = self.budget or Budget(), self._total.cost_usd + self._tools_usd
        limits = [dollars(budget.usd)] if budget.usd is not None else []
        limits += [f"{budget.tokens:,} tokens"] if budget.tokens is not None else []
        tokens, calls = self._total.input + self._total.output, plural(self._total.calls, "call")
        sentence = f"the budget of {' and '.join(limits)} is spent: {tokens:,} tokens and {dollars(usd)} in {calls}"
        if not self._unpriced_calls:
            return sentence
        unpriced = f"{self._unpriced_calls:,} of them without a known price, with {self._unpriced_tokens:,} tokens"
        return f"{sentence}, {unpriced} that count by number alone"

    def _warn(self) -> None:
        budget = self.budget
        if budget is None:
            return
        if budget.usd is not None and self._unpriced_calls and "unpriced" not in self._said:
            self._said.add("unpriced")
            logger.warning("a budget of %s cannot see calls without a known price: they count by their tokens alone", dollars(budget.usd))
        if "spent" not in self._said and self._is_spent(budget):
            self._said.add("spent")
            logger.warning("%s", self._spending())

    def _copy(self, accounts: Mapping[K, Any], make: Any) -> dict[K, Any]:
        with self._lock:
            return {name: make(sums) for name, sums in accounts.items()}


def _at(accounts: dict[K, V], name: K, make: type[V], beyond: Any = OTHER) -> V:
    found = accounts.get(name)
    if found is None:
        if len(accounts) >= MOST:
            name = beyond
        found = accounts.setdefault(name, make())
    return found


_bills: WeakSet[Bill] = WeakSet()


def _forked() -> None:
    for bill in list(_bills):
        bill.forked()


at_fork(_forked)
