"""Values of attributes, as every exporter can encode them: one bad value must not cost the program's own spans their batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

Value: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[int] | Sequence[float]
Values: TypeAlias = dict[str, Value]

LARGEST = (1 << 63) - 1  # OTLP's integers have 64 bits


def encodable(values: Mapping[str, Value]) -> Values:
    """Return `values` with text that UTF-8 can hold and integers of 64 bits."""
    return {name: _encodable(value) for name, value in values.items()}


def encodable_text(text: str) -> str:
    """Return `text` with a question mark for each half of a surrogate pair that stands alone."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _encodable(value: Value) -> Value:
    if isinstance(value, str):
        return encodable_text(value)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -LARGEST <= value <= LARGEST else max(-LARGEST, min(value, LARGEST))
    return cast("Value", [_encodable(item) for item in value])
