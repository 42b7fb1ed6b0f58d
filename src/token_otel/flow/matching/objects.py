"""JSON objects by content: the same keys with the same values, in whatever order and layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import cast

FEWEST_KEYS = 3
SHORTEST = 64  # characters of its keys and values
LONGEST = 16_384  # characters of an object that is looked at as a whole; what stands in a longer one is looked at by itself
MOST = 524_288  # characters of a text
FAILURES = 32  # braces in a row that open no object
DEEP = 8  # times that a character is read at most, on average
_OPENS = re.compile(r'\{\s*"')


@dataclass(frozen=True, slots=True)
class Found:
    """A JSON object in a text.

    Attributes:
        start: Its first character.
        end: The one after its last.
        hashes: Of its content, last, and of those within it, each with at least 3 keys and 64 characters.
        whole: Whether the last of `hashes` is that of the object itself.
    """

    start: int
    end: int
    hashes: tuple[int, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Object:
    content: int
    size: int


def objects(text: str, is_wanted: Callable[[int], bool] | None = None) -> Generator[Found | None]:
    """Find the objects in `text`: the outermost, or the outermost of those whose content `is_wanted`; `None` is for a step without."""
    failures = 0
    text = text[:MOST]
    work = DEEP * len(text) + LONGEST
    opening = _OPENS.search(text)
    while opening is not None and failures < FAILURES and work > 0:
        found = _read(text, opening.start())
        if found is None:
            failures += 1
            work -= LONGEST
            after = opening.end()
        else:
            failures = 0
            work -= found.end - found.start
            taken = is_wanted is None or (found.whole and is_wanted(found.hashes[-1]))
            after = found.end if taken else opening.end()
            found = found if taken else None
        yield found
        opening = _OPENS.search(text, after)


def _read(text: str, start: int) -> Found | None:
    hashes: list[int] = []

    def pairs(items: list[tuple[str, object]]) -> _Object:
        size = 0
        content: set[tuple[str, object]] = set()
        for key, value in items:
            shown = _hashable(value)
            size += len(key) + _size(value)
            content.add((key, shown))
        made = _Object(hash(frozenset(content)), size)
        if len(items) >= FEWEST_KEYS and size >= SHORTEST:
            hashes.append(made.content)
        return made

    try:
        value, length = json.JSONDecoder(object_pairs_hook=pairs).raw_decode(text[start : start + LONGEST])
    except (ValueError, RecursionError):
        return None
    whole = isinstance(value, _Object) and bool(hashes) and hashes[-1] == value.content
    return Found(start, start + length, tuple(hashes), whole)


def _hashable(value: object) -> object:
    if isinstance(value, list):
        return tuple([_hashable(item) for item in cast("list[object]", value)])
    return value.content if isinstance(value, _Object) else value


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum([_size(item) for item in cast("list[object]", value)])
    return value.size if isinstance(value, _Object) else 4
