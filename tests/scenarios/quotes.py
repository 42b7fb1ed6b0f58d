"""Checking calls whose prompts retell another's words: the providers' bills know what each message was billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from tests.scenarios.bench import Bench, attributes, billed
from tests.scenarios.scenes import flow
from tests.words import TOLERANCE, Written, agree, truth_of

from token_otel.testing.loopback import Bill, PieceTruth

ROLES = {"system": "system", "user": "user", "assistant": "external"}


def check_call(b: Bench, number: int, agent: str, owners: Mapping[str, Sequence[str]], share: float = TOLERANCE) -> ReadableSpan:
    """A call's origins are the truth, to 3 % of its input or 8 tokens; returns its span.

    Args:
        b: The scenario after its run.
        number: Which of the billed calls, in the order of their start.
        agent: Who made it.
        owners: The words of each origin, as they stand in the prompt; all else is the role's.
        share: The tolerance, where it is not 3 %.
    """
    pairs = billed(b)
    bill, span = pairs[number]
    framing = sum(piece.tokens for piece in bill.messages if piece.kind == "framing")
    written = [
        Written(text=piece.text, tokens=piece.tokens, role=_role(piece, [bill for bill, _ in pairs]))
        for piece in bill.messages
        if piece.kind != "framing"
    ]
    assert attributes(span)["gen_ai.agent.name"] == agent
    agree(flow(span), truth_of(written, owners), slack=framing, share=share)
    return span


def prompt_of(b: Bench, number: int) -> str:
    """All that a call has read, as one text."""
    return "\n".join(piece.text for piece in billed(b)[number][0].messages)


def producers(span: ReadableSpan) -> dict[str, int]:
    """The tokens of a call by the id of the span that produced them."""
    values: Mapping[str, Any] = attributes(span)
    names: Sequence[str] = values.get("token_otel.flow.producers", ())
    tokens: Sequence[int] = values.get("token_otel.flow.producer_tokens", ())
    return {name.partition(":")[2]: count for name, count in zip(names, tokens, strict=True)}


def span_id(span: ReadableSpan) -> str:
    """The id of a span, as producers are named."""
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def _role(piece: PieceTruth, bills: Sequence[Bill]) -> str:
    if piece.kind in ("tools", "preamble"):
        return "tools"
    if piece.tool_call_id is not None:
        names = [call.name for bill in bills for call in bill.tool_calls if call.id == piece.tool_call_id]
        return f"tool:{names[0]}" if names else "tool"
    return ROLES[piece.role]
