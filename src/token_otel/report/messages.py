"""`Message`: what a text cost over its whole life: produced once, then read again and again.

A message has no text here. It is named by the span that produced it, or, where no span did, by its role and its reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.report import values
from token_otel.report.calls import Call
from token_otel.report.lives import Key, Life, lives
from token_otel.report.origins import Origins
from token_otel.report.tree import CALLS, SpanKey, Tree, operation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one span produced, or what one reader was told in one role, over all its reads.

    Attributes:
        producer: The producing span; `None` for a role.
        origin: Who produced it: `agent:<name>`, `tool:<name>`, `document` or a role; `None` if its span is not here.
        output_tokens: What the producing call put out, once; `None` for tools and roles. Likewise `output_usd`.
        first_tokens: What the first call to read it read of it; `None` if that call's span does not say.
        reads: In how many calls it was read, `rereads` of them by an agent that had read it before.
        tokens: Over all its reads. Likewise `cost_usd`, of what is priced.
        unpriced: The tokens whose cost is not known.
        readers: The agents that read it, in the order of their first reads.
        at_least: Whether a call may have read it that names larger ones alone.
    """

    producer: SpanKey | None
    origin: str | None
    output_tokens: int | None
    output_usd: Decimal | None
    first_tokens: int | None
    reads: int
    rereads: int
    tokens: int
    cost_usd: Decimal
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
    return Message(
        producer=key.producer,
        origin=origins.of(key.producer) if key.producer is not None else key.origin,
        output_tokens=values.count(span, sc.OUTPUT_TOKENS) if span is not None and is_call else None,
        output_usd=values.usd(span, sc.COST_OUTPUT) if span is not None and is_call else None,
        first_tokens=life.first_tokens,
        reads=life.reads,
        rereads=max(0, life.reads - len(life.readers)),
        tokens=life.tokens,
        cost_usd=life.cost_usd,
        unpriced=life.unpriced,
        readers=tuple(dict.fromkeys(reader.agent for reader in sorted(life.readers, key=life.readers.__getitem__))),
        at_least=life.at_least,
    )
