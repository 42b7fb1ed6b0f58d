"""What each of several observers adds to a program's CPU: process CPU of a model call, all threads and the flush included.

Each observer runs in a process and an environment of its own. They are asked in turn, in many short rounds; what counts is the
difference to the process that is not observed, in the same round. `nothing again` is a second such process: its difference is noise.
Whoever logs a warning is named beneath the table: an observer that fails inside does less than the others. Exporters take everything
and do nothing. Prompts and answers are not captured where an observer can be told so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.load import tables
from bench.load.asking import Child, in_turn, started
from bench.load.contenders import CONTENDERS, NOTHING
from bench.load.plan import PLAN

CONVERSATIONS = 300


def cpu(children: Mapping[str, Child], names: Sequence[str], rounds: int, label: str) -> dict[str, Any]:
    """Measure every scenario; the first round warms up and does not count."""
    found: dict[str, Any] = {}
    for name in names:
        title, runs = PLAN[name].title, PLAN[name].runs
        start = time.perf_counter()
        seen = [*in_turn(children, rounds + 1, "run", name, runs)]
        found[title] = tables.added(seen[1:])
        for contender, complaint in tables.complaints(seen).items():
            found[title][contender]["logged"] = complaint
        print(f"{label}, {title}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


def sizes(children: Mapping[str, Child], names: Sequence[str]) -> dict[str, Any]:
    """Return the bytes of attributes, by scenario and contender."""
    return {PLAN[name].title: next(in_turn(children, 1, "sizes", name)) for name in names}


def starts(folder: Path, chosen: Sequence[str], rounds: int) -> dict[str, Any]:
    """Return what the import, the start and the first call take, in fresh processes, in turn."""
    seen = [{name: started(CONTENDERS[name], folder) for name in chosen} for _ in range(rounds)]
    found: dict[str, Any] = {}
    for name in chosen:
        errors = [one[name]["error"] for one in seen if "error" in one[name]]
        found[name] = {"error": errors[0]} if errors else {key: tables.spread([one[name][key] for one in seen]) for key in seen[0][name]}
    return found


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure all that is asked for."""
    names: list[str] = options.only or [*PLAN]
    chosen = [name for name in CONTENDERS if name == NOTHING or not options.contender or name in options.contender]
    result: dict[str, Any] = {"rounds": options.rounds, "cpu": {}}
    for with_metrics in {"no": (False,), "yes": (True,), "both": (False, True)}[options.meter]:
        label = "with a MeterProvider" if with_metrics else "without a MeterProvider"
        children = {name: Child(CONTENDERS[name], folder, with_metrics=with_metrics) for name in chosen}
        try:
            result["cpu"][label] = cpu(children, names, options.rounds, label)
            if "sizes" not in result:
                result["sizes"] = sizes(children, names)
            if "memory" not in result and not options.only:
                result["memory"] = next(in_turn(children, 1, "memory", CONVERSATIONS))
        finally:
            for child in children.values():
                child.close()
    if not options.only:
        result["starts"] = starts(folder, chosen, 2 if options.quick else 5)
    return result


def show(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    print(f"{result['rounds']} rounds: median [least to most]. CPU that is added to nothing; of nothing, what it takes.\n")
    for label, found in result["cpu"].items():
        print(f"{label}\n\n{tables.cpu_table(found)}\n\n{tables.ratio_table(found)}\n")
        for title, row in found.items():
            for name in (name for name, value in row.items() if "logged" in value):
                print(f"{name} has logged in `{title}`: {row[name]['logged']}\n")
    print(f"{tables.size_table(result['sizes'])}\n")
    if "memory" in result:
        print(f"{tables.memory_table(result['memory'])}\n")
    if "starts" in result:
        print(tables.start_table(result["starts"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envs", type=Path, default=Path(tempfile.gettempdir()) / "token-otel-bench", help="where environments are kept")
    parser.add_argument("--quick", action="store_true", help="5 rounds instead of 30")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--only", action="append", choices=[*PLAN], help="one scenario, and nothing else; may be repeated")
    parser.add_argument("--contender", action="append", choices=[*CONTENDERS], help="one contender against nothing; may be repeated")
    parser.add_argument("--meter", choices=("no", "yes", "both"), default="both", help="with a MeterProvider, which exports to nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.quick else 30)
    result = measure(options, options.envs.resolve())
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


if __name__ == "__main__":
    main()
