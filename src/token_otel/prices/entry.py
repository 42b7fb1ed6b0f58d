"""`Entry`: one rule of a price file: which calls it is for, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal

from token_otel.prices.rates import Rates, Tariff

Usd = Mapping[str, Decimal]
"""USD by the name of a rate or fee in `Rates`."""

Window = tuple[time, time]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When an entry holds; what is `None` or empty does not matter. Times are UTC.

    Attributes:
        start: From then on.
        service_tier: For calls answered in this tier.
        batch: For batches only, or for all but batches.
        hours: At these hours of the day; a window whose end is before its start runs over midnight.
        days: On these days of the week, 0 for Monday.
    """

    start: datetime | None = None
    service_tier: str | None = None
    batch: bool | None = None
    hours: tuple[Window, ...] = ()
    days: frozenset[int] = frozenset()

    def holds(self, at: datetime, service_tier: str | None) -> bool:
        """Return whether it holds for a call that started `at` and was answered in `service_tier`."""
        return (
            (self.start is None or at >= self.start)
            and (self.service_tier is None or service_tier == self.service_tier)
            and (self.batch is None or (service_tier == "batch") is self.batch)
            and (not self.hours or any(_within(at.time(), window) for window in self.hours))
            and (not self.days or at.weekday() in self.days)
        )


def _within(at: time, window: Window) -> bool:
    start, end = window
    return start <= at < end if start < end else at >= start or at < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One rule of a price file.

    Attributes:
        place: Where it stands, for messages.
        match: Its pattern as written.
        pattern: The same, compiled; it is held against the name in lower case.
        provider: The book's name of the provider it is for; `None` for any.
        condition: When it holds.
        like: Provider and model whose rates it takes over from the prices beneath, where it states none itself; a `*` at
            its end stands for what the one at the end of `match` stands for.
        multiplier: What those are multiplied with; `None` leaves that to the file.
        usd: The rates and fees that it states.
        tiers: `(above, rates)`, rising: what a prompt of more than `above` tokens pays.
    """

    place: str
    match: str
    pattern: re.Pattern[str]
    provider: str | None = None
    condition: Condition = field(default_factory=Condition)
    like: tuple[str | None, str] | None = None
    multiplier: Decimal | None = None
    usd: Usd = field(default_factory=dict[str, Decimal])
    tiers: tuple[tuple[int, Usd], ...] = ()

    def is_for(self, provider: str | None, model: str) -> bool:
        """Return whether it is for this model, whenever it was called."""
        return self.provider in (None, provider) and self.pattern.search(model) is not None

    def like_for(self, model: str) -> tuple[str | None, str] | None:
        """Return the provider and model whose rates it takes over for `model`."""
        if self.like is None or not self.like[1].endswith("*"):
            return self.like
        return self.like[0], self.like[1][:-1] + model[len(self.match) - 1 :]

    @property
    def rule(self) -> tuple[str | None, str, str | None, bool | None, tuple[Window, ...], frozenset[int]]:
        """Whom it is for: of two entries with the same rule, the one that began later holds."""
        when = self.condition
        return self.provider, self.match, when.service_tier, when.batch, when.hours, when.days

    def steps(self, beneath: Tariff | None) -> tuple[tuple[int, Rates], ...]:
        """Return the rates by the size of the prompt: its own over those of `beneath`."""
        base = beneath.steps if beneath is not None else ()
        thresholds = sorted({0, *(above for above, _ in base), *(above for above, _ in self.tiers)})
        return tuple((above, self._at(above, beneath)) for above in thresholds)

    def _at(self, above: int, beneath: Tariff | None) -> Rates:
        rates = dict(beneath.rates(above + 1 if above else 0).stated()) if beneath is not None else {}
        rates |= self.usd
        for threshold, usd in self.tiers:
            if threshold <= above:
                rates |= usd
        return Rates(**rates)
