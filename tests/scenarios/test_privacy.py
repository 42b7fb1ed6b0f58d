"""What leaves the process: no words, whatever they are and however a run ends; and, by setting, no names."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.scenarios.bench import Bench, bench
from tests.scenarios.scenes import DRAFT, QUESTION

from token_otel import Recorder, Settings
from token_otel.otel.file_exporter import JsonLinesSpanExporter
from token_otel.settings import COST_PROFILES
from token_otel.testing.loopback import Answer, ToolCall
from token_otel_langchain import TokenOtelHandler

WORD = "XCANARYX"


class Out:
    """Everything that leaves: spans to memory and to a file, metrics."""

    def __init__(self, file: Path, **settings: Any) -> None:
        self._file = file
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        provider.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(str(file))))
        chosen = Settings(worker="inline", raise_errors=True, **settings)
        self.handler = TokenOtelHandler(recorder=Recorder(provider, MeterProvider([self._metrics]), settings=chosen))

    def text(self) -> str:
        """All of it in one text."""
        metrics = self._metrics.get_metrics_data()
        assert metrics is not None
        spans = self._spans.get_finished_spans()
        assert len(spans) >= 6
        return "\n".join([*(span.to_json() for span in spans), self._file.read_text(), metrics.to_json()])


class Shelf(BaseRetriever):
    """Finds a text."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(f"{WORD} in a document", metadata={"source": WORD})]


def speak(b: Bench, handler: TokenOtelHandler, *, fails: bool) -> None:
    """Two agents who say, read, hear and fail on the word, wherever a program can put one."""
    shelf = Shelf()

    @tool
    def look_up(word: str) -> str:
        """Look up XCANARYX and other words."""
        found = shelf.invoke(word)[0].page_content
        if fails:
            raise ValueError(f"{WORD} cannot be found")
        return f"{WORD} in a result; {found}"

    for name, model in (("pilot", b.gpt("gpt-5-mini")), ("copilot", b.claude("claude-haiku-4-5"))):
        agent: Any = create_agent(model, [look_up], name=name, system_prompt=f"{WORD} in the system prompt.")
        message = HumanMessage(f"{WORD} in a question", name=f"{WORD}-person")
        try:
            agent.invoke({"messages": [message]}, {"callbacks": [handler], "metadata": {"secret": WORD}, "tags": [WORD]})
        except ValueError:
            assert fails


@pytest.mark.parametrize("fails", [False, True])
def test_no_word_leaves(fails: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Prompts, answers, arguments, results, documents, schemas, error texts, metadata: in no span, metric, file or log of ours."""

    def answers() -> list[Answer]:
        call = ToolCall("look_up", {"word": f"{WORD} in an argument"})
        return [Answer(f"{WORD} in a thought", tool_calls=[call], reasoning_tokens=10), Answer(f"{WORD} in an answer")]

    out = Out(tmp_path / "spans.jsonl", cost_attributes=tuple(name for name in COST_PROFILES if name != "semconv-draft"))
    with caplog.at_level(logging.DEBUG, logger="token_otel"), bench({"gpt-5-mini": answers()}, {"claude-haiku-4-5": answers()}) as b:
        speak(b, out.handler, fails=fails)
    assert WORD not in out.text()
    assert WORD not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("token_otel"))


def test_what_our_own_failure_says_is_not_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """An error in a callback may quote the message that it met, and LangChain logs what a callback raises."""

    def fail(message: Any) -> Any:
        raise KeyError(message.content)

    monkeypatch.setattr("token_otel_langchain.messages.parts_of", fail)
    recorder = Recorder(TracerProvider(), settings=Settings(worker="inline"))
    with caplog.at_level(logging.DEBUG), bench({"gpt-5": [Answer(f"{WORD} in an answer")]}) as b:
        b.gpt("gpt-5").invoke(f"{WORD} in a question", {"callbacks": [TokenOtelHandler(recorder=recorder)]})
    ours = [record for record in caplog.records if record.name.startswith(("token_otel", "langchain"))]

    assert [record.getMessage().partition(" at ")[0] for record in ours] == ["token-otel failed (KeyError"]
    assert WORD not in ours[0].getMessage()


def test_words_in_place_of_a_tools_name_do_not_leave(tmp_path: Path):
    """A model that calls no tool we know, by a sentence: the refusal that it reads is no named tool's."""
    calls = [Answer(tool_calls=[ToolCall(f"{WORD} delete the record of J. Doe")]), Answer(DRAFT)]
    out = Out(tmp_path / "spans.jsonl")
    with bench({"gpt-5": [*calls, *calls]}) as b:
        agent: Any = create_agent(b.gpt("gpt-5"), [create_handoff_tool(agent_name="writer")], name="lead")
        for _ in range(2):
            agent.invoke({"messages": [HumanMessage(QUESTION)]}, {"callbacks": [out.handler]})
    assert WORD not in out.text()


def test_no_name_leaves_that_is_hashed(tmp_path: Path):
    """With hashed names, none of agents, tools, graphs, retrievers or threads stands anywhere, hand-offs and links included."""
    shelf = Shelf(name="zshelf")

    @tool
    def zread() -> str:
        """Read."""
        return shelf.invoke("anything")[0].page_content

    answers = {
        "gpt-5": [Answer(tool_calls=[ToolCall("transfer_to_zwriter")])],
        "gpt-4.1-mini": [Answer(tool_calls=[ToolCall("zread")]), Answer(DRAFT), Answer("It depends on the spring floods.")],
    }
    out = Out(tmp_path / "spans.jsonl", names="hashed")
    with bench(answers) as b:
        researcher: Any = create_agent(b.gpt("gpt-5"), [create_handoff_tool(agent_name="zwriter")], name="zresearcher")
        writer: Any = create_agent(b.gpt("gpt-4.1-mini"), [zread], name="zwriter")
        swarm: Any = create_swarm([researcher, writer], default_active_agent="zresearcher")
        swarm = swarm.compile(checkpointer=InMemorySaver(), name="zswarm")
        config: Any = {"callbacks": [out.handler], "configurable": {"thread_id": "zthread"}}
        for question in (QUESTION, "Why does it depend on the season at all?"):
            swarm.invoke({"messages": [HumanMessage(question)]}, config)
    text = out.text()
    assert [name for name in ("zwriter", "zresearcher", "zread", "zswarm", "zthread", "zshelf", "transfer_to") if name in text] == []
