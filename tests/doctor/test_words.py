"""How the doctor says it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.trace_files import chat, write

from token_otel.cli import main
from token_otel.doctor import Finding, as_json, in_words
from token_otel.otel import semconv as sc

FINDINGS = [
    Finding(about="Prices", grade="ok", found="All known."),
    Finding(about="Model calls", grade="warning", found="1 call to m without a price.", do="Fill this in:", block="[[model]]\nmatch = 1"),
    Finding(about="Prices", grade="note", found="Old.", do="Get newer ones."),
]


def test_findings_stand_under_their_headings():
    """With the grade, what to do, and lines to copy."""
    assert in_words(FINDINGS).splitlines() == [
        "Prices",
        "  ok       All known.",
        "  note     Old.",
        "           Get newer ones.",
        "",
        "Model calls",
        "  warning  1 call to m without a price.",
        "           Fill this in:",
        "             [[model]]",
        "             match = 1",
        "",
        "1 warning, 1 note.",
    ]


def test_health_is_said_in_three_words():
    """There is nothing to look for."""
    assert in_words(FINDINGS[:1]).endswith("\nNothing to do.")


def test_lines_fit_in_80_columns():
    """A long sentence goes on beneath its beginning."""
    words = in_words([Finding(about="Settings", grade="note", found="word " * 60)])
    assert max(map(len, words.splitlines())) <= 80


def test_nothing_in_a_name_steers_a_terminal():
    """Names come from files."""
    assert "\x1b" not in in_words([Finding(about="Model calls", grade="note", found="a \x1b[2J model", block="\x1b")])


def test_the_same_as_data():
    """Field by field, with the number of warnings."""
    data = as_json(FINDINGS)

    assert (data["warnings"], data["findings"][0]["found"]) == (1, "All known.")
    assert set(data["findings"][1]) == {"about", "grade", "found", "do", "block"}


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment without doubles, and a file in which all is well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "langchain,openai,anthropic,openai_v2")
    priced = {sc.COST_STATUS: "priced", sc.INPUT_TOKENS: 1, sc.OUTPUT_TOKENS: 1, sc.COST_TOTAL: 0.1}
    return write(tmp_path / "t.jsonl", chat("c", priced))


def test_exits_with_0_when_nothing_is_wrong(sound: str, capsys: pytest.CaptureFixture[str]):
    """Notes do not count."""
    assert main(["doctor", sound]) == 0
    assert "warning  " not in capsys.readouterr().out


def test_exits_with_1_when_there_is_a_warning(sound: str, monkeypatch: pytest.MonkeyPatch):
    """For a script to see."""
    monkeypatch.setenv("TOKEN_OTEL_FLOW", "all")

    assert main(["doctor", sound]) == 1


def test_prints_json(sound: str, capsys: pytest.CaptureFixture[str]):
    """The same findings."""
    assert main(["doctor", "--json", sound]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == 0


def test_examines_without_a_file(sound: str, capsys: pytest.CaptureFixture[str]):
    """The environment alone."""
    assert main(["doctor"]) == 0
    assert "Trace files" not in capsys.readouterr().out


def test_imports_no_framework(sound: str):
    """To look is not to touch: the doctor loads neither a framework nor its instrumentation."""
    program = (
        "import sys; from token_otel.cli import main; main(['doctor', sys.argv[1]]); "
        "tops = {name.partition('.')[0] for name in sys.modules}; "
        "print(*tops & {'anthropic', 'openai', 'langchain_core', 'openinference'}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, sound], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
