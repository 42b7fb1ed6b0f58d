"""The wheel alone, in an environment that has no framework."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Loaded by no import of the core: frameworks, provider SDKs, and what is heavy (prices and encodings load when first needed).
KEPT_OUT = {
    "agents",
    "anthropic",
    "crewai",
    "genai_prices",
    "google",
    "httpx",
    "langchain",
    "langchain_core",
    "langgraph",
    "openai",
    "pydantic",
    "requests",
    "rich",
    "tiktoken",
}


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command, away from the source tree."""
    done = subprocess.run(command, cwd=Path(sys.prefix), capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that users get."""
    out = tmp_path_factory.mktemp("dist")
    run(uv(), "build", "--quiet", "--wheel", "--out-dir", out, ROOT)
    return next(out.glob("token_otel-*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and what it requires, nothing else."""
    venv = tmp_path_factory.mktemp("bare") / "venv"
    run(uv(), "venv", "--quiet", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    run(uv(), "pip", "install", "--quiet", "--python", python, wheel)
    return python


def uv() -> str:
    """The uv of this environment, or the user's."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "these tests need uv: pip install uv"
    return found


def test_the_wheel_has_both_roots_and_their_data(wheel: Path):
    """Core and integrations lie side by side, typed, with the encodings and the licences of both."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {
        "token_otel/__init__.py",
        "token_otel/py.typed",
        "token_otel/tokens/data/NOTICE",
        "token_otel/tokens/data/cl100k_base.ranks.gz",
        "token_otel/tokens/data/o200k_base.ranks.gz",
        "token_otel_langchain/py.typed",
        "token_otel_openai_agents/py.typed",
    } <= names
    tops = {name.split("/")[0].removesuffix(".dist-info") for name in names}
    assert {top for top in tops if not top.startswith(("token_otel_", "token_otel-"))} == {"token_otel"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_core_loads_nothing_it_may_not_need(python: Path):
    """`import token_otel` brings neither a framework nor what takes half a second."""
    done = run(python, "-W", "error", "-c", "import json, sys, token_otel; print(json.dumps(sorted(sys.modules)))")

    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & KEPT_OUT == set()


@pytest.mark.parametrize(("package", "extra"), [("token_otel_langchain", "langchain"), ("token_otel_openai_agents", "openai-agents")])
def test_a_missing_framework_is_named_with_its_remedy(python: Path, package: str, extra: str):
    """Without its framework an integration fails with one sentence, which says what to install."""
    done = run(python, "-c", f"import {package}", check=False)

    assert done.returncode != 0
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith(("ImportError: ", "ModuleNotFoundError: "))
    assert f'pip install "token-otel[{extra}]"' in sentence


def test_the_command_line_works_on_the_core_alone(python: Path):
    """`token-otel --help` needs no extra."""
    done = run(python.with_name("token-otel"), "--help")

    assert "report" in done.stdout
