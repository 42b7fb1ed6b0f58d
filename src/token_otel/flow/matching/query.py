"""`Query`: a text in which known words are looked for, and the way from places in its squeezed form back to its bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator

from token_otel.flow.matching.canonical import BLANK, canonical, squeezed

CHUNK = 4_096  # characters that are made canonical at a time, some 0.1 ms
MARK = 512  # bytes of the canonical form between two marks


class Query:
    """The two forms of a text. Filled by `steps`, in slices of time."""

    def __init__(self) -> None:
        self.canon = b""
        self.squeezed = b""
        self._marks: list[int] = [0]

    def steps(self, text: str) -> Generator[None]:
        """Take in `text`."""
        canons: list[bytes] = []
        for chunk in chunks(text, CHUNK):
            canons.append(canonical(chunk))
            yield
        self.canon = b"".join(canons)
        shapes: list[bytes] = []
        size = 0
        for start in range(0, len(self.canon), MARK):
            shapes.append(squeezed(self.canon[start : start + MARK]))
            size += len(shapes[-1])
            self._marks.append(size)
        self.squeezed = b"".join(shapes)
        yield

    def place(self, offset: int) -> int:
        """Return where the squeezed byte at `offset` stands in the text."""
        mark = bisect_right(self._marks, offset) - 1
        if mark * MARK >= len(self.canon):
            return len(self.canon)
        at, left = mark * MARK, offset - self._marks[mark]
        width = MARK
        while width > 8:
            width //= 2
            before = len(self.canon[at : at + width].translate(None, BLANK))
            if before <= left:
                left -= before
                at += width
        for byte in self.canon[at : at + 8]:
            if byte not in BLANK:
                if not left:
                    break
                left -= 1
            at += 1
        return at

    def end(self, offset: int) -> int:
        """Return where the text goes on after the squeezed byte before `offset`."""
        return self.place(offset - 1) + 1 if offset else 0


def chunks(text: str, size: int) -> Generator[str]:
    """Cut a text into chunks of about `size` characters, at a blank where one is near."""
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            cut = max(text.rfind("\n", end - 512, end), text.rfind(" ", end - 128, end))
            end = cut if cut > start else end
        yield text[start:end]
        start = end
