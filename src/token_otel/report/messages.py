"""`Message`: what a text cost over its whole life: produced once, then read again and again.

A message has no text here. It is named by the span that produced it, or, where no span did, by its role and its reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.report import values
from token_otel.report.calls import Call
from token_otel.report.lives import Key, Life, lives
from token_otel.report.origins import Origins
from token_otel.report.rates import rounded
from token_otel.report.tree import CALLS, SpanKey, Tree, operation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one span produced, or what one reader was told in one role, over all its reads.

    Attributes:
        producer: The producing span; `None` for a role.
        origin: Who produced it: `agent:<name>`, `tool:<name>`, `document` or a role; `None` if its span is not here.
        output_tokens: What the producing call put out, once; `None` for tools and roles. Likewise `output_usd`.
        conversation: The conversation, or trace, in which it was first read.
        new_in: By conversation, or trace: the tokens that were new to its readers there.
        face_usd: Its face price: what it cost to put out, or, where no model did, its tokens at the rate that its first
            reader would have paid without a cache.
        times_face: What reading it cost over its whole life, as a multiple of its face price; `None` if not all is priced.
        first_tokens: What the first call to read it read of it; `None` if that call's span does not say.
        reads: In how many calls it was read, `rereads` of them by an agent that had read it before.
        tokens: Over all its reads. Likewise `cost_usd`, of what is priced.
        new_tokens: Of these, the first read by each agent; of a role, all that was new. Likewise `new_usd`.
        reread_tokens: The rest. Likewise `reread_usd`.
        unpriced: The tokens whose cost is not known.
        readers: The agents that read it, in the order of their first reads.
        at_least: Whether a call may have read it that names larger ones alone.
    """

    producer: SpanKey | None
    origin: str | None
    output_tokens: int | None
    output_usd: Decimal | None
    conversation: str | None
    new_in: Mapping[str, int]
    face_usd: Decimal | None
    times_face: float | None
    first_tokens: int | None
    reads: int
    rereads: int
    tokens: int
    cost_usd: Decimal
    new_tokens: int
    new_usd: Decimal
    reread_tokens: int
    reread_usd: Decimal
    unpriced: int
    readers: tuple[str, ...]
    at_least: bool


def messages(tree: Tree, calls: Sequence[Call]) -> tuple[Message, ...]:
    """Return all messages that were read, the dearest first."""
    origins = Origins(tree)
    found = [_message(key, life, tree, origins) for key, life in lives(tree, calls, origins).items()]
    return tuple(sorted(found, key=lambda each: (-each.cost_usd, -each.tokens, each.origin or "", each.producer or ("", ""))))


def _message(key: Key, life: Life, tree: Tree, origins: Origins) -> Message:
    span = tree.find(key.producer) if key.producer is not None else None
    is_call = span is not None and operation_of(span) in CALLS
    readers = sorted(life.readers, key=lambda reader: life.readers[reader].at)
    output_usd = values.usd(span, sc.COST_OUTPUT) if span is not None and is_call else None
    new_tokens = min(life.tokens, sum(first.tokens for first in life.readers.values()))
    new_usd = min(life.cost_usd, sum((first.cost_usd or Decimal() for first in life.readers.values()), Decimal()))
    new_in: dict[str, int] = {}
    for reader in readers:
        new_in[reader.scope] = new_in.get(reader.scope, 0) + life.readers[reader].tokens
    origin = origins.of(key.producer) if key.producer is not None else key.origin
    if is_call or (key.producer is not None and (origin or "agent").startswith("agent")):
        face_usd = output_usd
    else:
        face_usd = _face(new_tokens if key.producer is None else life.first_tokens, life.face_rate)
    return Message(
        producer=key.producer,
        origin=origin,
        output_tokens=values.count(span, sc.OUTPUT_TOKENS) if span is not None and is_call else None,
        output_usd=output_usd,
        conversation=readers[0].scope if readers else None,
        new_in=new_in,
        face_usd=face_usd,
        times_face=float(life.cost_usd / face_usd) if face_usd and not life.unpriced else None,
        first_tokens=life.first_tokens,
        reads=life.reads,
        rereads=max(0, life.reads - len(readers)),
        tokens=life.tokens,
        cost_usd=life.cost_usd,
        new_tokens=new_tokens,
        new_usd=new_usd,
        reread_tokens=life.tokens - new_tokens,
        reread_usd=life.cost_usd - new_usd,
        unpriced=life.unpriced,
        readers=tuple(dict.fromkeys(reader.agent for reader in readers)),
        at_least=life.at_least,
    )


def _face(tokens: int | None, rate: Decimal | None) -> Decimal | None:
    return rounded(tokens * rate) if tokens is not None and rate is not None else None
