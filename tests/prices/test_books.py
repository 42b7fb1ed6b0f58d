"""Books in layers: who answers, and what is remembered."""

import logging
import threading
from decimal import Decimal

import pytest

from token_otel.prices import LayeredBook, Rates, Tariff
from token_otel.prices.lazy import LazyBook
from token_otel.worker import Worker

MINUTE_NS = 60_000_000_000


class Book:
    """Knows one model, and how often it was asked."""

    def __init__(self, model: str, usd: int) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._model = model
        self._tariff = Tariff(steps=((0, Rates(input=Decimal(usd))),), source=f"book {usd}", version="1", model=model)

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        self.asked.append((model, service_tier))
        return self._tariff if model == self._model else None


def found(book: LayeredBook | LazyBook, model: str, at_ns: int = 0, service_tier: str | None = None) -> str | None:
    tariff = book.find(provider=None, model=model, at_ns=at_ns, service_tier=service_tier)
    return tariff.source if tariff is not None else None


def test_the_first_book_that_knows_the_model_answers():
    """The others are not asked."""
    first, second = Book("a", 1), Book("a", 2)

    assert found(LayeredBook([first, second]), "a") == "book 1"
    assert second.asked == []


def test_a_book_that_does_not_know_passes_on():
    """Down to the last; then nobody knows."""
    book = LayeredBook([Book("a", 1), Book("b", 2)])

    assert found(book, "b") == "book 2"
    assert found(book, "c") is None


def test_a_finding_is_remembered_for_its_minute():
    """A miss too; the next minute may have another price."""
    below = Book("a", 1)
    book = LayeredBook([below])
    for at_ns in (0, 1, MINUTE_NS - 1, MINUTE_NS):
        found(book, "a", at_ns)
        found(book, "b", at_ns)

    assert below.asked == [("a", None), ("b", None)] * 2


def test_each_tier_is_a_question_of_its_own():
    """The tier is the response's, and may change from call to call."""
    below = Book("a", 1)
    book = LayeredBook([below])
    for tier in (None, "flex", None, "flex"):
        found(book, "a", service_tier=tier)

    assert below.asked == [("a", None), ("a", "flex")]


def test_what_is_remembered_is_bounded():
    """A program that makes up names costs no memory."""
    book = LayeredBook([])
    for number in range(10_000):
        found(book, f"model-{number}")

    assert len(book._found) <= 4096  # pyright: ignore[reportPrivateUsage]


def worker(inline: bool = True) -> Worker:
    return Worker(lambda: None, on_error=print, inline=inline)


def test_ones_own_book_is_there_before_the_big_one_is_loaded():
    """And wins over it when it is."""
    busy, gate = worker(inline=False), threading.Event()
    busy.submit(lambda: gate.wait(10))
    book = LazyBook(Book("gpt-5", 1), "", busy)

    assert found(book, "gpt-5") == "book 1"
    assert found(book, "gpt-4o") is None
    gate.set()
    book.wait()
    assert found(book, "gpt-5") == "book 1"
    assert found(book, "gpt-4o") == "genai-prices"


def test_a_price_file_that_cannot_be_used_is_said_once(caplog: pytest.LogCaptureFixture):
    """The prices below it stay in force."""
    with caplog.at_level(logging.ERROR):
        book = LazyBook(None, "/nowhere/prices.toml", worker())

    assert caplog.messages == [
        "/nowhere/prices.toml: cannot be read (No such file or directory); TOKEN_OTEL_PRICES names a .toml or .json file; "
        "the prices below it stay in force"
    ]
    assert found(book, "gpt-5") == "genai-prices"


def test_only_one_call_waits_in_vain(monkeypatch: pytest.MonkeyPatch):
    """A worker that is stuck must not cost every call its time."""
    monkeypatch.setattr("token_otel.prices.lazy.TIMEOUT_S", 0.01)
    stuck, gate = worker(inline=False), threading.Event()
    stuck.submit(lambda: gate.wait(10))
    book = LazyBook(None, "", stuck)
    book.wait()
    monkeypatch.setattr("token_otel.prices.lazy.TIMEOUT_S", None)  # for ever
    book.wait()
    gate.set()
