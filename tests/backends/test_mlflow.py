"""MLflow, the real server: its tokens and its cost are ours, which are what the providers billed."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_anthropic import ChatAnthropic
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from token_otel import Recorder, Settings, report
from token_otel.otel.trace_file import read_spans
from token_otel.testing.loopback import Answer, Bill, LoopbackAnthropic, LoopbackOpenAI, ToolCall
from token_otel_langchain import TokenOtelHandler

PYTHON = os.environ.get("TOKEN_OTEL_MLFLOW_PYTHON", "")
DEMO = Path(__file__).parents[2] / "examples" / "research_team"
START_S = 120.0

pytestmark = pytest.mark.skipif(not PYTHON, reason="TOKEN_OTEL_MLFLOW_PYTHON names no interpreter with MLflow; .ci/run makes one")

HANDBOOK = "Say what the sources say, and where they are silent say that. " * 120  # long enough to be cached
NOTES = "Shade helps within a season, light roofs when they are renewed, trees after ten to twenty years."
DRAFT = "Shade comes first, because it helps within a season. Roofs and trees follow in their own time."


class MLflow:
    """A server on 127.0.0.1, and what it has made of the spans it was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.traces_endpoint = f"{url}/v1/traces"
        self.headers = {"x-mlflow-experiment-id": "0"}

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        exporter = OTLPSpanExporter(endpoint=self.traces_endpoint, headers=self.headers)
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        exporter.shutdown()

    def metadata(self, trace_id: str) -> Mapping[str, Any]:
        """What the server itself has worked out of a trace."""
        answer = self._get(f"/api/3.0/mlflow/traces/tr-{trace_id}")
        return answer["trace"]["trace_info"]["trace_metadata"]

    def usage(self, trace_id: str) -> Mapping[str, int]:
        return json.loads(self.metadata(trace_id)["mlflow.trace.tokenUsage"])

    def cost(self, trace_id: str) -> Mapping[str, float]:
        return json.loads(self.metadata(trace_id)["mlflow.trace.cost"])

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        return self._get(f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id=tr-{trace_id}")["spans"]

    def _get(self, path: str) -> Any:
        return httpx.get(self.url + path, timeout=30, trust_env=False).raise_for_status().json()


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflow]:
    """Start the server on a free port, with its database and its log in a temporary directory, and stop it in any case."""
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PYTHON, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/db.sqlite", "--artifacts-destination", f"{home}/artifacts"]
    # Without the first switch it runs ten processes in 1.8 GB.
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        found = MLflow(f"http://127.0.0.1:{port}")
        _wait_for(found, server, home / "log")
        yield found
    finally:
        _stop(server)


def _wait_for(found: MLflow, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{found.url}/health", timeout=5, trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"MLflow did not come up in {START_S:.0f} s (exit code {server.poll()}); its log ends: {log.read_text()[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server and its worker: they are a process group of their own."""
    for signal in (15, 9):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=15)
            return


@dataclass(frozen=True)
class Turn:
    """One trace: its spans, and what the providers billed for it."""

    spans: Sequence[ReadableSpan]
    bills: Sequence[Bill]

    @property
    def trace_id(self) -> str:
        [trace_id] = {f"{span.context.trace_id:032x}" for span in self.spans if span.context is not None}
        return trace_id


@pytest.fixture(scope="module")
def turns(mlflow: MLflow) -> list[Turn]:
    """Two turns of a team on one thread, exported as they ended."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=mlflow.traces_endpoint, headers=mlflow.headers)))
    settings = Settings(cost_attributes=("mlflow",), worker="inline", metrics="off", raise_errors=True)
    handler = TokenOtelHandler(recorder=Recorder(provider, settings=settings))
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "council-brief"}}
    found: list[Turn] = []
    openai_answers = {
        "gpt-5": [Answer(DRAFT, reasoning_tokens=192), Answer("Shade first.", reasoning_tokens=64)],
        "acme-llm-1": [Answer("It may go out."), Answer("It may go out, too.")],
    }
    claude_answers = {"claude-haiku-4-5": [Answer(tool_calls=[ToolCall("read_report")]), Answer(NOTES), Answer("Shade: a season.")]}
    with LoopbackOpenAI(openai_answers) as openai, LoopbackAnthropic(claude_answers) as anthropic:
        team = _team(openai.base_url, anthropic.base_url)
        for question in ("How can our city keep cool?", "And what helps within a year?"):
            billed = len(openai.bills), len(anthropic.bills)
            exporter.clear()
            team.invoke({"messages": [("user", question)]}, config)
            bills = [*openai.bills[billed[0] :], *anthropic.bills[billed[1] :]]
            found.append(Turn(exporter.get_finished_spans(), bills))
    provider.shutdown()
    return found


@tool
def read_report() -> str:
    """Read the report on how cities keep cool."""
    return "Shade lowers what a person feels within a season. " * 30


def _team(openai_url: str, anthropic_url: str) -> Any:
    """A researcher with a tool and a cached prompt, a writer at half price, a critic on a model that no price book knows."""
    key = cast("Any", "offline")
    claude = ChatAnthropic(model_name="claude-haiku-4-5", base_url=anthropic_url, api_key=key, max_retries=0, timeout=30, stop=None)
    gpt = ChatOpenAI(model="gpt-5", base_url=openai_url, api_key=key, max_retries=0, service_tier="flex")
    acme = ChatOpenAI(model="acme-llm-1", base_url=openai_url, api_key=key, max_retries=0)
    caching: Any = AnthropicPromptCachingMiddleware(ttl="5m")
    members: list[Any] = [
        create_agent(claude, [read_report], system_prompt=HANDBOOK, name="researcher", middleware=[caching]),
        create_agent(gpt, [], system_prompt=HANDBOOK, name="writer"),
        create_agent(acme, [], system_prompt="Check the draft.", name="critic"),
    ]
    graph: Any = StateGraph(MessagesState)
    before = START
    for member in members:
        graph.add_node(member.name, member)
        graph.add_edge(before, member.name)
        before = member.name
    return graph.compile(checkpointer=InMemorySaver(), name="team")


def _attributes(spans: Iterable[ReadableSpan]) -> list[Mapping[str, Any]]:
    return [span.attributes or {} for span in spans]


def test_tokens_are_ours_and_the_providers(mlflow: MLflow, turns: list[Turn]):
    """What the server adds up for a trace is what stands on our spans, and what was billed."""
    for turn in turns:
        spans = _attributes(turn.spans)
        ours = {
            name: sum(span.get(f"gen_ai.usage.{attribute}", 0) for span in spans)
            for name, attribute in {
                "input_tokens": "input_tokens",
                "output_tokens": "output_tokens",
                "cache_read_input_tokens": "cache_read.input_tokens",
                "cache_creation_input_tokens": "cache_write.input_tokens",
            }.items()
        }
        ours["total_tokens"] = ours["input_tokens"] + ours["output_tokens"]

        assert mlflow.usage(turn.trace_id) == ours
        assert ours == {
            "input_tokens": sum(bill.input for bill in turn.bills),
            "output_tokens": sum(bill.output for bill in turn.bills),
            "cache_read_input_tokens": sum(bill.cache_read for bill in turn.bills),
            "cache_creation_input_tokens": sum(bill.cache_write_5m + bill.cache_write_1h for bill in turn.bills),
            "total_tokens": sum(bill.input + bill.output for bill in turn.bills),
        }
        assert all(bill.delivered for bill in turn.bills)
        assert min(ours.values()) > 0


def test_cost_is_ours_and_the_providers(mlflow: MLflow, turns: list[Turn]):
    """The writer's flex tier is charged at half price, and the unknown model at none: the server's own prices have neither."""
    for turn in turns:
        spans = _attributes(turn.spans)
        ours = {
            f"{part}_cost": float(sum(Decimal(str(span.get(f"token_otel.cost.{part}_usd", 0))) for span in spans))
            for part in ("input", "output", "total")
        }

        assert mlflow.cost(turn.trace_id) == pytest.approx(ours, abs=1e-9)
        assert ours["total_cost"] == pytest.approx(float(sum(bill.cost_usd or 0 for bill in turn.bills)), abs=1e-9)
        assert [bill.model for bill in turn.bills if bill.cost_usd is None] == ["acme-llm-1"]


def test_links_arrive_with_their_attributes(mlflow: MLflow, turns: list[Turn]):
    """Who informed whom, by how many tokens; a link may lead into the trace before."""
    for turn in turns:
        sent = sorted(
            (f"{span.context.span_id:016x}", f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", dict(link.attributes or {}))
            for span in turn.spans
            if span.context is not None
            for link in span.links
        )

        assert _links(mlflow.spans(turn.trace_id)) == sent
    first, second = (_links(mlflow.spans(turn.trace_id)) for turn in turns)
    assert {attributes.get("token_otel.flow.origin") for *_, attributes in first} >= {"agent:researcher", "agent:writer"}
    assert {attributes["gen_ai.attribution.link_type"] for *_, attributes in first} == {"INFORMED_BY", "CAUSED_BY_GENERATION"}
    assert turns[0].trace_id in {trace_id for _, trace_id, *_ in second}


def test_turns_of_a_thread_are_a_session(mlflow: MLflow, turns: list[Turn]):
    """The conversation id groups the traces."""
    assert {mlflow.metadata(turn.trace_id)["mlflow.trace.session"] for turn in turns} == {"council-brief"}


def test_sending_everything_twice_changes_nothing(mlflow: MLflow, turns: list[Turn]):
    """Spans are known by their ids: an exporter that tries again does not double the bill."""
    before = [_seen(mlflow, turn) for turn in turns]
    for turn in turns:
        mlflow.send(turn.spans)

    assert [_seen(mlflow, turn) for turn in turns] == before


def test_the_demo_says_the_same_to_the_server_as_to_its_file(mlflow: MLflow, tmp_path: Path):
    """A program that sets nothing but OTEL_* and one profile: each of its traces costs on the server what its file says."""
    file = tmp_path / "token-otel.jsonl"
    env = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": mlflow.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-mlflow-experiment-id=0",
        "TOKEN_OTEL_COST_ATTRIBUTES": "mlflow",
        "TOKEN_OTEL_FILE": str(file),
    }
    demo = subprocess.run([sys.executable, str(DEMO)], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    calls: dict[str, list[Mapping[str, Any]]] = {}
    for span in read_spans(file):
        calls.setdefault(span.trace_id, []).append(span.attributes)

    assert len(calls) == 2
    for trace_id, spans in calls.items():
        usage = mlflow.usage(trace_id)
        assert usage["input_tokens"] == sum(span.get("gen_ai.usage.input_tokens", 0) for span in spans)
        assert usage["output_tokens"] == sum(span.get("gen_ai.usage.output_tokens", 0) for span in spans)
        ours = float(sum(Decimal(str(span.get("token_otel.cost.total_usd", 0))) for span in spans))
        assert mlflow.cost(trace_id)["total_cost"] == pytest.approx(ours, abs=1e-9)
    total = sum(mlflow.cost(trace_id)["total_cost"] for trace_id in calls)
    assert total == pytest.approx(float(report.load(file).totals.cost_usd), abs=1e-9)


def _links(spans: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The links that the server shows, in the form and order of ours: it writes a span's own ids in base64, a link's in hex."""
    return sorted(
        (base64.b64decode(span["span_id"]).hex(), link["trace_id"].removeprefix("tr-"), link["span_id"], link["attributes"])
        for span in spans
        for link in span["links"]
    )


def _seen(mlflow: MLflow, turn: Turn) -> tuple[Any, ...]:
    """All that the server makes of a trace, but for the order of its spans."""
    spans = sorted(mlflow.spans(turn.trace_id), key=lambda span: span["span_id"])
    return mlflow.usage(turn.trace_id), mlflow.cost(turn.trace_id), mlflow.metadata(turn.trace_id), spans
