"""`Split`: the input of one call, by whose it is; in columns, since a long conversation has hundreds of producers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from token_otel.flow.producer import Producer, SpanRef
from token_otel.prices.rates import EXACT


class Group(NamedTuple):
    """Whose a stretch of a prompt is.

    Attributes:
        origin: Its origin in the eyes of the reader.
        producer: Who made it, if a run did.
        external_id: The message id of words that another process produced.
    """

    origin: str
    producer: Producer | None = None
    external_id: str | None = None

    @property
    def key(self) -> tuple[str, int, str | None]:
        """What tells it from others. A producer is one object wherever it is met: its identity is cheaper than its content."""
        return self[0], id(self[1]), self[2]

    @property
    def label(self) -> SpanRef | str:
        """Under what its account is kept: the span that produced it, or its origin."""
        return self.producer.span if self.producer is not None and self.producer.span is not None else self.origin


@dataclass(frozen=True, slots=True)
class Share:
    """What the stretches of one origin, producer and newness were billed, in tokens.

    `fresh`, `cache_read`, `cache_write_5m` and `cache_write_1h` are disjoint; `cost_usd` is what they cost, if priced.
    """

    origin: str
    producer: Producer | None
    new: bool
    external_id: str | None
    fresh: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    cost_usd: Decimal | None

    @property
    def tokens(self) -> int:
        """All its tokens, cached or not."""
        return self.fresh + self.cache_read + self.cache_write_5m + self.cache_write_1h


Column: TypeAlias = dict[int, int] | list[int]


class Split:
    """The input of one call, split: entry by entry, whose it is, how much, and what it cost.

    Attributes:
        groups: Whose each entry is; an entry without tokens says nothing.
        labels: Under what its account is kept: the span that produced it, or its origin.
        new: Whether it is read for the first time.
        fresh: Its tokens at the full rate; the columns `cache_read`, `cache_write_5m` and `cache_write_1h` likewise, where a
            short one names the entries that it has.
        costs: What it cost, in units of 10 ** -`decimals` USD; `None` if the input is not priced.
    """

    __slots__ = ("cache_read", "cache_write_1h", "cache_write_5m", "costs", "decimals", "fresh", "groups", "labels", "new", "tokens")

    def __init__(
        self,
        groups: list[Group],
        new: list[bool],
        fresh: Column,
        cache_read: Column,
        cache_write_5m: Column,
        cache_write_1h: Column,
        labels: list[SpanRef | str] | None = None,
    ) -> None:
        self.groups = groups
        self.labels = labels if labels is not None else [group.label for group in groups]
        self.new = new
        self.fresh = fresh
        self.cache_read = cache_read
        self.cache_write_5m = cache_write_5m
        self.cache_write_1h = cache_write_1h
        self.costs: list[int] | None = None
        self.decimals = 0
        columns = (fresh, cache_read, cache_write_5m, cache_write_1h)
        self.tokens: list[int] = next(([*column] for column in columns if isinstance(column, list)), [0] * len(groups))
        for column in columns:
            if isinstance(column, dict):
                for place, tokens in column.items():
                    self.tokens[place] += tokens

    def usd(self, units: int) -> float:
        """Return USD."""
        return units / 10**self.decimals

    def largest(self) -> int:
        """Return the place of the largest entry: of media, if there are any."""
        return max(range(len(self.groups)), key=lambda i: (self.groups[i].origin == "media" and self.tokens[i] > 0, self.tokens[i]))

    @property
    def reread_tokens(self) -> int:
        """The tokens that were read before."""
        return sum([tokens for tokens, new in zip(self.tokens, self.new, strict=True) if not new])

    @property
    def shares(self) -> tuple[Share, ...]:
        """Its entries with tokens, one by one."""
        return tuple(self._shares())

    def _shares(self) -> Iterator[Share]:
        for place, (group, new, tokens) in enumerate(zip(self.groups, self.new, self.tokens, strict=True)):
            if tokens:
                yield Share(
                    origin=group.origin,
                    producer=group.producer,
                    new=new,
                    external_id=group.external_id,
                    fresh=_at(self.fresh, place),
                    cache_read=_at(self.cache_read, place),
                    cache_write_5m=_at(self.cache_write_5m, place),
                    cache_write_1h=_at(self.cache_write_1h, place),
                    cost_usd=None if self.costs is None else Decimal(self.costs[place]).scaleb(-self.decimals, EXACT),
                )


def _at(column: Column, place: int) -> int:
    return column.get(place, 0) if isinstance(column, dict) else column[place]
