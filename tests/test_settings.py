"""`Settings`: every variable, and one sentence for every value that is not accepted."""

from typing import Any

import pytest

from token_otel import SettingError, Settings
from token_otel.settings import COST_PROFILES, VARIABLES

ACCEPTED: list[tuple[str, str, str, Any]] = [
    ("TOKEN_OTEL_ENABLED", "off", "enabled", False),
    ("TOKEN_OTEL_ENABLED", "TRUE", "enabled", True),
    ("TOKEN_OTEL_FLOW", "IDS", "flow", "ids"),
    ("TOKEN_OTEL_PRICES", "/etc/Prices.toml", "prices", "/etc/Prices.toml"),
    ("TOKEN_OTEL_METRICS", "latest", "metrics", "latest"),
    ("TOKEN_OTEL_COST_ATTRIBUTES", "mlflow, Langfuse", "cost_attributes", ("mlflow", "langfuse")),
    ("TOKEN_OTEL_COST_ATTRIBUTES", "off", "cost_attributes", ()),
    ("TOKEN_OTEL_MODEL_SPANS", "0", "model_spans", False),
    ("TOKEN_OTEL_ESTIMATE", "1", "estimate", True),
    ("TOKEN_OTEL_NAMES", "hashed", "names", "hashed"),
    ("TOKEN_OTEL_NAMES_KEY", "Secret", "names_key", "Secret"),
    ("TOKEN_OTEL_STORE_MB", "0.5", "store_mb", 0.5),
    ("TOKEN_OTEL_FILE", "a.jsonl", "file", "a.jsonl"),
    ("TOKEN_OTEL_BAGGAGE", "tenant, user.id,", "baggage", ("tenant", "user.id")),
    ("TOKEN_OTEL_METADATA", "tags", "metadata", ("tags",)),
    ("TOKEN_OTEL_METRIC_TAGS", "tenant", "metric_tags", ("tenant",)),
    ("TOKEN_OTEL_CACHE_WRITE_NAME", "both", "cache_write_name", "both"),
    ("TOKEN_OTEL_GRACE_S", "5", "grace_s", 5.0),
    ("TOKEN_OTEL_WORKER", "inline", "worker", "inline"),
    ("TOKEN_OTEL_RAISE", "on", "raise_errors", True),
    ("OTEL_SDK_DISABLED", "True", "enabled", False),
    ("OTEL_SDK_DISABLED", "no", "enabled", True),
]


def test_the_defaults_stand_without_variables():
    """An empty environment, and an empty variable, leave everything as documented."""
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({"TOKEN_OTEL_FLOW": "  ", "TOKEN_OTEL_GRACE_S": ""}) == Settings()


@pytest.mark.parametrize(("variable", "text", "field", "value"), ACCEPTED)
def test_a_variable_sets_its_field(variable: str, text: str, field: str, value: Any):
    """And nothing else."""
    assert Settings.from_env({variable: text}) == Settings(**{field: value})


def test_every_variable_is_tried_above():
    """A new variable comes with its test."""
    assert set(VARIABLES) <= {row[0] for row in ACCEPTED}


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("TOKEN_OTEL_ENABLED", "maybe", "TOKEN_OTEL_ENABLED is 'maybe', but accepted are on and off"),
        ("TOKEN_OTEL_MODEL_SPANS", "2", "TOKEN_OTEL_MODEL_SPANS is '2', but accepted are on and off"),
        ("TOKEN_OTEL_ESTIMATE", "yes", "TOKEN_OTEL_ESTIMATE is 'yes', but accepted are on and off"),
        ("TOKEN_OTEL_RAISE", "loud", "TOKEN_OTEL_RAISE is 'loud', but accepted are on and off"),
        ("TOKEN_OTEL_FLOW", "full", "TOKEN_OTEL_FLOW is 'full', but accepted are off, ids, text"),
        ("TOKEN_OTEL_METRICS", "new", "TOKEN_OTEL_METRICS is 'new', but accepted are latest, legacy, both, off"),
        ("TOKEN_OTEL_NAMES", "secret", "TOKEN_OTEL_NAMES is 'secret', but accepted are plain, hashed"),
        ("TOKEN_OTEL_CACHE_WRITE_NAME", "x", "TOKEN_OTEL_CACHE_WRITE_NAME is 'x', but accepted are new, old, both"),
        ("TOKEN_OTEL_WORKER", "async", "TOKEN_OTEL_WORKER is 'async', but accepted are thread, inline"),
        ("TOKEN_OTEL_STORE_MB", "many", "TOKEN_OTEL_STORE_MB is 'many', but accepted is a number above 0"),
        ("TOKEN_OTEL_STORE_MB", "nan", "TOKEN_OTEL_STORE_MB is 'nan', but accepted is a number above 0"),
        ("TOKEN_OTEL_STORE_MB", "inf", "TOKEN_OTEL_STORE_MB is 'inf', but accepted is a number above 0"),
        ("TOKEN_OTEL_GRACE_S", "0", "TOKEN_OTEL_GRACE_S is '0', but accepted is a number above 0"),
        (
            "TOKEN_OTEL_COST_ATTRIBUTES",
            "openlit,datadog",
            "TOKEN_OTEL_COST_ATTRIBUTES names 'datadog', but accepted are openlit, openinference, langfuse, logfire, mlflow, "
            "semconv-draft, or off",
        ),
        (
            "TOKEN_OTEL_COST_ATTRIBUTES",
            "openlit,semconv-draft",
            "TOKEN_OTEL_COST_ATTRIBUTES names openlit and semconv-draft, but gen_ai.usage.cost and gen_ai.usage.cost.amount cannot stand "
            "on one span: stores that expand dots refuse it",
        ),
    ],
)
def test_a_bad_value_is_one_sentence(variable: str, text: str, sentence: str):
    """It names the variable, the value and what is accepted."""
    with pytest.raises(SettingError) as caught:
        Settings.from_env({variable: text})

    assert str(caught.value) == sentence


def test_settings_made_in_code_refuse_a_collision_too():
    """Not only the variable: a store would refuse the spans."""
    with pytest.raises(SettingError, match=r"^cost_attributes names openlit and semconv-draft, but gen_ai.usage.cost and"):
        Settings(cost_attributes=("mlflow", "semconv-draft", "openlit"))


def test_a_bad_value_may_be_told_instead():
    """Then its default stands, and every other variable counts."""
    told: list[str] = []
    settings = Settings.from_env({"TOKEN_OTEL_FLOW": "full", "TOKEN_OTEL_GRACE_S": "7"}, on_error=told.append)

    assert told == ["TOKEN_OTEL_FLOW is 'full', but accepted are off, ids, text; its default stands"]
    assert (settings.flow, settings.grace_s) == ("text", 7.0)


@pytest.mark.parametrize("profile", COST_PROFILES)
def test_each_profile_may_stand_alone(profile: str):
    """The two that exclude each other included."""
    assert Settings.from_env({"TOKEN_OTEL_COST_ATTRIBUTES": profile}).cost_attributes == (profile,)


def test_the_key_is_not_shown():
    """A log of the settings does not give away the key of the hash."""
    assert "hush" not in repr(Settings(names_key="hush"))
