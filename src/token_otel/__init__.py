"""The ledger of the tokens that flow between agents, written on OpenTelemetry."""
