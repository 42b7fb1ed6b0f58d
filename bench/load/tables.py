"""What was measured, as numbers and as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.load.contenders import AGAIN, FLOOR, NOTHING, OFFICIAL, OURS

Rounds = Sequence[Mapping[str, Mapping[str, Any]]]
"""By round and contender, what its process said."""


def spread(values: Sequence[float]) -> dict[str, float]:
    """Sum values up."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def added(rounds: Rounds, key: str = "cpu_ns") -> dict[str, dict[str, Any]]:
    """Return, by contender, the microseconds a call that it adds to nothing, round by round; of nothing itself, what it takes."""
    found: dict[str, dict[str, Any]] = {}
    for name in rounds[0]:
        errors = [one[name]["error"] for one in rounds if "error" in one[name]]
        if errors:
            found[name] = {"error": errors[0], "failed_rounds": len(errors)}
            continue
        of_calls = [one[name][key] / one[name]["calls"] / 1_000 for one in rounds]
        without = [one[NOTHING][key] / one[NOTHING]["calls"] / 1_000 if name != NOTHING else 0.0 for one in rounds]
        found[name] = spread([mine - bare for mine, bare in zip(of_calls, without, strict=True)])
    return found


def complaints(rounds: Rounds) -> dict[str, str]:
    """Return the first warning that each contender has logged; most say each thing once."""
    return {name: one[name]["logged"] for one in reversed(rounds) for name in one if "logged" in one[name]}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cpu_table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Microseconds by scenario and contender: median, least and most of the rounds."""
    names = list(next(iter(found.values())))
    return table(["us a model call", *names], ([title, *(_cell(row[name]) for name in names)] for title, row in found.items()))


def _cell(value: Mapping[str, Any]) -> str:
    if "error" in value:
        return f"fails: {value['error']}"
    return f"{value['median']:,.0f} [{value['min']:,.0f} to {value['max']:,.0f}]"


def ratio_table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """What token-otel adds, as a multiple of what others add; a floor that is lost in the noise says nothing."""
    rows: list[list[str]] = []
    for title, row in found.items():
        ours, noise = row.get(OURS, {}), abs(row.get(AGAIN, {}).get("median", 0.0))
        cells: list[str] = []
        for name in (FLOOR, OFFICIAL, "OpenInference", "OpenLLMetry"):
            theirs = row.get(name, {})
            known = "median" in ours and "median" in theirs and theirs["median"] > 2 * noise
            cells.append(f"{ours['median'] / theirs['median']:.2f}" if known else "-")
        rows.append([title, *cells])
    return table([f"{OURS} adds, times what is added by", FLOOR, OFFICIAL, "OpenInference", "OpenLLMetry"], rows)


def size_table(sizes: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Spans a call, and bytes of attributes: median, largest, and all of them a call."""
    names = [name for name in next(iter(sizes.values())) if not name.startswith(NOTHING)]
    rows = ([title, *(_size(row[name]) for name in names)] for title, row in sizes.items())
    return table(["spans a call: bytes of a median, of the largest; a call", *names], rows)


def _size(value: Mapping[str, Any]) -> str:
    if "error" in value:
        return f"fails: {value['error']}"
    spans, total = value["spans"] / value["calls"], value["total"] / value["calls"]
    return f"{spans:.1f}: {value['median']:,.0f}, {value['largest']:,}; {total:,.0f}"


def start_table(starts: Mapping[str, Mapping[str, Any]]) -> str:
    """Import, start and first call, by contender."""
    keys = {"import_ms": "import, ms", "start_ms": "start, ms", "first_call_ms": "first call and flush, ms", "resident_mb": "RSS, MB"}
    rows = ([name, *(_cell(value[key]) if "error" not in value else _cell(value) for key in keys)] for name, value in starts.items())
    return table(["fresh process, CPU", *keys.values()], rows)


def memory_table(memory: Mapping[str, Mapping[str, Any]]) -> str:
    """What a conversation leaves behind, and what the process holds at the end."""
    rows = (
        [name, f"{value['bytes'] / 1_000:.1f}" if "bytes" in value else _cell(value), f"{value.get('resident', 0) / 1e6:.0f}"]
        for name, value in memory.items()
    )
    return table(["KB of RSS a conversation", "left", "RSS at the end, MB"], rows)
