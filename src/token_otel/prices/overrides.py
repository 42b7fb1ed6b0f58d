"""`OverrideBook`: the prices of a file, over those of another book."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from token_otel.prices.book import LayeredBook, PriceBook
from token_otel.prices.entry import Entry
from token_otel.prices.names import book_provider, model_spellings
from token_otel.prices.price_file import PriceFile, read
from token_otel.prices.rates import Tariff

_ONE = Decimal(1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OverrideBook:
    """What a price file says; where it says nothing, what the book beneath says, at the file's discount.

    Args:
        file: The prices. Of the entries that match and hold, the last counts; of several with the same rule, the newest.
        beneath: The book that is overridden: what `like` takes over and multipliers apply to.
        source: What its tariffs say of where they come from.
    """

    def __init__(self, file: PriceFile, beneath: PriceBook, *, source: str = "override") -> None:
        self._file = file
        self._beneath = beneath
        self._source = source

    @classmethod
    def read(cls, path: str, beneath: PriceBook | None = None) -> OverrideBook:
        """Read the file at `path`; raises `PriceFileError` if it cannot be used."""
        return cls(read(path), LayeredBook([]) if beneath is None else beneath)

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff in force at `at_ns`, or `None` if neither the file nor the book beneath knows the model."""
        seller = book_provider(provider)
        name, entry = self._entry(seller, model, _EPOCH + timedelta(microseconds=at_ns // 1000), service_tier)
        if entry is None:
            found = self._beneath.find(provider=provider, model=model, at_ns=at_ns, service_tier=service_tier)
            return None if found is None else _scaled(found, self._multiplier(seller, found))
        like, wanted = None, entry.like_for(name)
        if wanted is not None:
            like = self._beneath.find(provider=wanted[0], model=wanted[1], at_ns=at_ns, service_tier=service_tier)
            if like is None:
                return None  # half a price would pass for a whole one
            like = _scaled(like, self._multiplier(seller, like) if entry.multiplier is None else entry.multiplier)
        return Tariff(steps=entry.steps(like), source=self._source, version=self._file.version, model=entry.match)

    def _entry(self, provider: str | None, model: str, at: datetime, service_tier: str | None) -> tuple[str, Entry | None]:
        tier = service_tier.lower() if service_tier is not None else None
        for name in model_spellings(model):
            active = [entry for entry in self._file.entries if entry.is_for(provider, name) and entry.condition.holds(at, tier)]
            if active:
                same = [entry for entry in reversed(active) if entry.rule == active[-1].rule]
                return name, max(same, key=lambda entry: entry.condition.start or _EPOCH)
        return model, None

    def _multiplier(self, provider: str | None, tariff: Tariff) -> Decimal:
        seller = provider or tariff.model.partition("/")[0]
        return self._file.multipliers.get(seller, self._file.multiplier)


def _scaled(tariff: Tariff, factor: Decimal) -> Tariff:
    if factor == _ONE:
        return tariff
    steps = tuple((above, rates.times(factor)) for above, rates in tariff.steps)
    return replace(tariff, steps=steps, version=f"{tariff.version} x {factor.normalize():f}")
