"""The benchmark of overhead: what it calls added, what it says of who fails, and whose a sample is."""

from __future__ import annotations

from typing import Any

import pytest
from bench.load import tables
from bench.load.asking import environment, in_turn
from bench.load.contenders import AGAIN, CONTENDERS, FLOOR, NOTHING, OFFICIAL, OURS
from bench.load.environments import REQUIREMENTS
from bench.load.plan import PLAN


def round_of(**cpu_us: float) -> dict[str, dict[str, Any]]:
    """A round in which everybody made two calls."""
    return {name.replace("_", " "): {"cpu_ns": us * 2_000, "calls": 2} for name, us in cpu_us.items()}


class Echo:
    """A child that notes when it was asked."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name = name
        self.asked = asked

    def ask(self, *question: object) -> dict[str, Any]:
        self.asked.append(self.name)
        return {"said": (self.name, *question)}


def test_what_is_added_is_the_difference_within_each_round():
    """A machine that is slow in one round is slow for both."""
    added = tables.added([round_of(nothing=100, floor=160), round_of(nothing=300, floor=380), round_of(nothing=100, floor=150)])

    assert added[NOTHING] == {"min": 100, "median": 100, "max": 300}
    assert added[FLOOR] == {"min": 50, "median": 60, "max": 80}


def test_whoever_fails_is_shown_as_failing():
    """It is not left out, and not taken for somebody fast."""
    failed: dict[str, dict[str, Any]] = {**round_of(nothing=100), OFFICIAL: {"error": "KeyError: 'x'"}}
    added = tables.added([failed, round_of(nothing=100, official=50)])

    assert added[OFFICIAL] == {"error": "KeyError: 'x'", "failed_rounds": 1}
    assert "fails: KeyError: 'x'" in tables.cpu_table({"invoke": added})


def test_a_warning_is_kept_though_it_was_logged_once():
    """Even if that was in a round that does not count; the first of several."""
    failed: dict[str, dict[str, Any]] = {**round_of(nothing=100), OURS: {"cpu_ns": 1, "calls": 1, "logged": "it failed"}}
    later: dict[str, dict[str, Any]] = {**failed, OURS: {"cpu_ns": 1, "calls": 1, "logged": "again"}}

    assert tables.complaints([round_of(nothing=100), failed, later]) == {OURS: "it failed"}


def test_a_ratio_to_what_is_lost_in_the_noise_is_not_stated():
    """Of two rows, one has a floor that is within what the same program differs by from itself."""
    clear = {NOTHING: {"median": 100}, AGAIN: {"median": -5}, FLOOR: {"median": 50}, OURS: {"median": 100}}
    noisy = {**clear, AGAIN: {"median": -30}}
    rows = tables.ratio_table({"clear": clear, "noisy": noisy}).splitlines()

    assert rows[2] == "| clear | 2.00 | - | - | - |"
    assert rows[3] == "| noisy | - | - | - | - |"


def test_everybody_is_first_once():
    """The order within a round is no advantage."""
    asked: list[str] = []
    children: Any = {name: Echo(name, asked) for name in ("a", "b", "c")}
    answers = [*in_turn(children, 3, "run")]

    assert "".join(asked) == "abcbcacab"
    assert all([*answer] == ["a", "b", "c"] for answer in answers)
    assert answers[2]["b"] == {"said": ("b", "run")}


def test_nobody_runs_under_the_switches_of_another(monkeypatch: pytest.MonkeyPatch):
    """Nor under those of whoever starts the benchmark."""
    monkeypatch.setenv("TOKEN_OTEL_FLOW", "off")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    assert environment(CONTENDERS[OURS])["TOKEN_OTEL_FLOW"] == "text"
    assert not {"OTEL_SDK_DISABLED", "TOKEN_OTEL_FLOW"} & environment(CONTENDERS[OFFICIAL]).keys()


def test_every_environment_has_its_requirements():
    """Token-otel's own are in pyproject.toml."""
    wanted = {contender.environment for contender in CONTENDERS.values()} - {"token-otel"}

    assert wanted == {path.stem for path in REQUIREMENTS.glob("*.in")}


def test_the_plan_is_what_can_be_run():
    """The process that asks does not import what does the work."""
    pytest.importorskip("langgraph_supervisor")
    from bench.load.scenarios import SCENARIOS

    assert [*SCENARIOS] == [*PLAN]
