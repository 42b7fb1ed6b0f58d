"""`track()`: the block whose bill is kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType

from token_otel.bills.bill import Bill
from token_otel.bills.budget import Budget, OnBudget
from token_otel.bills.scope import Put, put, take_back
from token_otel.events import Attribute


class Track:
    """A `with` or `async with` block whose bill is kept; see `track`."""

    def __init__(self, bill: Bill, conversation: str | None, tags: Mapping[str, Attribute] | None) -> None:
        self.bill = bill
        self._conversation = conversation
        self._tags = dict(tags or {})
        self._token: Put | None = None

    def __enter__(self) -> Bill:
        self._token = put(bill=self.bill, tags=self._tags, conversation_id=self._conversation)
        return self.bill

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._token is not None:
            take_back(self._token)
            self._token = None

    async def __aenter__(self) -> Bill:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.__exit__(kind, error, trace)


def track(
    *,
    conversation: str | None = None,
    tags: Mapping[str, Attribute] | None = None,
    budget_usd: Decimal | str | float | None = None,
    budget_tokens: int | None = None,
    on_budget: OnBudget = "warn",
) -> Track:
    """Keep the bill of what starts inside a `with` block: in this thread, in the tasks it starts, and in threads that run in its context.

    Everything counts that this process reports, whichever recorder or framework reports it; blocks may be nested, and each has
    a bill of its own.

    Args:
        conversation: The conversation id of what starts inside and has none.
        tags: What to see on every span of what starts inside. They leave the process as they are.
        budget_usd: What may be spent, in USD; calls without a known price do not count here.
        budget_tokens: What may be used, input and output together.
        on_budget: `warn` logs once, when a budget is spent; `raise` also raises `BudgetExceeded` before the next model call
            of a loop of your own or of LangChain.

    Raises:
        ValueError: A budget is none.
    """
    return Track(Bill(Budget.of(budget_usd, budget_tokens, on_budget)), conversation, tags)
