"""`LazyBook`: the user's prices at once, those they lie over when the worker has loaded them."""

from __future__ import annotations

import logging
import threading

from token_otel.prices.book import PriceBook
from token_otel.prices.layers import list_prices, over
from token_otel.prices.price_file import PriceFileError, read_all
from token_otel.prices.rates import Tariff
from token_otel.worker import Worker

logger = logging.getLogger("token_otel")

TIMEOUT_S = 10.0


class LazyBook:
    """The layered price book, loaded on the worker: genai-prices takes 0.4 s, and a callback must not.

    Args:
        first: The caller's own book, asked before the others.
        prices: The user's own prices, as TOKEN_OTEL_PRICES names them; a file that cannot be used is said once, and the
            prices beneath it stay in force.
        worker: Where genai-prices is loaded.
    """

    def __init__(self, first: PriceBook | None, prices: str, worker: Worker) -> None:
        self._ready = threading.Event()
        self._first = first
        self._worker = worker
        self._gave_up = False
        self._files = read_all(prices, on_error=_say)
        self._book = over(None, self._files, first=first)
        worker.submit(self._load)

    def expect(self) -> None:
        """See to it that the book is being loaded: after a fork the job that should have done it is gone."""
        if not self._ready.is_set():
            self._worker.submit(self._load)

    def wait(self) -> None:
        """Wait until the book is loaded; only the very first calls of a process can meet it unready, and only one waits in vain."""
        if not self._ready.is_set() and not self._gave_up:
            self._gave_up = not self._ready.wait(TIMEOUT_S)

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the first book's tariff, or `None` if no book knows the model."""
        return self._book.find(provider=provider, model=model, at_ns=at_ns, service_tier=service_tier)

    def _load(self) -> None:
        if self._ready.is_set():
            return
        try:
            self._book = over(list_prices(), self._files, first=self._first)
        finally:
            self._ready.set()


def _say(error: PriceFileError) -> None:
    logger.error("%s; the prices below it stay in force", error)
