"""`FlowBook`: reads prompts, splits bills, and remembers what was produced. The face of this package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from token_otel.events import Part
from token_otel.flow.allocation import UNEXPLAINED, allocate, largest_remainder
from token_otel.flow.calibration import Calibration, Counted
from token_otel.flow.families import Family, family_of
from token_otel.flow.layout import laid_out
from token_otel.flow.pieces import SHORTEST, learn_steps
from token_otel.flow.producer import Producer
from token_otel.flow.prompts import MODELS_LIMIT, Job, Prompts
from token_otel.flow.reading import RESOLUTION, Measure, Reading, foreign_share, measured, rows_of
from token_otel.flow.split import Group, Split
from token_otel.flow.store import Store
from token_otel.prices import Cost
from token_otel.tokens import Counter
from token_otel.usage import Usage

SHORT_BYTES = 2048  # text up to here is counted when a bill is split, if the worker has not done it by then
TOKENS_PER_CHARACTER = 0.25  # until enough of a prompt is counted to know better
METHOD = "o200k/1"
TOOLS = Group("tools")


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
        self._prompts = Prompts(self.store, self.counter, pieces=pieces, submit=self._submit)
        self.read = self._prompts.read
        self._calibrations: OrderedDict[tuple[str, str, bool, bool], Calibration] = OrderedDict()

    def uncounted(self, parts: Iterable[Part]) -> list[str]:
        """Return the texts that still want counting."""
        known = self.counter.known
        return [part.text for part in parts if known(part.text) is None]

    def count(self, parts: Iterable[Part]) -> None:
        """Have the texts counted that want it."""
        texts = self.uncounted(parts)
        if texts:
            self._submit(partial(self.counter.count_steps, texts))

    def split(self, reading: Reading, usage: Usage, cost: Cost, model: str, provider: str = "") -> tuple[Split, str]:
        """Split a reported input among its origins; from now on its texts have been read.

        Returns:
            The split, and the method: `ids+text+pieces+o200k/1`, with `+bytes` where a text was not counted in time, `+late`
            where one was not searched in time, and `+cut` where it was too long to be searched as a whole.
        """
        family = family_of(model)
        known = self.store.conversation(reading.conversation)
        state = self.store.reader(known, reading.reader)
        sizes, counted = self._sizes_of(reading)
        measures = measured(reading, sizes, family, model, provider)
        estimate = self._calibration(reading, model, provider, family).explain(_counted(reading, measures), usage.input or 0)
        rows = rows_of(reading, measures, estimate)
        layout = laid_out(reading, rows, state)
        per_token = RESOLUTION / estimate.factor
        if reading.tools and estimate.hidden:
            layout.hidden = layout.entry(TOOLS, new=not state.preamble), round(estimate.hidden * per_token)
            state.preamble = True
        if estimate.unexplained:
            layout.unexplained = layout.entry(UNEXPLAINED, new=True), round(estimate.unexplained * per_token)
        split = allocate(layout, usage, cost)
        self._prompts.posted(reading, rows, measures, estimate, known, state)
        if reading.model is not None and model and reading.model[1] != model:
            self._prompts.answered(reading.model, model)
        return split, self._method(reading, METHOD if counted else f"{METHOD}+bytes")

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
        measures = measured(reading, self._sizes_of(reading)[0], family, model, provider)
        calibration = self._calibration(reading, model, provider, family)
        written = round(sum(self._sizes([part.text for part in output])[0]) * calibration.factor) if output else None
        return max(0, round(calibration.expect(_counted(reading, measures)))), written

    def weighed(self, reading: Reading) -> None:
        """Exchange the texts of a reading for their sizes: a run that is over keeps no prompt alive."""
        if reading.sizes is None:
            reading.sizes, _ = self._sizes([item.part.text for item in reading.reads])
            reading.foreign = [foreign_share(item.part.text) for item in reading.reads]
            for item in reading.reads:
                item.part = replace(item.part, text="")

    def produced(self, conversation: str, producer: Producer, output: Iterable[Part]) -> None:
        """Remember what a run produced."""
        fresh = [text for text in self.store.produced(conversation, producer, output) if len(text) >= SHORTEST]
        if self._pieces and fresh:
            self._prompts.learn(conversation, partial(learn_steps, producer, fresh), sum(map(len, fresh)))

    def answered(self, conversation: str, call_id: str, producer: Producer) -> None:
        """Remember who answered a tool call whose result was not seen."""
        self.store.answered(conversation, call_id, producer)

    def _method(self, reading: Reading, counting: str) -> str:
        if not self._pieces:
            return f"ids+text+{counting}"
        matches = [item.match for item in reading.reads if item.match is not None]
        if reading.head is not None:
            matches += [match for part, match in reading.head.pending if part < reading.parts and match is not None]
        late = "+late" * any(match.stretches is None for match in matches)
        cut = "+cut" * (any(match.cut for match in matches) or (reading.head is not None and reading.head.cut))
        return f"ids+text+pieces+{counting}{late}{cut}"

    def _sizes_of(self, reading: Reading) -> tuple[list[float], bool]:
        return (reading.sizes, True) if reading.sizes is not None else self._sizes([item.part.text for item in reading.reads])

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


def _counted(reading: Reading, measures: Sequence[Measure]) -> Counted:
    """Add up what a prompt counts, in o200k tokens."""
    total, tools, foreign = reading.head.counted[reading.parts] if reading.head is not None else (0, 0, 0)
    for measure in measures:
        total += measure.weight
        tools += measure.tools
        foreign += measure.foreign
    return Counted(total / RESOLUTION, tools / RESOLUTION, foreign / RESOLUTION)


def _do(job: Job) -> None:
    for _ in job():
        pass
