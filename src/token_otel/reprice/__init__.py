"""`reprice`: what the calls of a trace file cost at other prices, offline; nothing but costs differs in what is written."""

from token_otel.reprice.file import RepriceError, default_out, reprice
from token_otel.reprice.summary import Row, Summary, in_words

__all__ = ["RepriceError", "Row", "Summary", "default_out", "in_words", "reprice"]
