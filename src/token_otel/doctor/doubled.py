"""Who else would write spans with tokens for the same model calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from token_otel.doctor.finding import Finding
from token_otel.doubles import DOUBLES, Double

ABOUT = "Other instrumentation"


def findings(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield one finding for each other instrumentation that is installed."""
    installed = [double for double in DOUBLES if double.is_installed]
    ours_are_off = env.get("TOKEN_OTEL_MODEL_SPANS", "").strip().lower() in ("off", "false", "0")
    for double in installed:
        yield _finding(double, env, ours_are_off=ours_are_off)
    if not installed:
        yield Finding(about=ABOUT, grade="ok", found="None is installed that would write a second span for a model call.")


def _finding(double: Double, env: Mapping[str, str], *, ours_are_off: bool) -> Finding:
    if double.is_off(env):
        found = f"{double.who} is installed, and turned off by {double.variable}={double.value}."
        return Finding(about=ABOUT, grade="ok", found=found)
    if ours_are_off:
        found = f"{double.who} is installed; TOKEN_OTEL_MODEL_SPANS=off leaves the spans of model calls to it."
        return Finding(about=ABOUT, grade="ok", found=found)
    switch = f"{double.variable}={double.value}"
    if double.unasked:
        found = (
            f"{double.who} writes spans with tokens for its calls wherever a tracer provider is set, so a sum over all spans "
            "counts them twice."
        )
        return Finding(about=ABOUT, grade="warning", found=found, do=f"Set {switch}; token_otel.init() does it for you.")
    found = f"{double.who} is installed: once switched on, it writes a second span with tokens for each call."
    return Finding(about=ABOUT, grade="warning", found=found, do=f"Set {switch}, or TOKEN_OTEL_MODEL_SPANS=off.")
