"""`FlowBook`: reads prompts, splits bills, and remembers what was produced. The face of this package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from token_otel.events import Part
from token_otel.flow.allocation import Piece, Share, allocate, largest_remainder
from token_otel.flow.calibration import Calibration
from token_otel.flow.families import Family, family_of
from token_otel.flow.media import media_tokens
from token_otel.flow.pieces import SHORTEST, Match, learn_steps, search_steps
from token_otel.flow.producer import Producer
from token_otel.flow.provenance import Read, read
from token_otel.flow.reasoning import kept_from, sealed_tokens
from token_otel.flow.store import Store
from token_otel.prices import Cost
from token_otel.tokens import Counter
from token_otel.usage import Usage

Job: TypeAlias = Callable[[], Generator[None]]

SHORT_BYTES = 2048  # text up to here is counted in the callback, longer text on the worker
TOKENS_PER_CHARACTER = 0.25  # until enough of a prompt is counted to know better
MODELS_LIMIT = 1024
LEAST_TOOL = 0.2  # of a schema's JSON: its name and its parameters' are there in any form
METHOD = "o200k/1"
FUNCTION = '"function":{'  # how Chat Completions tells a tool


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt that is being read: its parts with their origins, until the bill arrives.

    Attributes:
        functions: Whether its tools are told as Chat Completions does.
        sizes: The sizes of its texts, once the texts themselves are gone.
    """

    reads: tuple[Read, ...]
    reader: str
    conversation: str
    tools: bool
    functions: bool
    sizes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputSplit:
    """The output of one call in tokens; the three sum to its reported output."""

    text: int
    tool_call: int
    reasoning: int


class FlowBook:
    """State of the flow: the store, the counts and what each model's bills have taught.

    Args:
        store_bytes: The bound of the store.
        pieces: Whether texts are also recognised in pieces.
        submit: Takes the work of recognising them, to be done in the order given; by default it is done at once.
    """

    def __init__(self, store_bytes: int, *, pieces: bool = False, submit: Callable[[Job], object] | None = None) -> None:
        self.store = Store(store_bytes, texts=pieces)
        self.counter = Counter()
        self._pieces = pieces
        self._submit = submit or _do
        self._calibrations: OrderedDict[tuple[str, str, bool, bool], Calibration] = OrderedDict()

    def read(self, prompt: tuple[Part, ...], reader: str, conversation: str) -> Reading:
        """Find where each part of `prompt` comes from."""
        known = self.store.conversation(conversation)
        reads = read(prompt, reader, self.store, known, pieces=self._pieces)
        matches: list[Match] = []
        for item in reads:
            if item.match is not None and not item.match.submitted:
                item.match.submitted = True
                matches.append(item.match)
        if matches:
            self._submit(partial(search_steps, self.store.index(conversation), matches, reader, self.counter))
        tools = [part.text for part in prompt if part.kind == "tools"]
        return Reading(reads, reader, conversation, bool(tools), any(FUNCTION in text for text in tools))

    def uncounted(self, parts: Iterable[Part]) -> list[str]:
        """Count what is short; return the long texts that still want counting."""
        known, count = self.counter.known, self.counter.count
        long: list[str] = []
        for part in parts:
            if known(part.text) is None:
                if len(part.text) <= SHORT_BYTES:
                    count(part.text)
                else:
                    long.append(part.text)
        return long

    def split(self, reading: Reading, usage: Usage, cost: Cost, model: str, provider: str = "") -> tuple[tuple[Share, ...], str]:
        """Split a reported input among its origins; from now on its texts have been read.

        Returns:
            The shares, and the method: `ids+text+pieces+o200k/1`, with `+bytes` where a text was not counted in time, `+late`
            where one was not searched in time, and `+cut` where it was too long to be searched as a whole.
        """
        family = family_of(model)
        weights, method = self._weights(reading, family, model, provider)
        estimate = self._calibration(reading, model, provider, family).explain(sum(weights), usage.input or 0)
        keys = [item.key for item in reading.reads]
        if reading.tools:
            keys.append(("preamble", reading.reader))
        known = self.store.mark_read(reading.conversation, keys)
        preamble = [Piece("tools", None, not known.pop(), None, estimate.hidden)] if reading.tools else []
        pieces: list[Piece] = []
        for item, weight, seen in zip(reading.reads, weights, known, strict=True):
            if preamble and item.part.kind != "tools":
                pieces.append(preamble.pop())
            pieces += _pieces(item, weight * estimate.factor, reading.reader, new=not seen)
        pieces += preamble
        if estimate.unexplained:
            pieces.append(Piece("unexplained", None, True, None, estimate.unexplained))
        return allocate(pieces, usage, cost), self._method(reading, method)

    def split_output(self, output: Sequence[Part], usage: Usage) -> OutputSplit:
        """Split a reported output into text, tool call arguments and reasoning; where there is but one kind, nothing is counted."""
        reasoning = usage.reasoning or 0
        rest = (usage.output or 0) - reasoning
        texts: dict[str, list[str]] = {}
        for part in output:
            kind = part.kind if part.kind in ("tool_call", "reasoning") else "text"
            if part.text and (kind != "reasoning" or usage.reasoning is None):
                texts.setdefault(kind, []).append(part.text)
        if len(texts) < 2:
            tokens = dict.fromkeys(texts or ("text",), rest)
        else:
            sizes = [sum(self._sizes(group)[0]) for group in texts.values()]
            tokens = dict(zip(texts, largest_remainder(rest, sizes), strict=True))
        return OutputSplit(tokens.get("text", 0), tokens.get("tool_call", 0), reasoning + tokens.get("reasoning", 0))

    def estimate(self, reading: Reading, output: Sequence[Part], model: str, provider: str = "") -> tuple[int, int | None]:
        """Estimate the tokens of a call whose provider reported nothing: its input, and its output if any of that was seen."""
        family = family_of(model)
        weights, _ = self._weights(reading, family, model, provider)
        calibration = self._calibration(reading, model, provider, family)
        written = round(sum(self._sizes([part.text for part in output])[0]) * calibration.factor) if output else None
        return max(0, round(calibration.expect(sum(weights)))), written

    def weighed(self, reading: Reading) -> Reading:
        """Return the same reading with its texts exchanged for their sizes: a run that is over keeps no prompt alive."""
        sizes, _ = self._sizes([item.part.text for item in reading.reads])
        return replace(
            reading,
            reads=tuple(replace(item, part=replace(item.part, text="")) for item in reading.reads),
            sizes=tuple(sizes),
        )

    def produced(self, conversation: str, producer: Producer, output: Iterable[Part]) -> None:
        """Remember what a run produced."""
        fresh = [text for text in self.store.produced(conversation, producer, output) if len(text) >= SHORTEST]
        if self._pieces and fresh:
            self._submit(partial(learn_steps, self.store.index(conversation), producer, fresh))

    def answered(self, conversation: str, call_id: str, producer: Producer) -> None:
        """Remember who answered a tool call whose result was not seen."""
        self.store.answered(conversation, call_id, producer)

    def _method(self, reading: Reading, counting: str) -> str:
        if not self._pieces:
            return f"ids+text+{counting}"
        matches = [item.match for item in reading.reads if item.match is not None]
        late = "+late" * any(match.stretches is None for match in matches)
        cut = "+cut" * any(match.cut for match in matches)
        return f"ids+text+pieces+{counting}{late}{cut}"

    def _weights(self, reading: Reading, family: Family, model: str, provider: str) -> tuple[list[float], str]:
        parts = [item.part for item in reading.reads]
        sizes, counted = (reading.sizes, True) if reading.sizes else self._sizes([part.text for part in parts])
        kept = kept_from(parts, model, provider)
        weights: list[float] = []
        for place, (part, size) in enumerate(zip(parts, sizes, strict=True)):
            weight = size
            if part.media is not None:  # known in the provider's own tokens, as is what is sealed
                weight = media_tokens(part.media, model) / family.factor
            elif part.kind == "reasoning":
                sealed = 0 if place < kept else sealed_tokens(part)
                weight = size if sealed is None else sealed / family.factor
            if part.kind == "tools":
                weight = max(weight * LEAST_TOOL, weight * family.tool_factor + family.tool_tokens)
            else:
                weight += family.message_tokens * part.opens
                weight += family.call_tokens * (part.kind in ("tool_call", "tool_result"))
            weights.append(weight)
        return weights, METHOD if counted else f"{METHOD}+bytes"

    def _sizes(self, texts: Sequence[str]) -> tuple[list[float], bool]:
        """Return the sizes of `texts` in o200k tokens, and whether all are counted: a long one may still wait for the worker."""
        counts = [self.counter.count(text) if len(text) <= SHORT_BYTES else self.counter.known(text) for text in texts]
        if None not in counts:
            return [float(count or 0) for count in counts], True
        counted = sum(len(text) for text, count in zip(texts, counts, strict=True) if count is not None)
        tokens = sum(count for count in counts if count is not None)
        ratio = tokens / counted if counted > SHORT_BYTES else TOKENS_PER_CHARACTER
        return [len(text) * ratio if count is None else float(count) for text, count in zip(texts, counts, strict=True)], False

    def _calibration(self, reading: Reading, model: str, provider: str, family: Family) -> Calibration:
        key = (provider, model, reading.tools, reading.functions)
        found = self._calibrations.get(key)
        if found is None:
            if len(self._calibrations) >= MODELS_LIMIT:
                self._calibrations.popitem(last=False)
            found = self._calibrations[key] = Calibration(family, tools=reading.tools, functions=reading.functions)
        return found


def _pieces(item: Read, weight: float, reader: str, *, new: bool) -> list[Piece]:
    """Return a part as it was read: as one piece, or as the stretches that others produced, and the rest in its role."""
    external_id = item.part.message_id if item.origin == "external" else None
    whole = Piece(item.origin, item.producer, new, external_id, weight)
    if item.match is None or not item.match.stretches:
        return [whole]
    found: list[Piece] = []
    for stretch in item.match.stretches:
        if stretch.producer is not None:
            found.append(Piece(stretch.producer.origin(reader), stretch.producer, new, None, weight * stretch.share))
        elif stretch.origin is not None:
            found.append(Piece(stretch.origin, None, new, None, weight * stretch.share))
        else:
            found.append(replace(whole, weight=weight * stretch.share))
    return found


def _do(job: Job) -> None:
    for _ in job():
        pass
