"""`Run`: a stretch of the query that reads the same as a stretch of a known text, small changes stepped over."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from token_otel.flow.matching.index import Text

SKIP = 24  # squeezed bytes of insertion, deletion or exchange that a run steps over,
AGREE = 12  # if so many agree behind them
STEP_COST = 16
DROP = 96  # bytes that steps may cost a run more than what lies between them gains: then it ends where it was best
SLIP = 8  # bytes of insertion that still count as the text
_FIRST_STEP = 32
_LONGEST_STEP = 65_536


@dataclass(slots=True, eq=False)  # not frozen: that takes three times as long to make, and most are thrown away
class Run:
    """A stretch of the query and of a text, in squeezed offsets.

    Attributes:
        steps: How often something was stepped over.
        foreign: What stands in between in the query alone, from where to where, and is too long for a slip of the pen.
    """

    text: Text
    start: int
    end: int
    text_start: int
    text_end: int
    steps: int = 0
    foreign: tuple[tuple[int, int], ...] = ()

    @property
    def length(self) -> int:
        """Its squeezed bytes in the query."""
        return self.end - self.start

    @property
    def agreement(self) -> int:
        """Its squeezed bytes, less for each step: of two versions of a text the one that was taken needs none."""
        return self.end - self.start - STEP_COST * self.steps

    @property
    def is_whole(self) -> bool:
        """Whether the text is there from its first letter to its last."""
        return self.text_start == 0 and self.text_end == len(self.text.squeezed)


def run_at(query: bytes, at: int, text: Text, text_at: int) -> Run:
    """Return the longest run through one place of the query and one of a text that steps over nothing."""
    after = same_after(query, at, text.squeezed, text_at)
    before = same_before(query, at, text.squeezed, text_at)
    return Run(text, at - before, at + after, text_at - before, text_at + after)


def bridge_steps(query: bytes, run: Run) -> Generator[None, None, bool]:
    """Let a run step over what differs, at both ends, as long as it is worth it.

    Returns:
        Whether it was given up where more differed than agreed.
    """
    fell_after = yield from _bridge_after(query, run)
    fell_before = yield from _bridge_before(query, run)
    return fell_after or fell_before


def _bridge_after(query: bytes, run: Run) -> Generator[None, None, bool]:
    source = run.text.squeezed
    end, text_end = run.end, run.text_end
    foreign: list[tuple[int, int]] = []
    steps = gain = 0
    best = (end, text_end, 0, 0)
    while gain >= -DROP and (step := _over(query, end, source, text_end)):
        if step[0] > SLIP and not step[1]:
            foreign.append((end, end + step[0]))
        end, text_end = end + step[0], text_end + step[1]
        more = same_after(query, end, source, text_end)
        end, text_end = end + more, text_end + more
        steps += 1
        gain += step[0] + more - STEP_COST
        if gain >= 0:
            best, gain = (end, text_end, steps, len(foreign)), 0
        yield
    fell = gain < -DROP
    run.end, run.text_end, steps, kept = best if fell else (end, text_end, steps, len(foreign))
    run.steps += steps
    run.foreign = (*run.foreign, *foreign[:kept])
    return fell


def _bridge_before(query: bytes, run: Run) -> Generator[None, None, bool]:
    source = run.text.squeezed
    start, text_start = run.start, run.text_start
    foreign: list[tuple[int, int]] = []
    steps = gain = 0
    best = (start, text_start, 0, 0)
    while gain >= -DROP and (step := _back_over(query, start, source, text_start)):
        if step[0] > SLIP and not step[1]:
            foreign.append((start - step[0], start))
        start, text_start = start - step[0], text_start - step[1]
        more = same_before(query, start, source, text_start)
        start, text_start = start - more, text_start - more
        steps += 1
        gain += step[0] + more - STEP_COST
        if gain >= 0:
            best, gain = (start, text_start, steps, len(foreign)), 0
        yield
    fell = gain < -DROP
    run.start, run.text_start, steps, kept = best if fell else (start, text_start, steps, len(foreign))
    run.steps += steps
    run.foreign = (*foreign[:kept][::-1], *run.foreign)
    return fell


def same_after(a: bytes, i: int, b: bytes, j: int) -> int:
    """Return how many bytes from `a[i]` and from `b[j]` on are the same."""
    most = min(len(a) - i, len(b) - j)
    same, step = 0, _FIRST_STEP
    while same < most:
        step = min(step, most - same)
        if a[i + same : i + same + step] != b[j + same : j + same + step]:
            differs = same + step
            while differs - same > 1:
                middle = (same + differs) // 2
                if a[i + same : i + middle] == b[j + same : j + middle]:
                    same = middle
                else:
                    differs = middle
            break
        same += step
        step = min(2 * step, _LONGEST_STEP)
    return same


def same_before(a: bytes, i: int, b: bytes, j: int) -> int:
    """Return how many bytes before `a[i]` and before `b[j]` are the same."""
    most = min(i, j)
    same, step = 0, _FIRST_STEP
    while same < most:
        step = min(step, most - same)
        if a[i - same - step : i - same] != b[j - same - step : j - same]:
            differs = same + step
            while differs - same > 1:
                middle = (same + differs) // 2
                if a[i - middle : i - same] == b[j - middle : j - same]:
                    same = middle
                else:
                    differs = middle
            break
        same += step
        step = min(2 * step, _LONGEST_STEP)
    return same


def _over(query: bytes, at: int, source: bytes, text_at: int) -> tuple[int, int] | None:
    """Return how far to step in the query and in the text, so that both agree again; the shortest way."""
    best: tuple[int, int] | None = None
    shortest = 2 * SKIP + 1
    limit = at + SKIP + AGREE
    for skipped in range(SKIP + 1):
        needle = source[text_at + skipped : text_at + skipped + AGREE]
        if len(needle) < AGREE or skipped >= shortest:
            break
        found = query.find(needle, at, min(limit, at + shortest - skipped + AGREE))
        if found >= 0 and found - at + skipped < shortest and (found > at or skipped):
            best = (found - at, skipped)
            shortest = found - at + skipped
    return best


def _back_over(query: bytes, at: int, source: bytes, text_at: int) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    shortest = 2 * SKIP + 1
    for skipped in range(SKIP + 1):
        last = text_at - skipped
        if last < AGREE or skipped >= shortest:
            break
        found = query.rfind(source[last - AGREE : last], max(0, at - SKIP - AGREE), at)
        gap = at - found - AGREE
        if found >= 0 and gap + skipped < shortest and (gap or skipped):
            best = (gap, skipped)
            shortest = gap + skipped
    return best
