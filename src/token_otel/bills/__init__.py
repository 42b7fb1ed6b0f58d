"""Bills: what ran inside a `track()` block has used and cost, and what it may."""

from token_otel.bills.account import Account, Read
from token_otel.bills.bill import Bill
from token_otel.bills.budget import Budget, BudgetExceeded
from token_otel.bills.scope import NOWHERE, Put, Scope, current, put, take_back
from token_otel.bills.tracking import track

__all__ = ["NOWHERE", "Account", "Bill", "Budget", "BudgetExceeded", "Put", "Read", "Scope", "current", "put", "take_back", "track"]
