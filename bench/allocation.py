"""How far each origin's share of a bill is from the truth: random conversations of real clients with the loopback providers.

The providers know what each piece of a prompt is billed; who said it, the conversation knows that made it. An origin's error is its
distance from the truth as a share of the call's input. `1st` is what we say of a model's first call with tools or without, before
anything is learnt of it. The providers count by other rules than ours, and Anthropic's by another encoding, with a preamble that
nobody sees. Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.billed.figures import Figure, figures, head, quantile, row, worst
from bench.billed.talk import APIS, Api, world

# Of the input: the median, and what 95 % of the figures do not exceed.
TARGETS: dict[Api, tuple[float, float]] = {
    "OpenAI Chat Completions": (0.01, 0.05),
    "OpenAI Responses": (0.01, 0.05),
    "Anthropic Messages": (0.03, 0.10),
}
STAGES = {"1st call of a model": range(1, 2), "2nd to 5th": range(2, 6), "later": range(6, 1_000_000)}
CONVERSATIONS = 8  # in a world


def measured(api: Api, worlds: int, seed: int) -> Iterator[Figure]:
    """Hold conversations in so many worlds, each of which begins with nothing learnt."""
    for number in range(worlds):
        with world(api, Random(f"{api} {seed} {number}")) as made:
            for conversation in range(CONVERSATIONS):
                made.converse(conversation)
        yield from figures(api, made.calls)


def missed(api: Api, found: Sequence[Figure]) -> bool:
    """Whether the errors are larger than they may be."""
    errors = [figure.error for figure in found]
    median, most = TARGETS[api]
    return quantile(errors, 0.5) > median or quantile(errors, 0.95) > most


def show(api: Api, found: Sequence[Figure]) -> None:
    """Print the table of one provider."""
    print(head(api))
    print(row("all", [figure.error for figure in found]))
    for stage, numbers in STAGES.items():
        print(row(f"  {stage}", [figure.error for figure in found if figure.number in numbers]))
    for origin in ("system", "tools", "user", "self", "agent", "tool", "document", "external", "unexplained"):
        of_origin = [figure.error for figure in found if figure.origin.partition(":")[0] == origin]
        if of_origin:
            print(row(f"  {origin}", of_origin))
    print(row("read from the cache", [figure.cached_error for figure in found if any(figure.cached)]))
    median, most = TARGETS[api]
    print(f"{'target':<26} {'':>7} {median:>8.2%} {'':>8} {most:>8.2%}   {'MISSED' if missed(api, found) else 'met'}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=5, help=f"of each provider, with {CONVERSATIONS} conversations each")
    parser.add_argument("--api", choices=APIS, action="append", help="one provider; may be repeated")
    options = parser.parse_args()
    start = time.perf_counter()
    everything: list[Figure] = []
    failed = False
    for api in options.api or APIS:
        found = list(measured(api, options.worlds, options.seed))
        show(api, found)
        failed |= missed(api, found)
        everything += found
    print("The ten worst")
    print("\n".join(worst(everything, 10)))
    print(f"\n{len(everything):,} figures, {time.perf_counter() - start:.0f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
