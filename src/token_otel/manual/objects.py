"""Objects of SDKs as plain mappings and lists, whatever SDK they are of; none is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

DEEPEST = 16

_SCALARS = (str, int, float, bytes)


def get(thing: object, *names: str) -> Any:
    """Return the first of these that a mapping or an object has; `None` if it has none."""
    for name in names:
        value = cast("Mapping[str, Any]", thing).get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
        if value is not None:
            return value
    return None


def plain(thing: object, depth: int = DEEPEST) -> Any:
    """Return an object as mappings, lists and scalars, without what is `None`; what is plain already by reference."""
    if thing is None or isinstance(thing, _SCALARS):
        return thing.value if isinstance(thing, Enum) else thing
    if isinstance(thing, Enum):
        return thing.value
    if depth <= 0:
        return None
    if isinstance(thing, Mapping):
        return _without_none(cast("Mapping[str, object]", thing), depth)
    if isinstance(thing, list | tuple):
        several = cast("list[object]", thing)
        if several and isinstance(several[0], int | float):
            return several  # an embedding
        return [plain(each, depth - 1) for each in several]
    if isinstance(thing, type) or callable(thing):
        return None
    if is_dataclass(thing):
        return _without_none({field.name: getattr(thing, field.name, None) for field in fields(thing)}, depth)
    told: Mapping[str, object] = getattr(thing, "__dict__", None) or {}
    extra: object = getattr(thing, "__pydantic_extra__", None)  # what the server says and the SDK does not know yet
    if isinstance(extra, Mapping):
        told = {**told, **cast("Mapping[str, object]", extra)}
    return _without_none({name: value for name, value in told.items() if not name.startswith("_")}, depth)


def mapping(thing: object) -> Mapping[str, Any]:
    """Return an object as a mapping; an empty one if it is none."""
    found = plain(thing)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def several(thing: object) -> list[Any]:
    """Return a list as it is; an empty one for what is none."""
    return list(cast("list[Any]", thing)) if isinstance(thing, list | tuple) else []


def text(thing: object) -> str | None:
    """Return a text that says something; `None` for all else."""
    if isinstance(thing, Enum):
        thing = thing.value
    return thing if isinstance(thing, str) and thing else None


def _without_none(told: Mapping[str, object], depth: int) -> dict[str, Any]:
    return {name: plain(value, depth - 1) for name, value in told.items() if value is not None}
