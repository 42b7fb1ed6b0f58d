"""Other instrumentations that write a span with tokens for the same model call, so that whoever sums finds it twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

ANTHROPIC_SWITCH = "ANTHROPIC_OPEN_TELEMETRY"

_OFF = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

# The provider, or `*` for all; the module that is loaded where the other one is there; who it is; what turns it off.
_OTHERS: tuple[tuple[str, str, str, tuple[str, str]], ...] = (
    ("anthropic", "anthropic._tracing", "the anthropic SDK", (ANTHROPIC_SWITCH, "false")),
    ("openai", "opentelemetry.instrumentation.openai_v2", "opentelemetry-instrumentation-openai-v2", (_OFF, "openai_v2")),
    ("openai", "opentelemetry.instrumentation.openai", "OpenLLMetry for openai", (_OFF, "openai")),
    ("anthropic", "opentelemetry.instrumentation.anthropic", "OpenLLMetry for anthropic", (_OFF, "anthropic")),
    ("*", "opentelemetry.instrumentation.langchain", "OpenLLMetry for langchain", (_OFF, "langchain")),
    ("*", "opentelemetry.instrumentation.genai.langchain", "opentelemetry-instrumentation-genai-langchain", (_OFF, "langchain")),
    ("*", "openinference.instrumentation.langchain", "OpenInference for langchain", (_OFF, "langchain")),
)


def doubled_by(provider: str | None, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield a sentence for each instrumentation that is loaded and not turned off, for calls to `provider`."""
    env = os.environ if env is None else env
    for where, module, who, (variable, value) in _OTHERS:
        if where in ("*", provider) and module in sys.modules and value not in env.get(variable, "").lower().split(","):
            yield (
                f"{who} writes spans with tokens for the same model calls as token-otel, so sums over all spans count them twice: "
                f"set {variable}={value}, or TOKEN_OTEL_MODEL_SPANS=off"
            )
