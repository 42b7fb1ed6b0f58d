"""Where token-otel's CPU goes: by part of it, on the caller's thread by samples, on the others by their clocks.

The same scenarios as in overhead.py, watched by token-otel alone. What LangChain itself takes includes that it calls a handler at all.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.load.child import Watched
from bench.load.contenders import CONTENDERS
from bench.load.plan import PLAN
from bench.load.sampler import Sampler, shares
from bench.load.scenarios import SCENARIOS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=[*PLAN], help="one scenario; may be repeated")
    parser.add_argument("--seconds", type=float, default=6, help="of CPU for each")
    parser.add_argument("--flow", choices=("off", "ids", "text"), default="text")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="also the N dearest functions")
    options = parser.parse_args()
    os.environ["TOKEN_OTEL_FLOW"] = options.flow
    watched = Watched(CONTENDERS[f"token-otel {options.flow}"], with_metrics=False)
    for name in options.only or ("invoke", "agent", "conversation"):
        plan = PLAN[name]
        SCENARIOS[name](plan.runs)()
        watched.flush()
        sampler, calls, until = Sampler(), 0, time.process_time() + options.seconds
        while time.process_time() < until:
            work = SCENARIOS[name](plan.runs)
            with sampler:
                work()
                watched.flush()
            calls += plan.runs * plan.calls
        print(f"{plan.title}: us a call, FLOW={options.flow}, {calls} calls")
        for place, us in [*shares(sampler.places, calls), *((f"thread {thread}", us) for thread, us in shares(sampler.threads, calls))]:
            print(f"  {us:9.1f}  {place}")
        for line, us in shares(sampler.lines, calls)[: options.functions]:
            print(f"      {us:9.1f}  {line}")


if __name__ == "__main__":
    main()
