"""`Recorder`: the composition root. It knows everyone below: ledger, spans, metrics, worker."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from token_otel.doubles import doubled_by
from token_otel.events import End, Ended, Event, FirstChunk, Handoff, ModelEnded, ModelStarted, Part, Start, UsageSeen
from token_otel.flow.book import FlowBook
from token_otel.ledger import Closed, Ledger
from token_otel.otel.metrics import MetricWriter
from token_otel.otel.names import Names
from token_otel.otel.semconv import SCOPE
from token_otel.otel.spans import SpanWriter
from token_otel.prices import PriceBook
from token_otel.prices.lazy import LazyBook
from token_otel.prices.price_file import unpriced
from token_otel.settings import Settings
from token_otel.worker import Worker

logger = logging.getLogger("token_otel")

WARNED_MODELS = 1_000  # a program that makes up names gets no warning for each
LATEST_NS = 1 << 63  # in the year 2262: what is stamped later is no time


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
        self._clock = _Clock()
        self._lock = threading.Lock()
        self._logged: set[tuple[type, str]] = set()
        self._providers: set[str | None] = set()
        self._unpriced: set[tuple[str | None, str]] = set()
        inline = settings.worker == "inline"
        self._worker = Worker(self._close_overdue, on_error=self._failed if inline else self._log, inline=inline)
        # The worker's thread starts with the prices: what it calls must be there a moment later, so what takes long comes first.
        self._flow = self._load_flow()
        self._prices = LazyBook(prices, settings.prices, self._worker)
        self._ledger = Ledger(
            self._prices, self._flow, grace_ns=round(settings.grace_s * 1e9), estimate=settings.estimate, on_error=self._failed
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
        self._metrics = None
        if settings.metrics != "off":
            self._metrics = MetricWriter(
                metrics.get_meter(SCOPE, meter_provider=meter_provider),
                names,
                latest=settings.metrics in ("latest", "both"),
                legacy=settings.metrics in ("legacy", "both"),
            )
        self._writers: tuple[Callable[[Closed], None], ...] = (self._spans.end,)
        if self._metrics is not None:
            self._writers = (self._spans.end, self._metrics.end)
        _watch(self)

    @classmethod
    def shared(cls, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None) -> Recorder:
        """Return the one recorder of these providers, made at the first call."""
        key = (_other_than(trace.get_tracer_provider(), tracer_provider), _other_than(metrics.get_meter_provider(), meter_provider))
        with _shared_lock:
            if key not in _shared:
                _shared[key] = cls(tracer_provider, meter_provider)
            return _shared[key]

    @property
    def open_runs(self) -> int:
        """The number of runs that have started and not ended."""
        return self._ledger.open_runs

    def record(self, event: Event) -> None:
        """Take one event. Never raises: a failure of ours is logged, once per cause; what stops the program passes."""
        if not self.settings.enabled:
            return
        try:
            self._take(event)
        except Exception as error:
            self._failed(error)

    def activate(self, run_id: str) -> AbstractContextManager[None]:
        """Make a run's span current for a `with` block, so that spans of the user's own nest beneath it."""
        try:
            with self._lock:
                run = self._ledger.find(run_id)
            return nullcontext() if run is None else self._spans.activate(run)
        except Exception as error:
            self._failed(error)
            return nullcontext()

    def flush(self) -> None:
        """Finish the background work, and close what has outlived its parents without waiting for the grace."""
        self._worker.drain()
        self._close_overdue(grace=False)

    def settle(self) -> None:
        """Close every open run, as cancelled: the provider or the program stops."""
        try:
            self._worker.drain()
            with self._lock:
                closed = self._ledger.settle(self._clock.now_ns())
            self._write(closed)
        except Exception as error:
            self._failed(error)

    def _take(self, event: Event) -> None:
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
        if isinstance(event, ModelStarted):
            self._count(event.prompt)
            self._prices.expect()
            if event.provider not in self._providers:
                self._meet(event.provider)
        with self._lock:
            run = self._ledger.start(event)
            closed = self._ledger.overdue(event.at_ns or 0)
        if run is not None:
            try:
                self._spans.start(run)
            except Exception as error:
                self._failed(error)
            if run.closed and all(item.run is not run for item in closed):
                # Another thread closed it before its span was open.
                closed.append(Closed(run=run, event=Ended(run_id=event.run_id, at_ns=event.at_ns, status="cancelled")))
        self._write(closed)

    def _meet(self, provider: str | None) -> None:
        """Say once, for each provider, who else writes spans for its calls."""
        self._providers.add(provider)
        everyone = trace.get_tracer_provider()
        shares = self._tracer_provider in (None, everyone) and not isinstance(everyone, trace.ProxyTracerProvider)
        if self.settings.model_spans and shares:
            for sentence in doubled_by(provider):
                logger.warning(sentence)

    def _end(self, event: End) -> None:
        if isinstance(event, ModelEnded) and event.usage is not None:
            self._prices.wait()
        with self._lock:
            closed = self._ledger.end(event)
        self._write(closed)
        self._count(event.output)

    def _write(self, closed: Iterable[Closed]) -> None:
        # Outside the lock: an exporter that is slow must not keep other callers waiting.
        for item in closed:
            self._say_unpriced(item)
            for write in self._writers:
                try:
                    write(item)
                except Exception as error:
                    self._failed(error)

    def _say_unpriced(self, item: Closed) -> None:
        """Say once, for each model, that its calls have no cost: left alone, it would look like a call that was free."""
        start, posting = item.run.event, item.posting
        if posting is None or posting.cost.status != "unpriced" or not posting.usage or not isinstance(start, ModelStarted):
            return
        key = (start.provider, posting.model or "a model without a name")
        if key not in self._unpriced and len(self._unpriced) < WARNED_MODELS:
            self._unpriced.add(key)
            logger.warning(unpriced(*key))

    def _count(self, parts: tuple[Part, ...]) -> None:
        if self._flow is None or not parts:
            return
        try:
            for text in self._flow.uncounted(parts):
                self._worker.submit(partial(self._flow.counter.count, text))
        except Exception as error:
            self._failed(error)

    def _close_overdue(self, *, grace: bool = True) -> None:
        try:
            with self._lock:
                closed = self._ledger.overdue(self._clock.now_ns(), grace=grace)
            self._write(closed)
        except Exception as error:
            self._failed(error)

    def _load_flow(self) -> FlowBook | None:
        if self.settings.flow == "off" or not self.settings.enabled:
            return None
        try:
            return FlowBook(round(self.settings.store_mb * 1024 * 1024), pieces=self.settings.flow == "text", submit=self._worker.submit)
        except Exception as error:
            self._failed(error)
            return None

    def _failed(self, error: Exception) -> None:
        if self.settings.raise_errors:
            raise error
        self._log(error)

    def _log(self, error: Exception) -> None:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        cause = (type(error), f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place is not None else "")
        if cause not in self._logged:
            self._logged.add(cause)
            # The error's own text may quote a prompt: its type and place are enough to mend it.
            logger.error("token-otel failed (%s at %s); your program is unaffected", type(error).__name__, cause[1])

    def _before_fork(self) -> None:
        # A fork in the middle of the import would leave the child half a module.
        self._prices.wait()

    def _forked(self) -> None:
        # The lock may have been held, and the thread has stayed behind in the parent.
        self._lock = threading.Lock()
        self._worker.forked()
        self._ledger.forget_open()


class _Clock:
    """Nanoseconds since the epoch that never run backwards: an anchor, and the monotonic clock from there."""

    def __init__(self) -> None:
        self._anchor = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        return self._anchor + time.monotonic_ns()


_shared: dict[tuple[object, object], Recorder] = {}
_shared_lock = threading.Lock()


def _other_than(default: object, provider: object | None) -> object:
    """Return the provider itself: its `id` may belong to another one once it is gone."""
    return None if provider is default else provider


def _watch(recorder: Recorder) -> None:
    """Settle a recorder when the interpreter exits, before the providers made earlier shut down; renew its lock after a fork."""
    reference = weakref.ref(recorder)

    def call(method: str) -> None:
        alive = reference()
        if alive is not None:
            getattr(alive, method)()

    atexit.register(call, "settle")
    os.register_at_fork(before=lambda: call("_before_fork"), after_in_child=lambda: call("_forked"))
