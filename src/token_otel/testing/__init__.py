"""Tools for testing integrations: tapes of events, and loopback providers that bill."""

from token_otel.testing.tape import Sink, Tape

__all__ = ["Sink", "Tape"]
