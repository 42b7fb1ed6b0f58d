"""`Totals`: what model calls used and cost, summed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over model calls. Tokens are inclusive: cache reads and writes are part of `input`.

    Attributes:
        calls: Requests to a provider; neither an answer from the framework's own cache nor the late end of a call is one.
        traced: Input tokens whose origin was looked for; `reread` are those that the same agent had read before.
        cost_usd: What is known to be spent, fees included; `input_usd` and `output_usd` are what is known of its parts.
        new_usd: Of the input cost, what was paid for tokens read for the first time; `reread_usd` for those re-read.
        unsplit: Traced tokens of which it is not known what they cost, or how much of that was for re-reading.
        caching_saved_usd: What the input would have cost without any cache, less what it did cost: below 0 where what was
            written was not read again. Not known for `caching_unknown` of the calls that read a cache or wrote to it.
        broken_tokens: Tokens that were in the cache, were read again, and had to be paid for anew: the prefix was broken, or
            the cache expired; `broken_usd` is what that cost more than a read from the cache, where it is known.
        unreported: Calls of which no usage is known; they are in no sum.
        unpriced: Calls whose tokens are known and whose cost is not.
        estimated: Calls whose tokens are our estimate.
        guessed_input: What we estimate for the unreported calls, in no other sum; likewise `guessed_output`.
        cancelled: Calls that were broken off.
        errors: Calls that failed.
        local: Calls that cost no money per token.
        cached: Answers from the framework's own cache; `saved_usd` is what they would have cost.
    """

    calls: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    traced: int = 0
    reread: int = 0
    cost_usd: Decimal = Decimal()
    input_usd: Decimal = Decimal()
    output_usd: Decimal = Decimal()
    new_usd: Decimal = Decimal()
    reread_usd: Decimal = Decimal()
    unsplit: int = 0
    caching_saved_usd: Decimal = Decimal()
    caching_unknown: int = 0
    broken_tokens: int = 0
    broken_usd: Decimal = Decimal()
    unreported: int = 0
    unpriced: int = 0
    estimated: int = 0
    guessed_input: int = 0
    guessed_output: int = 0
    cancelled: int = 0
    errors: int = 0
    local: int = 0
    cached: int = 0
    saved_usd: Decimal = Decimal()

    @property
    def complete(self) -> bool:
        """Whether everything that was spent is known."""
        return not self.unreported and not self.unpriced

    @property
    def new(self) -> int:
        """The traced tokens that were read for the first time."""
        return self.traced - self.reread

    @property
    def reread_share(self) -> float | None:
        """The part of the input that was read before; `None` if nothing was traced."""
        return self.reread / self.traced if self.traced else None

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})


_NAMES = tuple(item.name for item in fields(Totals))
