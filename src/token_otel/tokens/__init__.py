"""Counting text, offline: never the network, never an error, a text once."""

from token_otel.tokens.counter import Counter

__all__ = ["Counter"]
