"""Prometheus, the real server: what it scrapes and sums is what the providers billed."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import httpx
import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client import CollectorRegistry, start_http_server

from token_otel import Recorder, Settings, report
from token_otel.otel.file_exporter import JsonLinesSpanExporter
from token_otel.testing.loopback import Answer, Bill, LoopbackAnthropic, LoopbackOpenAI
from token_otel_langchain import TokenOtelHandler

PROMETHEUS = os.environ.get("TOKEN_OTEL_PROMETHEUS", "")
DEMO = Path(__file__).parents[2] / "examples" / "research_team"
START_S = 60.0

pytestmark = pytest.mark.skipif(not PROMETHEUS, reason="TOKEN_OTEL_PROMETHEUS names no binary; .ci/run unpacks Debian's")

SHARED = {"gen_ai_invoke_agent_duration_seconds", "token_otel_cost_total", "token_otel_flow_tokens_total"}
LATEST = {
    "gen_ai_client_inference_duration_seconds",
    "gen_ai_client_inference_usage_input_tokens_total",
    "gen_ai_client_inference_usage_output_tokens_total",
    "gen_ai_client_inference_usage_cache_read_input_tokens_total",
    "gen_ai_client_inference_usage_cache_write_input_tokens_total",
    "gen_ai_client_inference_usage_reasoning_output_tokens_total",
    "gen_ai_client_inference_operation_input_tokens",
    "gen_ai_client_inference_operation_output_tokens",
}
STREAMED = {"gen_ai_client_inference_time_to_first_chunk_seconds"}
LEGACY = {"gen_ai_client_operation_duration_seconds", "gen_ai_client_token_usage"}


@dataclass(frozen=True)
class Program:
    """One program that is scraped: what its spans say, and what the providers billed for it."""

    job: str
    port: int
    report: report.Report
    bills: Sequence[Bill]


class Prometheus:
    """A server on 127.0.0.1, and what it answers about one moment: a scrape that a busy machine delays takes its series away."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.moment = 0.0

    def query(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """The labels and the value of each series."""
        params = {"query": query, "time": str(self.moment)}
        answer = httpx.get(f"{self.url}/api/v1/query", params=params, timeout=10, trust_env=False).raise_for_status().json()
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def number(self, query: str) -> float:
        """The value of the one series."""
        [(_, value)] = self.query(query)
        return value

    def by(self, label: str, query: str) -> dict[str, float]:
        """The sums by one label."""
        return {labels[label]: value for labels, value in self.query(f"sum by ({label}) ({query})")}

    def families(self, job: str) -> set[str]:
        """The names of what is scraped, a histogram's three series as one."""
        names = {labels["__name__"] for labels, _ in self.query(f'{{job="{job}", __name__=~"(gen_ai|token_otel)_.*"}}')}
        return {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in names}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """The demo's two turns with both generations of metrics, one streamed call with either, and one to a model without a price."""
    home = tmp_path_factory.mktemp("programs")
    with ExitStack() as stack:
        made = [
            _program(stack, home, "team", "both", _demo),
            _program(stack, home, "latest", "latest", _one_call("gpt-5")),
            _program(stack, home, "legacy", "legacy", _one_call("gpt-5")),
            _program(stack, home, "unpriced", "both", _one_call("acme-llm-1")),
        ]
        yield {program.job: program for program in made}


@pytest.fixture(scope="module")
def prometheus(programs: dict[str, Program], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Start the server once all programs have done their work, wait until each is scraped, and stop it in any case."""
    home = tmp_path_factory.mktemp("prometheus")
    jobs = [f"{{job_name: {program.job}, static_configs: [{{targets: ['127.0.0.1:{program.port}']}}]}}" for program in programs.values()]
    (home / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs: [{', '.join(jobs)}]\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [PROMETHEUS, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data", f"--web.listen-address={address}"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        found = Prometheus(f"http://{address}")
        _wait_for(found, server, len(programs), home / "log")
        yield found
    finally:
        _stop(server)


def _wait_for(found: Prometheus, server: subprocess.Popen[bytes], targets: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        found.moment = time.time()
        with suppress(httpx.TransportError, httpx.HTTPStatusError):
            if len(found.query("up == 1")) == targets:
                return
        time.sleep(0.1)
    pytest.fail(f"Prometheus did not scrape in {START_S:.0f} s (exit code {server.poll()}); its log ends: {log.read_text()[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    for signal in (15, 9):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=15)
            return


def _program(stack: ExitStack, home: Path, job: str, metrics: str, work: Callable[[TokenOtelHandler], Sequence[Bill]]) -> Program:
    """Do the work under a handler of its own, whose metrics can be scraped until the stack is left."""
    registry, file = CollectorRegistry(), home / f"{job}.jsonl"
    tracers, meters = (
        TracerProvider(shutdown_on_exit=False),
        MeterProvider([PrometheusMetricReader(registry=registry)], shutdown_on_exit=False),
    )
    tracers.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(str(file))))
    settings = Settings(metrics=metrics, worker="inline", raise_errors=True)
    bills = work(TokenOtelHandler(recorder=Recorder(tracers, meters, settings=settings)))
    tracers.shutdown()
    stack.callback(meters.shutdown)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    stack.callback(thread.join, timeout=10)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return Program(job, server.server_port, report.load(file), bills)


def _demo(handler: TokenOtelHandler) -> Sequence[Bill]:
    script, team = _module("script"), _module("team")
    key, config = cast("Any", "offline"), cast("Any", {"callbacks": [handler], "configurable": {"thread_id": "council-brief"}})
    with LoopbackOpenAI(script.OPENAI) as openai, LoopbackAnthropic(script.ANTHROPIC) as anthropic:
        gpt: dict[str, Any] = {"base_url": openai.base_url, "api_key": key, "max_retries": 0, "stream_usage": True}
        members = team.build_team(
            supervisor=ChatOpenAI(model="gpt-5-mini", **gpt),
            researcher=ChatAnthropic(
                model_name="claude-haiku-4-5", base_url=anthropic.base_url, api_key=key, max_retries=0, timeout=30, stop=None
            ),
            writer=ChatOpenAI(model="gpt-5", **gpt),
            critic=ChatOpenAI(model="gpt-4.1-mini", **gpt),
        )
        for question in (script.FIRST, script.SECOND):
            members.invoke({"messages": [("user", question)]}, config)
        return [*openai.bills, *anthropic.bills]


def _one_call(model: str) -> Callable[[TokenOtelHandler], Sequence[Bill]]:
    def work(handler: TokenOtelHandler) -> Sequence[Bill]:
        with LoopbackOpenAI({model: [Answer("It may go out.", reasoning_tokens=64)]}) as openai:
            key = cast("Any", "offline")
            gpt = ChatOpenAI(model=model, base_url=openai.base_url, api_key=key, max_retries=0, streaming=True, stream_usage=True)
            agents: list[Any] = [create_agent(gpt, [], system_prompt="Check the draft.", name="critic")]
            agents[0].invoke({"messages": [("user", "Shade helps within a season.")]}, {"callbacks": [handler]})
            return list(openai.bills)

    return work


def _module(name: str) -> ModuleType:
    """A module of the demo, which is a program and no package."""
    spec = importlib.util.spec_from_file_location(f"research_team_{name}", DEMO / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_cost_is_what_the_providers_billed(prometheus: Prometheus, programs: dict[str, Program]):
    """To nine digits of a dollar; the unit leaves no trace in the name."""
    bills = programs["team"].bills

    assert len(bills) == 17
    assert all(bill.delivered for bill in bills)
    billed = float(sum(bill.cost_usd or Decimal() for bill in bills))
    assert billed > 0.01
    assert prometheus.number('sum(token_otel_cost_total{job="team"})') == pytest.approx(billed, abs=1e-9)


def test_the_cost_by_agent_is_the_reports(prometheus: Prometheus, programs: dict[str, Program]):
    """Each agent's own calls: the workflow around them has none."""
    accounts = {account.name: float(account.own.cost_usd) for account in programs["team"].report.accounts if account.own.calls}

    assert set(accounts) == {"supervisor", "researcher", "writer", "critic"}
    assert prometheus.by("gen_ai_agent_name", 'token_otel_cost_total{job="team"}') == pytest.approx(accounts, abs=1e-9)


def test_the_reread_share_is_the_reports(prometheus: Prometheus, programs: dict[str, Program]):
    """Two sums over the flow, the whole of which is the billed input."""
    flow = prometheus.by("token_otel_flow_reread", 'token_otel_flow_tokens_total{job="team"}')

    assert sum(flow.values()) == sum(bill.input for bill in programs["team"].bills)
    share = programs["team"].report.totals.reread_share
    assert share is not None
    assert share > 0.5
    assert flow["true"] / sum(flow.values()) == pytest.approx(share, abs=1e-12)


def test_tokens_are_the_providers_in_both_generations(prometheus: Prometheus, programs: dict[str, Program]):
    """A counter for each kind, or one histogram with a label."""
    bills = programs["team"].bills
    billed = {
        "input": sum(bill.input for bill in bills),
        "output": sum(bill.output for bill in bills),
        "cache_read_input": sum(bill.cache_read for bill in bills),
        "cache_write_input": sum(bill.cache_write_5m for bill in bills),
        "reasoning_output": sum(bill.reasoning for bill in bills),
    }

    assert min(billed.values()) > 0
    assert {kind: prometheus.number(f'sum(gen_ai_client_inference_usage_{kind}_tokens_total{{job="team"}})') for kind in billed} == billed
    older = prometheus.by("gen_ai_token_type", 'gen_ai_client_token_usage_sum{job="team"}')
    assert older == {"input": billed["input"], "output": billed["output"]}
    assert prometheus.number('sum(gen_ai_client_inference_duration_seconds_count{job="team"})') == 17


@pytest.mark.parametrize(
    ("job", "families"),
    [
        ("team", SHARED | LATEST | LEGACY | {"gen_ai_execute_tool_duration_seconds", "gen_ai_invoke_workflow_duration_seconds"}),
        ("latest", SHARED | LATEST | STREAMED),
        ("legacy", SHARED | LEGACY | {"gen_ai_client_operation_time_to_first_chunk_seconds"}),
    ],
)
def test_either_generation_is_scraped_or_both(prometheus: Prometheus, job: str, families: set[str]):
    """As `TOKEN_OTEL_METRICS` says; the demo does not stream."""
    assert prometheus.families(job) == families


def test_tokens_without_a_price_are_counted(prometheus: Prometheus, programs: dict[str, Program]):
    """And cost nothing rather than something guessed."""
    [bill] = programs["unpriced"].bills

    assert bill.cost_usd is None
    [(labels, tokens)] = prometheus.query('token_otel_unpriced_tokens_total{job="unpriced"}')
    assert tokens == bill.input + bill.output
    assert (labels["gen_ai_request_model"], labels["gen_ai_agent_name"]) == ("acme-llm-1", "critic")
    assert prometheus.query('token_otel_cost_total{job="unpriced"}') == []
