"""`Rates`: what one call really paid for a token of its input, as its own span implies."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values

_UNIT = Decimal("1E-12")
_LARGEST = 14  # digits, less one: so many more does a Decimal hold beside those of the unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD for one token; `None` where the span has no such tokens, or no price.

    Attributes:
        uncached: Of any token, had there been no cache: the face price of what the call reads.
        fresh: Of one neither read from a cache nor written to it.
        read: Of one read from the cache.
        write: Of one written to it, over both lifetimes.
    """

    uncached: Decimal | None = None
    fresh: Decimal | None = None
    read: Decimal | None = None
    write: Decimal | None = None


def rates_of(span: SpanRecord) -> Rates:
    """Return the rates of one call."""
    tokens = values.count(span, sc.INPUT_TOKENS) or 0
    read = values.count(span, sc.CACHE_READ_TOKENS) or 0
    write = cache_writes(span)
    whole, read_usd, write_usd = (values.usd(span, name) for name in (sc.COST_INPUT, sc.COST_CACHE_READ, sc.COST_CACHE_WRITE))
    uncached_usd = values.usd(span, sc.COST_UNCACHED) if read or write else whole
    parts_known = (not read or read_usd is not None) and (not write or write_usd is not None)
    rest = whole - (read_usd or 0) * bool(read) - (write_usd or 0) * bool(write) if whole is not None and parts_known else None
    return Rates(
        uncached=_each(uncached_usd, tokens),
        fresh=_each(rest, tokens - read - write),
        read=_each(read_usd, read),
        write=_each(write_usd, write),
    )


def part(usd: Decimal, tokens: int, whole: int) -> Decimal:
    """Return what `tokens` of `whole` cost, to a millionth of a millionth, so that what is left is exact too."""
    return usd if tokens == whole else rounded(usd * tokens / whole)


def rounded(usd: Decimal) -> Decimal:
    """Return an amount that was divided, to a millionth of a millionth."""
    return usd if usd.adjusted() > _LARGEST else usd.quantize(_UNIT).normalize()


def cache_writes(span: SpanRecord) -> int:
    """Return the tokens that a call wrote to a cache, under their new name or the old one."""
    return values.count(span, sc.CACHE_WRITE_TOKENS) or values.count(span, sc.CACHE_CREATION_TOKENS) or 0


def _each(usd: Decimal | None, tokens: int) -> Decimal | None:
    return None if usd is None or tokens <= 0 else usd / tokens
