"""The doctor: what is set up, what is missing, and what a trace file says about it; each finding with what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from token_otel.doctor import destinations, doubled, integrations, own_prices, settings_in_force, traces
from token_otel.doctor.finding import Finding, Grade
from token_otel.doctor.words import as_json, in_words

__all__ = ["Finding", "Grade", "as_json", "examine", "in_words"]


def examine(env: Mapping[str, str], files: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Look at the environment and at trace files, if any are given.

    Raises:
        TraceFileError: A file is missing or holds no trace.
    """
    read = traces.read(files) if files else None
    findings = [
        *integrations.findings(env),
        *doubled.findings(env),
        *destinations.findings(env),
        *settings_in_force.findings(env),
        *own_prices.findings(env),
    ]
    if read is not None:
        findings += traces.findings(read, env)
    return tuple(findings)
