"""Other instrumentations that write a span with tokens for the same model call, so that whoever sums finds it twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

ANTHROPIC_SWITCH = "ANTHROPIC_OPEN_TELEMETRY"

# By provider, or `*`: the module that is loaded when the other one is there, who it is, and what turns it off.
_OTHERS: tuple[tuple[str, str, str, tuple[str, str]], ...] = (
    ("anthropic", "anthropic._tracing", "the anthropic SDK", (ANTHROPIC_SWITCH, "false")),
    ("openai", "opentelemetry.instrumentation.openai_v2", "opentelemetry-instrumentation-openai-v2", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai_v2")),
    ("openai", "opentelemetry.instrumentation.openai", "OpenLLMetry for openai", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai")),
    ("anthropic", "opentelemetry.instrumentation.anthropic", "OpenLLMetry for anthropic", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "anthropic")),
    ("*", "opentelemetry.instrumentation.langchain", "OpenLLMetry for langchain", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "langchain")),
    ("*", "opentelemetry.instrumentation.genai.langchain", "opentelemetry-instrumentation-genai-langchain", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "langchain")),
    ("*", "openinference.instrumentation.langchain", "OpenInference for langchain", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "langchain")),
)  # fmt: skip


def doubled_by(provider: str | None, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield a sentence for each instrumentation that is loaded and not turned off, for calls to `provider`."""
    env = os.environ if env is None else env
    for where, module, who, (variable, value) in _OTHERS:
        if where in ("*", provider) and module in sys.modules and value not in env.get(variable, "").lower().split(","):
            yield (
                f"{who} writes spans with tokens for the model calls that token-otel writes too, so sums over all spans count them twice: "
                f"set {variable}={value}, or TOKEN_OTEL_MODEL_SPANS=off"
            )
