"""`instrument()`, `init()` and zero code: switched on for a process, and off again."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from token_otel import Recorder, instrument, instrumentation, uninstrument
from token_otel.events import AgentStarted, Ended, ModelStarted
from token_otel.zero_code import Instrumentor


class Fake:
    """An integration that notes what is asked of it."""

    def __init__(self) -> None:
        self.recorders: list[Recorder] = []
        self.undone = 0

    def instrument(self, recorder: Recorder) -> None:
        self.recorders.append(recorder)

    def uninstrument(self) -> None:
        self.undone += 1


class Broken(Fake):
    """An integration whose framework is too old."""

    def instrument(self, recorder: Recorder) -> None:
        raise ImportError("langchain-core >= 1.2 is needed")


FAKE_MODULE = "tests_fake_integration"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """The one integration that is installed, for a framework that is imported already."""
    made = Fake()
    install(monkeypatch, made, "json")
    return made


def install(monkeypatch: pytest.MonkeyPatch, integration: Fake, framework: str, distribution: str | None = None) -> None:
    module = types.ModuleType(FAKE_MODULE)
    module.integration = integration  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, FAKE_MODULE, module)
    point = EntryPoint(framework, f"{FAKE_MODULE}:integration" + (f" [{distribution}]" if distribution else ""), "token_otel")

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point] if group == "token_otel" else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    monkeypatch.setattr(instrumentation, "_instrumentation", instrumentation._Instrumentation())  # pyright: ignore[reportPrivateUsage]


def provider_of(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def test_watches_what_is_installed(fake: Fake):
    """Found by its entry point, and named."""
    provider = TracerProvider(shutdown_on_exit=False)

    assert instrument(provider) == ["json"]
    assert fake.recorders == [Recorder.shared(provider)]


def test_twice_is_once(fake: Fake):
    """The second time it only tells the names."""
    assert instrument() == ["json"]
    assert instrument() == ["json"]
    assert len(fake.recorders) == 1


def test_can_be_undone_and_done_again(fake: Fake):
    """As often as one likes."""
    instrument()
    uninstrument()
    uninstrument()
    instrument()

    assert (fake.undone, len(fake.recorders)) == (1, 2)


def test_a_framework_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch):
    """Its integration is not even loaded."""
    fake = Fake()
    install(monkeypatch, fake, "no_such_framework_anywhere")

    assert instrument() == []
    assert fake.recorders == []


def test_a_module_of_the_programs_own_is_not_taken_for_a_framework(monkeypatch: pytest.MonkeyPatch):
    """Where the distribution that brings the framework is not installed, what has its name is somebody else's: it is not imported."""
    fake = Fake()
    install(monkeypatch, fake, "json", "no_such_distribution")

    assert instrument() == []
    assert fake.recorders == []


def test_a_framework_by_another_name_than_its_distribution_is_watched(monkeypatch: pytest.MonkeyPatch):
    """What stands in brackets is installed, under hyphens."""
    fake = Fake()
    install(monkeypatch, fake, "json", "opentelemetry_sdk")

    assert instrument(TracerProvider(shutdown_on_exit=False)) == ["json"]
    assert len(fake.recorders) == 1


def test_an_integration_that_cannot_be_loaded_breaks_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """It is said; its framework is not among the watched, and may be tried again."""
    install(monkeypatch, Broken(), "json")
    monkeypatch.delenv("TOKEN_OTEL_RAISE")
    provider = TracerProvider(shutdown_on_exit=False)

    assert instrument(provider) == []
    assert instrument(provider) == []
    said = "token-otel cannot watch json (ImportError: langchain-core >= 1.2 is needed); your program is unaffected"
    assert caplog.messages == [said] * 2


def test_where_it_is_to_be_loud_the_error_is_raised(monkeypatch: pytest.MonkeyPatch):
    """TOKEN_OTEL_RAISE is for tests."""
    install(monkeypatch, Broken(), "json")

    with pytest.raises(ImportError, match=r"langchain-core >= 1\.2"):
        instrument(TracerProvider(shutdown_on_exit=False))


@pytest.fixture
def late_framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A framework that is installed and not imported yet."""
    (tmp_path / "late_framework.py").write_text("answer = 42\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "late_framework", raising=False)
    return "late_framework"


def test_a_framework_is_watched_from_its_first_import(monkeypatch: pytest.MonkeyPatch, late_framework: str):
    """Where wrapt is installed; nothing is imported for its sake."""
    fake = Fake()
    install(monkeypatch, fake, late_framework)

    assert instrument() == [late_framework]
    assert (late_framework in sys.modules, fake.recorders) == (False, [])
    __import__(late_framework)
    assert len(fake.recorders) == 1


def test_undone_before_its_import_a_framework_is_left_alone(monkeypatch: pytest.MonkeyPatch, late_framework: str):
    """The hook finds nothing to do."""
    fake = Fake()
    install(monkeypatch, fake, late_framework)
    instrument()
    uninstrument()
    __import__(late_framework)

    assert (fake.recorders, fake.undone) == ([], 0)


def test_without_wrapt_a_framework_is_watched_at_once(monkeypatch: pytest.MonkeyPatch, late_framework: str):
    """There is no other way to wait for it."""
    fake = Fake()
    install(monkeypatch, fake, late_framework)
    monkeypatch.setitem(sys.modules, "wrapt", None)

    assert instrument() == [late_framework]
    assert len(fake.recorders) == 1


def test_shutdown_settles_open_runs_before_the_processors(fake: Fake):
    """Else their spans would be lost."""
    exporter = InMemorySpanExporter()
    provider = provider_of(exporter)
    instrument(provider)
    recorder = Recorder.shared(provider)
    recorder.record(AgentStarted(run_id="a", name="x"))
    recorder.record(ModelStarted(run_id="m", parent_id="a", model="gpt-5"))
    provider.shutdown()

    assert [span.name for span in exporter.get_finished_spans()] == ["chat gpt-5", "invoke_agent x"]


def test_a_flush_writes_what_outlived_its_parent(fake: Fake):
    """And leaves what is under way, however often the provider was wrapped."""
    exporter = InMemorySpanExporter()
    provider = provider_of(exporter)
    instrument(provider)
    instrument(provider)
    recorder = Recorder.shared(provider)
    for event in (
        AgentStarted(run_id="a", name="x"),
        ModelStarted(run_id="m", parent_id="a", model="gpt-5"),
        Ended(run_id="a"),
        ModelStarted(run_id="n", model="gpt-5"),
    ):
        recorder.record(event)

    assert provider.force_flush()
    assert [span.name for span in exporter.get_finished_spans()] == ["invoke_agent x", "chat gpt-5"]
    assert recorder.open_runs == 1
    provider.shutdown()


def test_zero_code_is_instrument(fake: Fake):
    """What `opentelemetry-instrument` calls, with the provider it hands over."""
    provider = TracerProvider(shutdown_on_exit=False)
    instrumentor = Instrumentor()
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    instrumentor.uninstrument()

    assert fake.recorders == [Recorder.shared(provider)]
    assert fake.undone == 1
    assert instrumentor.instrumentation_dependencies() == ()


def test_the_entry_points_lead_to_what_they_name():
    """As installed."""
    [zero_code] = [point for point in importlib.metadata.entry_points(group="opentelemetry_instrumentor") if point.name == "token_otel"]

    assert zero_code.load() is Instrumentor


AGENT = """
from token_otel.events import AgentStarted, Ended
recorder.record(AgentStarted(run_id="a", name="x"))
recorder.record(Ended(run_id="a"))
"""


def run(script: str, tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own: a global provider can be set once in a process."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PATH": "", **env}, capture_output=True, text=True, timeout=60, check=False
    )


def names(path: Path) -> list[str]:
    requests: list[Any] = [json.loads(line) for line in path.read_text().splitlines()]
    scopes = [scope for request in requests for group in request["resourceSpans"] for scope in group["scopeSpans"]]
    return [span["name"] for scope in scopes for span in scope["spans"]]


def test_init_writes_a_file_where_there_is_no_endpoint(tmp_path: Path):
    """token-otel.jsonl, which `token-otel report` reads."""
    done = run(f"import token_otel; recorder = token_otel.init()\n{AGENT}", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path / "token-otel.jsonl") == ["invoke_agent x"]


def test_init_writes_the_file_that_is_named(tmp_path: Path):
    """By the variable, or by the argument, which wins."""
    run(f"import token_otel; recorder = token_otel.init()\n{AGENT}", tmp_path, TOKEN_OTEL_FILE="a.jsonl")
    run(f"import token_otel; recorder = token_otel.init(file='b.jsonl')\n{AGENT}", tmp_path, TOKEN_OTEL_FILE="c.jsonl")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]


def test_a_bad_setting_is_said_once(tmp_path: Path):
    """By the recorder; `init()` reads the settings too."""
    done = run(f"import token_otel; recorder = token_otel.init()\n{AGENT}", tmp_path, TOKEN_OTEL_FLOW="full")

    assert done.stderr == "TOKEN_OTEL_FLOW is 'full', but accepted are off, ids, text; its default stands\n"


MISSING = """
import sys
sys.modules["opentelemetry.exporter.otlp.proto.http.trace_exporter"] = None
import token_otel
for _ in range(2):
    try:
        token_otel.init()
    except ImportError as error:
        print(error)
"""


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_an_endpoint_without_its_exporter_is_one_sentence(tmp_path: Path, variable: str):
    """With the command that installs it, each time: no provider without an exporter is left behind."""
    done = run(MISSING, tmp_path, **{variable: "http://localhost:4318"})

    assert done.stdout == 'An OTLP endpoint is set, but its exporter is missing: pip install "token-otel[otlp]"\n' * 2
    assert list(tmp_path.iterdir()) == []


def test_init_uses_a_provider_that_is_set(tmp_path: Path):
    """It is left as it is: no file is written."""
    script = f"""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, ConsoleSpanExporter
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name)))
trace.set_tracer_provider(provider)
import token_otel
recorder = token_otel.init()
{AGENT}"""
    done = run(script, tmp_path)

    assert (done.stdout, done.stderr) == ("invoke_agent x", "")
    assert list(tmp_path.iterdir()) == []


def test_the_sdk_switched_off_is_token_otel_switched_off(tmp_path: Path):
    """OTEL_SDK_DISABLED is the standard's own switch."""
    done = run(f"import token_otel; recorder = token_otel.init()\n{AGENT}\nprint(recorder.open_runs)", tmp_path, OTEL_SDK_DISABLED="true")

    assert (done.stdout, done.stderr) == ("0\n", "")
