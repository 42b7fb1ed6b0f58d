"""Rules of the source tree that no type checker knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((*ROOT.glob("src/**/*.py"), *ROOT.glob("integrations/**/*.py")))
MACHINE_PATH = re.compile(r"(?<![\w.\-/}])/(tmp|root|work|home)/")


def tracked() -> list[str]:
    """The paths that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for path in listed.stdout.decode().split("\0") if path]


def relative(path: Path) -> str:
    """The path as a reader of the repository knows it."""
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a text file; none of a binary one."""
    try:
        yield from enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    except UnicodeDecodeError:
        return


def is_attribute(text: str) -> bool:
    """Whether a string is an attribute's name, or the start of one, rather than a module's or a sentence."""
    if " " in text or not text.startswith(("gen_ai.", "token_otel.")):
        return False
    module = ROOT / "src" / Path(*text.split("."))
    return not (module.is_dir() or module.with_suffix(".py").is_file())


def test_imports_run_one_way():
    """Every contract under [tool.importlinter] is kept."""
    lint = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)

    assert lint.returncode == 0, lint.stdout + lint.stderr


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_fits_in_300_lines(path: Path):
    """A module that outgrows the limit holds two ideas."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_attribute_names_stand_in_one_place():
    """An attribute is spelt once, in otel/semconv.py; everyone else uses the constant."""
    elsewhere = [
        f"{relative(path)}:{node.lineno}: {node.value}"
        for path in SOURCES
        if relative(path) != "src/token_otel/otel/semconv.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_attribute(node.value)
    ]

    assert elsewhere == []


def test_no_path_of_one_machine_is_tracked():
    """What works only in somebody's home directory does not work."""
    found = [f"{path}:{number}: {line.strip()}" for path in tracked() for number, line in lines(ROOT / path) if MACHINE_PATH.search(line)]

    assert found == []


def test_no_lock_with_download_addresses_is_tracked():
    """Pins stand in requirements/; a uv.lock carries the addresses of somebody's index."""
    assert not [path for path in tracked() if Path(path).name == "uv.lock"]


def test_no_pin_names_an_index():
    """Requirements install from whatever index their reader uses."""
    found = [
        f"{path.name}:{number}"
        for path in ROOT.glob("requirements/*")
        for number, line in lines(path)
        if "://" in line or "index-url" in line
    ]

    assert found == []
