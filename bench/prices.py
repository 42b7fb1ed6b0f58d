"""What it takes to price a call, ours and genai-prices' own way, run alternately so that whatever else the machine does hits both.

A hit is a known model, a miss an unknown one. `calc_price` looks a miss up anew at every call and raises.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from token_otel import Usage
from token_otel.prices import cost_of
from token_otel.prices.layers import list_prices, over

USAGE = Usage(input=12_000, output=800, cache_read=9_000, reasoning=300)
THEIR_USAGE = TheirUsage(input_tokens=12_000, output_tokens=800, cache_read_tokens=9_000, output_reasoning_tokens=300)
HIT, MISS = ("anthropic", "claude-sonnet-4-5-20250929"), ("openai", "gpt-new-thing-2031")
BATCH = 100


def spread(values: list[float]) -> str:
    return f"{min(values):8.1f} {statistics.median(values):8.1f} {max(values):8.1f}"


def timed_us(call: Callable[[], object]) -> float:
    """Microseconds of one call, the mean of a batch."""
    start = time.perf_counter()
    for _ in range(BATCH):
        call()
    return (time.perf_counter() - start) * 1e6 / BATCH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds: int = parser.parse_args().rounds
    book, now = over(list_prices(), []), time.time_ns()

    def found(named: tuple[str, str]) -> Callable[[], object]:
        return lambda: book.find(provider=named[0], model=named[1], at_ns=now)

    def ours(named: tuple[str, str]) -> Callable[[], object]:
        return lambda: cost_of(USAGE, book.find(provider=named[0], model=named[1], at_ns=now), provider=named[0])

    def theirs(named: tuple[str, str]) -> object:
        try:
            return calc_price(THEIR_USAGE, named[1], provider_id=named[0])
        except LookupError:
            return None

    def anew(named: tuple[str, str]) -> Callable[[], object]:
        # As at the first call in a minute: the model is known, its price at that time is not.
        cold = over(list_prices(), [])
        minute = iter(range(now, now + 10**18, 60 * 10**9))
        return lambda: cold.find(provider=named[0], model=named[1], at_ns=next(minute))

    calls: dict[str, Callable[[], object]] = {}
    for kind, named in (("hit", HIT), ("miss", MISS)):
        calls |= {
            f"{kind}: look-up": found(named),
            f"{kind}: look-up and cost": ours(named),
            f"{kind}: look-up in a new minute": anew(named),
            f"{kind}: calc_price": lambda named=named: theirs(named),
        }
    seen: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        timed_us(call)
    for _ in range(rounds):
        for name, call in calls.items():
            seen[name].append(timed_us(call))

    print(f"{rounds} rounds, us a call:                  min   median      max")
    for name, values in seen.items():
        print(f"  {name:<32}{spread(values)}")


if __name__ == "__main__":
    main()
