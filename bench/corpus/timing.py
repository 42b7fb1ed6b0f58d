"""What the matcher costs: CPU of the thread for indexing and asking, memory, and the longest step."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from bench.corpus.hostile import HOSTILE, SIZE
from bench.corpus.texts import write

from token_otel.flow.matching import TextIndex

TIMED = ("prose", "markdown", "Python", "JSON", "logs", "CSV", "Chinese", "Russian", "mixed")
BYTES = 100_000
WORDS = 19_000  # of Chinese, to have so many bytes
ENDLESS_S = 5.0  # a step that ends but leads nowhere


@dataclass(frozen=True)
class Spread:
    """Of several runs: the fastest, the middle one and the slowest."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Sum up runs."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.least:8.1f} {self.median:8.1f} {self.most:8.1f}"


@dataclass(frozen=True)
class Cost:
    """One kind of text: microseconds per KB, KB per KB, and microseconds of a step."""

    kind: str
    kilobytes: float
    index: Spread
    embedded: Spread
    json_string: Spread
    nothing: Spread
    other_genre: Spread
    index_step: Spread
    query_step: Spread
    store: float


@dataclass(frozen=True)
class Worst:
    """One hostile text, as a source or as a prompt: milliseconds at half and at full size, and the longest step's microseconds."""

    name: str
    role: str
    half_kb: float
    full_kb: float
    half: Spread
    full: Spread
    step: Spread
    ended: bool

    @property
    def growth(self) -> float | None:
        """How much dearer a KB is at twice the size, by the fastest runs; None where both are too fast to say."""
        if self.full.least < 2:
            return None
        return (self.full.least / self.full_kb) / (self.half.least / self.half_kb)


def kilobytes(text: str) -> float:
    """A text's size."""
    return len(text.encode(errors="surrogatepass")) / 1_000


def cpu_us(work: Callable[[], object]) -> float:
    """Microseconds of this thread's CPU that `work` takes."""
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1e6


def reference(repeats: int) -> str:
    """Say how fast this machine is at the moment, in something that does not change."""
    text = _cut(write("prose", WORDS, Random("reference"))).encode()
    spread = Spread.of([_fresh(text.split) / (len(text) / 1_000) for _ in range(3 * repeats)])
    return f"bytes.split() of prose, us/KB, min median max: {spread}; 4.6 on the machine that the targets come from"


def cost(kind: str, repeats: int) -> Cost:
    """Measure one kind: an index of four texts, asked for a copy, an escaped copy, and two texts that it does not have."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # what else this process holds is not the matcher's to collect
    rng = Random(f"timing/{kind}")
    texts = [_cut(write(kind, WORDS, rng)) for _ in range(4)]
    text = texts[0]
    other = _cut(write("prose" if kind != "prose" else "logs", WORDS, rng))
    copy = f"Here is what was found:\n\n{text}\n\nSummarise it."
    escaped = json.dumps({"result": text, "ok": True})
    unknown = _cut(write(kind, WORDS, rng))
    index = TextIndex()
    for number, one in enumerate(texts):
        index.add(number, one)
    before = TextIndex()
    empty = before.bytes
    before.add(0, text)

    def per_kb(work: Callable[[], object], size: float) -> Spread:
        return Spread.of([_fresh(work) / size for _ in range(repeats)])

    return Cost(
        kind=kind,
        kilobytes=kilobytes(text),
        index=per_kb(lambda: TextIndex().add(0, text), kilobytes(text)),
        embedded=per_kb(lambda: index.find(copy), kilobytes(copy)),
        json_string=per_kb(lambda: index.find(escaped), kilobytes(escaped)),
        nothing=per_kb(lambda: index.find(unknown), kilobytes(unknown)),
        other_genre=per_kb(lambda: index.find(other), kilobytes(other)),
        index_step=Spread.of([max(_steps(TextIndex().add_steps(0, text))) for _ in range(repeats)]),
        query_step=Spread.of([max(max(_steps(index.find_steps(one))) for one in (copy, escaped, unknown, other)) for _ in range(repeats)]),
        store=(before.bytes - empty) / 1_000 / kilobytes(text),
    )


def _cut(text: str) -> str:
    return text.encode()[:BYTES].decode(errors="ignore")


def worst(repeats: int) -> Iterator[Worst]:
    """Measure the hostile texts; as a prompt each meets an index that has it, and ordinary prose."""
    ordinary = write("prose", 2_000, Random("worst"))
    for name, make in HOSTILE.items():
        half, full = make(SIZE // 2), make(SIZE)
        for role in ("source", "prompt"):
            runs: list[list[_Run]] = []
            for text in (half, full):
                runs.append([])
                while len(runs[-1]) < repeats and all(run.ended for run in runs[-1]):
                    runs[-1].append(_run(_work(role, text, ordinary)))
                if not runs[-1][-1].ended:
                    break
            spreads = [Spread.of([run.ms for run in some]) for some in runs]
            step = Spread.of([run.step_us for run in runs[-1]])
            yield Worst(name, role, kilobytes(half), kilobytes(full), spreads[0], spreads[-1], step, runs[-1][-1].ended)


def _work(role: str, text: str, ordinary: str) -> Iterator[object]:
    index = TextIndex()
    if role == "source":
        return index.add_steps(0, text)
    index.add(0, ordinary)
    index.add(1, text)
    return index.find_steps(text)


def _fresh(work: Callable[[], object]) -> float:
    gc.collect()
    return cpu_us(work)


def _steps(steps: Iterator[object]) -> list[float]:
    """Microseconds of each step, the one that ends it among them."""
    gc.collect()
    taken: list[float] = []
    while True:
        start = time.thread_time()
        done = next(steps, steps)
        taken.append((time.thread_time() - start) * 1e6)
        if done is steps:
            return taken


@dataclass(frozen=True)
class _Run:
    ms: float
    step_us: float
    ended: bool


def _run(steps: Iterator[object]) -> _Run:
    """Take all steps, but no more than what is endless."""
    gc.collect()
    start = last = time.thread_time()
    longest = 0.0
    while True:
        done = next(steps, steps)
        now = time.thread_time()
        longest = max(longest, now - last)
        last = now
        if done is steps or now - start > ENDLESS_S:
            return _Run((now - start) * 1e3, longest * 1e6, done is steps)
