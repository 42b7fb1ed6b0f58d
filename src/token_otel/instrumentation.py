"""`instrument()` and `init()`: the two ways to switch token-otel on for a whole process."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from token_otel.doubles import ANTHROPIC_SWITCH
from token_otel.recorder import Recorder

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

logger = logging.getLogger("token_otel")

GROUP = "token_otel"


class Integration(Protocol):
    """What the entry point of an integration holds; the entry point is named after the framework's top-level module.

    Where a program may have a module of its own by that name, the distribution that brings the framework stands in brackets.
    """

    def instrument(self, recorder: Recorder) -> None:
        """Send every run of the framework in this process to `recorder`."""
        ...

    def uninstrument(self) -> None:
        """Undo it."""
        ...


class _Instrumentation:
    """Which integrations are switched on in this process."""

    def __init__(self) -> None:
        self.active: dict[str, Integration | None] = {}  # None: waits for its framework to be imported

    def add(self, point: EntryPoint, recorder: Recorder) -> bool:
        framework = point.name
        if framework in self.active:
            return True
        if find_spec(framework) is None or not all(map(_is_installed, point.extras)):
            return False
        self.active[framework] = None
        when_imported = _post_import_hook() if framework not in sys.modules else None
        if when_imported is None:
            return self._load(point, recorder)
        when_imported(lambda _module: self._load(point, recorder), framework)
        return True

    def remove(self) -> None:
        for integration in self.active.values():
            if integration is not None:
                integration.uninstrument()
        self.active.clear()

    def _load(self, point: EntryPoint, recorder: Recorder) -> bool:
        if self.active.get(point.name, self) is not None:
            return False
        try:
            integration: Integration = point.load()
            integration.instrument(recorder)
        except Exception as error:
            self.active.pop(point.name, None)
            if recorder.settings.raise_errors:
                raise
            logger.error("token-otel cannot watch %s (%s: %s); your program is unaffected", point.name, type(error).__name__, error)
            return False
        self.active[point.name] = integration
        return True


_instrumentation = _Instrumentation()


def instrument(tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None) -> list[str]:
    """Watch every installed framework in this process, each from when it is first imported.

    Returns:
        The names of the frameworks that are watched, or will be once they are imported.
    """
    from importlib.metadata import entry_points

    recorder = Recorder.shared(tracer_provider, meter_provider)
    recorder.settle_with_provider()
    return [point.name for point in sorted(entry_points(group=GROUP)) if _instrumentation.add(point, recorder)]


def uninstrument() -> None:
    """Undo `instrument()`; runs that are under way are reported no further."""
    _instrumentation.remove()


def init(*, file: str | None = None) -> Recorder:
    """Set OpenTelemetry up for a program that has none, from OTEL_*, and watch every installed framework.

    Spans go to OTEL_EXPORTER_OTLP_ENDPOINT (extra `otlp`); without an endpoint they are appended to TOKEN_OTEL_FILE as
    OTLP/JSON lines. A provider that is already set is left as it is, and used. Metrics go to the endpoint where
    OTEL_METRICS_EXPORTER=otlp. The anthropic SDK writes spans of its own wherever a provider is set; here that provider is
    ours, so it is asked not to (ANTHROPIC_OPEN_TELEMETRY=false, unless you have set it).

    Args:
        file: A file that spans are appended to in any case, besides the endpoint.

    Raises:
        ImportError: An endpoint is set, but the extra that exports to it is not installed.
    """
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider

    if not isinstance(trace.get_tracer_provider(), SdkTracerProvider):
        os.environ.setdefault(ANTHROPIC_SWITCH, "false")
        provider = SdkTracerProvider()
        _export(provider, file)
        trace.set_tracer_provider(provider)
    recorder = Recorder.shared()
    instrument()
    return recorder


def _export(provider: Any, file: str | None) -> None:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from token_otel.otel.file_exporter import JsonLinesSpanExporter
    from token_otel.settings import Settings

    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise ImportError('An OTLP endpoint is set, but its exporter is missing: pip install "token-otel[otlp]"') from error
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        if os.environ.get("OTEL_METRICS_EXPORTER") == "otlp":
            _export_metrics()
    path = file or ("" if endpoint else Settings.from_env(on_error=logger.debug).file)  # the recorder says what is bad
    if path:
        provider.add_span_processor(BatchSpanProcessor(JsonLinesSpanExporter(path)))


def _export_metrics() -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    if not isinstance(metrics.get_meter_provider(), SdkMeterProvider):
        metrics.set_meter_provider(SdkMeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))


def _is_installed(distribution: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _post_import_hook() -> Callable[[Callable[[Any], Any], str], Any] | None:
    try:
        from wrapt import register_post_import_hook
    except ImportError:
        return None
    return register_post_import_hook
