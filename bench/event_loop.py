"""How late an event loop is with token-otel against without it: 100 streams at once, in one process, in turn.

Each stream is a turn of a conversation: a new document of 4 KB, and an answer of 50 chunks that come some 20 ms apart. Somebody else
on the loop wants to be woken every 2 ms, and says how much later it was. Everything that token-otel does counts, its worker's thread
included: prices, counts and searches go on while the streams do.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.corpus.texts import write
from bench.load.child import Nowhere
from bench.load.models import Scripted, answer
from bench.load.tables import table
from langchain_core.messages import BaseMessage, HumanMessage
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from token_otel import Recorder, Settings
from token_otel_langchain import TokenOtelHandler

WAKE_S = 0.002
PAUSE_S = 0.02
WITHOUT, WITH = "without token-otel", "with token-otel"


class Chats:
    """So many conversations, which go on by one turn each at a time."""

    def __init__(self, name: str, count: int, handlers: Sequence[Any]) -> None:
        self._rng = Random(name)
        self._handlers = [*handlers]
        self._histories: list[list[BaseMessage]] = [[] for _ in range(count)]
        self._name = name
        texts = [write("prose", 200, self._rng)[:1_000] for _ in range(count)]
        said = itertools.count()
        self._model = Scripted(reply=lambda messages: answer(texts[next(said) % count], 300 * len(messages)), pause_s=PAUSE_S)

    def documents(self) -> list[str]:
        """Write what is asked next."""
        return [write("prose", 800, self._rng)[:4_000] for _ in self._histories]

    async def turn(self, documents: Sequence[str]) -> None:
        """Let every conversation go on, each a little later than the one before, within a second."""
        count = len(self._histories)
        async with asyncio.TaskGroup() as group:
            for number, (history, document) in enumerate(zip(self._histories, documents, strict=True)):
                group.create_task(self._stream(number, history, document, delay_s=number / count))

    async def _stream(self, number: int, history: list[BaseMessage], document: str, *, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        history.append(HumanMessage(document))
        config: Any = {"callbacks": self._handlers, "metadata": {"thread_id": f"{self._name}-{number}"}}
        whole = None
        async for chunk in self._model.astream(history, config):
            whole = chunk if whole is None else whole + chunk
        if isinstance(whole, BaseMessage):
            history.append(whole)


async def lateness(chats: Chats) -> list[float]:
    """Return by how many milliseconds each waking was late, while all conversations went on by one turn."""
    documents = chats.documents()
    gc.collect()
    late: list[float] = []
    turn = asyncio.create_task(chats.turn(documents))
    while not turn.done():
        due = time.perf_counter() + WAKE_S
        await asyncio.sleep(WAKE_S)
        late.append((time.perf_counter() - due) * 1_000)
    await turn
    return late


def figures(late: Sequence[float]) -> dict[str, float]:
    """Sum up one turn."""
    cuts = statistics.quantiles(late, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "longest": max(late)}


async def measure(rounds: int, streams: int, recorder: Recorder) -> dict[str, list[dict[str, float]]]:
    """Run both in turn; the first round warms up and does not count."""
    both = {WITHOUT: Chats("without", streams, ()), WITH: Chats("with", streams, (TokenOtelHandler(recorder=recorder),))}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in both}
    for number in range(rounds + 1):
        for name, chats in both.items():
            found = figures(await lateness(chats))
            recorder.flush()
            if number:
                seen[name].append(found)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--flow", choices=("off", "ids", "text"), default="text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=1 << 16))
    recorder = Recorder(provider, settings=Settings(flow=options.flow, raise_errors=True))
    gc.freeze()
    seen = asyncio.run(measure(options.rounds, options.streams, recorder))
    provider.shutdown()
    if options.json:
        print(json.dumps(seen, indent=2))
        return
    ratios = [ours["p99"] / bare["p99"] for bare, ours in zip(seen[WITHOUT], seen[WITH], strict=True)]
    print(f"FLOW={options.flow}, {options.streams} streams, {options.rounds} rounds; ms that a waking was late: median [least to most]\n")
    rows = [[name, *(_spread([one[key] for one in found]) for key in ("p50", "p99", "longest"))] for name, found in seen.items()]
    print(table(["", "p50", "p99", "longest stall"], rows))
    print(f"\nratio of p99, round by round: {_spread(ratios)}")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} [{min(values):.2f} to {max(values):.2f}]"


if __name__ == "__main__":
    main()
