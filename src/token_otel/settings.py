"""`Settings`: the TOKEN_OTEL_* variables, read once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

COST_PROFILES = ("openlit", "openinference", "langfuse", "logfire", "mlflow", "semconv-draft")


class SettingError(ValueError):
    """A variable with a value that is not accepted, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How token-otel behaves. Each field is the variable TOKEN_OTEL_<FIELD>, but for the two standard ones.

    Attributes:
        enabled: `off` makes every event vanish; so does OTEL_SDK_DISABLED=true.
        flow: `off`; `ids`: message ids, tool call ids and same text; `text`: also text known in pieces.
        prices: The user's own prices: paths of files, or JSON itself.
        metrics: Which generations of metrics are written.
        cost_attributes: The backends in whose words the cost is said too.
        model_spans: `off` where another instrumentation writes the spans of model calls.
        estimate: `on` lets an estimate take the place of a report that never came.
        names: `hashed` hashes names, conversation ids, and the ids of tool calls and messages.
        names_key: The key of the hash: the same in every process that should agree.
        store_mb: The bound of the store of produced texts, in MiB.
        file: Where `init()` writes spans when no endpoint is set.
        baggage: Baggage entries that are copied to spans.
        metric_tags: Tags and baggage entries that are labels on what is spent: cost, unpriced tokens, flow.
        metadata: Keys of a framework's run metadata, and `tags`, that are copied to spans.
        cache_write_name: The name of cache writes: `new`, `old` (until August 2026) or `both`.
        grace_s: How long a run may outlive a parent that ended, in seconds.
        worker: `inline` does the background work in the caller's thread: slower, but deterministic.
        raise_errors: TOKEN_OTEL_RAISE=on lets our own failures through instead of logging them.
    """

    enabled: bool = True
    flow: str = "text"
    prices: str = ""
    metrics: str = "both"
    cost_attributes: tuple[str, ...] = ("openlit",)
    model_spans: bool = True
    estimate: bool = False
    names: str = "plain"
    names_key: str = field(default="", repr=False)
    store_mb: float = 64
    file: str = "token-otel.jsonl"
    baggage: tuple[str, ...] = ()
    metric_tags: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    cache_write_name: str = "new"
    grace_s: float = 30
    worker: str = "thread"
    raise_errors: bool = False

    def __post_init__(self) -> None:
        _refuse_collision("cost_attributes", self.cost_attributes)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, on_error: Callable[[str], object] | None = None) -> Settings:
        """Read the variables; an empty one counts as not set.

        Args:
            env: Where to read; the process's environment by default.
            on_error: Is told of a bad value, whose default then stands; without it the error is raised.

        Raises:
            SettingError: A value is not accepted, or two of them exclude each other.
        """
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        for variable, (name, parse) in VARIABLES.items():
            text = env.get(variable, "").strip()
            if text:
                try:
                    values[name] = parse(variable, text)
                except SettingError as error:
                    if on_error is None:
                        raise
                    on_error(f"{error}; its default stands")
        if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            values["enabled"] = False
        return cls(**values)


def _switch(variable: str, text: str) -> bool:
    known = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.lower() not in known:
        raise SettingError(f"{variable} is {text!r}, but accepted are on and off")
    return known[text.lower()]


def _one_of(*accepted: str) -> Any:
    def parse(variable: str, text: str) -> str:
        if text.lower() not in accepted:
            raise SettingError(f"{variable} is {text!r}, but accepted are {', '.join(accepted)}")
        return text.lower()

    return parse


def _number(variable: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise SettingError(f"{variable} is {text!r}, but accepted is a number above 0")
    return value


def _text(variable: str, text: str) -> str:
    return text


def _names(variable: str, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _refuse_collision(variable: str, chosen: tuple[str, ...]) -> None:
    if "openlit" in chosen and "semconv-draft" in chosen:
        raise SettingError(
            f"{variable} names openlit and semconv-draft, but gen_ai.usage.cost and gen_ai.usage.cost.amount cannot stand "
            "on one span: stores that expand dots refuse it"
        )


def _profiles(variable: str, text: str) -> tuple[str, ...]:
    chosen = tuple(name.lower() for name in _names(variable, text))
    if chosen == ("off",):
        return ()
    for name in chosen:
        if name not in COST_PROFILES:
            raise SettingError(f"{variable} names {name!r}, but accepted are {', '.join(COST_PROFILES)}, or off")
    _refuse_collision(variable, chosen)
    return chosen


VARIABLES: Mapping[str, tuple[str, Any]] = {
    "TOKEN_OTEL_ENABLED": ("enabled", _switch),
    "TOKEN_OTEL_FLOW": ("flow", _one_of("off", "ids", "text")),
    "TOKEN_OTEL_PRICES": ("prices", _text),
    "TOKEN_OTEL_METRICS": ("metrics", _one_of("latest", "legacy", "both", "off")),
    "TOKEN_OTEL_COST_ATTRIBUTES": ("cost_attributes", _profiles),
    "TOKEN_OTEL_MODEL_SPANS": ("model_spans", _switch),
    "TOKEN_OTEL_ESTIMATE": ("estimate", _switch),
    "TOKEN_OTEL_NAMES": ("names", _one_of("plain", "hashed")),
    "TOKEN_OTEL_NAMES_KEY": ("names_key", _text),
    "TOKEN_OTEL_STORE_MB": ("store_mb", _number),
    "TOKEN_OTEL_FILE": ("file", _text),
    "TOKEN_OTEL_BAGGAGE": ("baggage", _names),
    "TOKEN_OTEL_METRIC_TAGS": ("metric_tags", _names),
    "TOKEN_OTEL_METADATA": ("metadata", _names),
    "TOKEN_OTEL_CACHE_WRITE_NAME": ("cache_write_name", _one_of("new", "old", "both")),
    "TOKEN_OTEL_GRACE_S": ("grace_s", _number),
    "TOKEN_OTEL_WORKER": ("worker", _one_of("thread", "inline")),
    "TOKEN_OTEL_RAISE": ("raise_errors", _switch),
}
