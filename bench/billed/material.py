"""What conversations are made of: texts, tool schemas of many shapes, and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeAlias, TypeVar

from bench.corpus.texts import KINDS, write

Schema: TypeAlias = dict[str, Any]
T = TypeVar("T")

MOST_DEPTH = 2  # of objects within objects
LONG = ("prose", "markdown", "Python", "TypeScript", "JSON", "logs", "CSV", "Chinese", "mixed")
WORDS = ("order", "report", "customer", "region", "query", "limit", "since", "until", "path", "branch", "currency", "priority", "owner")
VERBS = ("find", "get", "list", "search", "update", "delete", "send", "create", "read", "compare", "summarise", "convert")


def text(rng: Random, least: int, most: int, kinds: Sequence[str] = KINDS) -> str:
    """Write a text of any kind; short ones are more frequent than long ones."""
    return write(rng.choice(kinds), round(least * (most / least) ** rng.random()), rng)


def result(rng: Random) -> str:
    """Write what a tool returns: some 1 to 60 KB, and now and then a word."""
    if rng.random() < 0.1:
        return str(rng.randrange(100_000))
    return write(rng.choice(LONG), round(150 * 50 ** (rng.random() ** 2)), rng)[:60_000]


def sentence(rng: Random, least: int = 4, most: int = 40) -> str:
    """Write a description."""
    return write("prose", rng.randint(least, most), rng).replace("\n", " ")


def names(rng: Random, count: int) -> list[str]:
    """Make up the names of tools, all different."""
    found: dict[str, None] = {}
    while len(found) < count:
        words = [rng.choice(VERBS), *rng.sample(WORDS, rng.randint(1, 2))]
        found["_".join(words)] = None
    return list(found)


def parameters(rng: Random) -> Schema:
    """Make up what a tool takes: nothing, a few fields, or objects within objects."""
    return fields(rng, rng.choice((0, 1, 1, 2, 3, 4, 6, 9)), 0)


def fields(rng: Random, count: int, depth: int) -> Schema:
    """Make up an object."""
    keys = rng.sample(WORDS, count)
    described = rng.random() < 0.7
    properties = {key: field(rng, depth, described=described) for key in keys}
    return {"type": "object", "properties": properties, "required": [key for key in keys if rng.random() < 0.6]}


def field(rng: Random, depth: int, *, described: bool) -> Schema:
    """Make up one field."""
    kind = rng.choice(("string", "string", "integer", "number", "boolean", "enum", "array", "either", "object"))
    made: Schema = {"type": kind}
    if kind == "enum":
        made = {"type": "string", "enum": rng.sample(VERBS, rng.randint(2, 6))}
    elif kind == "array":
        made = {"type": "array", "items": {"type": rng.choice(("string", "integer"))}}
    elif kind == "either":
        made = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    elif kind == "object":
        made = fields(rng, rng.randint(1, 4), depth + 1) if depth < MOST_DEPTH else {"type": "object"}
    elif kind == "integer" and rng.random() < 0.4:
        made |= {"minimum": 1, "maximum": rng.randrange(10, 1000)}
    return made | ({"description": sentence(rng, 3, 20)} if described else {})


def arguments(rng: Random, serial: str) -> dict[str, Any]:
    """Make up the arguments of a call, which hold its number."""
    made: dict[str, Any] = {"id": serial}
    for key in rng.sample(WORDS, rng.randrange(4)):
        made[key] = rng.choice([rng.randrange(10_000), True, None, sentence(rng, 3, 30), rng.sample(VERBS, 2)])
    if rng.random() < 0.1:
        made["code"] = write("Python", 120, rng)
    return made
