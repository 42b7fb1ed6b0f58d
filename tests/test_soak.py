"""A short soak: every bill is booked once, and every table stays within its bound."""

from __future__ import annotations

from bench.soak import Soak


def test_the_books_balance_after_every_kind_of_end():
    """2,000 calls in 8 threads and 20 tasks at once, with a store so small that it evicts."""
    soak = Soak(store_mb=0.25)
    soak.run(2_000, threads=8, tasks=20)

    assert soak.faults() == []
    assert soak.tally.calls.keys() == {"ends", "streams", "fails", "cancels", "breaks", "vanishes"}
    assert soak.store.evicted > 0
