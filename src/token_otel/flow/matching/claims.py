"""`Claim`: a stretch of a text and who produced it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from token_otel.flow.matching.canonical import BLANK, encoded, is_boundary, letters, singles
from token_otel.flow.matching.canonical import words as words_of
from token_otel.flow.matching.index import Segment, Text
from token_otel.flow.matching.objects import objects
from token_otel.flow.matching.query import Query
from token_otel.flow.matching.runs import Run

ALONE = 50  # letters of a run that stands for itself
GAP = 512  # squeezed bytes between two runs of one text that are compared word by word
COVERED = 0.4  # of them
_ENDINGS = (b".", b"!", b"?", b"\xe3\x80\x82", b"\xef\xbc\x81", b"\xef\xbc\x9f")  # the last three are full-width
_BACKSLASH = ord("\\")
_QUOTES = b"\"'"


@dataclass(frozen=True, slots=True)
class Claim:
    """A stretch of a text, in UTF-8 bytes, and who produced it."""

    start: int
    end: int
    source: Hashable


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    run: Run


def strong_sources(query: Query, runs: Sequence[Run]) -> set[Hashable]:
    """Return the sources of which a run is long enough to stand for itself."""
    return {run.text.source for run in runs if run.length >= ALONE and letters(query.squeezed[run.start : run.end]) >= ALONE}


def claims_of(
    query: Query, text: str, runs: Sequence[Run], strong: Collection[Hashable], segments: Sequence[Segment]
) -> Generator[None, None, list[Claim]]:
    """Return what runs of `strong` sources claim of `text`, to the ends of their words."""
    kept = [run for run in runs if run.text.source in strong]
    yield
    data = encoded(text)
    filled: list[Run] = []
    for i, run in enumerate(kept):
        if i:
            filled += _between(query, kept[i - 1], run)
            yield
        filled += _own(run)
    found: list[Claim] = []
    for run in filled:
        start, end = _snapped(query, run)
        if found and start < found[-1].end:
            start = found[-1].end
        yield
        if start < end:
            start, end = _with_edges(data, start, end, run, found[-1].end if found else 0)
            _append(found, Claim(start, end, run.text.source), query.canon)
    yield
    if "{" in text and any(segment.objects for segment in segments) and not _is_covered(data, query.canon, found):
        found = yield from _with_objects(text, data, found, segments)
        joined: list[Claim] = []
        for claim in found:
            _append(joined, claim, query.canon)
        return joined
    return found


def _own(run: Run) -> list[Run]:
    """Return a run without what was put into it."""
    if not run.foreign:
        return [run]
    starts = [run.start, *[max(run.start, end) for _, end in run.foreign]]
    ends = [*[min(run.end, start) for start, _ in run.foreign], run.end]
    return [replace(run, start=start, end=end, text_start=-1, text_end=-1) for start, end in zip(starts, ends, strict=True) if start < end]


def _append(found: list[Claim], claim: Claim, canon: bytes) -> None:
    """Add a claim, as one with the last if it is of the same source and only blanks lie between."""
    if found and found[-1].source == claim.source and not canon[found[-1].end : claim.start].strip(BLANK):
        claim = replace(claim, start=found.pop().start)
    found.append(claim)


def _snapped(query: Query, run: Run) -> tuple[int, int]:
    """Return where a run stands in the text, without words that agree in part."""
    start, end = query.place(run.start), query.end(run.end)
    canon = query.canon
    while start < end and not is_boundary(canon, start):
        start += 1
    while end > start and not is_boundary(canon, end):
        end -= 1
    while start < end and canon[start] in BLANK:
        start += 1
    while end > start and canon[end - 1] in BLANK:
        end -= 1
    return start, end


def _with_edges(data: bytes, start: int, end: int, run: Run, least: int) -> tuple[int, int]:
    """Take in the punctuation at the ends of a source's text where the whole of it is there, else what ends a sentence."""
    if run.text_start == 0:
        for byte in reversed(run.text.head):
            while start > least and data[start - 1] == _BACKSLASH != byte:
                start -= 1
            if start <= least or data[start - 1] != byte:
                break
            start -= 1
        while least < start < len(data) and data[start] in _QUOTES and data[start - 1] == _BACKSLASH:
            start -= 1
    if run.text_end == len(run.text.squeezed):
        for byte in run.text.tail:
            skipped = end
            while skipped < len(data) and data[skipped] == _BACKSLASH != byte:
                skipped += 1
            if skipped >= len(data) or data[skipped] != byte:
                break
            end = skipped + 1
    else:
        for ending in _ENDINGS:
            if data.startswith(ending, end):
                end += len(ending)
                break
    while data[start] & 0xC0 == 0x80:
        start += 1  # signs whose first bytes agree
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    return start, end


def _between(query: Query, last: Run, run: Run) -> list[Run]:
    """Return the words between two runs of one text that stand there in the text, too, in the same order."""
    gap = run.start - last.end
    if run.text is not last.text or not 0 < gap <= GAP or run.text_start <= last.text_end:
        return []
    start, end = query.end(last.end), query.place(run.start)
    source = run.text.squeezed
    found: list[Run] = []
    at, text_at, covered = last.end, last.text_end, 0
    words = words_of(query.canon[start:end])
    for word, following in zip(words, [*words[1:], b""], strict=True):
        place = source.find(word, text_at, run.text_start)
        if place != text_at and singles(word):
            # One sign of many is found anywhere by chance: with the next it says more.
            place = source.find(word + following, text_at, run.text_start)
        if place >= 0:
            covered += len(word)
            if found and found[-1].end == at:
                found[-1].end, found[-1].text_end = at + len(word), place + len(word)
            else:
                found.append(Run(run.text, at, at + len(word), place, place + len(word)))
            text_at = place + len(word)
        at += len(word)
    return found if covered >= COVERED * gap else []


def _is_covered(data: bytes, canon: bytes, found: Sequence[Claim]) -> bool:
    """Tell whether all words between the first brace and the last are claimed already."""
    edges = [data.find(b"{"), *[edge for claim in found for edge in (claim.start, claim.end)], data.rfind(b"}")]
    return all(not canon[start:end].strip(BLANK) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end)


def _with_objects(text: str, data: bytes, found: list[Claim], segments: Sequence[Segment]) -> Generator[None, None, list[Claim]]:
    """Add the JSON objects whose content is known, in whatever order and layout."""
    ascii_only = len(data) == len(text)
    before: list[Claim] = []
    rest = deque(found)
    at = place = 0  # of one character, in characters and in bytes
    for each in objects(text, lambda content: _owner(content, segments) is not None):
        yield
        source = None if each is None else _owner(each.hashes[-1], segments)
        if each is None or source is None:
            continue
        start = each.start if ascii_only else place + len(encoded(text[at : each.start]))
        end = each.end if ascii_only else start + len(encoded(text[each.start : each.end]))
        at, place = each.end, end
        while rest and rest[0].end <= start:
            before.append(rest.popleft())
        inside = [*takewhile(partial(_begins_before, end), rest)]
        if sum([min(claim.end, end) - max(claim.start, start) for claim in inside]) < end - start:
            for _ in inside:
                rest.popleft()
            if inside and inside[0].start < start:
                before.append(replace(inside[0], end=start))
            if inside and inside[-1].end > end:
                rest.appendleft(replace(inside[-1], start=end))
            before.append(Claim(start, end, source.source))
    return [*before, *rest]


def _begins_before(end: int, claim: Claim) -> bool:
    return claim.start < end


def _owner(content: int, segments: Sequence[Segment]) -> Text | None:
    owners = [segment.objects[content] for segment in segments if content in segment.objects]
    return max(owners, key=lambda text: text.serial) if owners else None
