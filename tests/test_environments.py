"""Broken environments: whatever is missing around it, the program runs as it would without us, and exits as it would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.tapes import bench

from token_otel.clock import Clock
from token_otel.events import AgentStarted, Ended

PROGRAM = """
import sys
import token_otel
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

token_otel.init()

@tool(description="Search.")
def search(q: str) -> str:
    return "The keeper at Brenn closes the upper gate ten days after the first frost."

usage = {"input_tokens": 40, "output_tokens": 12, "total_tokens": 52}
model = GenericFakeChatModel(messages=iter([AIMessage("It does, ten days after the first frost.", usage_metadata=usage)] * 3))
answer = model.invoke("Does the gate close?")
model.invoke(["Does the gate close?", answer, "And then?", search.invoke("gate")])
if sys.stdout is not None and not sys.stdout.closed:
    print("done")
sys.exit(7)
"""


def run(
    *flags: str, cwd: Path, program: str = PROGRAM, without: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    ours = {"TOKEN_OTEL_WORKER": "inline", **(env or {})}
    environment = {name: value for name, value in os.environ.items() if name not in {*without, "TOKEN_OTEL_RAISE"}}
    command = [sys.executable, *flags, "-c", program]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment | ours,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was logged, but for the price that a model of tests has not."""
    return [line for line in done.stderr.splitlines() if not line.startswith("no price is known")]


def spans(file: Path) -> list[tuple[str, Any]]:
    """The names and attributes of what a file holds, without what differs from run to run."""
    found: list[tuple[str, Any]] = []
    for line in file.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found += [(span["name"], _values(span["attributes"])) for span in scope["spans"]]
    return found


def _values(attributes: list[Any]) -> dict[str, Any]:
    random = ("producers", "message.ids", "response.id", "external_ids")
    return {each["key"]: each["value"] for each in attributes if not each["key"].endswith(random)}


@pytest.fixture(name="usual", scope="module")
def _usual(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any]]:
    home = tmp_path_factory.mktemp("usual")
    assert run(cwd=home).returncode == 7
    return spans(home / "token-otel.jsonl")


@pytest.mark.parametrize("flags", [["-OO"], ["-I", "-X", "dev"]])
def test_flags_of_the_interpreter_change_nothing(flags: list[str], tmp_path: Path, usual: list[tuple[str, Any]]):
    """No assertion carries behaviour, no docstring is read, no resource is left open."""
    done = run(*flags, cwd=tmp_path)

    assert (done.stdout, done.returncode) == ("done\n", 7)
    assert "token-otel failed" not in done.stderr
    assert spans(tmp_path / "token-otel.jsonl") == usual


@pytest.mark.parametrize("seed", ["1"])
def test_the_seed_of_hashes_changes_nothing(seed: str, tmp_path: Path, usual: list[tuple[str, Any]]):
    """Texts are known by hashes, but nothing is put in their order."""
    assert run(cwd=tmp_path, env={"PYTHONHASHSEED": seed}).returncode == 7
    assert spans(tmp_path / "token-otel.jsonl") == usual


@pytest.mark.parametrize("env", [{"HOME": "/proc/nowhere", "TMPDIR": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}])
def test_neither_a_home_nor_a_place_for_temporary_files_is_needed(env: dict[str, str], tmp_path: Path, usual: list[tuple[str, Any]]):
    """Nothing is cached on disk."""
    done = run(cwd=tmp_path, without=("HOME", "TMPDIR", "USER", "LOGNAME", "PATH", "LANG"), env=env)

    assert (done.stdout, done.returncode) == ("done\n", 7)
    assert spans(tmp_path / "token-otel.jsonl") == usual


def test_a_full_disk_costs_the_file_alone(tmp_path: Path):
    """The other exporters of the provider get every span."""
    program = PROGRAM.replace(
        "token_otel.init()",
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor, ConsoleSpanExporter\n"
        "token_otel.init()\n"
        "trace.get_tracer_provider().add_span_processor("
        "SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + chr(10))))",
    )
    done = run(cwd=tmp_path, program=program, env={"TOKEN_OTEL_FILE": "/dev/full"})

    assert done.stdout.splitlines() == ["chat", "execute_tool search", "chat", "done"]
    assert len(said(done)) == 1


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("how", ["sys.{} = None"])
def test_a_stream_that_is_closed_is_not_needed(stream: str, how: str, tmp_path: Path, usual: list[tuple[str, Any]]):
    """As under pythonw, or in a daemon."""
    done = run(cwd=tmp_path, program="import sys\n" + how.format(stream) + PROGRAM, env={"TOKEN_OTEL_FLOW": "nonsense"})

    assert done.returncode == 7
    assert spans(tmp_path / "token-otel.jsonl") == usual


@pytest.fixture(name="silent")
def _silent() -> Iterator[int]:
    """The port of a collector that accepts, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def test_a_collector_that_never_answers_keeps_nobody_waiting(silent: int, tmp_path: Path):
    """The calls are over before the exporter's time is; the exit waits as long as OpenTelemetry is told to."""
    program = PROGRAM.replace("sys.exit(7)", "import time; print(time.process_time() < 60); sys.exit(7)")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent}", "OTEL_EXPORTER_OTLP_TIMEOUT": "2", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    done = run(cwd=tmp_path, program=program, env=env)

    assert (done.stdout, done.returncode) == ("done\nTrue\n", 7)


def test_a_collector_that_is_down_is_not_noticed(tmp_path: Path):
    """Nobody listens: the spans are lost, the program is as it was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
    done = run(cwd=tmp_path, env=env)

    assert (done.stdout, done.returncode) == ("done\n", 7)
    assert "token-otel failed" not in done.stderr


def test_a_thread_may_start_a_run_while_the_interpreter_exits(tmp_path: Path):
    """A daemon thread that goes on while everything is being closed reaches no error of ours."""
    thread = (
        "import threading\nthreading.Thread(target=lambda: [model.invoke('x') for _ in iter(int, 1)], daemon=True).start()\nsys.exit(7)"
    )
    program = PROGRAM.replace("sys.exit(7)", thread).replace("iter([AIMessage", "__import__('itertools').cycle([AIMessage")
    done = run(cwd=tmp_path, program=program)

    assert done.returncode == 7
    assert "token-otel failed" not in done.stderr


def test_a_clock_that_steps_back_makes_no_span_negative(monkeypatch: pytest.MonkeyPatch):
    """The wall clock is read once; from there time is what the monotonic clock says."""
    clock = Clock()
    before = clock.now_ns()
    made = bench()
    made.recorder.record(AgentStarted(run_id="a", name="a"))
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    made.recorder.record(Ended(run_id="a"))

    [span] = made.spans
    assert (span.end_time or 0) >= (span.start_time or 0) > before - 10**9
    assert clock.now_ns() >= before
