"""`Rates`: USD per million tokens, of one model at one tier; `Tariff`: its rates by size of the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

EXACT = Context(prec=100)  # whatever the program has set for its own decimals
MTOK = Decimal(1_000_000)
MODALITIES = ("audio", "image", "video")


LAID = ("cache_read", "cache_write_1h", "cache_write_5m", "input")  # text, in the order in which it lies along a prompt
FINEST = 60  # decimals of a USD, beyond which nothing is priced


class Whole(NamedTuple):
    """The rates of text of the kinds that are `LAID`, in units of 10 ** -`decimals` USD per million tokens."""

    decimals: int
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD per million tokens; `None` is not priced apart.

    A part without a rate of its own is charged at that of the whole it belongs to: cached tokens at `input` (an hour at
    the rate of five minutes), a modality at `input` or `output`, a cached modality at `cache_read`, else at its own input
    rate. Fees are USD apiece and never a part of input or output. `whole` are the rates of text as integers.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    citation: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    audio_cache_read: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None
    image_cache_read: Decimal | None = None
    video_input: Decimal | None = None
    video_output: Decimal | None = None
    video_cache_read: Decimal | None = None
    request_usd: Decimal | None = None
    web_search_usd: Decimal | None = None
    whole: Whole = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zero = Decimal()
        usds = [self.of(part) or zero for part in LAID]
        decimals = 3
        with localcontext(EXACT):
            while decimals < FINEST and any(usd.scaleb(decimals) % 1 for usd in usds):
                decimals += 3
            whole = Whole(decimals, tuple([int(usd.scaleb(decimals)) for usd in usds]))
        object.__setattr__(self, "whole", whole)

    def of(self, part: str) -> Decimal | None:
        """Return the rate at which a token of `part` is charged, in USD per million; `None` if unpriced."""
        for name in _CHARGED_AS[part]:
            rate: Decimal | None = getattr(self, name)
            if rate is not None:
                return rate
        return None

    def times(self, factor: Decimal) -> Rates:
        """Return what is left of these rates and fees after a discount, or what a surcharge makes of them."""
        return Rates(**{name: usd * factor for name, usd in self.stated().items()})

    def stated(self) -> dict[str, Decimal]:
        """Return the rates and fees that are known, by name."""
        return {name: usd for name in RATE_NAMES if (usd := getattr(self, name)) is not None}


RATE_NAMES = tuple(item.name for item in fields(Rates) if item.init)

_CHARGED_AS = {
    "input": ("input",),
    "output": ("output",),
    "cache_read": ("cache_read", "input"),
    "cache_write_5m": ("cache_write_5m", "input"),
    "cache_write_1h": ("cache_write_1h", "cache_write_5m", "input"),
    **{f"{modality}_input": (f"{modality}_input", "input") for modality in MODALITIES},
    **{f"{modality}_cache_read": (f"{modality}_cache_read", "cache_read", f"{modality}_input", "input") for modality in MODALITIES},
    **{part: (part, "output") for part in ("reasoning", "citation", *(f"{modality}_output" for modality in MODALITIES))},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The rates of one model at one time and service tier, with where they come from.

    Attributes:
        steps: `(above, rates)`, rising from above = 0: a prompt of more than `above` tokens, cached ones included,
            pays `rates` for all its tokens (the cliff that providers use, not a margin).
        source: The book: `genai-prices`, `corrections`, `override`, ...
        version: Its version, date or file.
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
