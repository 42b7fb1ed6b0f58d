"""`FlowBook`: reads prompts, splits bills, and remembers what was produced. The face of this package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from token_otel.events import Part
from token_otel.flow.allocation import Piece, Share, allocate, largest_remainder
from token_otel.flow.calibration import Calibration, Family, family_of
from token_otel.flow.producer import Producer
from token_otel.flow.provenance import Read, read
from token_otel.flow.store import Conversation, Store
from token_otel.prices import Cost
from token_otel.tokens import Counter
from token_otel.usage import Usage

SHORT_BYTES = 2048  # text up to here is counted in the callback, longer text on the worker
MODELS_LIMIT = 1024
METHOD = "o200k/1"


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt that is being read: its parts with their origins, until the bill arrives."""

    reads: tuple[Read, ...]
    conversation: Conversation
    tools: bool


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
        match: Whether texts are traced to their producers; if not, every part belongs to its role.
    """

    def __init__(self, store_bytes: int, *, match: bool = True) -> None:
        self.store = Store(store_bytes)
        self.counter = Counter()
        self._match = match
        self._calibrations: OrderedDict[tuple[str, bool], Calibration] = OrderedDict()

    def read(self, prompt: tuple[Part, ...], reader: str, conversation: Conversation) -> Reading:
        """Find where each part of `prompt` comes from."""
        reads = read(prompt, reader, self.store, conversation, match=self._match)
        return Reading(reads, conversation, any(part.kind == "tools" for part in prompt))

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

    def split(self, reading: Reading, usage: Usage, cost: Cost, model: str) -> tuple[tuple[Share, ...], str]:
        """Split a reported input among its origins; from now on its texts have been read.

        Returns:
            The shares, and the method: `ids+text+o200k/1`, with `+bytes` where a text was not counted in time.
        """
        family = family_of(model)
        weights, method = self._weights([item.part for item in reading.reads], family)
        estimate = self._calibration(model, family, reading.tools).explain(sum(weights), usage.input or 0)
        hidden = Piece("tools", None, False, None, estimate.hidden) if reading.tools else None
        pieces: list[Piece] = []
        for item, weight in zip(reading.reads, weights, strict=True):
            if hidden is not None and item.part.kind != "tools":
                pieces.append(self._seen_hidden(hidden, reading))
                hidden = None
            new = not self.store.mark_read(reading.conversation, item.key)
            external_id = item.part.message_id if item.origin == "external" else None
            pieces.append(Piece(item.origin, item.producer, new, external_id, weight * estimate.factor))
        if hidden is not None:
            pieces.append(self._seen_hidden(hidden, reading))
        if estimate.unexplained:
            pieces.append(Piece("unexplained", None, True, None, estimate.unexplained))
        return allocate(pieces, usage, cost), f"{'ids+text' if self._match else 'roles'}+{method}"

    def split_output(self, output: Sequence[Part], usage: Usage) -> OutputSplit:
        """Split a reported output into text, tool call arguments and reasoning."""
        reasoning = usage.reasoning or 0
        rest = (usage.output or 0) - reasoning
        text, calls = (
            float(
                sum(self.counter.count(part.text) for part in output if (part.kind == "tool_call") is is_call and part.kind != "reasoning")
            )
            for is_call in (False, True)
        )
        if usage.reasoning is None:
            thought = float(sum(self.counter.count(part.text) for part in output if part.kind == "reasoning"))
            calls_tokens, reasoning, text_tokens = largest_remainder(rest, [calls, thought, text])
        else:
            calls_tokens, text_tokens = largest_remainder(rest, [calls, text])
        return OutputSplit(text_tokens, calls_tokens, reasoning)

    def estimate(self, reading: Reading, output: Sequence[Part], model: str) -> tuple[int, int]:
        """Estimate the input and output tokens of a call whose provider reported nothing."""
        family = family_of(model)
        weights, _ = self._weights([item.part for item in reading.reads], family)
        calibration = self._calibration(model, family, reading.tools)
        written = sum(self.counter.count(part.text) for part in output)
        return max(0, round(calibration.expect(sum(weights)))), round(written * calibration.factor)

    def produced(self, conversation: Conversation, producer: Producer, output: Iterable[Part]) -> None:
        """Remember what a run produced."""
        if self._match:
            self.store.produced(conversation, producer, output)

    def answered(self, conversation: Conversation, call_id: str, producer: Producer) -> None:
        """Remember who answered a tool call whose result was not seen."""
        if self._match:
            self.store.answered(conversation, call_id, producer)

    def _seen_hidden(self, hidden: Piece, reading: Reading) -> Piece:
        reader = reading.reads[0].key if reading.reads else None
        seen = self.store.mark_read(reading.conversation, ("hidden", reader))
        return Piece("tools", None, not seen, None, hidden.weight)

    def _weights(self, parts: list[Part], family: Family) -> tuple[list[float], str]:
        known = self.counter.known
        counts = [known(part.text) for part in parts]
        method = METHOD
        if None in counts:
            # The worker was not ready: bytes, times the tokens per byte of what was counted.
            method += "+bytes"
            counted = sum(len(part.text) for part, count in zip(parts, counts, strict=True) if count is not None)
            tokens = sum(count for count in counts if count is not None)
            ratio = tokens / counted if counted > SHORT_BYTES else 0.25
            counts = [len(part.text) * ratio if count is None else count for part, count in zip(parts, counts, strict=True)]
        weights: list[float] = []
        for part, count in zip(parts, counts, strict=True):
            weight = float((count or 0) + part.media_tokens)
            if part.kind == "tools":
                weight *= family.tool_factor
            elif part.opens:
                weight += family.message_tokens
            weights.append(weight)
        return weights, method

    def _calibration(self, model: str, family: Family, tools: bool) -> Calibration:
        key = (model, tools)
        found = self._calibrations.get(key)
        if found is None:
            if len(self._calibrations) >= MODELS_LIMIT:
                self._calibrations.popitem(last=False)
            found = self._calibrations[key] = Calibration(family, tools=tools)
        return found
