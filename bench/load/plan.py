"""`PLAN`: the scenarios by name, for the process that asks and for those that do the work."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = 50
TURNS = 100


@dataclass(frozen=True)
class Planned:
    """A scenario.

    Attributes:
        title: As the tables say it.
        runs: How many of it make up one round: that of nothing takes some 15 ms.
        calls: How many model calls one run makes.
    """

    title: str
    runs: int
    calls: int = 1


PLAN = {
    "invoke": Planned("invoke, 1 KB, new text", 60),
    "invoke-same": Planned("invoke, 1 KB, the same text", 60),
    "100k": Planned("invoke, 100 KB, new text", 8),
    "100k-same": Planned("invoke, 100 KB, the same text", 40),
    "100k-thread": Planned("invoke, 100 KB, new text, one conversation", 8),
    "ainvoke": Planned("ainvoke, 1 KB, new text", 60),
    "stream": Planned("stream of 50 chunks, 1 KB", 20),
    "agent": Planned("agent of 50 steps: a step", 1, STEPS),
    "conversation": Planned("conversation up to 200 messages: a call", 1, TURNS),
    "team": Planned("supervisor team, 6 calls: a call", 3, 6),
}
