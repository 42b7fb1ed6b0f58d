"""`PriceBook`: where a tariff is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from token_otel.prices.rates import Tariff

MINUTE_NS = 60_000_000_000
CACHE_LIMIT = 4096


class PriceBook(Protocol):
    """Finds the tariff of a model."""

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff in force at `at_ns`, or `None` if the model is not in the book.

        Args:
            provider: In semconv's names or the framework's; `None` lets the model's name decide.
            model: As the provider reports it.
            at_ns: When the call started, nanoseconds since the epoch.
            service_tier: The tier of the response.
        """
        ...


class LayeredBook:
    """Asks its books in order; remembers what it found and what it did not, minute by minute.

    A price can change at any minute of the day (off-peak hours), so a finding holds for the minute it was made for.
    """

    def __init__(self, books: Sequence[PriceBook]) -> None:
        self._books = tuple(books)
        self._found: dict[tuple[str | None, str, str | None, int], Tariff | None] = {}

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the first book's tariff, or `None` if no book knows the model."""
        key = (provider, model, service_tier, at_ns // MINUTE_NS)
        if key in self._found:
            return self._found[key]
        found = None
        for book in self._books:
            found = book.find(provider=provider, model=model, at_ns=at_ns, service_tier=service_tier)
            if found is not None:
                break
        if len(self._found) >= CACHE_LIMIT:
            self._found.clear()
        self._found[key] = found
        return found
