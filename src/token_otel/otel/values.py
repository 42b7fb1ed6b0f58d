"""Values of attributes, as every exporter can encode them: one bad value must not cost the program's own spans their batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

Value: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[int] | Sequence[float]
Values: TypeAlias = dict[str, Value]

LARGEST = (1 << 63) - 1  # OTLP's integers have 64 bits


def encodable(values: Mapping[str, Value]) -> Values:
    """Return `values` with text that UTF-8 can hold and integers of 64 bits."""
    found: Values = {}
    for name, value in values.items():
        kind = value.__class__
        # By far most values are of these kinds, and good as they are.
        if kind is str:
            found[name] = value if cast("str", value).isascii() else encodable_text(cast("str", value))
        elif kind is float or kind is bool:
            found[name] = value
        elif kind is list and value:
            found[name] = _list(cast("list[object]", value))
        else:
            found[name] = _encodable(value)
    return found


def encodable_text(text: str) -> str:
    """Return `text` with a question mark for each half of a surrogate pair that stands alone."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _list(value: list[object]) -> Value:
    kinds = set(map(type, value))
    if kinds == {int}:
        numbers = cast("list[int]", value)
        if min(numbers) >= -LARGEST and max(numbers) <= LARGEST:
            return numbers
    elif kinds == {float} or (kinds == {str} and "".join(cast("list[str]", value)).isascii()):
        return cast("Value", value)
    return _encodable(cast("Value", value))


def _encodable(value: Value) -> Value:
    if isinstance(value, str):
        return encodable_text(value)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -LARGEST <= value <= LARGEST else max(-LARGEST, min(value, LARGEST))
    return cast("Value", [_encodable(item) for item in value])
