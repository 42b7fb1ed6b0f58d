"""`Inside`: a block of the program that a run stands around; `begin` finds what a run starts in."""

from __future__ import annotations

from contextvars import Token
from dataclasses import replace
from types import TracebackType
from typing import Any

from token_otel.bills import NOWHERE, Bill, Put, Scope, current, put, take_back
from token_otel.events import ModelStarted, Start
from token_otel.ledger import Ledger, Run
from token_otel.otel.spans import SpanWriter


class Inside:
    """A `with` block in which a run's span is current, and what starts without a parent is that run's."""

    __slots__ = ("_attached", "_recorder", "_run", "_spans", "_within")

    def __init__(self, recorder: object, spans: SpanWriter, run: Run) -> None:
        self._recorder = recorder
        self._spans = spans
        self._run = run
        self._within: Put | None = None
        self._attached: tuple[Token[Any], Any] | None = None

    def __enter__(self) -> None:
        self._within = put(run=(self._recorder, self._run.event.run_id))
        self._attached = self._spans.attach(self._run)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._within is None or self._attached is None:
            return
        around = take_back(self._within)
        if around is not None:  # else there is nothing to detach here
            self._spans.detach(self._attached, still=not around)


def begin(recorder: object, ledger: Ledger, event: Start) -> Run | None:
    """Open a run in the books of a recorder, beneath the block and on the bills that it starts in."""
    around = current()
    if around is NOWHERE:
        run = ledger.start(event, opened=False)
    else:
        placed, by_block = _placed(recorder, ledger, event, around)
        run = ledger.start(placed, opened=False)
        if run is not None:
            run.by_block = by_block
            around.around(run)
    if run is not None and run.bills and isinstance(event, ModelStarted):
        run.bills = tuple([bill for bill in run.bills if bill.open(event.run_id)])
    return run


def bills_beneath(ledger: Ledger, run_id: str | None) -> tuple[Bill, ...]:
    """Return the bills that what starts here, beneath a run, is put on."""
    run = ledger.find(run_id) if run_id is not None else None
    return tuple(dict.fromkeys((*(run.bills if run is not None else ()), *current().bills)))


def _placed(recorder: object, ledger: Ledger, event: Start, around: Scope) -> tuple[Start, bool]:
    """Return a root beneath the block that it starts in, and whether it is; what is in no conversation belongs to that around it."""
    by_block = False
    if event.parent_id is None and (run_id := around.run_of(recorder)) is not None:
        above = ledger.find(run_id)
        by_block = above is not None and around.recorder is recorder  # else what is current is another recorder's
        if above is not None and isinstance(above.event, ModelStarted):
            above, by_block = above.parent, False  # what starts while a model answers belongs to whoever asked
        event = event if above is None else replace(event, parent_id=above.event.run_id)
    if event.conversation_id is None and around.conversation_id is not None:
        parent = ledger.find(event.parent_id) if event.parent_id is not None else None
        if parent is None or parent.conversation_id is None:
            event = replace(event, conversation_id=around.conversation_id)
    return event, by_block
