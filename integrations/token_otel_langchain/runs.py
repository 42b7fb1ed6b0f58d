"""`Runs`: the table of runs, and the lazy report of a run's ancestors."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID
from weakref import WeakKeyDictionary, ref

from token_otel import BudgetExceeded
from token_otel.events import AgentStarted, Attribute, Attributes, Ended, Event, Handoff, Part, Status
from token_otel_langchain.graph import Role, Run, agent_name, is_agent, workflow_name
from token_otel_langchain.messages import Memo
from token_otel_langchain.request import mapping_of

if TYPE_CHECKING:
    from token_otel import Recorder

MAX_RUNS = 20_000
ENDED = 1024

_CONVERSATION = ("thread_id", "session_id", "conversation_id")
_OWN_TAGS = ("seq:step:", "graph:step:", "map:key:", "retry:attempt:", "langsmith:", "condition:", "branch:")


class Runs:
    """Runs by id, shared by all handlers of one recorder, so that a run which two of them see is one run.

    Chains are only remembered. What needs them (a model, a tool, a retriever, a graph beneath) has them reported first,
    outermost first, each with the time at which it really began. Ended runs stay for a while: children come late.

    LangChain does not end every run: a call that is cancelled, or a stream that is dropped, may just vanish. But whatever can
    still end a run holds its id, the very object, and so does all that runs beneath. Once that is gone, the run is cancelled.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = ref(recorder)
        settings = getattr(recorder, "settings", None)
        self._wanted: tuple[str, ...] = getattr(settings, "metadata", ())
        self.memo = Memo()
        self._runs: dict[int, Run] = {}
        self._ended: deque[int] = deque()
        # Re-entrant: a span processor may run a chain of its own inside `record`.
        self._lock = threading.RLock()

    @staticmethod
    def of(recorder: Recorder) -> Runs:
        """Return the table of a recorder."""
        with _tables_lock:
            found = _tables.get(recorder)
            if found is None:
                found = _tables[recorder] = Runs(recorder)
            return found

    def forked(self) -> None:
        """Begin anew in a child process: a lock may have been held by a thread that stayed behind."""
        self._lock = threading.RLock()
        self.memo = Memo()

    def __len__(self) -> int:
        return len(self._runs)

    def find(self, run_id: UUID) -> Run | None:
        """Return a run that has started and was not forgotten."""
        return self._runs.get(run_id.int)

    def start(
        self,
        role: Role,
        name: str,
        run_id: UUID,
        parent_run_id: UUID | None,
        about: Mapping[str, Any],
        *,
        at_ns: int = 0,
    ) -> Run | None:
        """Remember a run, with the metadata and tags told about it; `None` if it is known: another handler has reported it."""
        key = run_id.int
        oldest = None
        with self._lock:
            if key in self._runs:
                return None
            parent = self._runs.get(parent_run_id.int) if isinstance(parent_run_id, UUID) else None
            metadata, tags = mapping_of(about.get("metadata")), _texts(about.get("tags"))
            run = self._runs[key] = Run(key, role, _text(name) or "", parent=parent, metadata=metadata, tags=tags, at_ns=at_ns)
            if parent is None and parent_run_id is not None:
                run.orphan_of = str(parent_run_id)
            if len(self._runs) > MAX_RUNS:
                oldest = self._runs.pop(next(iter(self._runs)), None)
            run.holder = holder = _Holder(run_id, self._let_go)
            holder.key = key
        if role not in ("chain", "node", "task"):
            run.id = str(run_id)
            run.shown = "leaf"
        if oldest is not None and not oldest.ended:
            self.close(oldest, "cancelled")  # its end would not be heard any more
        return run

    def end(self, run_id: UUID) -> Run | None:
        """Return a run that ends now; `None` if it is unknown or has ended."""
        with self._lock:
            run = self._runs.get(run_id.int)
            if run is None or run.ended:
                return None
            run.ended = True
            run.holder = None
            run.metadata, run.tags = {}, ()
            self._ended.append(run.key)
            # Those that were let go have ended too, without a look at the bound.
            while len(self._ended) > ENDED:
                self._runs.pop(self._ended.popleft(), None)
            return run

    def parent_of(self, run: Run) -> str | None:
        """Return the id of the run that a model, tool or retriever belongs to, after reporting what was not reported yet."""
        with self._lock:
            wrapper = run.parent
            if wrapper is not None and wrapper.role == "chain" and wrapper.name == run.name:
                wrapper.name = ""  # a retry bears the name of what it retries
            home = self._home(run.parent, calls_model=run.role == "model")
        return home.id if home is not None else run.orphan_of

    def admit(self, run: Run, recorder: Recorder) -> str | None:
        """Return the id of the run that a model call belongs to.

        Raises:
            BudgetExceeded: It must not start.
        """
        parent_id = self.parent_of(run)
        try:
            recorder.check_budget(parent_id)
        except BudgetExceeded:
            self.end(UUID(int=run.key))
            raise
        return parent_id

    def attempt_of(self, run: Run) -> int:
        """Return which attempt a model call is: the retry may stand around the chain that holds it."""
        for above in (run, *run.above()):
            if above.attempt > 1 or above.role in ("node", "task", "tool"):
                return above.attempt
        return 1

    def handoff(self, run: Run, destinations: Sequence[str]) -> None:
        """Report that the agent which runs `run` passes control on, once for each destination."""
        owner = next((above for above in (run, *run.above()) if above.shown in ("agent", "workflow")), None)
        if owner is None:
            return
        with self._lock:
            fresh = [name for name in dict.fromkeys(destinations) if name not in owner.handed_to]
            owner.handed_to.update(fresh)
        for name in fresh:
            self._record(Handoff(run_id=owner.id, to_agent=name))

    def close(self, run: Run, status: Status, error_type: str | None = None, output: tuple[Part, ...] = ()) -> None:
        """Report the end of a run that was reported."""
        if run.shown is not None:
            recorder = self._recorder()
            if recorder is not None:
                recorder.record(Ended(run_id=run.id, at_ns=recorder.now_ns(), status=status, error_type=error_type, output=output))

    def attributes(self, run: Run) -> Attributes:
        """Return what the user wants to see of a run's metadata and tags."""
        wanted = self._wanted
        found = {key: value for key in wanted if (value := _attribute(run.metadata.get(key))) is not None}
        if "tags" in wanted and (tags := tuple(tag for tag in run.tags if not tag.startswith(_OWN_TAGS))):
            found["tags"] = tags
        return found

    def _let_go(self, holder: _Holder) -> None:
        # In a destructor, in the middle of anything: no lock is taken, and what is done cannot be interrupted by another thread.
        run = self._runs.get(holder.key)
        recorder = self._recorder()
        if run is None or run.ended or recorder is None:
            return
        self._ended.append(run.key)
        if run.shown is not None:
            recorder.record_later(Ended(run_id=run.id, status="cancelled"))

    def _record(self, event: Event) -> None:
        recorder = self._recorder()
        if recorder is not None:
            recorder.record(event)

    def _home(self, run: Run | None, *, calls_model: bool) -> Run | None:
        """Return the reported run that something beneath `run` belongs to."""
        outermost = None
        # What has ended unreported is not reported any more, since nothing would end it: its children pass it by.
        while run is not None and run.shown is None and (run.ended or (run.role == "chain" and not run.is_graph)):
            outermost, run = run if not run.ended else None, run.parent
        if run is None:
            # Chains outside any graph: the outermost keeps together, in one trace, what runs beneath.
            return self._show(outermost, "workflow", None) if outermost is not None else None
        if run.shown is not None:
            return run
        graph = run if run.role == "chain" else run.graph
        if graph is not None and graph.shown is None and not graph.ended:
            above = self._home(graph.parent, calls_model=False)
            self._show(graph, "agent" if is_agent(graph, run, calls_model=calls_model) else "workflow", above)
            if graph is run:
                return run
        above = next((home for home in run.above() if home.shown is not None), None)
        if calls_model and (graph is None or graph.shown != "agent"):
            return self._show(run, "agent", above)
        return above

    def _show(self, run: Run, shown: Literal["agent", "workflow"], above: Run | None) -> Run:
        run.id = str(UUID(int=run.key))
        parent_id = above.id if above is not None else run.orphan_of
        conversation = conversation_id(run.metadata)
        self._record(
            AgentStarted(
                run_id=run.id,
                parent_id=parent_id,
                at_ns=run.at_ns,
                conversation_id=conversation,
                attributes=self.attributes(run),
                name=agent_name(run) if shown == "agent" else workflow_name(run),
                kind=shown,
            )
        )
        run.shown = shown
        return run


class _Holder(ref[UUID]):
    """A weak reference to the id of a run, which knows whose it is."""

    __slots__ = ("key",)
    key: int


def conversation_id(metadata: Mapping[str, Any]) -> str | None:
    """Return the thread, session or conversation that a run's metadata name."""
    for key in _CONVERSATION:
        value = metadata.get(key)
        if value is not None and value != "":
            return _text(value)
    return None


def _attribute(value: object) -> Attribute | None:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(text for item in cast("Iterable[object]", value) if (text := _text(item)) is not None)
    return _text(value)


def _texts(value: object) -> Sequence[str]:
    return [tag for tag in cast("Sequence[object]", value) if isinstance(tag, str)] if isinstance(value, list | tuple) else ()


def _text(value: object) -> str | None:
    try:
        return str(value)
    except Exception:  # a class of the program's own, or a list too deep
        return None


_tables: WeakKeyDictionary[Recorder, Runs] = WeakKeyDictionary()
_tables_lock = threading.RLock()


def _forked() -> None:
    global _tables_lock
    _tables_lock = threading.RLock()
    for table in list(_tables.values()):
        table.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
