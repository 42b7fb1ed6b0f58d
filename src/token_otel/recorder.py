"""`Recorder`: the composition root. It knows everyone below: ledger, spans, metrics, worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from token_otel.clock import LATEST_NS, Clock
from token_otel.door import Door
from token_otel.doubles import doubled_by
from token_otel.events import End, Ended, Event, FirstChunk, Handoff, ModelEnded, ModelStarted, Part, Start, UsageSeen
from token_otel.flow.book import FlowBook
from token_otel.inside import Inside, begin, bills_beneath
from token_otel.ledger import Closed, Ledger
from token_otel.lifetime import collecting, settle_with, watch
from token_otel.notices import Notices
from token_otel.otel.metrics import MetricWriter
from token_otel.otel.names import Names
from token_otel.otel.semconv import SCOPE
from token_otel.otel.spans import SpanWriter
from token_otel.prices import PriceBook
from token_otel.prices.lazy import LazyBook
from token_otel.settings import Settings
from token_otel.sharing import Shared
from token_otel.turns import Turns
from token_otel.worker import Worker

logger = logging.getLogger("token_otel")


class Recorder:
    """Takes events and writes spans and metrics; one lock, one worker, and nothing ever reaches the host.

    Args:
        tracer_provider: Where spans go; the global one by default.
        meter_provider: Where metrics go; the global one by default.
        settings: How to behave; from the environment by default, where a bad value is logged and its default kept.
        prices: A price book of your own, asked before the others.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        settings: Settings | None = None,
        prices: PriceBook | None = None,
    ) -> None:
        self.settings = settings = settings or Settings.from_env(on_error=logger.error)
        self._clock = Clock()
        self._lock = threading.Lock()
        self._turns = Turns(self.failed)
        self._seeks_provider = False
        self._notices = Notices()
        self._door = Door(self.failed)
        inline = settings.worker == "inline"
        tick = partial(self._turns.take, partial(self._close, grace=True))
        self._worker = Worker(tick, on_error=self.failed if inline else self._notices.failed, inline=inline)
        # The worker's thread starts with the prices: what it calls must be there a moment later, so what takes long comes first.
        self._flow = self._load_flow()
        self._prices = LazyBook(prices, settings.prices, self._worker)
        self._ledger = Ledger(
            self._prices, self._flow, grace_ns=round(settings.grace_s * 1e9), estimate=settings.estimate, on_error=self.failed
        )
        names = Names(hashed=settings.names == "hashed", key=settings.names_key)
        self._tracer_provider = tracer_provider
        self._spans = SpanWriter(
            trace.get_tracer(SCOPE, tracer_provider=tracer_provider),
            names,
            cost_profiles=settings.cost_attributes,
            baggage_keys=settings.baggage,
            cache_write_name=settings.cache_write_name,
            model_spans=settings.model_spans,
        )
        self._writers: tuple[Callable[[Closed], None], ...] = (self._spans.end,)
        if settings.metrics != "off":
            counted = MetricWriter(
                metrics.get_meter(SCOPE, meter_provider=meter_provider),
                names,
                latest=settings.metrics in ("latest", "both"),
                legacy=settings.metrics in ("legacy", "both"),
                tags=settings.metric_tags,
            )
            self._writers = (self._spans.end, counted.end)
        watch(self)

    @classmethod
    def shared(cls, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None) -> Recorder:
        """Return the one recorder of these providers, made at the first call."""
        tracers, meters = (trace.get_tracer_provider(), tracer_provider), (metrics.get_meter_provider(), meter_provider)
        return _shared.of(lambda: cls(tracer_provider, meter_provider), tracers, meters)

    @property
    def open_runs(self) -> int:
        """The number of runs that have started and not ended."""
        return self._ledger.open_runs

    def now_ns(self) -> int | None:
        """Return the time as this recorder stamps it, for adapters: to make an event with it takes less than to stamp one."""
        return self._clock.now_ns()

    def record(self, event: Event) -> None:
        """Take one event. Never raises: a failure of ours is logged, once per cause; what stops the program passes."""
        if not self.settings.enabled:
            return
        turns = self._turns
        if turns.inside.now or collecting():
            turns.put_off(partial(self._take, event, self._clock.now_ns()))
            return
        try:
            turns.inside.now = True
            if turns.waiting:
                # An adapter may hold a lock of its own while it reports what stands around a call: the spans of others end elsewhere.
                self._worker.leave(turns.catch_up) if isinstance(event, Start) else turns.catch_up()
            self._take(event)
            if turns.inside.waiting:
                turns.finish()
        except Exception as error:
            self.failed(error)
        finally:
            turns.leave()

    def record_later(self, event: Event) -> None:
        """Take one event where no lock may be taken, as in a destructor: it is recorded before the next one, or within a second."""
        if self.settings.enabled:
            self._turns.waiting.append(partial(self._take, event, self._clock.now_ns()))

    def failed(self, error: Exception) -> None:
        """Take a failure of ours, or of an adapter's own: its type and place are logged, once per cause; its text may quote a prompt."""
        if self.settings.raise_errors:
            raise error
        self._notices.failed(error)

    def activate(self, run_id: str) -> AbstractContextManager[None]:
        """Make a run's span current for a `with` block, so that spans of the user's own nest beneath it."""
        try:
            run = self._ledger.find(run_id)
            return nullcontext() if run is None else Inside(self, self._spans, run)
        except Exception as error:
            self.failed(error)
            return nullcontext()

    def check_budget(self, parent_id: str | None = None) -> None:
        """Let a model call start beneath a run, or raise `BudgetExceeded`: an adapter asks before it reports the start."""
        for bill in bills_beneath(self._ledger, parent_id):
            bill.check()

    def flush(self) -> None:
        """Finish the background work, and close what has outlived its parents without waiting for the grace."""
        self._turns.take(partial(self._finish, grace=False))

    def settle(self) -> None:
        """Close every open run, as cancelled: the provider or the program stops."""
        self._turns.take(self._finish)

    def settle_with_provider(self) -> None:
        """Settle when the provider is shut down; where the program has not set one yet, as soon as it has."""
        self._seeks_provider = not settle_with(self._tracer_provider or trace.get_tracer_provider(), self)

    def _take(self, event: Event, told_ns: int | None = None) -> None:
        event = self._door.admit(event if told_ns is None else replace(event, at_ns=told_ns))
        if event.at_ns is None or not 0 <= event.at_ns < LATEST_NS:
            event = replace(event, at_ns=self._clock.now_ns())
        match event:
            case ModelEnded() | Ended():
                self._end(event)
            case FirstChunk():
                with self._lock:
                    self._ledger.first_chunk(event)
            case UsageSeen():
                with self._lock:
                    self._ledger.usage_seen(event)
            case Handoff():
                with self._lock:
                    self._ledger.handoff(event)
            case _:
                self._start(event)

    def _start(self, event: Start) -> None:
        if self._seeks_provider:
            self.settle_with_provider()
        if isinstance(event, ModelStarted):
            self._prices.expect()
            self._meet(event.provider)
        with self._lock:
            run = begin(self, self._ledger, event)
            closed = self._ledger.overdue(event.at_ns or 0)
        if run is not None:
            if run.reading is not None:
                self._count([item.part for item in run.reading.reads])
            self._try(self._spans.start, run)
            with self._lock:
                closed += run.open()
        if closed:
            self._worker.leave(partial(self._write, closed))

    def _meet(self, provider: str | None) -> None:
        """Say once, for each provider, who else writes spans for its calls."""
        if not self._notices.meets(provider):
            return
        everyone = trace.get_tracer_provider()
        shares = self._tracer_provider in (None, everyone) and not isinstance(everyone, trace.ProxyTracerProvider)
        if self.settings.model_spans and shares:
            for sentence in doubled_by(provider):
                logger.warning(sentence)

    def _end(self, event: End) -> None:
        if isinstance(event, ModelEnded) and (event.usage is not None or event.status == "cancelled"):
            self._prices.wait()
        with self._lock:
            closed = self._ledger.end(event)
        self._write(closed)
        self._count(event.output)

    def _write(self, closed: Iterable[Closed]) -> None:
        # Outside the lock: an exporter that is slow must not keep other callers waiting.
        stop: BaseException | None = None
        for item in closed:
            for bill in item.run.bills:
                self._try(bill.add, item)
            start, posting = item.run.event, item.posting
            if posting is not None and posting.cost.status == "unpriced" and posting.usage and isinstance(start, ModelStarted):
                self._notices.unpriced(start.provider, posting.model)
            for write in self._writers:
                try:
                    write(item)
                except Exception as error:
                    self.failed(error)
                except BaseException as error:  # the others are closed in the books: their spans must end
                    stop = error
        if stop is not None:
            raise stop

    def _count(self, parts: Sequence[Part]) -> None:
        if self._flow is not None and parts:
            self._try(self._flow.count, parts)

    def _finish(self, *, grace: bool | None = None) -> None:
        self._try(self._worker.drain)
        self._close(grace=grace)

    def _close(self, *, grace: bool | None) -> None:
        """Close what is overdue, with or without a grace, or everything."""
        self._turns.catch_up()
        with self._lock:
            now_ns = self._clock.now_ns()
            closed = self._ledger.settle(now_ns) if grace is None else self._ledger.overdue(now_ns, grace=grace)
        self._write(closed)

    def _load_flow(self) -> FlowBook | None:
        if self.settings.flow == "off" or not self.settings.enabled:
            return None
        try:
            return FlowBook(round(self.settings.store_mb * 1024 * 1024), pieces=self.settings.flow == "text", submit=self._worker.submit)
        except Exception as error:
            self.failed(error)
            return None

    def _try(self, do: Callable[..., object], *args: Any, **options: Any) -> None:
        try:
            do(*args, **options)
        except Exception as error:
            self.failed(error)

    def before_fork(self) -> None:
        """Wait for the prices: a fork in the middle of their import would leave the child half a module."""
        self._prices.wait()

    def forked(self) -> None:
        """Begin anew in a child process: the lock may have been held, and the thread has stayed behind in the parent."""
        self._lock = threading.Lock()
        self._worker.forked()
        if self._flow is not None:
            self._flow.counter.forked()
        self._turns.waiting.clear()
        self._ledger.forget_open()


_shared: Shared[Recorder] = Shared()
