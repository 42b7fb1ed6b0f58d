"""`Budget`: what may be spent, and what happens when it is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from token_otel.bills.bill import Bill

OnBudget: TypeAlias = Literal["warn", "raise"]


class BudgetExceeded(RuntimeError):
    """A budget is spent, so that the model call that was about to start has not started.

    Attributes:
        bill: What has been spent.
    """

    def __init__(self, sentence: str, bill: Bill) -> None:
        super().__init__(sentence)
        self.bill = bill


BudgetExceeded.__module__ = "token_otel"  # as programs know it, and as spans name it


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent on what runs inside a `track()` block.

    Attributes:
        usd: Calls without a price do not count here.
        tokens: Input and output of every call, priced or not.
        on_budget: `warn` logs once, when it is spent; `raise` also lets no further model call start.
    """

    usd: Decimal | None = None
    tokens: int | None = None
    on_budget: OnBudget = "warn"

    @classmethod
    def of(cls, usd: Decimal | str | float | None, tokens: int | None, on_budget: Any) -> Budget | None:
        """Return the budget that a user states; `None` if it is none.

        Raises:
            ValueError: It cannot be one.
        """
        if on_budget not in ("warn", "raise"):
            raise ValueError(f"on_budget is {on_budget!r}, but accepted are 'warn' and 'raise'")
        if usd is None and tokens is None:
            return None
        limit = None if usd is None else money(usd, "budget_usd")
        if tokens is not None and (type(tokens) is not int or tokens < 0):
            raise ValueError(f"budget_tokens is {tokens!r}, but accepted is a whole number from 0")
        return cls(usd=limit, tokens=tokens, on_budget=on_budget)

    def spent(self, usd: Decimal, tokens: int) -> bool:
        """Tell whether nothing is left of it."""
        return (self.usd is not None and usd >= self.usd) or (self.tokens is not None and tokens >= self.tokens)


def money(amount: object, name: str) -> Decimal:
    """Return an amount of USD as a user writes it: `"0.05"`, `0.05` or a Decimal.

    Raises:
        ValueError: It is none.
    """
    try:
        usd = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    except ArithmeticError:
        usd = Decimal("NaN")
    if not usd.is_finite() or usd < 0:
        raise ValueError(f"{name} is {amount!r}, but accepted is an amount of USD from 0")
    return usd
