"""The README says what the code does: every name in its tables is in the code, and every name in the code in its tables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from token_otel.otel import semconv
from token_otel.settings import COST_PROFILES, VARIABLES, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = [line for line in README.splitlines() if line.startswith("| ")]
NAMES = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row)}


def _semconv(metrics: bool) -> set[str]:
    names: set[str] = set()
    for constant, value in vars(semconv).items():
        if (
            constant.startswith("M_") is metrics
            and constant.isupper()
            and isinstance(value, str)
            and "." in value
            and not value.endswith(".")
        ):
            names.add(value)
    if not metrics:
        names |= {*semconv.INPUT_BY_ROLE.values(), *semconv.REQUEST.values()}
        names |= {semconv.rollup(scope, what) for scope in (semconv.OWN, semconv.SUBTREE) for what in semconv.ROLLUPS}
    return names


def test_every_attribute_is_documented():
    """An attribute that lands on a span, link or metric stands in a table."""
    assert _semconv(metrics=False) - NAMES == set()


def test_every_metric_is_documented():
    """A metric stands in the table."""
    assert _semconv(metrics=True) - NAMES == set()


def test_no_attribute_or_metric_is_invented():
    """A name in the tables that looks like an attribute is in the code."""
    dotted = {
        name
        for name in NAMES
        if re.fullmatch(r"(gen_ai|token_otel|openai|mlflow|langfuse|llm|operation|openinference|error)\.[a-zA-Z_.]+", name)
    }
    assert dotted - _semconv(metrics=False) - _semconv(metrics=True) == set()


def test_every_setting_is_documented_with_its_default():
    """Each variable has a row, whose default is the code's; and no row names a variable that is not read."""
    rows = {match[1]: match[2].strip("` ") for row in ROWS if (match := re.match(r"\| `(TOKEN_OTEL_\w+)` \|([^|]*)\|", row))}
    assert set(rows) == set(VARIABLES)
    defaults = Settings()
    for variable, (field, _) in VARIABLES.items():
        said = "random" if variable == "TOKEN_OTEL_NAMES_KEY" else _said(getattr(defaults, field))
        assert rows[variable] == said


def _said(default: object) -> str:
    """A setting's default, as one would write it into the variable."""
    if isinstance(default, bool):
        return "on" if default else "off"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)  # pyright: ignore[reportUnknownArgumentType]


def test_every_profile_is_documented():
    """Each cost profile has a row of its own."""
    assert {profile for profile in COST_PROFILES if any(row.startswith(f"| `{profile}`") for row in ROWS)} == set(COST_PROFILES)


def test_every_integration_is_documented():
    """Each package beneath integrations/ has a row, an extra and an entry point; and no row names another."""
    packages = {path.name for path in (ROOT / "integrations").iterdir() if (path / "__init__.py").exists()}
    rows = {match[1]: match[2] for row in ROWS if (match := re.match(r"\| `(token_otel_\w+)` \|[^|]*\| `([\w-]+)` \|", row))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(rows) == packages
    assert set(rows.values()) <= set(project["optional-dependencies"])
    assert {point.value.partition(":")[0] for point in entry_points(group="token_otel")} == packages


def test_every_command_is_documented():
    """Each subcommand has a row, and no row names a command that is not there."""
    help_text = subprocess.run([sys.executable, "-m", "token_otel", "--help"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    commands = set(re.findall(r"^\s{2,8}([a-z]+)\s{2,}", help_text, re.MULTILINE))
    rows = {match[1] for row in ROWS if (match := re.match(r"\| `token-otel (\w+)", row))}
    assert rows == commands


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_code_blocks_run(block: str):
    """Each Python block of the README runs as it stands."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-W", "error", "-c", block], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path):
    """The tables in the README are the demo's own, and its books are the providers'."""
    environment = os.environ | {"TOKEN_OTEL_FILE": str(tmp_path / "spans.jsonl")}
    demo = [sys.executable, str(ROOT / "examples" / "research_team")]
    done = subprocess.run(demo, capture_output=True, text=True, env=environment, check=False)
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    [shown] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert done.returncode == 0, done.stderr
    assert [line for line in shown.splitlines() if line.rstrip() not in printed] == []

    picture = [sys.executable, str(ROOT / "examples" / "research_team" / "picture.py"), str(tmp_path / "spans.jsonl")]
    drawn = subprocess.run(picture, capture_output=True, text=True, env=environment, check=True)
    assert drawn.stdout == (ROOT / "docs" / "flow.svg").read_text(encoding="utf-8"), "draw docs/flow.svg anew: see picture.py"


def test_the_price_example_is_accepted(tmp_path: Path):
    """The README's price file is one that the price book reads."""
    from token_otel.prices.overrides import OverrideBook

    [example] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "prices.toml"
    file.write_text(example, encoding="utf-8")
    tariff = OverrideBook.read(str(file)).find(provider="azure", model="my-gpt-large", at_ns=0)
    assert tariff is not None
    assert str(tariff.rates(0).output) == "8.80"
