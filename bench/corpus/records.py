"""JSON, logs and CSV: what tools answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bench.corpus.pen import Pen
from bench.corpus.prose import clause, heading, phrase, sentence

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_STATES = ("active", "pending", "closed", "archived", "in_review", "failed", "draft")
_FIELDS: tuple[tuple[str, Callable[[Pen], Json]], ...] = (
    ("id", lambda pen: pen.number(90_000)),
    ("name", lambda pen: pen.person()),
    ("title", lambda pen: heading(pen)),
    ("status", lambda pen: pen.pick(_STATES)),
    ("created_at", lambda pen: f"{pen.date()}T{pen.time()}Z"),
    ("price", lambda pen: pen.number(90_000) / 100),
    ("in_stock", lambda pen: pen.chance(0.5)),
    ("parent_id", lambda pen: None if pen.chance(0.6) else pen.hex(12)),
    ("tags", lambda pen: [pen.noun() for _ in range(pen.pick(range(1, 5)))]),
    ("description", lambda pen: sentence(pen)),
    ("owner", lambda pen: {"name": pen.person(), "city": pen.place(), "verified": pen.chance(0.5)}),
    ("url", lambda pen: f"https://{pen.thing()}.example/{pen.noun()}/{pen.hex(8)}"),
    ("score", lambda pen: round(pen.rng.random(), 4)),
    ("summary", lambda pen: f"{sentence(pen)} {sentence(pen)}"),
    ("error", lambda pen: None if pen.chance(0.7) else clause(pen)),
    (
        "location",
        lambda pen: {"lat": round(pen.rng.uniform(-90, 90), 5), "lon": round(pen.rng.uniform(-180, 180), 5), "place": pen.place()},
    ),
    ("comment", lambda pen: f'{pen.person()} wrote: "{clause(pen)}"'),
)


def record(pen: Pen) -> dict[str, Json]:
    """One object: common keys, and some that only this topic has."""
    chosen = pen.rng.sample(_FIELDS, pen.pick(range(4, 9)))
    made: dict[str, Json] = {key: value(pen) for key, value in chosen}
    for _ in range(pen.pick(range(3))):
        made[f"{pen.thing()}_{pen.noun()}"] = pen.number() if pen.chance(0.4) else phrase(pen)
    return made


def envelope(pen: Pen, found: list[dict[str, Json]]) -> Json:
    """What an API wraps its objects in; a single one often stands alone."""
    if len(found) == 1 and pen.chance(0.7):
        return dict(found[0])
    whole: list[Json] = [*found]
    if pen.chance(0.3):
        return whole
    key = pen.pick(("results", "items", "data", pen.nouns()))
    return {"request_id": pen.hex(16), key: whole, "total": len(found), "next_page": None, "has_more": pen.chance(0.5)}


def _answer(pen: Pen) -> str:
    return f"status={pen.pick(_CODES)} took={pen.number(900)}ms"


def _equal(pen: Pen) -> str:
    return f"{pen.noun()} = '{pen.thing()}'"


_METHODS = ("GET", "POST", "PUT")
_CODES = (200, 201, 404, 500)
_EVENTS: tuple[Callable[[Pen], str], ...] = (
    lambda pen: f"request completed method={pen.pick(_METHODS)} path=/api/{pen.noun()}/{pen.hex(6)} {_answer(pen)}",
    lambda pen: f"{pen.past()} {phrase(pen)} for user {pen.hex(8)}",
    lambda pen: f"retrying {pen.noun()} {pen.thing()} in {pen.number(60)}s (attempt {pen.number(5)} of 7): {clause(pen)}",
    lambda pen: f"connection to {pen.thing()}.{pen.noun()}.internal:{pen.number(9000)} lost, {pen.noun()} {pen.past()}",
    lambda pen: f"cache miss key={pen.noun()}:{pen.hex(10)} size={pen.number(9000)}",
    lambda pen: f"job {pen.hex(8)} finished: {pen.number()} {pen.nouns()} {pen.past()}, {pen.number(30)} {pen.adjective()}",
    lambda pen: f"{clause(pen)} while {pen.verb()} was running, {pen.noun()}={pen.thing()}",
    lambda pen: f"slow query ({pen.number(9000)} ms): SELECT {pen.noun()}, {pen.noun()} FROM {pen.nouns()} WHERE {_equal(pen)}",
    lambda pen: f"config reloaded: {pen.noun()}.{pen.noun()}={pen.number()} {pen.noun()}.{pen.adjective()}={pen.thing()}",
    lambda pen: f"unexpected {pen.noun()} from {pen.person()}: {clause(pen)}",
)
_LEVELS = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR")


def log(pen: Pen) -> str:
    """One line, in the form that this topic's service uses."""
    event = pen.pick(_EVENTS)(pen)
    stamp = f"{pen.date()}T{pen.time()}.{pen.number(990):03}Z"
    service = pen.topic.service
    match len(service) % 3:
        case 0:
            return f"{stamp} {pen.pick(_LEVELS):<5} [{service}] [worker-{pen.number(16)}] {event}"
        case 1:
            return f"[{stamp}] {service}.{pen.noun()} {pen.pick(_LEVELS)}: {event}"
        case _:
            return f'time={stamp} level={pen.pick(_LEVELS).lower()} svc={service} trace={pen.hex(16)} msg="{event}"'


COLUMNS = "id,name,city,amount,date,status,note"


def row(pen: Pen) -> str:
    """One line of CSV under `COLUMNS`."""
    note = phrase(pen) if pen.chance(0.6) else f'"{clause(pen)}, {phrase(pen)}"'
    return f"{pen.number(90_000)},{pen.person()},{pen.place()},{pen.number(90_000) / 100:.2f},{pen.date()},{pen.pick(_STATES)},{note}"
