"""The search: all words of the query are looked up, block by block, and a hit is extended to a run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import replace
from itertools import accumulate

from token_otel.flow.matching.canonical import letters, words
from token_otel.flow.matching.index import OFFSET, OFFSET_BITS, PLACES, SHINGLE, SHORTEST, Segment, Text
from token_otel.flow.matching.query import Query
from token_otel.flow.matching.runs import Run, bridge_steps, run_at

BLOCK = 1_024  # bytes of the canonical form that are looked up at a time
LONGEST_WORD = 4_096
NEWEST = 8  # segments that are searched
WINDOW = 8  # words: one grid period of any text, else the wrong one of two copies wins
SAME = 8  # runs that differ by no more bytes are as long as one another: letters agree by chance
NEXT = 4_096  # bytes that a text may have been cut by between two runs, so that one continues the other
SKELETON = 160  # letters that a run must have if all its shingles are skeleton

# Text of a known genre hits everywhere and fits nowhere: after so many fruitless runs only every 8th hit is tried.
DRAIN = 3  # fruitless runs that each block forgives
DEPTH = 12
SPARSE = 8
TRIES = 16  # hits that are tried in one step
GLANCE = 1 / 4  # of a fruitless run: to see that a hit fits nowhere
_PLENTY = 4 * SKELETON  # bytes in which there are as many letters


def find_runs(
    query: Query, segments: Sequence[Segment], prefer: Callable[[Hashable], bool] | None = None
) -> Generator[None, None, list[Run]]:
    """Find the runs of `query` in the texts of `segments`, in order, none over another."""
    scan = _Scan(query, segments, prefer)
    at = base = 0
    carry: list[bytes] = []
    while at < len(query.canon):
        end = _cut(query.canon, at + BLOCK)
        block = carry + words(query.canon[at:end])
        base = yield from scan.block(block, base)
        if scan.reached > base:
            base = scan.reached
            carry = []
            at = max(end, query.place(base)) if base < len(query.squeezed) else len(query.canon)
        else:
            carry = block[1 - SHINGLE :]
            base -= sum(map(len, carry))
            at = end
        yield
    return scan.runs


def _cut(canon: bytes, end: int) -> int:
    """Return where a block ends: at a blank, or within a word that is longer than any."""
    if end >= len(canon):
        return len(canon)
    blank = canon.find(b" ", end, end + LONGEST_WORD)
    if blank >= 0:
        return blank
    end = min(len(canon), end + LONGEST_WORD)
    while end < len(canon) and canon[end] & 0xC0 == 0x80:
        end += 1
    return end


class _Scan:
    """Runs so far, up to where the query is spoken for, and how much was tried in vain."""

    def __init__(self, query: Query, segments: Sequence[Segment], prefer: Callable[[Hashable], bool] | None) -> None:
        self.runs: list[Run] = []
        self.reached = 0
        self._query = query.squeezed
        self._prefer = prefer
        self._segments = segments[: -NEWEST - 1 : -1]
        self._vain = 0.0
        self._refused: dict[tuple[int, int], int] = {}
        self._live: dict[Text, Run] = {}  # the last run in each text: within it nothing else is tried

    def block(self, found: list[bytes], base: int) -> Generator[None, None, int]:
        """Search a block of words that begins at the squeezed offset `base`; return where it ends."""
        offsets = [*accumulate(map(len, found), initial=base)]
        if len(found) >= SHINGLE:
            hashes = list(map(hash, zip(found, found[1:], found[2:], found[3:], strict=False)))
            known = [segment for segment in self._segments if not segment.places.keys().isdisjoint(hashes)]
            if known:
                yield from self._hits(_Block(hashes, offsets, known))
        self._vain = max(0.0, self._vain - DRAIN)
        return offsets[-1]

    def _hits(self, block: _Block) -> Generator[None]:
        hits = block.hits
        tried: dict[int, list[Run]] = {}
        i = 0
        while i < len(hits):
            if block.offsets[hits[i]] < self.reached:
                i = bisect_left(hits, bisect_left(block.offsets, self.reached), i + 1)
                continue
            sparse = self._vain > DEPTH
            if sparse and i % SPARSE:
                i += 1
                continue
            candidates: list[Run] = []
            for k in range(i, bisect_left(hits, hits[i] + WINDOW, i)):
                runs = tried.get(k)
                if runs is None:
                    if len(tried) % TRIES == TRIES - 1:
                        yield
                    runs = tried[k] = yield from self._runs(block, hits[k])
                if runs:
                    candidates += [run for run in runs if run.end > self.reached]
                if sparse and not candidates:
                    break
            if candidates:
                self._take(candidates)
            i += 1

    def _runs(self, block: _Block, hit: int) -> Generator[None, None, list[Run]]:
        """Extend a hit in every text that it stands in, but where that was tried."""
        at = block.offsets[hit]
        half = _half_of_shortest(self._query[at])
        ahead, behind = self._query[at : at + half], self._query[at - half : at]
        found: list[Run] = []
        for text, text_at in block.places_of(hit):
            source = text.squeezed
            # Of a run that is long enough, one half or the other agrees at once.
            if source[text_at : text_at + half] != ahead and source[text_at - half : text_at] != behind:
                self._vain += GLANCE
                continue
            diagonal = (text.serial, text_at - at)
            if self._refused.get(diagonal, 0) > at:
                continue
            live = self._live.get(text)
            if live is not None and live.start <= at < live.end:
                if live.length >= SKELETON:
                    found.append(live)
                continue
            run = run_at(self._query, at, text, text_at)
            if run.length >= 2 * half and (yield from bridge_steps(self._query, run)):
                self._vain += 1
            size = letters(self._query[run.start : run.end]) if run.length < _PLENTY else _PLENTY
            if size < SHORTEST or (size < SKELETON and not block.is_known(run)):
                self._refused[diagonal] = run.end
                self._vain += 1
            else:
                self._live[text] = run
                found.append(run)
        return found

    def _take(self, candidates: list[Run]) -> None:
        """Take the best run, and what lies clear before it."""
        while candidates:
            best = self._best(candidates)
            if best is None:
                self._vain += 1
                return
            candidates = [run for run in candidates if run is not best and run.end <= best.start + SAME]
            before = self.reached
            self._add(best)
            if self.reached < before + SHORTEST:
                self._vain += 1

    def _best(self, candidates: Sequence[Run]) -> Run | None:
        """Return the run that agrees most, of several the likeliest; `None` where so many agree that they are all formula."""
        longest = max(run.agreement for run in candidates) - SAME
        alike = [run for run in candidates if run.agreement >= longest]
        if len({run.text for run in alike}) >= PLACES and max(run.length for run in alike) < SKELETON:
            return None
        last = self.runs[-1] if self.runs else None
        # Nobody is preferred where nobody else could be meant: whoever is asked may note that the answer hung on it.
        prefer = self._prefer if len({run.text.source for run in alike}) > 1 else None
        partly = max([run.agreement for run in alike if not run.is_whole], default=0)

        def rank(run: Run) -> tuple[bool, bool, bool, int, int]:
            preferred = prefer is not None and prefer(run.text.source)
            # A few letters more are no chance where they make a text whole: two may differ in a number at the head alone.
            whole = run.is_whole and run.agreement > partly
            return preferred, last is not None and _continues(last, run), whole, run.text.serial, run.length

        return max(alike, key=rank)

    def _add(self, run: Run) -> None:
        last = self.runs[-1] if self.runs else None
        if last is not None and _continues(last, run):
            self._vain = 0.0
        while self.runs and run.start < self.runs[-1].end:
            last = self.runs[-1]
            if run.start >= last.start and run.end <= last.end:
                return
            if run.agreement > last.agreement + SAME:
                self.runs.pop()
                cut = last.end - run.start
                last = replace(last, end=run.start, text_end=last.text_end - cut)
                if last.length >= SHORTEST:
                    self.runs.append(last)
                    break
            else:
                cut = last.end - run.start
                run = replace(run, start=last.end, text_start=run.text_start + cut)
                if run.length < SHORTEST:
                    return
                break
        self.runs.append(run)
        self.reached = max(self.reached, run.end)


def _half_of_shortest(letter: int) -> int:
    """Return half the bytes of the shortest run, by one of its letters."""
    if letter < 0x80 or 0xE3 <= letter <= 0xED:
        return SHORTEST // 2
    return SHORTEST if letter < 0xE0 else SHORTEST * 3 // 2


class _Block:
    """A block of the query, and what its shingles hit."""

    def __init__(self, hashes: list[int], offsets: list[int], segments: list[Segment]) -> None:
        self.offsets = offsets
        self._hashes = hashes
        self._segments = segments
        self._places = [list(map(segment.places.get, hashes)) for segment in segments]
        if len(segments) == 1:
            self.hits = [i for i, place in enumerate(self._places[0]) if place is not None]
        else:
            self.hits = sorted({i for row in self._places for i, place in enumerate(row) if place is not None})

    def places_of(self, hit: int) -> list[tuple[Text, int]]:
        """Return the texts and squeezed offsets at which a hit stands, the newest first."""
        found: list[tuple[Text, int]] = []
        shingle = self._hashes[hit]
        for segment, row in zip(self._segments, self._places, strict=True):
            place = row[hit]
            if place is not None:
                places = (place, *segment.more.get(shingle, ()))
                found += [(segment.texts[each >> OFFSET_BITS], each & OFFSET) for each in places]
        return found

    def is_known(self, run: Run) -> bool:
        """Tell whether any shingle of a short run says who wrote it."""
        first, last = bisect_left(self.offsets, run.start), bisect_left(self.offsets, run.end)
        inside = self._hashes[first : max(first + 1, last - SHINGLE + 1)]
        return any(shingle in segment.places and shingle not in segment.skeleton for segment in self._segments for shingle in inside)


def _continues(last: Run, run: Run) -> bool:
    return run.text is last.text and -SAME <= run.text_start - last.text_end <= NEXT
