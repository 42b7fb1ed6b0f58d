"""How much of a prompt the matcher gives to the right producer, and what that costs in CPU and memory.

Prompts are made from texts of 14 kinds by what programs and models do to texts, so the truth is known for every byte; traps are
prompts that only look as if somebody's text were in them. Reports on seeds 11-13; whoever tunes the matcher takes `--seeds 1-3`.
Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.corpus import timing, verdict
from bench.corpus.finders import FullStore, alone
from bench.corpus.measure import Finder, Score, score
from bench.corpus.rows import ROWS, Row, cases
from bench.corpus.texts import write
from bench.corpus.verdict import Outcome

EVERY = 4  # of the cases, in a full store


def outcome(row: Row, seeds: Iterable[int], find: Finder, small_only: bool = False, every: int = 1) -> Outcome:
    """Hold a finder against every case of a row, or every few."""
    result = Outcome(row, Score(), Score())
    for seed in seeds:
        for number, case in enumerate(cases(row, seed, small_only)):
            if number % every == seed % every:
                one = score(case, find(case))
                result.all.add(one)
                if case.small:
                    result.small.add(one)
    return result


def seeds_of(text: str) -> range:
    """Read `11-13` or `11`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def as_json(outcomes: Sequence[Outcome], costs: Sequence[timing.Cost], worst: Sequence[timing.Worst]) -> str:
    """Everything, for a program."""
    rows = {
        one.row.name: {
            "cases": one.all.cases,
            "precision": one.all.precision,
            "recall": one.all.recall,
            "recall_small": one.small.recall,
            "wrong": one.all.wrong_share,
            "claimed": one.all.claimed_share,
            "missed": one.missed,
        }
        for one in outcomes
    }
    cost_rows = [dataclasses.asdict(one) for one in costs]
    hostile = [{**dataclasses.asdict(one), "growth": one.growth} for one in worst]
    return json.dumps({"rows": rows, "costs": cost_rows, "hostile": hostile}, indent=2)


def full_store(rows: Sequence[Row], seeds: range, megabytes: int) -> None:
    """Print what is left of the accuracy, and what a query costs, among many other texts; there are no targets."""
    find = FullStore(megabytes)
    print(f"{find.texts} other texts of {megabytes} MB together, {find.index.bytes / 1e6:.0f} MB in the store; every {EVERY}th case")
    print(verdict.accuracy([outcome(row, seeds, find, every=EVERY) for row in rows], targets=False))
    rng = Random("full")
    for kind in timing.TIMED:
        text = write(kind, 8_000, rng)
        runs = [timing.cpu_us(lambda text=text: find.index.find(text)) / timing.kilobytes(text) for _ in range(3)]
        print(f"nothing to find, {kind:<10} us/KB, min median max: {timing.Spread.of(runs)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=range(11, 14), help="11-13 to report, 1-3 to tune")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="rows whose name contains this, and no costs")
    parser.add_argument("--small", action="store_true", help="only texts of 20 to 60 words")
    parser.add_argument("--costs", choices=("too", "only", "no"), default="too", help="CPU and memory")
    parser.add_argument("--repeats", type=int, default=5, help="how often each cost is measured")
    parser.add_argument("--full", type=int, nargs="?", const=20, metavar="MB", help="instead: in a store of so many MB of other texts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.only or any(name in row.name for name in options.only)]
    if options.full:
        full_store(rows, options.seeds, options.full)
        return 0
    start = time.perf_counter()
    scored = [] if options.costs == "only" else [outcome(row, options.seeds, alone, options.small) for row in rows]
    outcomes = [one for one in scored if one.all.cases]
    costed = options.costs != "no" and not options.only and not options.small
    costs = [timing.cost(kind, options.repeats) for kind in timing.TIMED] if costed else []
    worst = list(timing.worst(options.repeats)) if costed else []
    if options.json:
        print(as_json(outcomes, costs, worst))
    else:
        tables = (
            verdict.accuracy(outcomes) if outcomes else "",
            verdict.expense(costs) + f"\n{timing.reference(options.repeats)}" if costs else "",
            verdict.hostility(worst) if worst else "",
            f"{time.perf_counter() - start:.0f} s",
        )
        print("\n\n".join(table for table in tables if table))
    missed = any(one.missed for one in outcomes) or bool(costs and verdict.costs_missed(costs)) or any(map(verdict.grows, worst))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
