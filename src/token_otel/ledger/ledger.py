"""The ledger: runs as they open and close, and one posting for each model call, charged to the nearest agent.

Pure bookkeeping: no OpenTelemetry, no clock, no threads. Whoever calls it holds a lock and writes what it returns.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from decimal import localcontext
from typing import NoReturn

from token_otel.events import (
    AgentStarted,
    End,
    Ended,
    FirstChunk,
    Handoff,
    ModelEnded,
    ModelStarted,
    RetrievalStarted,
    Start,
    ToolStarted,
    UsageSeen,
)
from token_otel.flow.book import FlowBook
from token_otel.flow.producer import NAMELESS, Producer
from token_otel.ledger.booking import book, lacking, unsplit
from token_otel.ledger.postings import Posting
from token_otel.ledger.run import Closed, Run, to_write
from token_otel.prices import PriceBook
from token_otel.prices.rates import EXACT

MAX_OPEN = 20_000
REMEMBERED = 4096
HANDOFFS = 16  # of an agent; no more are shown
NEVER_NS = 1 << 63


class Ledger:
    """Open runs by id, and the conversations they belong to.

    Args:
        prices: Finds the tariff of a model.
        flow: Traces and splits what calls read; `None` keeps no flow.
        grace_ns: How long a run may outlive a parent that ended or failed.
        estimate: Whether an estimate takes the place of a report that never came.
        max_open: The bound on open runs; the oldest is closed as cancelled when it is reached.
        on_error: Is told what failed in the prices or the flow: that costs the detail, never the run or its bill.
    """

    def __init__(
        self,
        prices: PriceBook,
        flow: FlowBook | None,
        *,
        grace_ns: int = 30_000_000_000,
        estimate: bool = False,
        max_open: int = MAX_OPEN,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        self._prices = prices
        self._flow = flow
        self._grace_ns = grace_ns
        self._estimate = estimate
        self._max_open = max_open
        self._on_error = on_error or _raise
        self._open: OrderedDict[str, Run] = OrderedDict()
        self._orphans: dict[str, int] = {}
        self._next_due_ns = NEVER_NS  # no orphan is due before
        self._closed: OrderedDict[str, Run] = OrderedDict()

    @property
    def open_runs(self) -> int:
        """The number of runs that have started and not ended."""
        return len(self._open)

    def find(self, run_id: str) -> Run | None:
        """Return a run that is open or was closed lately."""
        return self._open.get(run_id) or self._closed.get(run_id)

    def start(self, event: Start, *, opened: bool = True) -> Run | None:
        """Open a run; a start that is repeated, or comes after its end, opens nothing. Without `opened`, its span is yet to be opened."""
        if event.run_id in self._open or event.run_id in self._closed:
            return None
        parent = self.find(event.parent_id) if event.parent_id is not None else None
        run = Run(event, parent)
        run.opened = opened
        self._open[event.run_id] = run
        if run.above is not None:
            run.above.children[event.run_id] = run
        if parent is not None and parent.closed:
            self._orphan(run, event.at_ns or 0)
        if self._flow is not None:
            self._try(self._trace, run, self._flow)
        return run

    def first_chunk(self, event: FirstChunk) -> None:
        """Note when the first chunk of a stream came."""
        run = self._open.get(event.run_id)
        if run is not None and run.first_chunk_ns is None:
            run.first_chunk_ns = max(event.at_ns or 0, run.event.at_ns or 0)

    def usage_seen(self, event: UsageSeen) -> None:
        """Keep what a stream has reported so far."""
        run = self._open.get(event.run_id)
        if run is not None:
            run.seen = event

    def handoff(self, event: Handoff) -> None:
        """Note on the agent of a run that it passed control on."""
        run = self.find(event.run_id)
        if run is not None and run.agent is not None and len(run.agent.handoffs) < HANDOFFS:
            run.agent.handoffs.append(event.to_agent)

    def end(self, event: End) -> list[Closed]:
        """Close a run, and at once what is open beneath it if it was cancelled.

        Returns:
            What was closed, children before their parents; nothing if the run is unknown or its end is repeated.
        """
        run = self.find(event.run_id)
        if run is None:
            return []
        if (event.at_ns or 0) < (run.event.at_ns or 0):
            event = replace(event, at_ns=run.event.at_ns)  # a clock that ran backwards
        if run.closed:
            return self._late(run, event)
        closed: list[Closed] = []
        if event.status == "cancelled":
            closed += [self._cut(child, event.at_ns or 0) for child in run.open_below()]
        closed.append(self._close(run, event))
        return to_write(closed)

    def overdue(self, now_ns: int, *, grace: bool = True) -> list[Closed]:
        """Close the runs that outlived their parents' end by more than the grace, and the oldest beyond the bound.

        Args:
            now_ns: When they end.
            grace: Whether they are given the grace, or closed at once.
        """
        closed: list[Closed] = []
        if not grace or now_ns >= self._next_due_ns:
            for run_id, due_ns in list(self._orphans.items()):
                if not grace or due_ns <= now_ns:
                    closed += self._cut_with_all_below(run_id, now_ns)
            self._next_due_ns = min(self._orphans.values(), default=NEVER_NS)
        while len(self._open) > self._max_open:
            closed += self._cut_with_all_below(next(iter(self._open)), now_ns)
        return to_write(closed)

    def settle(self, now_ns: int) -> list[Closed]:
        """Close everything that is open, children before their parents: the process or the provider stops."""
        return to_write([closed for run_id in reversed(list(self._open)) for closed in self._cut_with_all_below(run_id, now_ns)])

    def forget_open(self) -> None:
        """Leave every open run to the process that this one was forked from; they stay known as parents."""
        self._closed.update(self._open)
        for run in self._open.values():
            run.closed = True
            run.children.clear()
        self._open.clear()
        self._orphans.clear()

    def _trace(self, run: Run, flow: FlowBook) -> None:
        if isinstance(run.event, ModelStarted):
            home = None
            if run.root.conversation is None and run.conversation_id is None:
                home = run.root.conversation = flow.store.home(run.event.prompt)
            run.reading = flow.read(
                run.event.prompt,
                run.agent_name or NAMELESS,
                run.texts_belong_to,
                model=run.event.model,
                provider=run.event.provider,
                alone=run.parent is None and run.conversation_id is None and home is None,
            )
        elif isinstance(run.event, ToolStarted) and run.event.call_id is not None:
            caller = flow.store.caller(run.texts_belong_to, run.event.call_id)
            run.caused_by = caller.span if caller is not None else None

    def _orphan(self, run: Run, since_ns: int) -> None:
        due_ns = self._orphans.setdefault(run.event.run_id, since_ns + self._grace_ns)
        self._next_due_ns = min(self._next_due_ns, due_ns)

    def _cut_with_all_below(self, run_id: str, now_ns: int) -> list[Closed]:
        run = self._open.get(run_id)
        return [] if run is None else [self._cut(each, now_ns) for each in (*run.open_below(), run)]

    def _cut(self, run: Run, at_ns: int) -> Closed:
        """Close a run that has not ended itself: cancelled, with the usage seen."""
        return self._close(run, Ended(run_id=run.event.run_id, at_ns=max(at_ns, run.event.at_ns or 0), status="cancelled"))

    def _close(self, run: Run, event: End) -> Closed:
        run_id = run.event.run_id
        self._closed[run_id] = run  # first: it can be found all the time, without a lock
        del self._open[run_id]
        self._orphans.pop(run_id, None)
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)
        open_calls = sum(isinstance(child.event, ModelStarted) for child in run.open_below())
        for child in run.children.values():
            self._orphan(child, event.at_ns or 0)
        run.close()
        if not isinstance(run.event, ModelStarted):
            self._produce(run, event)
            run.shorten()
            return Closed(run=run, event=event, open_calls=open_calls)
        end = event if isinstance(event, ModelEnded) else _model_end(run, event)
        closed = Closed(run=run, event=end, posting=self._post(run, run.event, end))
        run.shorten()
        # The texts of a prompt are not kept alive by a run that is over.
        run.seen = None
        run.event = run.event.without_prompt()
        if run.reading is not None:
            if run.cut and self._flow is not None:
                self._try(self._flow.weighed, run.reading)
            else:
                run.reading = None
        return closed

    def _late(self, run: Run, event: End) -> list[Closed]:
        """Book the real end of a call that was cut before it came: only what the first posting lacked."""
        if not run.cut or not isinstance(event, ModelEnded) or not isinstance(run.event, ModelStarted):
            return []
        run.cut = False
        first = run.posting.usage if run.posting is not None else None
        closed: list[Closed] = []
        if event.usage and (first is None or lacking(first, event.usage) is not None):
            closed = [Closed(run=run, event=event, posting=self._post(run, run.event, event), late=True)]
        else:
            self._answer(run, event)
        run.reading = None
        return closed

    def _post(self, run: Run, start: ModelStarted, end: ModelEnded) -> Posting:
        with localcontext(EXACT):
            try:
                posting = book(run, start, end, prices=self._prices, flow=self._flow, estimate=self._estimate)
            except Exception as error:
                self._on_error(error)
                posting = unsplit(run, start, end)
            run.posting = posting
            self._charge(run, posting)
        self._answer(run, end)
        return posting

    def _answer(self, run: Run, end: ModelEnded) -> None:
        """Enter what a call produced."""
        if self._flow is None or end.local_cache or not end.output:
            return
        producer = Producer("agent", run.agent_name or NAMELESS, run.span)
        if run.agent is not None:
            run.agent.last_output = producer
        self._try(self._flow.produced, run.texts_belong_to, producer, end.output)

    def _charge(self, run: Run, posting: Posting) -> None:
        owner = run.agent
        if owner is not None:
            owner.own.add(posting)
            owner.note_reads(posting)
        while owner is not None:
            owner.subtree.add(posting)
            owner = owner.parent.agent if owner.parent is not None else None

    def _produce(self, run: Run, end: End) -> None:
        """Enter what a tool or retriever returned; where an agent ran beneath a tool, the answer is that agent's."""
        if isinstance(run.event, AgentStarted):
            parent = run.parent
            if parent is not None and run.last_output is not None:
                above = parent.tool or parent.agent
                if above is not None and (above is parent.tool or _is_workflow(above)):
                    above.last_output = run.last_output
        elif self._flow is not None and end.status != "error" and isinstance(run.event, ToolStarted | RetrievalStarted):
            is_tool = isinstance(run.event, ToolStarted)
            producer = run.last_output or Producer("tool" if is_tool else "document", run.event.name, run.span)
            if isinstance(run.event, ToolStarted) and run.event.call_id is not None:
                self._try(self._flow.answered, run.texts_belong_to, run.event.call_id, producer)
            self._try(self._flow.produced, run.texts_belong_to, producer, end.output)

    def _try(self, do: Callable[..., object], *args: object) -> None:
        try:
            do(*args)
        except Exception as error:
            self._on_error(error)


def _is_workflow(run: Run) -> bool:
    return isinstance(run.event, AgentStarted) and run.event.kind == "workflow"


def _raise(error: Exception) -> NoReturn:
    raise error


def _model_end(run: Run, event: Ended) -> ModelEnded:
    run.cut = True  # nobody has told how the call itself ended: that may come yet
    return ModelEnded(run_id=event.run_id, at_ns=event.at_ns, status=event.status, error_type=event.error_type, output=event.output)
