"""The entry point of `opentelemetry-instrument python app.py`, without a dependency on its package."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


class Instrumentor:
    """What `opentelemetry-instrument` loads: switches token-otel on before the program starts."""

    def instrument(self, **options: Any) -> None:
        """Watch every installed framework."""
        from token_otel.instrumentation import instrument

        instrument(options.get("tracer_provider"), options.get("meter_provider"))

    def uninstrument(self, **options: Any) -> None:
        """Undo it."""
        from token_otel.instrumentation import uninstrument

        uninstrument()

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: which frameworks are there is found out when they are imported."""
        return ()
