"""The command line: what it prints, and how it refuses."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from token_otel import cli
from token_otel.cli import main
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import ACCEPTED
from token_otel.report import MissingExtraError

SPAN = {
    "traceId": "a" * 32,
    "spanId": "b" * 16,
    "name": "chat m-1",
    "startTimeUnixNano": "0",
    "endTimeUnixNano": "2000000000",
    "attributes": [
        {"key": sc.OPERATION_NAME, "value": {"stringValue": "chat"}},
        {"key": sc.AGENT_NAME, "value": {"stringValue": "boss"}},
        {"key": sc.INPUT_TOKENS, "value": {"intValue": "1200"}},
        {"key": sc.OUTPUT_TOKENS, "value": {"intValue": "30"}},
        {"key": sc.COST_TOTAL, "value": {"doubleValue": 0.0015}},
    ],
}


@pytest.fixture
def trace(tmp_path: Path) -> str:
    """A file with one call."""
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": sc.SCOPE}, "spans": [SPAN]}]}]}) + "\n")
    return str(path)


def test_prints_a_report(trace: str, capsys: pytest.CaptureFixture[str]):
    """`token-otel report FILE` prints tables."""
    pytest.importorskip("rich")

    assert main(["report", trace]) == 0
    out, err = capsys.readouterr()
    assert "1 model call, 1 trace" in out
    assert "$0.001500" in out
    assert err == ""


def test_prints_json(trace: str, capsys: pytest.CaptureFixture[str]):
    """`--json` prints the same numbers; several files are one."""
    assert main(["report", "--json", trace, trace]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["totals"]["calls"], data["totals"]["input"], data["totals"]["cost_usd"]) == (1, 1200, "0.0015")


def test_prints_its_version(capsys: pytest.CaptureFixture[str]):
    """`token-otel --version` names the program and the version."""
    with pytest.raises(SystemExit) as stop:
        main(["--version"])

    assert stop.value.code == 0
    assert capsys.readouterr().out == f"token-otel {version('token-otel')}\n"


def test_a_missing_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What the user can put right is no traceback."""
    path = tmp_path / "nothing.jsonl"

    assert main(["report", str(path)]) == 2
    assert capsys.readouterr() == ("", f"token-otel: {path}: found no such file; {ACCEPTED}\n")


def test_what_is_no_trace_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The sentence names the file and the line."""
    path = tmp_path / "README"
    path.write_text("hello\n")

    assert main(["report", str(path)]) == 2
    assert capsys.readouterr().err == f"token-otel: {path}, line 1: found 'hello', which is not JSON; {ACCEPTED}\n"


def test_a_missing_extra_is_one_sentence(trace: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Without rich, the sentence is what to install."""

    def show(_: Any) -> None:
        raise MissingExtraError("needs rich")

    monkeypatch.setattr(cli, "show", show)

    assert main(["report", trace]) == 2
    assert capsys.readouterr().err == "token-otel: needs rich\n"


@pytest.mark.parametrize("arguments", [[], ["report"], ["nonsense"]])
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    """A command is needed, and a file."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)

    assert stop.value.code == 2
    assert "usage: token-otel" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(trace: str):
    """`token-otel report FILE | head -0` says nothing on standard error."""
    program = [sys.executable, "-c", "import sys; from token_otel.cli import main; sys.exit(main())", "report", "--json", trace]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        err = running.stderr.read()

    assert (err, running.returncode) == (b"", 0)


def test_interruption_is_quiet(trace: str, monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C stops without a traceback, with the exit code of a shell."""

    def load(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load", load)

    assert main(["report", trace]) == 130


def test_a_terminal_without_the_characters_gets_others(trace: str, monkeypatch: pytest.MonkeyPatch):
    """Nothing is refused for want of a letter."""
    pytest.importorskip("rich")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)

    assert main(["report", trace]) == 0
    assert b"$0.001500" in out.buffer.getvalue()


def test_any_standard_output_will_do(trace: str, monkeypatch: pytest.MonkeyPatch):
    """Notebooks and tests put something else in its place."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    assert main(["report", "--json", trace]) == 0
    assert json.loads(out.getvalue())["totals"]["output"] == 30
