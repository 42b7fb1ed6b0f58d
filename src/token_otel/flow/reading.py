"""`Reading`: a prompt that is being read, until the bill arrives; and how much each part of it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from token_otel.flow.calibration import Estimate
from token_otel.flow.families import Family
from token_otel.flow.matching.canonical import encoded
from token_otel.flow.media import media_tokens
from token_otel.flow.provenance import Read
from token_otel.flow.reasoning import kept_from, sealed_tokens
from token_otel.flow.split import Group
from token_otel.flow.transcript import Transcript


class Measure(NamedTuple):
    """What a part counts, in 1/1024 of an o200k token: all of it, of it tool schemas, and of it text in other alphabets."""

    weight: int
    tools: int
    foreign: int


Row: TypeAlias = tuple[Group, int]
"""Whose a stretch is, and its weight in 1/1024 of an o200k token."""

RESOLUTION = 1024  # parts of a token that a weight distinguishes
LEAST_TOOL = 0.2  # of a schema's JSON: its name and its parameters' are there in any form
_CALLS = ("tool_call", "tool_result")


class Reading:
    """A prompt that is being read, until the bill arrives: what was read before, and the rest with its origins.

    Attributes:
        reader: The agent that reads.
        conversation: In which one.
        model: The model that is expected to answer; `None` if that is not known.
        head: What was read before, of which this prompt has the first `parts`, in `rows` rows; `None` for nothing.
        blank: Whether nothing was known of the conversation: then all of it is new, and nobody's but its roles'.
        reads: The rest.
        digests: Of the rest.
        tools: Whether it has tool schemas, `functions` whether they are told as Chat Completions does.
        kept: The part of the rest from which on reasoning is billed; below 0 before the model is known, where there is any.
        sizes: The sizes of the texts of the rest, once the texts themselves are gone; `foreign`: how much of each is in other alphabets.
    """

    __slots__ = (
        "blank",
        "conversation",
        "digests",
        "foreign",
        "functions",
        "head",
        "kept",
        "model",
        "parts",
        "reader",
        "reads",
        "rows",
        "sizes",
        "tools",
    )

    def __init__(self, reader: str, conversation: str, model: tuple[str, str] | None) -> None:
        self.reader = reader
        self.conversation = conversation
        self.model = model
        self.head: Transcript | None = None
        self.parts = self.rows = self.kept = 0
        self.blank = False
        self.reads: list[Read] = []
        self.digests: list[int] = []
        self.tools = self.functions = False
        self.sizes: list[float] | None = None
        self.foreign: list[float] | None = None


def measured(reading: Reading, sizes: Sequence[float], family: Family, model: str, provider: str) -> list[Measure]:
    """Measure what was not read before, part by part.

    Args:
        reading: What is read.
        sizes: The sizes of the texts of the rest, in o200k tokens.
        family: What is assumed of the model, for the framing and for schemas.
        model: The model that answered.
        provider: Its provider.
    """
    kept = reading.kept
    if kept:
        kept = kept_from([item.part for item in reading.reads], model, provider) if reading.model is None else kept
    found: list[Measure] = []
    for place, (item, size) in enumerate(zip(reading.reads, sizes, strict=True)):
        part = item.part
        kind = part.kind
        weight = size
        if part.media is not None:  # known in the provider's own tokens, as is what is sealed
            weight = media_tokens(part.media, model) / family.factor
        elif kind == "reasoning":
            sealed = 0 if place < kept else sealed_tokens(part)
            weight = size if sealed is None else sealed / family.factor
        if kind == "tools":
            weight = max(weight * LEAST_TOOL, weight * family.tool_factor + family.tool_tokens)
        else:
            if part.opens:
                weight += family.message_tokens
            if kind in _CALLS:
                weight += family.call_tokens
        counted = round(weight * RESOLUTION)
        foreign = reading.foreign[place] if reading.foreign is not None else foreign_share(part.text)
        found.append(Measure(counted, counted if kind == "tools" else 0, round(size * foreign * RESOLUTION)))
    return found


def foreign_share(text: str) -> float:
    """Return how much of a text is in other alphabets than the Latin one, by the bytes of its letters."""
    if text.isascii():
        return 0.0
    return min(1.0, (len(encoded(text)) - len(text)) / (2 * len(text)))


def rows_of(reading: Reading, measures: Sequence[Measure], estimate: Estimate) -> list[list[Row]]:
    """Weigh the stretches of each part by what is learnt of schemas and of other alphabets."""
    rows: list[list[Row]] = []
    for item, (weight, tools, foreign) in zip(reading.reads, measures, strict=True):
        if tools or foreign:
            weight += round(tools * estimate.tools + foreign * estimate.foreign)
        rows.append(_stretches(item, weight, reading.reader))
    return rows


def _stretches(item: Read, weight: int, reader: str) -> list[Row]:
    """Return a part as it was read: as one, or as the stretches that others produced, and the rest in its role."""
    if item.match is None or not item.match.stretches:
        return [(item.group, weight)]
    found: list[Row] = []
    for stretch in item.match.stretches:
        group = item.group
        if stretch.producer is not None:
            group = Group(stretch.producer.origin(reader), stretch.producer)
        elif stretch.origin is not None and stretch.origin != group.origin:
            group = Group(stretch.origin)
        found.append((group, round(weight * stretch.share)))
    return found
