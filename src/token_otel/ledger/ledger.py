"""The ledger: runs as they open and close, and one posting for each model call, charged to the nearest agent.

Pure bookkeeping: no OpenTelemetry, no clock, no threads. Whoever calls it holds a lock and writes what it returns.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

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
from token_otel.flow.store import Conversation
from token_otel.ledger.booking import book, lacking
from token_otel.ledger.postings import Closed, Posting, Run
from token_otel.prices import PriceBook

MAX_OPEN = 20_000
REMEMBERED = 4096


class Ledger:
    """Open runs by id, and the conversations they belong to.

    Args:
        prices: Finds the tariff of a model.
        flow: Traces and splits what calls read; `None` keeps no flow.
        grace_ns: How long a run may outlive a parent that ended or failed.
        estimate: Whether an estimate takes the place of a report that never came.
        max_open: The bound on open runs; the oldest is closed as cancelled when it is reached.
    """

    def __init__(
        self,
        prices: PriceBook,
        flow: FlowBook | None,
        *,
        grace_ns: int = 30_000_000_000,
        estimate: bool = False,
        max_open: int = MAX_OPEN,
    ) -> None:
        self._prices = prices
        self._flow = flow
        self._grace_ns = grace_ns
        self._estimate = estimate
        self._max_open = max_open
        self._open: OrderedDict[str, Run] = OrderedDict()
        self._orphans: OrderedDict[str, int] = OrderedDict()
        self._closed: OrderedDict[str, Run] = OrderedDict()

    @property
    def open_runs(self) -> int:
        """The number of runs that have started and not ended."""
        return len(self._open)

    def find(self, run_id: str) -> Run | None:
        """Return a run that is open or was closed lately."""
        return self._open.get(run_id) or self._closed.get(run_id)

    def start(self, event: Start) -> Run | None:
        """Open a run; a start that is repeated, or comes after its end, opens nothing."""
        if event.run_id in self._open or event.run_id in self._closed:
            return None
        parent = self.find(event.parent_id) if event.parent_id is not None else None
        run = Run(event, parent)
        self._open[event.run_id] = run
        if parent is not None:
            parent.children[event.run_id] = run
            if parent.closed:
                self._orphans[event.run_id] = (event.at_ns or 0) + self._grace_ns
        if self._flow is not None:
            if isinstance(event, ModelStarted):
                self._read(run, event, self._flow)
            elif isinstance(event, ToolStarted) and event.call_id is not None:
                caller = self._flow.store.caller(self._conversation(run, self._flow), event.call_id)
                run.caused_by = caller.span if caller is not None else None
        return run

    def first_chunk(self, event: FirstChunk) -> None:
        """Note when the first chunk of a stream came."""
        run = self._open.get(event.run_id)
        if run is not None and run.first_chunk_ns is None:
            run.first_chunk_ns = event.at_ns

    def usage_seen(self, event: UsageSeen) -> None:
        """Keep what a stream has reported so far."""
        run = self._open.get(event.run_id)
        if run is not None:
            run.seen = event

    def handoff(self, event: Handoff) -> None:
        """Note on the agent of a run that it passed control on."""
        run = self.find(event.run_id)
        if run is not None and run.agent is not None:
            run.agent.handoffs.append(event.to_agent)

    def end(self, event: End) -> list[Closed]:
        """Close a run, and at once what is open beneath it if it was cancelled.

        Returns:
            What was closed, children before their parents; nothing if the run is unknown or its end is repeated.
        """
        run = self._open.get(event.run_id)
        if run is None:
            return self._late(event)
        closed: list[Closed] = []
        if event.status == "cancelled":
            for child in list(_open_below(run)):
                closed += self._cut(child, event.at_ns or 0)
        closed.append(self._close(run, event))
        return closed

    def overdue(self, now_ns: int) -> list[Closed]:
        """Close the runs that outlived their parents' end by more than the grace, and the oldest beyond the bound."""
        closed: list[Closed] = []
        while self._orphans:
            run_id, deadline_ns = next(iter(self._orphans.items()))
            if deadline_ns > now_ns:
                break
            closed += self._cut_below(run_id, now_ns)
        while len(self._open) > self._max_open:
            closed += self._cut_below(next(iter(self._open)), now_ns)
        return closed

    def settle(self, now_ns: int) -> list[Closed]:
        """Close everything that is open, children before their parents: the process or the provider stops."""
        closed: list[Closed] = []
        for run in reversed(list(self._open.values())):
            if run.event.run_id in self._open:
                closed += self._cut_below(run.event.run_id, now_ns)
        return closed

    def _read(self, run: Run, event: ModelStarted, flow: FlowBook) -> None:
        root = run.root
        if root.conversation is None and run.conversation_id is None:
            root.conversation = flow.store.home(event.prompt)
        run.conversation = self._conversation(run, flow)
        run.reading = flow.read(event.prompt, run.agent_name or NAMELESS, run.conversation)

    def _conversation(self, run: Run, flow: FlowBook) -> Conversation:
        """Return where a run's texts belong: its conversation, or that which its root continues, or the root run itself."""
        if run.conversation_id is not None:
            return flow.store.conversation(run.conversation_id)
        root = run.root
        if root.conversation is None:
            root.conversation = flow.store.conversation(f"run:{root.event.run_id}")
        return flow.store.conversation(root.conversation.key)

    def _cut_below(self, run_id: str, now_ns: int) -> list[Closed]:
        self._orphans.pop(run_id, None)
        run = self._open.get(run_id)
        if run is None:
            return []
        closed: list[Closed] = []
        for child in list(_open_below(run)):
            closed += self._cut(child, now_ns)
        return closed + self._cut(run, now_ns)

    def _cut(self, run: Run, at_ns: int) -> list[Closed]:
        """Close a run that has not ended itself: cancelled, with the usage seen."""
        if run.event.run_id not in self._open:
            return []
        run.cut = True
        if isinstance(run.event, ModelStarted):
            return [self._close(run, ModelEnded(run_id=run.event.run_id, at_ns=at_ns, status="cancelled"))]
        return [self._close(run, Ended(run_id=run.event.run_id, at_ns=at_ns, status="cancelled"))]

    def _close(self, run: Run, event: End) -> Closed:
        run_id = run.event.run_id
        del self._open[run_id]
        self._orphans.pop(run_id, None)
        run.closed = True
        for child_id in run.children:
            self._orphans[child_id] = (event.at_ns or 0) + self._grace_ns
        self._closed[run_id] = run
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)
        if run.parent is not None:
            run.parent.children.pop(run_id, None)
        if not isinstance(run.event, ModelStarted):
            self._produce(run, event)
            open_calls = sum(isinstance(child.event, ModelStarted) for child in _open_below(run))
            return Closed(run=run, event=event, open_calls=open_calls)
        end = event if isinstance(event, ModelEnded) else _model_end(event)
        closed = Closed(run=run, event=end, posting=self._post(run, run.event, end))
        if not run.cut:
            run.reading = None
        # The texts of a prompt are not kept alive by a run that is over.
        run.event = replace(run.event, prompt=())
        return closed

    def _late(self, event: End) -> list[Closed]:
        """Book the real end of a call that was cut before it came: only what the first posting lacked."""
        run = self._closed.get(event.run_id)
        if run is None or not run.cut or not isinstance(event, ModelEnded) or not isinstance(run.event, ModelStarted):
            return []
        run.cut = False
        first = run.posting.usage if run.posting is not None else None
        if first is not None and event.usage is not None:
            event = replace(event, usage=lacking(first, event.usage), cost_usd=None)
        return [Closed(run=run, event=event, posting=self._post(run, run.event, event), late=True)]

    def _post(self, run: Run, start: ModelStarted, end: ModelEnded) -> Posting:
        posting = run.posting = book(run, start, end, prices=self._prices, flow=self._flow, estimate=self._estimate)
        self._charge(run, posting)
        if self._flow is not None and run.conversation is not None and not end.local_cache and end.output:
            producer = Producer("agent", run.agent_name or NAMELESS, run.span)
            self._flow.produced(run.conversation, producer, end.output)
            if run.agent is not None:
                run.agent.last_output = producer
        return posting

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
            conversation = self._conversation(run, self._flow)
            is_tool = isinstance(run.event, ToolStarted)
            producer = run.last_output or Producer("tool" if is_tool else "document", run.event.name, run.span)
            if isinstance(run.event, ToolStarted) and run.event.call_id is not None:
                self._flow.answered(conversation, run.event.call_id, producer)
            self._flow.produced(conversation, producer, end.output)


def _is_workflow(run: Run) -> bool:
    return isinstance(run.event, AgentStarted) and run.event.kind == "workflow"


def _open_below(run: Run) -> Iterator[Run]:
    """Yield the open runs beneath a run, children before their parents."""
    for child in list(run.children.values()):
        yield from _open_below(child)
        yield child


def _model_end(event: Ended) -> ModelEnded:
    return ModelEnded(run_id=event.run_id, at_ns=event.at_ns, status=event.status, error_type=event.error_type, output=event.output)
