"""`Rates`: USD per million tokens, of one model at one tier; `Tariff`: its rates by size of the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MTOK = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD per million tokens; `None` is not priced apart.

    A part without a rate of its own is charged at its total's rate: `cache_read`, `cache_write_5m`, `audio_input` and
    `image_input` at `input`, `cache_write_1h` at `cache_write_5m`, `audio_cache_read` at `cache_read`, `reasoning`,
    `audio_output` and `image_output` at `output`. Fees are USD apiece and never a part of input or output.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    audio_cache_read: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None
    request_usd: Decimal | None = None
    web_search_usd: Decimal | None = None

    def of(self, part: str) -> Decimal | None:
        """Return the rate at which a token of `part` is charged, in USD per million; `None` if unpriced."""
        rate: Decimal | None = getattr(self, part)
        if rate is None and part in _TOTAL_OF:
            return self.of(_TOTAL_OF[part])
        return rate


_TOTAL_OF = {
    "cache_read": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "cache_write_5m",
    "audio_input": "input",
    "image_input": "input",
    "audio_cache_read": "cache_read",
    "reasoning": "output",
    "audio_output": "output",
    "image_output": "output",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The rates of one model at one time and service tier, with where they come from.

    Attributes:
        steps: `(above, rates)`, rising from above = 0: a prompt of more than `above` tokens, cached ones included,
            pays `rates` for all its tokens (the cliff that providers use, not a margin).
        source: The book: `genai-prices`, `override`, ...
        version: Its version or date.
        model: The entry that matched, `provider/model`.
    """

    steps: tuple[tuple[int, Rates], ...]
    source: str
    version: str
    model: str

    def rates(self, input_tokens: int) -> Rates:
        """Return the rates for a prompt of `input_tokens`, cached ones included."""
        chosen = self.steps[0][1]
        for above, rates in self.steps[1:]:
            if input_tokens > above:
                chosen = rates
        return chosen
