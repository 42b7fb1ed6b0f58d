"""`Account` and `Read`: what some calls have used and cost, and what a consumer has read of a producer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from token_otel.ledger import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What some calls have used and cost; `cost_usd` is `None` if no price is known, and at least that unless `complete`."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a consumer has read of a producer; `cost_usd` is `None` if no price is known."""

    tokens: int
    new_tokens: int
    cost_usd: Decimal | None


@dataclass(slots=True)
class ReadSum:
    """A sum of what was read; `unpriced` are the tokens whose cost is not known."""

    tokens: int = 0
    new_tokens: int = 0
    unpriced: int = 0
    cost_usd: Decimal = Decimal()

    def read(self) -> Read:
        """Return the sum as it is now."""
        known = self.cost_usd or not self.unpriced
        return Read(tokens=self.tokens, new_tokens=self.new_tokens, cost_usd=self.cost_usd if known else None)


def cost_of(totals: Totals, more: Decimal = Decimal()) -> Decimal | None:
    """Return the USD of calls and of what was spent beside: a sum over unpriced calls alone is not 0, but unknown."""
    return totals.cost_usd + more if more or totals.cost_is_known else None


def account_of(totals: Totals) -> Account:
    """Return the sums of some calls as they are now."""
    return Account(
        calls=totals.calls,
        input_tokens=totals.input,
        output_tokens=totals.output,
        cost_usd=cost_of(totals),
        complete=totals.incomplete == 0,
    )


def plain(account: Account) -> dict[str, Any]:
    """Return an account as JSON takes it."""
    return {
        "calls": account.calls,
        "input_tokens": account.input_tokens,
        "output_tokens": account.output_tokens,
        "cost_usd": said(account.cost_usd),
        "complete": account.complete,
    }


def dollars(usd: Decimal) -> str:
    """Return USD to the last digit."""
    return f"${usd.normalize():f}"


def said(usd: Decimal | None) -> str | None:
    """Return USD as JSON takes it, so that no digit is lost."""
    return None if usd is None else format(usd, "f")
