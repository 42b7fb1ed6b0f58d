"""Other instrumentations that write a span with tokens for the same model call, so that whoever sums finds it twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ANTHROPIC_SWITCH = "ANTHROPIC_OPEN_TELEMETRY"

_OFF = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """Another instrumentation of model calls.

    Attributes:
        provider: Whose calls it sees; `*` for all.
        module: The module that is there where it is.
        who: What people call it.
        variable: The variable that turns it off, with `value`, alone or in a list.
        scope: The scope of its spans, where that is not its module.
        unasked: Whether it writes spans without anybody having switched it on.
    """

    provider: str
    module: str
    who: str
    variable: str = _OFF
    value: str
    scope: str | None = None
    unasked: bool = False

    def is_off(self, env: Mapping[str, str]) -> bool:
        """Whether the environment turns it off."""
        return self.value in [name.strip() for name in env.get(self.variable, "").lower().split(",")]

    @property
    def is_loaded(self) -> bool:
        """Whether this process has imported it."""
        return self.module in sys.modules

    @property
    def is_installed(self) -> bool:
        """Whether this process could import it. Looks for the file: asking Python would import its parents."""
        places = [Path(entry, *self.module.split(".")) for entry in sys.path]
        return any(place.with_name(f"{place.name}.py").is_file() or (place / "__init__.py").is_file() for place in places)

    def writes(self, scope: str) -> bool:
        """Whether a span of that scope is one of its own."""
        return scope == (self.scope or self.module)


DOUBLES = (
    Double(
        provider="anthropic",
        module="anthropic._tracing",
        who="the anthropic SDK",
        variable=ANTHROPIC_SWITCH,
        value="false",
        scope="com.anthropic.sdk.python",
        unasked=True,
    ),
    Double(
        provider="openai",
        module="opentelemetry.instrumentation.openai_v2",
        who="opentelemetry-instrumentation-openai-v2",
        value="openai_v2",
    ),
    Double(provider="openai", module="opentelemetry.instrumentation.openai", who="OpenLLMetry for openai", value="openai"),
    Double(provider="anthropic", module="opentelemetry.instrumentation.anthropic", who="OpenLLMetry for anthropic", value="anthropic"),
    Double(provider="*", module="opentelemetry.instrumentation.langchain", who="OpenLLMetry for langchain", value="langchain"),
    Double(
        provider="*",
        module="opentelemetry.instrumentation.genai.langchain",
        who="opentelemetry-instrumentation-genai-langchain",
        value="langchain",
    ),
    Double(provider="*", module="openinference.instrumentation.langchain", who="OpenInference for langchain", value="langchain"),
)


def doubled_by(provider: str | None, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield a sentence for each instrumentation that is loaded and not turned off, for calls to `provider`."""
    env = os.environ if env is None else env
    for double in DOUBLES:
        if double.provider in ("*", provider) and double.is_loaded and not double.is_off(env):
            yield (
                f"{double.who} writes spans with tokens for the same model calls as token-otel, so sums over all spans count them "
                f"twice: set {double.variable}={double.value}, or TOKEN_OTEL_MODEL_SPANS=off"
            )
