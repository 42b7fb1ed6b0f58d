"""Random tapes of events, for properties: ids reused, ends before starts, clocks that run backwards, words said twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.books import FlatBook

from token_otel import Recorder, Settings, Usage, wire
from token_otel.events import (
    AgentStarted,
    Ended,
    Event,
    FirstChunk,
    Handoff,
    Media,
    ModelEnded,
    ModelStarted,
    Part,
    PartKind,
    RetrievalStarted,
    Status,
    StepStarted,
    ToolStarted,
    UsageSeen,
)
from token_otel.ledger import Closed, Posting, Run
from token_otel.prices import PriceBook

CALLS_IN_A_TAPE = 4  # at least, on average
SURROGATE = "half a pair: \ud800"
LONG_IDS = ("msg_0123456789abcdef", "run--0123456789abcdef")  # globally unique by their length

NAMES = ("planner", "researcher", "agent", "", SURROGATE)
PARAGRAPH = "The keeper at Brenn closes the upper gate ten days after the first frost, and never opens it again before the thaw in March."
QUOTED = f"Please check what a colleague wrote: <draft>{PARAGRAPH}</draft> Is all of it true, and who says so?"
TEXTS = (
    "",
    "ok",
    PARAGRAPH,
    PARAGRAPH,
    QUOTED,
    "a text long enough to be known again",
    "another text, quite as long as that",
    SURROGATE * 3,
    "x" * 3000,
)
MODELS = (None, "cheap", "cheap", "tiered", "half-priced", "many-digits", "many-digits", "unknown", "claude-sonnet-4-5")
KINDS: tuple[PartKind, ...] = ("system", "tools", "user", "assistant", "tool_call", "tool_result", "document", "reasoning", "media")
MEDIA = (
    Media(kind="image", width=280, height=56),
    Media(kind="image", width=-5, height=2**70),
    Media(kind="audio", seconds=4.5),
    Media(kind="video", seconds=float("nan")),
    Media(kind="file", pages=2**70, bytes=-1),
)
STATUSES: tuple[Status, ...] = ("ok", "ok", "ok", "error", "cancelled", "interrupted")


class Teller:
    """Makes up a tape, an event for each number given, so that Hypothesis can shorten it: most events make sense, some are wild."""

    def __init__(self) -> None:
        self.tape: list[Event] = []
        self._calls: list[str] = []
        self._others: list[str] = []
        self._said: list[Part] = []
        self._dice = Random(0)

    def tell(self, numbers: list[int]) -> list[Event]:
        """Return the tape."""
        for number in numbers:
            self._dice = Random(number)
            if self._dice.random() < 0.2:
                self.tape.append(self._wild(self._one(list(range(8)))))
            else:
                self._sane()
        return self.tape

    def _sane(self) -> None:
        dice = self._dice
        if self._calls and dice.random() < 0.45:
            run_id = self._one(self._calls)
            self.tape.append(self._one([self._model_ended, self._model_ended, self._model_ended, self._seen, self._chunk])(run_id))
            if isinstance(self.tape[-1], ModelEnded):
                self._calls.remove(run_id)
        elif self._others and dice.random() < 0.25:
            run_id = self._one(self._others)
            self._others.remove(run_id)
            self.tape.append(self._ended(run_id))
        else:
            run_id, parent_id = f"n{len(self.tape)}", self._one([None, *self._others[-3:] * 3])
            start = self._start(run_id, parent_id)
            (self._calls if isinstance(start, ModelStarted) else self._others).append(run_id)
            self.tape.append(start)

    def _wild(self, number: int) -> Event:
        run_id, parent_id = f"n{number}", self._one([None, "n0", "n1", "n2", f"n{number}", "nobody"])
        ends = [self._model_ended, self._ended, self._seen, self._chunk, self._handoff]
        return self._start(run_id, parent_id) if self._dice.random() < 0.5 else self._one(ends)(run_id)

    def _start(self, run_id: str, parent_id: str | None) -> Event:
        common: Any = {"run_id": run_id, "parent_id": parent_id, "at_ns": self._time()}
        common["conversation_id"] = self._one([None, None, None, "c1", "c2", SURROGATE])
        match self._one(["model"] * 5 + ["agent"] * 3 + ["tool"] * 2 + ["retrieval", "step"]):
            case "agent":
                return AgentStarted(name=self._one([None, *NAMES]), kind=self._one(["agent", "agent", "workflow"]), **common)
            case "tool":
                return ToolStarted(name=self._one(NAMES), call_id=self._call_id(), **common)
            case "retrieval":
                return RetrievalStarted(name=self._one(NAMES), **common)
            case "step":
                return StepStarted(**common)
            case _:
                return ModelStarted(
                    model=self._one(MODELS),
                    provider=self._one([None, "openai", "ollama", SURROGATE]),
                    operation=self._one(["chat", "chat", "embeddings"]),
                    prompt=self._parts(),
                    **common,
                )

    def _model_ended(self, run_id: str) -> Event:
        return ModelEnded(
            run_id=run_id,
            at_ns=self._time(),
            status=self._one(STATUSES),
            error_type=self._one([None, "TimeoutError"]),
            usage=self._one([None, *[self._usage()] * 4]),
            output=self._parts(),
            model=self._one([None, *MODELS]),
            response_id=self._one([None, SURROGATE]),
            service_tier=self._one([None, "batch"]),
            cost_usd=self._one([None] * 9 + [Decimal("0.25"), Decimal("NaN"), Decimal("Infinity"), Decimal(-1)]),
            local_cache=self._dice.random() < 0.1,
        )

    def _ended(self, run_id: str) -> Event:
        return Ended(run_id=run_id, at_ns=self._time(), status=self._one(STATUSES), output=self._parts())

    def _seen(self, run_id: str) -> Event:
        return UsageSeen(run_id=run_id, at_ns=self._time(), usage=self._usage(), model=self._one(MODELS))

    def _chunk(self, run_id: str) -> Event:
        return FirstChunk(run_id=run_id, at_ns=self._time())

    def _handoff(self, run_id: str) -> Event:
        return Handoff(run_id=run_id, at_ns=self._time(), to_agent=self._one(NAMES))

    def _parts(self) -> tuple[Part, ...]:
        made = [self._one(self._said) if self._said and self._dice.random() < 0.6 else self._part() for _ in range(self._dice.randrange(6))]
        self._said += made
        return tuple(made)

    def _part(self) -> Part:
        kind, text = self._one(KINDS), self._one(TEXTS)
        return Part(
            kind=kind,
            text=f'search {{"q": "{text}"}}' if kind == "tool_call" else text,
            message_id=self._one([None, "1", *LONG_IDS]),
            call_id=self._call_id(),
            name=self._one([None, *NAMES]),
            media=self._one([None, None, *MEDIA]),
            sealed_tokens=self._one([None, None, 64, -5, 2**70]),
            opens=self._dice.random() < 0.7,
        )

    def _usage(self) -> Usage:
        if self._dice.random() < 0.1:  # a report that contradicts itself
            cached = {"cached_tokens": self._tokens()}
            report = {"prompt_tokens": self._tokens(), "completion_tokens": self._tokens(), "prompt_tokens_details": cached}
            return wire.detect(report) or Usage()
        counts: dict[str, Any] = {}
        known = self._one(["both", "both", "both", "input", "output"])
        if known != "output":
            fresh, read, write_5m, write_1h = (self._tokens() for _ in range(4))
            counts = {"input": fresh + read + write_5m + write_1h, "cache_read": read, "cache_write_5m": write_5m}
            counts |= {"cache_write_1h": write_1h, "audio_input": self._dice.randint(0, fresh)}
        if known != "input":
            reasoning = self._one([None, self._tokens()])
            counts |= {"output": self._tokens() + (reasoning or 0)} | ({} if reasoning is None else {"reasoning": reasoning})
        return Usage(**counts)

    def _tokens(self) -> int:
        return self._one([0, self._dice.randrange(5000), self._dice.randrange(5000), 250_000, 10**11])

    def _time(self) -> int | None:
        return self._one([None, None, self._dice.randrange(10**12), self._dice.randrange(10**12), 0, -1, 2**63 - 1, 2**63, 10**30])

    def _call_id(self) -> str | None:
        return self._one([None, "call_0", "call_1", SURROGATE])

    def _one(self, choices: Any) -> Any:
        return self._dice.choice(choices)


tapes = st.lists(st.integers(0, 2**32 - 1), min_size=10, max_size=60).map(lambda numbers: Teller().tell(numbers))


class Counting(SpanProcessor):
    """Counts the starts and the ends of each span."""

    def __init__(self) -> None:
        self.started: dict[int, int] = {}
        self.ended: dict[int, int] = {}

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Count a start."""
        self.started[_id(span)] = self.started.get(_id(span), 0) + 1

    def on_end(self, span: ReadableSpan) -> None:
        """Count an end."""
        self.ended[_id(span)] = self.ended.get(_id(span), 0) + 1


def _id(span: ReadableSpan) -> int:
    return span.get_span_context().span_id  # pyright: ignore[reportOptionalMemberAccess]


@dataclass
class Bench:
    """A recorder, and all that comes out of it."""

    recorder: Recorder
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    counting: Counting
    closed: list[Closed] = field(default_factory=list[Closed])

    def play(self, tape: list[Event]) -> Bench:
        """Record a tape, then close what is open."""
        for event in tape:
            self.recorder.record(event)
        self.recorder.settle()
        return self

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What was exported."""
        return self.exporter.get_finished_spans()

    @property
    def postings(self) -> list[tuple[Run, Posting]]:
        """Every posting with its run, in the order of booking."""
        return [(item.run, item.posting) for item in self.closed if item.posting is not None]

    def span(self, name: str) -> ReadableSpan:
        """The one span of this name."""
        [span] = [span for span in self.spans if span.name == name]
        return span

    def metrics(self) -> dict[str, list[Any]]:
        """The data points of each metric."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def bench(*processors: SpanProcessor, prices: PriceBook | None = None, raise_errors: bool = True, **settings: Any) -> Bench:
    """Make a recorder that does its work in this thread, unless told otherwise, and keeps what it writes."""
    settings.setdefault("worker", "inline")
    exporter, reader, counting = InMemorySpanExporter(), InMemoryMetricReader(), Counting()
    provider = TracerProvider(shutdown_on_exit=False)
    for processor in (counting, SimpleSpanProcessor(exporter), *processors):
        provider.add_span_processor(processor)
    recorder = Recorder(
        provider,
        MeterProvider([reader], shutdown_on_exit=False),
        settings=Settings(raise_errors=raise_errors, **settings),
        prices=prices or FlatBook(),
    )
    made = Bench(recorder, exporter, reader, counting)
    keep: Callable[[Closed], None] = made.closed.append
    recorder._writers = (keep, *recorder._writers)  # pyright: ignore[reportPrivateUsage]
    return made
