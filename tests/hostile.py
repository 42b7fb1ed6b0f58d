"""Hostile events, for properties: any type in any field, objects that raise at every touch, texts that nobody would write."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from token_otel.events import (
    AgentStarted,
    Ended,
    FirstChunk,
    Handoff,
    Media,
    ModelEnded,
    ModelStarted,
    Part,
    RetrievalStarted,
    StepStarted,
    ToolStarted,
    UsageSeen,
)
from token_otel.usage import COUNTS, Usage

SECRET = "secret words of a prompt"


class Touchy:
    """Raises whatever is asked of it."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError(SECRET)

    __str__ = __repr__ = __format__ = __eq__ = __hash__ = __len__ = __bool__ = __iter__ = __getitem__ = __call__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __float__ = __add__ = __radd__ = __contains__ = __reduce_ex__ = _raise

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(SECRET)


class TouchyText(str):
    """A text that raises when it is compared, shown or measured."""


for _name in [
    "__str__",
    "__repr__",
    "__format__",
    "__eq__",
    "__hash__",
    "__len__",
    "__iter__",
    "__getitem__",
    "encode",
    "partition",
    "isascii",
]:
    setattr(TouchyText, _name, Touchy._raise)  # pyright: ignore[reportPrivateUsage]


class TouchyNumber(int):
    """A number that raises when it is calculated with."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError(SECRET)

    __str__ = __repr__ = __format__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __lt__ = __gt__ = __le__ = __ge__ = (
        _raise
    )


class TouchyMapping(Mapping[str, Any]):
    """A mapping that says it has something, and then does not let go of it."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(SECRET)

    def __iter__(self) -> Iterator[str]:
        yield "type"
        raise RuntimeError(SECRET)

    def __len__(self) -> int:
        return 1


def _endless() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def _ring() -> dict[str, Any]:
    made: dict[str, Any] = {"type": "text"}
    made["content"] = [made]
    return made


def _media(fields: dict[str, Any]) -> Media:
    fields = {"kind": "image"} | fields
    return Media(**fields)


def nested(depth: int) -> list[Any]:
    """A list in a list in a list ..."""
    made: list[Any] = ["bottom"]
    for _ in range(depth):
        made = [made]
    return made


def nested_blocks(depth: int) -> dict[str, Any]:
    """A block in the content of a block in the content of a block ..."""
    made: dict[str, Any] = {"type": "text", "text": "bottom"}
    for _ in range(depth):
        made = {"type": "tool_result", "content": [made]}
    return made


THINGS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 10**400, -(10**400), 2**63, 1.5, math.nan, math.inf, -math.inf),
    *("", "words", "\ud800", "a\x00b", " " * 5000, "[" * 5000, "x" * 5000, b"bytes", b"\xff" * 100),
    *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal(-1), Decimal(1).scaleb(400), Decimal("0.5")),
    *((), [], {}, (None,), ("a", 1, None), {"a": 1}, {1: 2}, {None: None}, {"temperature": math.nan}, set[int](), object(), int, len),
    *(_endless(), _ring(), nested(3000), nested_blocks(3000), {"deep": nested(3000)}, (Part(kind="user", text="x"), "no part")),
    *(
        Touchy(),
        TouchyText("touchy"),
        TouchyNumber(3),
        TouchyMapping(),
        {"touchy": Touchy()},
        [Touchy()],
        (Touchy(),),
        Touchy,
        (TouchyText("t"),),
    ),
)

_FIELDS: dict[type[Any], tuple[str, ...]] = {
    AgentStarted: ("run_id", "parent_id", "at_ns", "conversation_id", "attributes", "name", "kind"),
    ModelStarted: (
        *("run_id", "parent_id", "at_ns", "conversation_id", "attributes"),
        *("model", "provider", "operation", "prompt", "attempt", "request"),
    ),
    ToolStarted: ("run_id", "parent_id", "at_ns", "conversation_id", "attributes", "name", "call_id"),
    RetrievalStarted: ("run_id", "parent_id", "at_ns", "conversation_id", "attributes", "name"),
    StepStarted: ("run_id", "parent_id", "at_ns", "conversation_id", "attributes"),
    FirstChunk: ("run_id", "at_ns"),
    UsageSeen: ("run_id", "usage", "model", "at_ns"),
    ModelEnded: (
        *("run_id", "at_ns", "status", "error_type", "usage", "output", "model"),
        *("response_id", "finish_reasons", "service_tier", "cost_usd", "local_cache"),
    ),
    Ended: ("run_id", "at_ns", "status", "error_type", "output"),
    Handoff: ("run_id", "to_agent", "at_ns"),
}
_PART = ("kind", "text", "message_id", "call_id", "name", "media", "sealed_tokens", "opens")
_MEDIA = ("kind", "width", "height", "seconds", "pages", "bytes", "detail")


class Vandal:
    """Makes hostile events out of numbers: each is in part as it should be, so that it gets past the first look.

    Args:
        parents: Runs of others beneath which its own may stand.
    """

    def __init__(self, *, parents: tuple[str, ...] = ()) -> None:
        self._parents = parents
        self._dice = Random(0)

    def event(self, number: int) -> Any:
        """Return an event, or what is none at all."""
        self._dice = dice = Random(number)
        if dice.random() < 0.03:
            return dice.choice(THINGS)
        kind: type[Any] = dice.choice([*_FIELDS, ModelStarted, ModelEnded, ModelStarted, ModelEnded])
        fields: dict[str, Any] = {"run_id": f"v{dice.randrange(8)}"}
        bad = dice.choice([0, 0.1, 0.1, 0.4, 1.0])
        for name in _FIELDS[kind]:
            if name == "run_id":
                if dice.random() < bad / 4:
                    fields[name] = dice.choice(THINGS)
            elif dice.random() < bad:
                fields[name] = dice.choice(THINGS)
            elif dice.random() < 0.6 or name == "name":
                fields[name] = self._sane(name)
        if kind is ToolStarted or kind is RetrievalStarted:
            fields.setdefault("name", "vandal")
        for name in ("name", "model", "usage", "to_agent"):
            if name in _FIELDS[kind]:
                fields.setdefault(name, None)
        return kind(**fields)

    def _sane(self, name: str) -> Any:
        dice = self._dice
        match name:
            case "parent_id":
                return dice.choice([None, *(f"v{n}" for n in range(8)), "nobody", *self._parents])
            case "at_ns":
                return dice.choice([None, 0, -1, 1, 5 * 10**17, 2**63 - 1, 2**63, 10**400])
            case "attributes" | "request":
                return {dice.choice(["user", "temperature", "stop_sequences", ""]): dice.choice(THINGS)}
            case "usage":
                return self._usage()
            case "prompt" | "output":
                return tuple(self._part() for _ in range(dice.randrange(4)))
            case "finish_reasons":
                return ("stop",)
            case "cost_usd":
                return dice.choice([Decimal("0.1"), Decimal("NaN"), Decimal(10) ** 400, Decimal(-1)])
            case "status":
                return dice.choice(["ok", "error", "cancelled", "interrupted", "strange"])
            case "attempt":
                return dice.choice([1, 2, 0])
            case "local_cache":
                return dice.random() < 0.1
            case "kind":
                return dice.choice(["agent", "workflow"])
            case "model":
                return dice.choice(["vandal-model", "tiered", "many-digits"])
            case "conversation_id":
                return dice.choice(["vandals", "vandals too"])
            case _:
                return "vandal"

    def _usage(self) -> Any:
        counts = {name: self._dice.choice(THINGS) for name in COUNTS if self._dice.random() < 0.1}
        for name in ("input", "output"):
            if self._dice.random() < 0.8:
                counts[name] = self._dice.choice([0, 10, 10**12])
        try:
            return Usage(**counts)
        except Exception:
            return Usage(input=5, output=5)

    def _part(self) -> Any:
        dice = self._dice
        if dice.random() < 0.1:
            return dice.choice(THINGS)
        bad = dice.choice([0, 0.1, 0.5])
        kind = dice.choice(["user", "system", "tools", "tool_call", "tool_result", "assistant", "reasoning", "media"])
        fields: dict[str, Any] = {"kind": kind}
        fields["text"] = dice.choice(["words that are long enough to be known again", '{"a": "words"}', "\ud800" * 20, "x " * 3000])
        for name in _PART:
            if dice.random() < bad:
                fields[name] = dice.choice(THINGS)
            elif name == "media" and kind == "media":
                fields[name] = _media({each: dice.choice(THINGS) for each in _MEDIA if dice.random() < 0.3})
        try:
            return Part(**fields)
        except Exception:  # a hash that raises is refused at the door of the adapter
            return Part(kind="user", text="refused")


numbers = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40)
