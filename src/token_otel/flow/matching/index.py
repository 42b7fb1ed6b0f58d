"""`Segment`: some texts and where their shingles stand; an index is a row of segments, the newest last."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass
from itertools import accumulate

from token_otel.flow.matching.canonical import canonical, encoded, singles, squeezed, words
from token_otel.flow.matching.objects import objects
from token_otel.flow.matching.query import chunks

SHINGLE = 4  # words
GRID = 4  # every 4th word begins a shingle, so that any 7 words in a row hold one
SINGLE_GRID = 8  # where single letters are words
PLACES = 4  # of one shingle that are kept: one in each of the newest texts
FULL = 16_000  # shingles in a segment at most: a larger table would grow in one pause of more than 1 ms
PIECE = 4_096  # characters of a text that are taken in at a time; half as many where they are longer than a byte
SHORTEST = 28  # letters: nothing shorter is ever claimed
EDGE = 16
ENTRY_BYTES = 104  # of a shingle: its slot, its hash and its place, measured on CPython 3.11
MARK_BYTES = 48  # of a shingle that is marked
TEXT_BYTES = 400
OFFSET_BITS = 32
OFFSET = (1 << OFFSET_BITS) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A text that somebody produced.

    Attributes:
        source: Who.
        squeezed: Its letters and digits.
        serial: Larger for what was produced later.
        head: What stands before its first word; `tail`: after its last one.
    """

    source: Hashable
    squeezed: bytes
    serial: int
    head: bytes
    tail: bytes


class Segment:
    """Some texts, and where their shingles stand: `place >> OFFSET_BITS` is the text's number, the rest the squeezed offset."""

    __slots__ = ("bytes", "more", "objects", "places", "skeleton", "texts")

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.places: dict[int, int] = {}
        self.more: dict[int, tuple[int, ...]] = {}  # older places of the few shingles that have several
        self.skeleton: set[int] = set()  # shingles that say little about who wrote them: repeated in one text, or in many places
        self.objects: dict[int, Text] = {}  # JSON objects by content
        self.bytes = 0

    def add(self, text: Text, hashes: list[int], offsets: list[int]) -> None:
        """Enter a piece of a text under its shingles."""
        if not self.texts or self.texts[-1] is not text:
            self.texts.append(text)
            self.bytes += len(text.squeezed) + TEXT_BYTES
        number = (len(self.texts) - 1) << OFFSET_BITS
        entries, skeleton = len(self.places) + len(self.more), len(self.skeleton)
        # The first place in a text counts: a repeated line is then found with all its repetitions.
        fresh = dict(zip(reversed(hashes), [number | offset for offset in reversed(offsets)], strict=True))
        if len(fresh) < len(hashes):
            self._repeated(hashes)
        for shingle in fresh.keys() & self.places.keys():
            if self.places[shingle] >> OFFSET_BITS == len(self.texts) - 1:
                self.skeleton.add(shingle)
                del fresh[shingle]
                continue
            older = (self.places[shingle], *self.more.get(shingle, ()))
            self.more[shingle] = older[: PLACES - 1]
            if len(older) >= PLACES - 1:
                self.skeleton.add(shingle)
        self.places |= fresh
        self.bytes += (len(self.places) + len(self.more) - entries) * ENTRY_BYTES + (len(self.skeleton) - skeleton) * MARK_BYTES

    def remember(self, objects: dict[int, Text]) -> None:
        """Enter JSON objects by content."""
        entries = len(self.objects)
        self.objects |= objects
        self.bytes += (len(self.objects) - entries) * ENTRY_BYTES

    def _repeated(self, hashes: list[int]) -> None:
        seen: set[int] = set()
        for shingle in hashes:
            if shingle in seen:
                self.skeleton.add(shingle)
            seen.add(shingle)


def add_steps(segments: list[Segment], source: Hashable, text: str, serial: int, *, full: int, full_bytes: int) -> Generator[None]:
    """Take a text into the newest of `segments`, piece by piece, and into new ones behind it where that is full.

    Args:
        segments: The newest last.
        source: Who produced the text.
        text: Any text.
        serial: Larger than those before.
        full: Shingles that fill a segment.
        full_bytes: Bytes that fill it: texts of few or of well-known words bring next to no shingles.
    """
    canons: list[bytes] = []
    for chunk in chunks(text, PIECE if text.isascii() else PIECE // 2):
        canons.append(canonical(chunk))
        yield
    shapes = [squeezed(canon) for canon in canons]
    whole = Text(source, b"".join(shapes), serial, *_edges(text, canons))
    if len(whole.squeezed) < SHORTEST:
        return
    base = 0
    for canon, shape in zip(canons, shapes, strict=True):
        hashes, offsets = _shingles(canon, base)
        base += len(shape)
        if not segments or len(segments[-1].places) >= full or segments[-1].bytes >= full_bytes:
            segments.append(Segment())
        segments[-1].add(whole, hashes, offsets)
        yield
    for found in objects(text):
        if found is not None:
            segments[-1].remember(dict.fromkeys(found.hashes, whole))
        yield


def _shingles(canon: bytes, base: int) -> tuple[list[int], list[int]]:
    """Return the hashes of the shingles on the grid, and their squeezed offsets from `base` on."""
    found = words(canon)
    last = len(found) - SHINGLE
    if last < 0:
        return [], []
    grid = SINGLE_GRID if 2 * singles(canon) > len(found) else GRID
    offsets = [*accumulate(map(len, found), initial=base)]
    shingles = zip(found[::grid], found[1::grid], found[2::grid], found[3::grid], strict=False)
    hashes, starts = list(map(hash, shingles)), offsets[: last + 1 : grid]
    if last % grid:
        hashes.append(hash(tuple(found[last:])))
        starts.append(offsets[last])
    return hashes, starts


def _edges(text: str, canons: list[bytes]) -> tuple[bytes, bytes]:
    if not canons:
        return b"", b""
    head = len(canons[0]) - len(canons[0].lstrip())
    tail = len(canons[-1]) - len(canons[-1].rstrip())
    # Ends that are all blank are ASCII but for rare signs: as many characters as bytes are enough.
    start, end = encoded(text[:head])[:head], encoded(text[len(text) - min(tail, len(text)) :])
    return start[-EDGE:], end[len(end) - tail :][:EDGE]
