"""Allocation: a reported bill, split among what was read; every split sums to the bill, to the token and to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from token_otel.flow.producer import Producer
from token_otel.prices import Cost
from token_otel.prices.rates import MTOK
from token_otel.usage import Usage

RESOLUTION = 1024  # parts of a token that a weight distinguishes


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the prompt, in the order in which the provider lays it out.

    Attributes:
        origin: Its origin in the eyes of the reader.
        producer: Who made it, if a run did.
        new: Whether the reader reads it for the first time.
        external_id: The message id of words that another process produced.
        weight: Its size, in any unit common to the prompt.
    """

    origin: str
    producer: Producer | None
    new: bool
    external_id: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Share:
    """What the pieces of one origin, producer and newness were billed, in tokens.

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


def allocate(pieces: Sequence[Piece], usage: Usage, cost: Cost) -> tuple[Share, ...]:
    """Split the input of one call among `pieces`.

    The cached tokens lie along the prefix: first what was read from the cache, then what was written for an hour, then
    for five minutes (the order that Anthropic demands), then the rest.

    Returns:
        Shares that sum to `usage.input`, `cache_read` and both cache writes, and in cost to `cost.input_usd`.
    """
    segments = (usage.cache_read or 0, usage.cache_write_1h or 0, usage.cache_write_5m or 0, usage.uncached)
    if not pieces:
        pieces = [Piece("unexplained", None, True, None, 1.0)]
    # A producer is one object wherever it is met; its identity is cheaper to look up than its content.
    groups: dict[tuple[str, int, bool, str | None], tuple[Piece, list[float]]] = {}
    scale = _scale(pieces, sum(segments))
    ends = _ends(segments)
    position, segment = 0.0, 0
    for piece in pieces:
        key = (piece.origin, id(piece.producer), piece.new, piece.external_id)
        found = groups.get(key)
        if found is None:
            found = groups[key] = (piece, [0.0, 0.0, 0.0, 0.0])
        overlaps = found[1]
        left = piece.weight * scale
        while segment < 3 and position + left > ends[segment]:
            overlap = max(0.0, ends[segment] - position)
            overlaps[segment] += overlap
            position += overlap
            left -= overlap
            segment += 1
        overlaps[segment] += left
        position += left
    columns = [largest_remainder(tokens, [overlaps[i] for _, overlaps in groups.values()]) for i, tokens in enumerate(segments)]
    rates = _rates(cost)
    shares: list[Share] = []
    for (piece, _), read, write_1h, write_5m, fresh in zip(groups.values(), *columns, strict=True):
        if read or write_1h or write_5m or fresh:
            usd = None if rates is None else (fresh * rates[0] + read * rates[1] + write_5m * rates[2] + write_1h * rates[3]) / MTOK
            shares.append(Share(piece.origin, piece.producer, piece.new, piece.external_id, fresh, read, write_5m, write_1h, usd))
    return _balanced(shares, cost)


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` into whole numbers in proportion to `weights`: floors first, the rest to the largest remainders.

    Where all weights are 0 the last takes everything. In integers throughout, so that no size of bill loses a token.
    """
    if total == 0 or not weights:
        return [0] * len(weights)
    sizes = [round(weight * RESOLUTION) for weight in weights]
    whole = sum(sizes)
    if whole <= 0:
        return [0] * (len(weights) - 1) + [total]
    quotients = [divmod(total * size, whole) for size in sizes]
    shares = [quotient for quotient, _ in quotients]
    for i in sorted(range(len(sizes)), key=lambda i: -quotients[i][1])[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _scale(pieces: Sequence[Piece], total: int) -> float:
    weight = sum(piece.weight for piece in pieces)
    return total / weight if weight > 0 else 0.0


def _ends(segments: tuple[int, int, int, int]) -> tuple[int, int, int]:
    first = segments[0]
    second = first + segments[1]
    return first, second, second + segments[2]


def _rates(cost: Cost) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
    """Return the rates of fresh, read and written tokens, for five minutes and an hour; `None` if the input is not priced."""
    rates = cost.rates
    if rates is None or cost.input_usd is None:
        return None
    zero = Decimal()
    return (
        rates.of("input") or zero,
        rates.of("cache_read") or zero,
        rates.of("cache_write_5m") or zero,
        rates.of("cache_write_1h") or zero,
    )


def _balanced(shares: list[Share], cost: Cost) -> tuple[Share, ...]:
    """Give what modalities cost more or less than text to the media that were read, else to the largest share."""
    if cost.input_usd is None or not shares or any(share.cost_usd is None for share in shares):
        return tuple(shares)
    rest = cost.input_usd - sum((share.cost_usd or Decimal() for share in shares), Decimal())
    if rest:
        i = max(range(len(shares)), key=lambda i: (shares[i].origin == "media", shares[i].tokens))
        shares[i] = replace(shares[i], cost_usd=(shares[i].cost_usd or Decimal()) + rest)
    return tuple(shares)
