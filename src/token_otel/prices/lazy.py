"""`LazyBook`: the user's prices at once, those of genai-prices when the worker has loaded them."""

from __future__ import annotations

import logging
import threading

from token_otel.prices.book import LayeredBook, PriceBook
from token_otel.prices.overrides import OverrideBook, PriceFileError
from token_otel.prices.rates import Tariff
from token_otel.worker import Worker

logger = logging.getLogger("token_otel")

TIMEOUT_S = 10.0


class LazyBook:
    """The layered price book, loaded on the worker: genai-prices takes 0.4 s, and a callback must not.

    Args:
        first: The caller's own book, asked before the others.
        path: The user's own prices; if they cannot be used it is said once, and the book below stays in force.
        worker: Where genai-prices is loaded.
    """

    def __init__(self, first: PriceBook | None, path: str, worker: Worker) -> None:
        self._ready = threading.Event()
        self._books: list[PriceBook] = [] if first is None else [first]
        self._worker = worker
        self._gave_up = False
        if path:
            try:
                self._books.append(OverrideBook.read(path))
            except PriceFileError as error:
                logger.error("%s; the prices below it stay in force", error)
        self._book = LayeredBook(self._books)
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
            from token_otel.prices.genai import GenaiBook

            self._book = LayeredBook([*self._books, GenaiBook()])
        finally:
            self._ready.set()
