"""The ledger of the tokens that flow between agents, written on OpenTelemetry."""

from token_otel import events, wire
from token_otel.instrumentation import init, instrument, uninstrument
from token_otel.prices import PriceBook
from token_otel.recorder import Recorder
from token_otel.settings import SettingError, Settings
from token_otel.usage import Usage

__all__ = ["PriceBook", "Recorder", "SettingError", "Settings", "Usage", "events", "init", "instrument", "uninstrument", "wire"]
