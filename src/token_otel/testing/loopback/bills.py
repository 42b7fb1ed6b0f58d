"""Bills: what the provider's books say a call cost, and which piece of the prompt each token belongs to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from token_otel.testing.loopback.answers import ToolCall

PieceKind: TypeAlias = Literal["preamble", "tools", "system", "message", "framing"]
Status: TypeAlias = Literal["ok", "error", "cut", "hung_up"]

MTOK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceTruth:
    """One piece of a prompt, in the provider's order, with its true tokens; its own frame is included.

    `preamble` is text that the provider adds unseen; `framing` is what opens the reply.
    `index` is the place of the message (Responses: of the input item) in the request; None for what is no message of it.
    `tool_call_id` names the call that the piece answers. `cache_read` and `cache_write` are parts of `tokens`.
    """

    kind: PieceKind
    role: str
    text: str
    index: int | None
    tool_call_id: str | None
    tokens: int
    cache_read: int
    cache_write: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One call in the provider's books.

    `input` includes cache reads and writes, `output` includes reasoning: `text_tokens + tool_call_tokens + reasoning`, over all choices.
    A stream that was cut or left is billed for its whole input and for the output sent until then; an error is billed nothing.
    `usage` is the raw dict that was sent, or would have been; of a Claude stream, the merge of its two events. None for an error.
    `delivered`: the usage was sent to the client.
    `output_text` is the first choice's; `tool_calls` are those of all choices, with their ids.
    """

    provider: str
    api: str
    model: str
    request_id: str
    response_id: str | None
    status: Status
    delivered: bool
    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    text_tokens: int = 0
    tool_call_tokens: int = 0
    service_tier: str | None = None
    usage: Mapping[str, Any] | None = None
    output_text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    messages: tuple[PieceTruth, ...] = ()
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens. OpenAI does not charge for cache writes, so its models have no such rate."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    write_5m: Decimal | None = None
    write_1h: Decimal | None = None

    def cost(self, *, input: int, cache_read: int, write_5m: int, write_1h: int, output: int) -> Decimal:
        """Price one call, in USD, unrounded. `input` is inclusive; a part without a rate of its own is charged as input."""
        fresh = input - cache_read - write_5m - write_1h
        total = fresh * self.input + output * self.output
        for tokens, rate in ((cache_read, self.cache_read), (write_5m, self.write_5m), (write_1h, self.write_1h)):
            total += tokens * (self.input if rate is None else rate)
        return total / MTOK


def _rates(*usd: str) -> Rates:
    return Rates(*(Decimal(value) for value in usd))


PRICES: Mapping[str, Rates] = {
    "gpt-5": _rates("1.25", "10", "0.125"),
    "gpt-5/flex": _rates("0.625", "5", "0.0625"),
    "gpt-5/priority": _rates("2.5", "20", "0.25"),
    "gpt-5-mini": _rates("0.25", "2", "0.025"),
    "gpt-5-mini/flex": _rates("0.125", "1", "0.0125"),
    "gpt-5-mini/priority": _rates("0.45", "3.6", "0.045"),
    "gpt-4o": _rates("2.5", "10", "1.25"),
    "gpt-4o-mini": _rates("0.15", "0.6", "0.075"),
    "gpt-4.1": _rates("2", "8", "0.5"),
    "gpt-4.1-mini": _rates("0.4", "1.6", "0.1"),
    "claude-sonnet-4-5": _rates("3", "15", "0.3", "3.75", "6"),
    "claude-haiku-4-5": _rates("1", "5", "0.1", "1.25", "2"),
    "claude-opus-4-5": _rates("5", "25", "0.5", "6.25", "10"),
}
"""List prices by model; `model/tier` for a tier other than the default."""

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


def rates_of(model: str, tier: str | None, prices: Mapping[str, Rates]) -> Rates | None:
    """Look up the rates of a model, dated snapshots under their family; None if unknown, as is a known model in an unknown tier."""
    suffix = "" if tier in (None, "auto", "default", "standard") else f"/{tier}"
    exact = prices.get(model + suffix)
    return exact if exact is not None else prices.get(_SNAPSHOT.sub("", model) + suffix)
