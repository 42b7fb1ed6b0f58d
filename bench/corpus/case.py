"""`Case`: a prompt made of segments, each with its true producer; `Draft`: a case under construction.

What a fair truth is. A segment belongs to the producer whose text it was made from, or to nobody. From the first character of
a producer's text to the last one everything is the producer's: escapes, new line breaks, quote marks, indentation and line numbers that
a rewriting put in between, and words that a light edit changed. What stands before or after is the template's, so nobody's: a heading,
a fence, a tag, the enclosing quotes of a JSON string, the number of the first line, a separator, a marker that says what was cut.
Where two producers wrote the same words, the more recent one is right, unless the surroundings tell that the older text was copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# What everybody else wrote before and after the texts of a case: too many to list in a truth, never right.
OTHERS = "others"


@dataclass(frozen=True)
class Segment:
    """A stretch of a prompt and who is right for it."""

    text: str
    producer: str | None


@dataclass(frozen=True)
class Case:
    """What was produced, oldest first, and a prompt with its truth."""

    row: str
    kind: str
    small: bool
    sources: tuple[tuple[str, str], ...]
    segments: tuple[Segment, ...]

    @property
    def prompt(self) -> str:
        """All segments in a row."""
        return "".join(segment.text for segment in self.segments)

    def truth(self) -> Iterator[tuple[int, int, str]]:
        """Start and end in bytes, and the producer, of what has one."""
        at = 0
        for segment in self.segments:
            end = at + len(segment.text.encode(errors="surrogatepass"))
            if segment.producer is not None and end > at:
                yield at, end, segment.producer
            at = end


@dataclass
class Draft:
    """Collects what was produced and what the prompt says."""

    sources: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    segments: list[Segment] = field(default_factory=list[Segment])

    def produce(self, producer: str, text: str) -> str:
        """Note that `producer` wrote `text`, after all noted before."""
        self.sources.append((producer, text))
        return text

    def say(self, text: str, producer: str | None = None) -> Draft:
        """Go on with the prompt; without a producer it is nobody's."""
        self.segments.append(Segment(text, producer))
        return self

    def extend(self, pieces: Iterable[tuple[str, bool]], producer: str) -> Draft:
        """Go on with pieces that are the producer's or the template's."""
        for text, own in pieces:
            self.say(text, producer if own else None)
        return self
