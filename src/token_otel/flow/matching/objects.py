"""JSON objects by content: the same keys with the same values, in whatever order and layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import cast

FEWEST_KEYS = 3
SHORTEST = 64  # characters of its keys and values
NESTED = 32  # characters that an object within it counts for
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


class _Object(int):
    """The hash of a decoded object's content, in the place of the object."""


def objects(text: str, is_wanted: Callable[[int], bool] | None = None) -> Generator[Found | None]:
    """Find the objects in `text`: the outermost, or the outermost of those whose content `is_wanted`; `None` is for a step without."""
    failures = 0
    text = text[:MOST]
    decode, hashes = _decoder()
    work = DEEP * len(text) + LONGEST
    opening = _OPENS.search(text)
    while opening is not None and failures < FAILURES and work > 0:
        found = _read(text, opening.start(), decode, hashes)
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


def _decoder() -> tuple[Callable[[str], tuple[object, int]], list[int]]:
    """Return what decodes an object at the start of a text, and where it leaves the hashes of the objects within."""
    hashes: list[int] = []

    def pairs(items: list[tuple[str, object]]) -> _Object:
        try:
            content = _Object(hash(frozenset(items)))
        except TypeError:
            content = _Object(hash(frozenset([(key, _hashable(value)) for key, value in items])))
        if len(items) >= FEWEST_KEYS and sum([len(key) + _size(value) for key, value in items]) >= SHORTEST:
            hashes.append(content)
        return content

    return json.JSONDecoder(object_pairs_hook=pairs).raw_decode, hashes


def _read(text: str, start: int, decode: Callable[[str], tuple[object, int]], hashes: list[int]) -> Found | None:
    hashes.clear()
    try:
        value, length = decode(text[start : start + LONGEST])
    except (ValueError, RecursionError):
        return None
    whole = isinstance(value, _Object) and bool(hashes) and hashes[-1] == value
    return Found(start, start + length, tuple(hashes), whole)


def _hashable(value: object) -> object:
    return tuple([_hashable(item) for item in cast("list[object]", value)]) if isinstance(value, list) else value


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum([_size(item) for item in cast("list[object]", value)])
    return NESTED if isinstance(value, _Object) else 4
