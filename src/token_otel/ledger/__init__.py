"""The ledger: runs as they open and close, and one posting for each model call, charged to the nearest agent."""

from token_otel.ledger.ledger import Ledger
from token_otel.ledger.postings import Posting, Totals
from token_otel.ledger.run import Closed, Run

__all__ = ["Closed", "Ledger", "Posting", "Run", "Totals"]
