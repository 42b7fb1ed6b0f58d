"""`Velocity`: how often what was produced is read, as money has a velocity of circulation.

Velocity = tokens read of agents' and tools' words / tokens of them produced. Reads are those of any agent's calls, its own and
those of others, new and again. An agent produces the output of its calls, reasoning included, though nobody reads that; of a
tool no span knows what it put out, so that its result counts with the tokens of its first read; results without an id count
with all that was new. What the program was given
(system prompts, schemas, users' words, documents) nobody here has produced: it is in neither number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from token_otel.report.calls import Call
from token_otel.report.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity:
    """Of one agent's words, one tool's, or of all.

    Attributes:
        produced: Tokens put out.
        read: Tokens read of them, over all reads.
        reads_per_token: The velocity; `None` where nothing was produced here.
    """

    produced: int
    read: int
    reads_per_token: float | None


def velocities(calls: Iterable[Call], messages: Iterable[Message], scope: str | None = None) -> dict[str, Velocity]:
    """Return the velocity of each producer's words, by origin: `agent:<name>` or `tool:<name>`; in one conversation if `scope` is."""
    produced: dict[str, int] = {}
    read: dict[str, int] = {}
    for call in calls:
        origin = f"agent:{call.agent}"
        produced[origin] = produced.get(origin, 0) + call.totals.output
        for flow in call.flows:
            if _circulates(flow.origin):
                read[flow.origin] = read.get(flow.origin, 0) + flow.tokens
    for message in messages:
        origin = message.origin or ""
        if origin.partition(":")[0] == "tool":
            produced[origin] = produced.get(origin, 0) + _put_out(message, scope)
    return {origin: _velocity(produced.get(origin, 0), read.get(origin, 0)) for origin in {**produced, **read}}


def together(found: Iterable[Velocity]) -> Velocity:
    """Return the velocity of all words."""
    each: Sequence[Velocity] = list(found)
    return _velocity(sum(one.produced for one in each), sum(one.read for one in each))


def _put_out(message: Message, scope: str | None) -> int:
    """Return the size of a tool's results: where they have no ids, they are one message in all conversations."""
    if message.producer is None:
        return sum(tokens for where, tokens in message.new_in.items() if scope in (None, where))
    return (message.first_tokens or 0) if scope in (None, message.conversation) else 0


def _circulates(origin: str) -> bool:
    return origin.partition(":")[0] in ("agent", "tool")


def _velocity(produced: int, read: int) -> Velocity:
    return Velocity(produced=produced, read=read, reads_per_token=read / produced if produced else None)
