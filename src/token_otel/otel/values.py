"""Values of attributes, as every exporter can encode them: one bad value must not cost the program's own spans their batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

Value: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[int] | Sequence[float]
Values: TypeAlias = dict[str, Value]

LARGEST = (1 << 63) - 1  # OTLP's integers have 64 bits
LONGEST = 1_024  # characters: a backend that refuses a request for its size refuses the program's own spans with it
MOST = 128  # members of a list


def encodable(values: Values) -> Values:
    """Make text in `values` such as UTF-8 holds, of at most 1,024 characters, and integers such as have 64 bits; drop what is no value."""
    worthless: list[str] = []
    for name, value in cast("dict[str, Any]", values).items():
        kind = value.__class__
        # By far most values are of these kinds, and good as they are.
        if kind is int:
            if -LARGEST <= value <= LARGEST:
                continue
        elif kind is str:
            if len(value) <= LONGEST and value.isascii():
                continue
        elif kind is float or kind is bool or (kind is list and _is_good(value)):
            continue
        good = _encodable(value)
        if good is None:
            worthless.append(name)
        else:
            values[name] = good
    for name in worthless:
        del values[name]
    return values


def encodable_text(text: str) -> str:
    """Return the first 1,024 characters of `text`, with a question mark for each half of a surrogate pair that stands alone."""
    text = text[:LONGEST]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _is_good(items: list[Any]) -> bool:
    kinds = set(map(type, items))
    if kinds == {int}:
        return min(items) >= -LARGEST and max(items) <= LARGEST
    return kinds == {float} or (kinds == {str} and len(text := "".join(items)) <= LONGEST and text.isascii())


def _encodable(value: object) -> Value | None:
    """Return `value` so that it can be encoded, `None` if it cannot: of a class of the program's own, no method is called."""
    if isinstance(value, str):
        return encodable_text(str.__str__(value))
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, int):
        return max(-LARGEST, min(int.__index__(value), LARGEST))
    return _sequence(value) if type(value) in (list, tuple) else None


def _sequence(values: Any) -> Value | None:
    found = [_encodable(value) for value in values[:MOST] if isinstance(value, str | bool | int | float)]
    return cast("Value", found) if len({*map(type, found)}) <= 1 else None
