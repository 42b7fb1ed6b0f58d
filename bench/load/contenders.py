"""`CONTENDERS`: who is measured, in which environment, and how each is switched on: as its own README says, content off."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Flush = Callable[[], object]


@dataclass(frozen=True)
class Contender:
    """Somebody who watches the same program.

    Attributes:
        name: As the tables say it.
        environment: Which requirements it needs: a file of bench/requirements.
        start: Switches it on, and returns what finishes its background work, beside the SDK's own flush.
        module: What its import costs is the import of this.
        variables: The environment variables that it runs under.
    """

    name: str
    environment: str
    start: Callable[[], Flush | None]
    module: str = ""
    variables: dict[str, str] = field(default_factory=dict[str, str])


def _nothing() -> None:
    """Watch nothing."""


def _floor() -> None:
    from bench.load.floor import FloorHandler
    from langchain_core.tracers.context import register_configure_hook

    handler = FloorHandler()
    register_configure_hook(ContextVar("floor", default=handler), inheritable=True)


def _token_otel() -> Flush:
    import token_otel

    token_otel.instrument()
    return token_otel.Recorder.shared().flush


def _instrumentor(module: str, name: str) -> Callable[[], None]:
    def start() -> None:
        instrumentor: Any = getattr(import_module(module), name)
        instrumentor().instrument()

    return start


def _ours(flow: str) -> Contender:
    return Contender(f"token-otel {flow}", "token-otel", _token_otel, "token_otel", {"TOKEN_OTEL_FLOW": flow})


_OFFICIAL = "opentelemetry.instrumentation.genai.langchain"
_OPENINFERENCE = "openinference.instrumentation.langchain"
_OPENLLMETRY = "opentelemetry.instrumentation.langchain"

NOTHING, AGAIN, FLOOR, OURS, OFFICIAL = "nothing", "nothing again", "floor", "token-otel text", "official"
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(NOTHING, "common", _nothing),
        Contender(AGAIN, "common", _nothing),  # its difference to the first is the noise
        Contender(FLOOR, "common", _floor),
        _ours("off"),
        _ours("ids"),
        _ours("text"),
        Contender(OFFICIAL, "official", _instrumentor(_OFFICIAL, "LangChainInstrumentor"), _OFFICIAL),
        Contender(
            "OpenInference",
            "openinference",
            _instrumentor(_OPENINFERENCE, "LangChainInstrumentor"),
            _OPENINFERENCE,
            {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"},
        ),
        Contender(
            "OpenLLMetry",
            "openllmetry",
            _instrumentor(_OPENLLMETRY, "LangchainInstrumentor"),
            _OPENLLMETRY,
            {"TRACELOOP_TRACE_CONTENT": "false"},
        ),
    )
}
