"""The ledger of the tokens that flow between agents, written on OpenTelemetry."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_otel import events, wire
    from token_otel.bills import Bill, BudgetExceeded, track
    from token_otel.instrumentation import init, instrument, uninstrument
    from token_otel.manual import agent, handoff, model, retrieval, step, tool
    from token_otel.prices import PriceBook
    from token_otel.recorder import Recorder
    from token_otel.settings import SettingError, Settings
    from token_otel.usage import Usage

__all__ = [
    "Bill",
    "BudgetExceeded",
    "PriceBook",
    "Recorder",
    "SettingError",
    "Settings",
    "Usage",
    "agent",
    "events",
    "handoff",
    "init",
    "instrument",
    "model",
    "retrieval",
    "step",
    "tool",
    "track",
    "uninstrument",
    "wire",
]

# Names are loaded when they are first asked for: importing a plugin must not slow a program that may not use it.
_HOMES = {
    "Bill": "bills",
    "BudgetExceeded": "bills",
    "PriceBook": "prices",
    "Recorder": "recorder",
    "SettingError": "settings",
    "Settings": "settings",
    "Usage": "usage",
    "agent": "manual",
    "handoff": "manual",
    "init": "instrumentation",
    "instrument": "instrumentation",
    "model": "manual",
    "retrieval": "manual",
    "step": "manual",
    "tool": "manual",
    "track": "bills",
    "uninstrument": "instrumentation",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'token_otel' has no attribute {name!r}")
    if name not in _HOMES:
        return import_module(f"token_otel.{name}")
    value = globals()[name] = getattr(import_module(f"token_otel.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
