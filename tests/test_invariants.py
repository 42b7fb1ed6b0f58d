"""What holds for every tape of events: the invariants of the books, as properties."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from tests.tapes import CALLS_IN_A_TAPE, LONG_IDS, Bench, FlatBook, bench, tapes

from token_otel.events import AgentStarted, Ended, Event, Media, ModelEnded, ModelStarted, Part, UsageSeen
from token_otel.flow.book import FlowBook
from token_otel.flow.store import CONVERSATION_ENTRIES, ENTRY_BYTES
from token_otel.ledger import Ledger, Totals
from token_otel.otel import semconv as sc
from token_otel.prices import Tariff
from token_otel.usage import Usage

# Tapes for each of the seven properties of the books, so that together they draw so many calls; the others have what suffices.
BOOKS = settings(max_examples=math.ceil(int(os.environ.get("TOKEN_OTEL_EXAMPLES") or 5000) / 7 / CALLS_IN_A_TAPE))
EXAMPLES = settings(max_examples=150)
EXACT = Context(prec=100)


def played(tape: list[Event], **options: Any) -> Bench:
    return bench(**options).play(tape)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@given(tapes)
@BOOKS
def test_origins_sum_to_the_reported_input(tape: list[Event]):
    """I1: the shares of a call sum to its input, its cache read and both its cache writes, and so does what is on the span."""
    made = played(tape)

    for _, posting in made.postings:
        if posting.shares:
            usage = posting.usage or Usage()
            assert sum(share.tokens for share in posting.shares) == usage.input
            assert sum(share.cache_read for share in posting.shares) == (usage.cache_read or 0)
            assert sum(share.cache_write_5m for share in posting.shares) == (usage.cache_write_5m or 0)
            assert sum(share.cache_write_1h for share in posting.shares) == (usage.cache_write_1h or 0)
            assert all(min(share.fresh, share.cache_read, share.cache_write_5m, share.cache_write_1h) >= 0 for share in posting.shares)
        elif posting.usage is not None and posting.usage.input:
            pytest.fail("a call with a bill has no shares")
    for values in map(attributes, made.spans):
        if sc.FLOW_TOKENS in values:
            total = values[sc.INPUT_TOKENS]
            assert sum(values[sc.FLOW_TOKENS]) == total
            assert sum(values.get(name, 0) for name in sc.INPUT_BY_ROLE.values()) == total
            assert values[sc.INPUT_NEW] + values[sc.INPUT_REREAD] == total
            assert sum(values[sc.FLOW_NEW]) == values[sc.INPUT_NEW]
            assert sum(values[sc.FLOW_CACHE_READ]) == values.get(sc.CACHE_READ_TOKENS, 0)


@given(tapes)
@BOOKS
def test_the_costs_of_origins_sum_to_the_cost_of_the_input(tape: list[Event]):
    """I2: to the last digit, whatever the rates, the tiers and the modalities."""
    for _, posting in played(tape).postings:
        if posting.shares and posting.cost.input_usd is not None:
            with localcontext(EXACT):
                assert sum((share.cost_usd or Decimal() for share in posting.shares), Decimal()) == posting.cost.input_usd


@given(tapes)
@BOOKS
def test_the_parts_of_the_output_sum_to_it(tape: list[Event]):
    """I3: text, tool call arguments and reasoning sum to the reported output, in the books and on the span."""
    made = played(tape)

    for _, posting in made.postings:
        if posting.output is not None:
            parts = (posting.output.text, posting.output.tool_call, posting.output.reasoning)
            assert sum(parts) == (posting.usage or Usage()).output
            assert min(parts) >= 0
    for values in map(attributes, made.spans):
        if sc.OUTPUT_TOKENS in values:
            names = (sc.OUTPUT_TEXT, sc.OUTPUT_TOOL_CALL, sc.OUTPUT_REASONING)
            assert sum(values.get(name, 0) for name in names) == values[sc.OUTPUT_TOKENS]


@given(tapes)
@BOOKS
def test_postings_sum_to_their_agents_and_to_the_root(tape: list[Event]):
    """I4: what an agent spent itself is its own postings; its subtree is all that was spent beneath it."""
    made = played(tape)

    runs = {id(item.run): item.run for item in made.closed}.values()
    for run in runs:
        own, subtree = Totals(), Totals()
        with localcontext(EXACT):
            for spender, posting in made.postings:
                if spender.agent is run:
                    own.add(posting)
                above = spender.parent
                while above is not None and above is not run:
                    above = above.parent
                if above is run:
                    subtree.add(posting)
        if isinstance(run.event, AgentStarted):
            assert run.own == own
            assert run.subtree == subtree


@given(tapes)
@BOOKS
def test_a_call_is_posted_once(tape: list[Event]):
    """I5: one posting a call and at most one of its late rest, which together never exceed what was reported."""
    made = played([*tape, *tape])

    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    for event in tape:
        if isinstance(event, UsageSeen | ModelEnded) and event.usage is not None:
            inputs[event.run_id] = max(inputs.get(event.run_id, 0), event.usage.input or 0)
            outputs[event.run_id] = max(outputs.get(event.run_id, 0), event.usage.output or 0)
    for run in {id(run): run for run, _ in made.postings}.values():
        mine = [posting for spender, posting in made.postings if spender is run]
        booked = [posting.usage or Usage() for posting in mine]
        assert [posting.first is None for posting in mine] in ([True], [True, False])
        assert sum(usage.input or 0 for usage in booked) <= inputs.get(run.event.run_id, 0)
        assert sum(usage.output or 0 for usage in booked) <= outputs.get(run.event.run_id, 0)
    called = {item.run.event.run_id for item in made.closed if isinstance(item.run.event, ModelStarted)}
    assert {run.event.run_id for run, _ in made.postings} == called


class Complaints(logging.Handler):
    """What a logger was told."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._logger = logging.getLogger(name)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def __enter__(self) -> Complaints:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)


@given(tapes, st.lists(st.integers(0, 30), max_size=4))
@EXAMPLES
def test_each_span_ends_exactly_once(tape: list[Event], flushes: list[int]):
    """I6: whatever fails, is cancelled, flushed, evicted or settled, and with no end before its start."""
    made = bench()
    with Complaints("opentelemetry.sdk.trace") as complaints:
        for number, event in enumerate(tape):
            made.recorder.record(event)
            if number in flushes:
                made.recorder.flush()
        made.play([])

    assert made.recorder.open_runs == 0
    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
    assert complaints.said == []
    assert all((span.end_time or 0) >= (span.start_time or 0) for span in made.spans)


class Cursed(FlatBook, SpanProcessor):
    """A price book and a span processor that fail now and then."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def _maybe(self) -> None:
        self.state = self.state * 1103515245 + 12345
        if self.state >> 16 & 1:
            raise RuntimeError("secret words of a prompt")

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        self._maybe()
        return super().find(provider=provider, model=model, at_ns=at_ns, service_tier=service_tier)

    def on_end(self, span: ReadableSpan) -> None:
        self._maybe()


garbage = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.builds(ModelStarted, run_id=st.just("g"), model=st.just(7), prompt=st.sampled_from([None, ("x",), 5])),
    st.builds(ModelStarted, run_id=st.just([]), model=st.none()),
    st.builds(ModelEnded, run_id=st.just("g"), usage=st.sampled_from(["words", 3.5]), output=st.sampled_from([None, (None,)])),
    st.builds(ModelEnded, run_id=st.just("n1"), usage=st.just("words"), cost_usd=st.just(0.5)),
    st.builds(UsageSeen, run_id=st.just("n1"), usage=st.none()),
    st.builds(ModelEnded, run_id=st.just("n2"), usage=st.just(Usage(input=10**12, output=1)), cost_usd=st.just(Decimal(10) ** 400)),
    st.builds(
        ModelStarted,
        run_id=st.just("n3"),
        model=st.just("cheap"),
        prompt=st.just((Part(kind="media", media=Media(kind="image", width=10**400, height=1)),)),
    ),
    st.builds(Ended, run_id=st.just("n1"), at_ns=st.just("noon")),
)


@given(tapes, st.lists(garbage, max_size=5), st.integers(0, 2**31))
@EXAMPLES
def test_nothing_raises_from_record(tape: list[Any], rubbish: list[Any], seed: int):
    """I7: neither garbage nor a book or a processor that fails reaches the host, and every span that began still ends."""
    cursed = Cursed(seed)
    made = bench(cursed, prices=cursed, raise_errors=False)
    with Complaints("token_otel") as complaints:
        made.play([*tape[::2], *rubbish, *tape[1::2], *rubbish])

    assert made.recorder.open_runs == 0
    assert made.counting.started.keys() == made.counting.ended.keys()
    assert not any("secret" in line for line in complaints.said)


@pytest.mark.parametrize("exit_", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize("raise_errors", [True, False])
def test_lets_the_program_stop(exit_: type[BaseException], raise_errors: bool):
    """I7: Ctrl-C, exit and cancellation belong to the program, wherever in our code they strike."""

    class Stop(FlatBook):
        def find(self, **_: Any) -> Tariff | None:
            raise exit_

    recorder = bench(prices=Stop(), raise_errors=raise_errors).recorder
    recorder.record(ModelStarted(run_id="m", model="cheap"))

    with pytest.raises(exit_):
        recorder.record(ModelEnded(run_id="m", usage=Usage(input=1, output=1)))


@given(tapes, st.integers(1, 40))
@EXAMPLES
def test_open_runs_and_the_store_stay_within_their_bounds(tape: list[Event], entries: int):
    """I8: after every event, whatever is open, read or produced."""
    flow = FlowBook(entries * ENTRY_BYTES)
    ledger = Ledger(FlatBook(), flow, max_open=4)

    for now_ns, event in enumerate(tape):
        if isinstance(event, ModelEnded | Ended):
            ledger.end(event)
        elif hasattr(event, "parent_id"):
            ledger.start(event)  # pyright: ignore[reportArgumentType]
            ledger.overdue(now_ns)
        assert ledger.open_runs <= 4
        assert flow.store.bytes <= max(entries, CONVERSATION_ENTRIES) * ENTRY_BYTES


@given(tapes)
@EXAMPLES
def test_no_rollup_uses_a_name_of_the_leaves(tape: list[Event]):
    """I9: gen_ai.usage.* stands on model calls alone, and sums there to what was booked."""
    made = played(tape)

    for span in made.spans:
        values = attributes(span)
        if values[sc.OPERATION_NAME] not in ("chat", "text_completion", "embeddings"):
            assert not [name for name in values if name.startswith("gen_ai.usage.")]
    booked = sum((posting.usage or Usage()).input or 0 for _, posting in made.postings)
    assert sum(attributes(span).get(sc.INPUT_TOKENS, 0) for span in made.spans) == booked


def read_globally(tape: list[Event]) -> Iterator[tuple[str, str]]:
    for event in tape:
        if isinstance(event, ModelStarted):
            yield from ((part.message_id, part.text) for part in event.prompt if part.message_id in LONG_IDS)


@given(tapes)
@BOOKS
def test_conversations_share_no_origin(tape: list[Event]):
    """I10: what is read in a conversation was produced there, unless a globally unique message id with the same content says otherwise."""
    made = played(tape)

    home = {item.run.span: item.run.texts_belong_to for item in made.closed if item.run.span is not None}
    strangers = 0
    for reader, posting in made.postings:
        for share in posting.shares:
            if share.producer is not None and share.producer.span is not None:
                strangers += home[share.producer.span] != reader.texts_belong_to
    if strangers:
        assert list(read_globally(tape))


@given(tapes)
@BOOKS
def test_conversations_without_global_ids_share_nothing(tape: list[Event]):
    """I10: the same words, tool call ids and short message ids in two conversations never meet."""
    made = played([event for event in tape if not (isinstance(event, ModelStarted) and list(read_globally([event])))])

    home = {item.run.span: item.run.texts_belong_to for item in made.closed if item.run.span is not None}
    for reader, posting in made.postings:
        for share in posting.shares:
            if share.producer is not None and share.producer.span is not None:
                assert home[share.producer.span] == reader.texts_belong_to
