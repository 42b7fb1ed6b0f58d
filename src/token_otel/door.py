"""The door: events as the books can take them, whatever a framework, or a release of one, has told its adapter.

A field that holds what it cannot hold counts as not said, so that it costs itself alone: not the run, its bill or its span.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar, cast

from token_otel.events import (
    AgentStarted,
    Ended,
    Event,
    FirstChunk,
    Handoff,
    ModelEnded,
    ModelStarted,
    Part,
    RetrievalStarted,
    StepStarted,
    ToolStarted,
    UsageSeen,
)
from token_otel.usage import Usage

E = TypeVar("E", bound=Event)

LONGEST = 1_024  # characters of a name or an id: more is none, and would be kept, and sent, again and again

_UNSAID = {"name": "", "to_agent": ""}  # where an event has to say something, even if it is nothing


class Misfit(TypeError):
    """What an adapter has told cannot be; the sentence quotes none of it."""


class Door:
    """Lets events in, and knows those that need no mending by the types of their fields.

    Args:
        on_error: Is told of what was mended.
    """

    def __init__(self, on_error: Callable[[Exception], object]) -> None:
        self._on_error = on_error
        self._texts: dict[tuple[type[Any], tuple[type[Any], ...]], tuple[int, ...]] = {}

    def admit(self, event: E) -> E:
        """Return an event as the books can take it.

        Raises:
            Misfit: It is no event, or of no run.
        """
        kind = type(event)
        read = _VALUES.get(kind)
        if read is None or not isinstance(cast("object", event.run_id), str):
            raise Misfit("an adapter has told what is no event of any run")
        values = read(event)
        texts = self._texts.get((kind, tuple(map(type, values))))
        if texts is None or max([len(values[place]) for place in texts]) > LONGEST:
            return self._mended(event)
        if kind is ModelEnded and not all(map(_is_part, values[_OUTPUT])):
            return self._mended(event)
        return event

    def _mended(self, event: E) -> E:
        kind = type(event)
        better: dict[str, Any] = {}
        wrong: list[str] = []
        for field in fields(event):
            value: object = getattr(event, field.name)
            unsaid = _unsaid(kind, field)
            try:
                good = None if value is None and unsaid is None else _HOW.get(field.name, _text)(value)
            except Exception:  # that of a hostile object may be any
                good = unsaid
                wrong.append(field.name)
            if good is not value:
                better[field.name] = good
        event = replace(event, **better)
        values = _VALUES[kind](event)
        self._texts[kind, tuple(map(type, values))] = tuple([place for place, value in enumerate(values) if type(value) is str])
        if wrong:
            self._on_error(Misfit(f"an adapter has told a {kind.__name__} whose {wrong[0]} is none"))
        return event


def _unsaid(kind: type[Any], field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is not MISSING:
        return field.default
    return None if kind is AgentStarted else _UNSAID.get(field.name)


def _text(value: Any) -> str:
    return str.__str__(value)[:LONGEST]  # a plain one, whatever its class


def _number(value: Any) -> int:
    return int.__index__(value)


def _mapping(value: Any) -> dict[Any, Any]:
    return cast("dict[Any, Any]", value) if type(value) is dict else dict(value.items())


def _money(value: Any) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError
    return value if type(value) is Decimal else Decimal(value)


def _usage(value: Any) -> Usage:
    if type(value) is not Usage:
        raise TypeError
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError
    return value


def _several(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes | Mapping):
        raise TypeError
    return cast("tuple[Any, ...]", value) if type(value) is tuple else tuple(value)


def _parts(value: Any) -> tuple[Part, ...]:
    parts = _several(value)
    sound = tuple(filter(_is_part, parts))
    return parts if len(sound) == len(parts) else sound


def _is_part(part: Any) -> bool:
    """Tell whether it is one that can be entered under its ids and its text."""
    return type(part) is Part and {type(part.kind), type(part.text)} == {str} and {*map(type, _ids(part))} <= _IDS


_KINDS = (AgentStarted, ModelStarted, ToolStarted, RetrievalStarted, StepStarted, FirstChunk, UsageSeen, ModelEnded, Ended, Handoff)
_NAMES = {kind: tuple([field.name for field in fields(kind)]) for kind in _KINDS}
_VALUES: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {kind: attrgetter(*names) for kind, names in _NAMES.items()}
_OUTPUT = _NAMES[ModelEnded].index("output")
_IDS = {str, type(None)}
_ids = attrgetter("message_id", "call_id", "name")
_HOW: dict[str, Callable[[Any], object]] = {
    "at_ns": _number,
    "attempt": _number,
    "attributes": _mapping,
    "cost_usd": _money,
    "finish_reasons": _several,
    "local_cache": _truth,
    "output": _parts,
    "prompt": _several,
    "request": _mapping,
    "usage": _usage,
}  # all others are texts
