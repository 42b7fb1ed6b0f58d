"""What caching saved, and what was paid where a prefix was broken."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest

from token_otel import report
from token_otel.otel import semconv as sc

READ, FRESH, WRITE = Decimal("0.20"), Decimal(2), Decimal("2.50")  # USD per million tokens


def call(
    spans: Any, span: str, at: int, *, read: int = 0, write: int = 0, fresh: int = 0, again: int = 0, agent: str = "a", model: str = "m-1"
) -> None:
    """A call at these prices; `again` of its tokens were read before."""
    tokens, usd = read + write + fresh, read * READ + write * WRITE + fresh * FRESH
    parts = {sc.COST_CACHE_READ: float(read * READ / 1_000_000), sc.COST_CACHE_WRITE: float(write * WRITE / 1_000_000)}
    values = {sc.CACHE_WRITE_TOKENS: write, sc.RESPONSE_MODEL: model, **parts}
    spans.call(
        span,
        None,
        agent,
        reads={"user": (tokens, usd)},
        output=(1, 0),
        cached=read,
        new=tokens - again,
        again=float(again * READ),
        uncached=float(tokens * FRESH),
        attributes=values,
        at=at,
    )
    spans.records[-1].attributes[sc.COST_INPUT] = float(usd / 1_000_000)


def test_what_caching_saved(spans: Any):
    """Against no cache at all: a write that nobody has read yet is a loss."""
    call(spans, "1", 0, write=2000, fresh=100)
    alone = spans.report.totals.caching_saved_usd
    call(spans, "2", 10, read=2000, fresh=50, again=2000)

    assert alone == 2000 * (FRESH - WRITE) / 1_000_000 == Decimal("-0.001")
    assert spans.report.totals.caching_saved_usd == alone + 2000 * (FRESH - READ) / 1_000_000


def test_a_broken_prefix_is_paid_again(spans: Any):
    """2,000 tokens were in the cache; the next call reads them again, 100 from there, 1,500 written anew, 400 fresh."""
    call(spans, "1", 0, write=2000, fresh=100)
    call(spans, "2", 10, read=100, write=1500, fresh=500, again=2100)
    [found] = spans.report.breaks
    totals = spans.report.totals

    assert (found.span[1][0], found.cached, found.tokens, found.idle_s) == ("2", 2000, 1900, 0.009)
    assert found.cost_usd == (1500 * WRITE + 400 * FRESH - 1900 * READ) / 1_000_000
    assert (totals.broken_tokens, totals.broken_usd) == (1900, found.cost_usd)


def test_what_is_not_read_again_is_not_lost(spans: Any):
    """A context that was cut down has no use for its cache."""
    call(spans, "1", 0, write=2000)
    call(spans, "2", 10, fresh=600, again=50)

    assert spans.report.breaks == ()


@pytest.mark.parametrize(("cached", "read"), [(1000, 0), (2000, 1900)])
def test_what_providers_do_not_cache_is_not_lost(spans: Any, cached: int, read: int):
    """Nothing below 1,024 tokens, and no step of less than 128."""
    call(spans, "1", 0, write=cached)
    call(spans, "2", 10, read=read, fresh=3000 - read, again=3000)

    assert spans.report.breaks == ()


def test_calls_at_the_same_time_break_nothing(spans: Any):
    """What runs beside a call cannot read its cache yet; another agent or another model never does."""
    call(spans, "1", 0, write=2000)
    call(spans, "2", 0, fresh=2000, again=2000)
    call(spans, "3", 5, fresh=2000, again=2000, agent="b")
    call(spans, "4", 6, fresh=2000, again=2000, model="m-2")

    assert spans.report.breaks == ()


def test_an_unknown_price_is_not_made_up(spans: Any):
    """Where no call has read a cache, no span says what that costs; the tokens are known."""
    call(spans, "1", 0, write=2000)
    call(spans, "2", 10, write=2000, again=2000)
    [found] = spans.report.breaks

    assert (found.tokens, found.cost_usd) == (2000, None)


def test_the_table_names_the_call_that_paid(spans: Any):
    """With what caching saved, what was lost, and how long the cache had been idle."""
    pytest.importorskip("rich")
    from rich.console import Console

    call(spans, "1", 0, write=2000, fresh=100)
    call(spans, "2", 10, read=100, write=1500, fresh=500, again=2100)
    out = io.StringIO()
    report.show(spans.report, Console(file=out, width=100), only=["caching"])
    lines = [line.split() for line in out.getvalue().splitlines() if line.strip()]

    # 4,200 x 2 without a cache; with it 2,000 x 2.50 + 100 x 2 + 100 x 0.20 + 1,500 x 2.50 + 500 x 2: dearer by 1,570 millionths
    assert lines[4] == ["a", "4,200", "100", "2.4%", "3,500", "-$0.001570", "1,900", "$0.004170"]
    assert lines[7] == ["a", "answer", "20000000,", "trace", "1", "9", "ms", "2,000", "1,900", "$0.004170"]
