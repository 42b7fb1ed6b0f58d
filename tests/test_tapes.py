"""Random tapes hold what the invariants are to be tried on."""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.tapes import CALLS_IN_A_TAPE, Teller, bench

from token_otel.events import ModelStarted
from token_otel.usage import Usage

ENORMOUS = 10**10
TAPES = 60


def test_everything_that_a_bill_may_be_is_drawn():
    """Pieces, media, sealed reasoning, words of others, late ends, every kind of cache, no price, nothing billed, very much billed."""
    dice = Random(1)
    seen: Counter[str] = Counter()
    for _ in range(TAPES):
        tape = Teller().tell([dice.getrandbits(32) for _ in range(dice.randint(10, 60))])
        made = bench().play(tape)
        parts = [part for event in tape if isinstance(event, ModelStarted) for part in event.prompt]
        seen["media"] += sum(part.kind == "media" for part in parts)
        seen["sealed"] += sum(part.kind == "reasoning" and part.sealed_tokens is not None for part in parts)
        for _, posting in made.postings:
            usage, shares = posting.usage or Usage(), posting.shares
            seen["calls"] += 1
            seen["late"] += posting.first is not None
            seen["external"] += any(share.external_id for share in shares)
            seen["adjusted"] += usage.adjusted
            seen["nothing"] += usage.input == 0
            seen["enormous"] += (usage.input or 0) > ENORMOUS
            seen["unpriced"] += bool(shares) and posting.cost.input_usd is None
            seen["many digits"] += any(share.cost_usd is not None and len(share.cost_usd.as_tuple().digits) > 20 for share in shares)
            seen["read"] += any(share.cache_read for share in shares)
            seen["written for minutes"] += any(share.cache_write_5m for share in shares)
            seen["written for an hour"] += any(share.cache_write_1h for share in shares)

    assert seen["calls"] >= TAPES * CALLS_IN_A_TAPE
    assert [what for what, times in seen.items() if not times] == []
    assert len(seen) == 13
