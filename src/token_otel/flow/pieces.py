"""Text known in pieces: a quote in a template, a JSON string, a truncated copy is split among those who produced it.

Looked for on the worker, in slices, while the model thinks. What is found too late serves the next call.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

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
    """What is found in one part, the same for all who read it.

    Attributes:
        text: Its text, until it has been searched.
        origin: Its role.
        readers: The agents that have read it.
        submitted: Whether the search is under way, or over.
        stretches: What was found; `None` until it has been searched, and empty if nothing is known.
        cut: Whether some of it was not searched, since the call reads more unknown text than that.
    """

    __slots__ = ("cut", "origin", "readers", "stretches", "submitted", "text")

    def __init__(self, text: str, origin: str) -> None:
        self.text = text
        self.origin = origin
        self.readers: set[str] = set()
        self.submitted = False
        self.stretches: tuple[Stretch, ...] | None = None
        self.cut = False


def is_searched(part: Part) -> bool:
    """Whether a part that is not known as a whole is looked at in pieces."""
    return part.kind not in ("tools", "media") and len(part.text) >= SHORTEST


def search_steps(index: TextIndex, matches: Sequence[Match], reader: str, counter: Counter) -> Generator[None]:
    """Find what is known of some parts of a prompt; what is not belongs to its role, and is known as such from then on."""
    left = LONGEST
    fresh: list[tuple[Given, str]] = []
    texts: list[str] = []
    for match in matches:
        texts.append(match.text[:left])
        left -= len(texts[-1])
        match.cut = len(texts[-1]) < len(match.text)
    found = yield from index.find_all_steps(texts, prefer=partial(_is_given_to, reader))
    for match, text, claims in zip(matches, texts, found, strict=True):
        owner = Given(match.origin, match.readers)
        fresh += [(owner, rest) for rest in _unclaimed(text, claims) if len(rest) >= SHORTEST]
        match.stretches = _stretches(match.text, claims, counter) if claims else ()
        match.text = ""
        yield
    for owner, rest in fresh:
        yield from index.add_steps(owner, rest)


def given_steps(index: TextIndex, texts: Iterable[tuple[str, str]], reader: str) -> Generator[None]:
    """Remember what was given to an agent, as pairs of a role and a text."""
    readers = {reader}
    for origin, text in texts:
        yield from index.add_steps(Given(origin, readers), text[:LONGEST])


def learn_steps(index: TextIndex, producer: Producer, texts: Iterable[str]) -> Generator[None]:
    """Remember what a run produced."""
    for text in texts:
        yield from index.add_steps(producer, text[:LONGEST])


def _is_given_to(reader: str, source: object) -> bool:
    # What was given to a reader stays given, also once an agent has passed it on word for word.
    return isinstance(source, Given) and reader in source.readers


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
