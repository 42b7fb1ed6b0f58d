"""Text known in pieces: a quote in a template, a JSON string, a truncated copy is split among those who produced it.

Looked for on the worker, in slices, while the model thinks. What is found too late serves the next call.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from token_otel.events import Part
from token_otel.flow.matching import Claim, TextIndex
from token_otel.flow.producer import Producer
from token_otel.tokens import Counter

SHORTEST = 56  # characters: fewer are never claimed
LONGEST = 262_144  # characters of unknown text that are searched in one call, and that one text is indexed with


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Text that was given in a role to the agents called `readers`: its owner, where it comes again in other surroundings."""

    origin: str
    readers: set[str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a part, in the order in which it is read.

    Attributes:
        producer: Who made it, if a run did.
        origin: The role it was given in; `None` where a producer made it, or where it is the role of the whole part.
        share: Its share of the part's tokens; those of a part sum to 1.
    """

    producer: Producer | None
    origin: str | None
    share: float


class Match:
    """What is found in one part, the same for all who read it but where it hangs on the reader.

    Attributes:
        text: Its text, until it has been searched.
        origin: Its role.
        readers: The agents that have read it.
        only_for: Whose reading it is, where what was given to a reader and what others said are the same words; else `None`.
        stretches: What was found; `None` until it has been searched, and empty if nothing is known.
        cut: Whether some of it was not searched, since the call reads more unknown text than that.
    """

    __slots__ = ("_process", "cut", "only_for", "origin", "readers", "stretches", "text")

    def __init__(self, text: str, origin: str) -> None:
        self.text = text
        self.origin = origin
        self.readers: set[str] = set()
        self.only_for: str | None = None
        self.stretches: tuple[Stretch, ...] | None = None
        self.cut = False
        self._process = 0

    @property
    def submitted(self) -> bool:
        """Whether the search is under way in this process, or over: a forked child has none of its parent's jobs."""
        return self.stretches is not None or self._process == os.getpid()

    @submitted.setter
    def submitted(self, value: bool) -> None:
        self._process = os.getpid() if value else 0

    def nothing(self) -> None:
        """Say that nothing is known of it, if nothing else was said."""
        if self.stretches is None:
            self.stretches = ()
        self.text = ""


def is_searched(part: Part) -> bool:
    """Whether a part that is not known as a whole is looked at in pieces."""
    return part.kind not in ("tools", "media") and len(part.text) >= SHORTEST


def search_steps(index: TextIndex, matches: Sequence[Match], reader: str, counter: Counter) -> Generator[None]:
    """Find what is known of some parts of a prompt; what is not belongs to its role, and is known as such from then on."""
    try:
        fresh = yield from _found_steps(index, matches, reader, counter)
    except Exception:
        for match in matches:
            match.nothing()
        raise
    for owner, rest in fresh:
        yield from index.add_steps(owner, rest)


def _found_steps(
    index: TextIndex, matches: Sequence[Match], reader: str, counter: Counter
) -> Generator[None, None, list[tuple[Given, str]]]:
    """Find what is known of some parts; return what is not, and whose it is from now on."""
    left = LONGEST
    fresh: list[tuple[Given, str]] = []
    texts: list[str] = []
    for match in matches:
        texts.append(match.text[:left])
        left -= len(texts[-1])
        match.cut = len(texts[-1]) < len(match.text)
    preference = _GivenTo(reader)
    found = yield from index.find_all_steps(texts, prefer=preference)
    for match, text, claims in zip(matches, texts, found, strict=True):
        owner = Given(match.origin, match.readers)
        fresh += [(owner, rest) for rest in _unclaimed(text, claims) if len(rest) >= SHORTEST]
        match.only_for = reader if preference.decided else None
        match.stretches = _stretches(match.text, claims, counter) if claims else ()
        match.text = ""
        yield
    return fresh


def unsearched(matches: Sequence[Match]) -> list[tuple[Given, str]]:
    """Say of some parts that nothing is known of them, where there is nothing yet that they could be known by; return whose they are."""
    left = LONGEST
    fresh: list[tuple[Given, str]] = []
    for match in matches:
        text = match.text[:left]
        left -= len(text)
        match.cut = len(text) < len(match.text)
        if len(text) >= SHORTEST:
            fresh.append((Given(match.origin, match.readers), text))
        match.nothing()
    return fresh


def given_steps(texts: Iterable[tuple[Given, str]], index: TextIndex) -> Generator[None]:
    """Remember what was given in a role."""
    for owner, text in texts:
        yield from index.add_steps(owner, text[:LONGEST])


def learn_steps(producer: Producer, texts: Iterable[str], index: TextIndex) -> Generator[None]:
    """Remember what a run produced."""
    for text in texts:
        yield from index.add_steps(producer, text[:LONGEST])


class _GivenTo:
    """What was given to a reader stays given, also once an agent has passed it on word for word; notes whether that was ever asked."""

    def __init__(self, reader: str) -> None:
        self.decided = False
        self._reader = reader

    def __call__(self, source: object) -> bool:
        if not isinstance(source, Given):
            return False
        self.decided = True
        return self._reader in source.readers


def _unclaimed(text: str, claims: Sequence[Claim]) -> list[str]:
    if not claims:
        return [text]
    data = text.encode("utf-8", "surrogatepass")
    ends = [0, *[claim.end for claim in claims]]
    starts = [*[claim.start for claim in claims], len(data)]
    return [_text(data[end:start]) for end, start in zip(ends, starts, strict=True) if start > end]


def _stretches(text: str, claims: Sequence[Claim], counter: Counter) -> tuple[Stretch, ...]:
    """Split a part by the tokens of each claim; what lies between them shares the rest by its bytes."""
    data = text.encode("utf-8", "surrogatepass")
    sizes = [counter.measure(_text(data[claim.start : claim.end])) for claim in claims]
    claimed = sum(sizes)
    whole = max(counter.count(text), claimed)
    unclaimed = len(data) - sum(claim.end - claim.start for claim in claims)
    per_byte = (whole - claimed) / unclaimed if unclaimed else 0.0
    found: list[Stretch] = []
    at = 0
    for claim, size in zip(claims, sizes, strict=True):
        if claim.start > at:
            found.append(Stretch(None, None, (claim.start - at) * per_byte / whole))
        if isinstance(claim.source, Producer):
            found.append(Stretch(claim.source, None, size / whole))
        elif isinstance(claim.source, Given):
            found.append(Stretch(None, claim.source.origin, size / whole))
        at = claim.end
    if at < len(data):
        found.append(Stretch(None, None, (len(data) - at) * per_byte / whole))
    return tuple(found)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
