"""What stands on a span, as the type it should have; anything else counts as absent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from token_otel.otel.trace_file import AttributeValue, SpanRecord

T = TypeVar("T")

_INT64 = 2**63  # what OTLP can hold; neither NaN nor infinity is less


def text(span: SpanRecord, name: str) -> str | None:
    """Return a text that is not empty."""
    return written(span.attributes.get(name))


def written(value: AttributeValue | None) -> str | None:
    """Return a value that is a text, and not empty."""
    return value if isinstance(value, str) and value else None


def count(span: SpanRecord, name: str) -> int | None:
    """Return a whole number."""
    return _count(span.attributes.get(name))


def usd(span: SpanRecord, name: str) -> Decimal | None:
    """Return an amount of money, by its shortest decimal form: the digits that were written, not those of the double."""
    return _usd(span.attributes.get(name))


def texts(span: SpanRecord, name: str) -> tuple[str, ...]:
    """Return an array of texts."""
    return tuple([value if isinstance(value, str) else "" for value in _array(span, name)])


def counts(span: SpanRecord, name: str, length: int) -> tuple[int, ...]:
    """Return an array of whole numbers that is parallel to one of `length` entries; what is missing is 0."""
    return _padded([_count(value) or 0 for value in _array(span, name)], length, 0)


def usds(span: SpanRecord, name: str, length: int) -> tuple[Decimal | None, ...]:
    """Return an array of amounts that is parallel to one of `length` entries; what is missing is `None`."""
    return _padded([_usd(value) for value in _array(span, name)], length, None)


def _array(span: SpanRecord, name: str) -> Sequence[AttributeValue | None]:
    value = span.attributes.get(name)
    return value if isinstance(value, tuple) else ()


def _count(value: AttributeValue | None) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_INT64 < value < _INT64:
        return None
    return int(value)


def _usd(value: AttributeValue | None) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_INT64 < value < _INT64:
        return None
    return Decimal(repr(value))


def _padded(found: list[T], length: int, missing: T) -> tuple[T, ...]:
    return tuple(found[:length] + [missing] * (length - len(found)))
