"""A long run: do the books balance, and does memory stay flat? Half the calls in 64 threads, half in 200 tasks, at the same time.

Of the calls 5 % each fail, are cancelled, break off, or never end; a fifth stream. Conversations have 2 to 500 messages. What each call
delivered is tallied apart; at the end the spans must sum to that, each call have one span, and every table be within its bound.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.endurance.books import Sums, Tally
from bench.endurance.work import Client
from bench.load.tables import table
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from token_otel import Recorder, Settings
from token_otel_langchain import TokenOtelHandler
from token_otel_langchain.runs import MAX_RUNS, Runs

THREADS, TASKS = 64, 200
SAMPLE_CALLS = 10_000
MB = 1024 * 1024


@dataclass
class Soak:
    """One run, and what came of it."""

    store_mb: float
    every: int = SAMPLE_CALLS
    tally: Tally = field(default_factory=Tally)
    sums: Sums = field(default_factory=Sums)
    rss: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    most_open: int = 0

    def __post_init__(self) -> None:
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(self.sums)
        self._reader = InMemoryMetricReader()
        meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.recorder = Recorder(tracers, meters, settings=Settings(store_mb=self.store_mb, raise_errors=True))
        self.store = self.recorder._flow.store  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]

    def run(self, calls: int, threads: int = THREADS, tasks: int = TASKS) -> None:
        """Make so many calls, and close the books."""
        handler = TokenOtelHandler(recorder=self.recorder)
        clients = [Client(number, self.tally, handler) for number in range(threads + tasks)]
        done = itertools.count(1)

        def share(part: int, parts: int, of: int) -> range:
            return range(of // parts + (part < of % parts))

        def count() -> None:
            number = next(done)
            if number % self.every == 0:
                self.sample(number)

        def work(part: int) -> None:
            for _ in share(part, threads, calls // 2):
                clients[part].call()
                count()

        async def task(part: int) -> None:
            for _ in share(part, tasks, calls - calls // 2):
                await clients[threads + part].acall()
                count()

        async def every_task() -> None:
            await asyncio.gather(*map(task, range(tasks)))

        pool = [threading.Thread(target=work, args=(part,)) for part in range(threads)]
        for thread in pool:
            thread.start()
        asyncio.run(every_task())
        for thread in pool:
            thread.join()
        gc.collect()
        self.recorder.flush()
        self.recorder.settle()

    def sample(self, number: int) -> None:
        """Note the memory in use, after a collection of garbage and of metrics."""
        self._reader.get_metrics_data()
        gc.collect()
        self.most_open = max(self.most_open, self.recorder.open_runs)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.rss.append((number, pages * 4096 / MB))

    def bytes_per_call(self) -> float | None:
        """Return how much memory grows with a call, by least squares over the second half of the samples."""
        late = self.rss[len(self.rss) // 2 :]
        if len(late) < 3:
            return None
        x, y = [number for number, _ in late], [mb * MB for _, mb in late]
        mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
        return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)

    def faults(self) -> list[str]:
        """Return what does not balance, a sentence each."""
        handed, spans = self.tally.calls.total(), self.sums.ended.total()
        rules: list[tuple[bool, str]] = [
            (spans == handed, f"{handed} calls were made, {spans} spans of calls have ended"),
            (self.sums.input == self.tally.input, f"{self.tally.input} input tokens were delivered, {self.sums.input} are on spans"),
            (self.sums.output == self.tally.output, f"{self.tally.output} output tokens were delivered, {self.sums.output} are on spans"),
            (self.sums.again == 0, f"{self.sums.again} spans ended twice"),
            (self.sums.open == 0, f"{self.sums.open} spans never ended"),
            (self.recorder.open_runs == 0, f"{self.recorder.open_runs} runs are still open"),
            (self.store.bytes <= self.store_mb * MB, f"the store has {self.store.bytes} bytes, more than {self.store_mb} MB"),
            (len(Runs.of(self.recorder)) <= MAX_RUNS, f"the table holds {len(Runs.of(self.recorder))} runs"),
        ]
        return [sentence for holds, sentence in rules if not holds]

    def rows(self, seconds: float) -> list[list[str]]:
        """Return the table's rows."""
        slope = self.bytes_per_call()
        found: dict[str, Any] = {
            "calls": f"{self.tally.calls.total():,}: " + ", ".join(f"{count:,} {how}" for how, count in sorted(self.tally.calls.items())),
            "spans by status": ", ".join(f"{count:,} {how}" for how, count in sorted(self.sums.ended.items())),
            "input tokens delivered, on spans": f"{self.tally.input:,}, {self.sums.input:,}",
            "output tokens delivered, on spans": f"{self.tally.output:,}, {self.sums.output:,}",
            "cost on spans, USD": f"{self.sums.cost_usd:,.2f}",
            "spans that ended twice, or never": f"{self.sums.again}, {self.sums.open}",
            "open runs: most seen, at the end": f"{self.most_open:,}, {self.recorder.open_runs}",
            "runs in the adapter's table, of at most": f"{len(Runs.of(self.recorder)):,}, {MAX_RUNS:,}",
            "store, MB, of at most": f"{self.store.bytes / MB:.1f}, {self.store_mb:g}",
            "entries evicted from the store": f"{self.store.evicted:,}",
            "RSS, MB": ", ".join(f"{mb:.0f}" for _, mb in self.rss),
            "bytes per call, second half": "-" if slope is None else f"{slope:,.0f}",
            "seconds": f"{seconds:,.0f}",
        }
        return [[name, value] for name, value in found.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--store-mb", type=float, default=4)
    options = parser.parse_args()
    soak, began = Soak(options.store_mb, min(SAMPLE_CALLS, options.calls // 20)), time.perf_counter()
    soak.run(options.calls)
    print(table(["", f"{options.calls:,} calls"], soak.rows(time.perf_counter() - began)))
    for sentence in soak.faults():
        print(f"It does not balance: {sentence}.", file=sys.stderr)
    return 1 if soak.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
