"""What holds however a run ends: a bench that checks it when its block is over."""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.scenarios.bench import Bench, attributes, check_balance
from tests.scenarios.scenes import NOTES, QUESTION

from token_otel import Recorder, Settings
from token_otel.testing.loopback import Answer, LoopbackAnthropic, LoopbackOpenAI, Request, ToolCall
from token_otel_langchain import TokenOtelHandler, integration

ASKED: Any = {"messages": [HumanMessage(QUESTION)]}

WATCHED = pytest.mark.parametrize("instrumented", [False, True], ids=["handler", "instrument"])


def PROTOCOL(test: Any) -> Any:
    """Mark a test of version 3 of the stream of events, which LangChain calls a beta; the oldest versions have none."""
    has_it = hasattr(BaseChatModel, "stream_events")
    quiet = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
    return pytest.mark.skipif(not has_it, reason="this langchain-core has no stream_events")(quiet(test))


_Result = TypeVar("_Result")


class Ends(SpanProcessor):
    """Counts how often each span ends."""

    def __init__(self) -> None:
        self.started: list[Span] = []
        self.ended: list[str] = []

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Note a start."""
        self.started.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Note an end."""
        self.ended.append(span.name)


class Lines(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.said.append(f"{record.name}: {record.getMessage()}")


class Gate:
    """A model's answer that waits until it is let through; it says when it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = threading.Event()
        self.open = threading.Event()

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        self.asked.set()
        self.open.wait(10)
        return self.answer

    async def wait(self) -> None:
        """Wait until somebody has asked."""
        while not self.asked.is_set():
            await asyncio.sleep(0.005)


@dataclass
class Ending(Bench):
    """A bench on which runs end, watched by a bare handler or by `instrument()`.

    Attributes:
        failed: The names of the spans that are errors.
        orphans: Whether runs may be left whose parents have ended: they are closed by a flush, without waiting for the grace.
        balanced: Whether the spans sum to the delivered bills; a test that sets it to False says itself what is lost.
    """

    tracer: trace.Tracer = field(default_factory=trace.NoOpTracer)
    ends: Ends = field(default_factory=Ends)
    instrumented: bool = False
    failed: Iterable[str] = ()
    orphans: bool = False
    balanced: bool = True

    @property
    def recorder(self) -> Recorder:
        """Where everything is recorded."""
        return self.handler.recorder

    @property
    def config(self) -> Any:
        """The config of a run without a conversation id."""
        return {} if self.instrumented else {"callbacks": [self.handler]}

    def thread(self, thread_id: str) -> Any:
        """The config of a run in a conversation."""
        return {**self.config, "configurable": {"thread_id": thread_id}}

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """How our spans ended, by name, sorted: those of parallel runs end in any order."""
        return sorted((span.name, attributes(span)["token_otel.run.status"]) for span in self.spans if _is_ours(span))

    def values(self, name: str) -> Any:
        """The attributes of the one span of this name."""
        [span] = [span for span in self.spans if span.name == name]
        return attributes(span)

    def run(self, main: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        """Run a coroutine beneath a span of the caller's own, which must be current in its task afterwards."""

        async def around() -> _Result:
            with self.tracer.start_as_current_span("task"):
                mine = trace.get_current_span()
                result = await main()
                assert trace.get_current_span() is mine
            return result

        return asyncio.run(around())


@contextmanager
def ending(
    openai: Any = None, anthropic: Any = None, *, instrumented: bool = False, failed: Iterable[str] = (), **settings: Any
) -> Generator[Ending]:
    """Start the providers and a recorder; afterwards check what holds however a run ends."""
    exporter, ends, lines = InMemorySpanExporter(), Ends(), Lines()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ends)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorder = Recorder(provider, settings=Settings(worker="inline", raise_errors=True, **settings))
    tracer = provider.get_tracer("caller")
    logging.getLogger("opentelemetry").addHandler(lines)
    if instrumented:
        integration.instrument(recorder)
    try:
        with LoopbackOpenAI(openai or {}) as gpt, LoopbackAnthropic(anthropic or {}) as claude:
            b = Ending(
                gpt,
                claude,
                TokenOtelHandler(recorder=recorder),
                exporter,
                tracer=tracer,
                ends=ends,
                instrumented=instrumented,
                failed=failed,
            )
            with tracer.start_as_current_span("caller"):
                mine = trace.get_current_span()
                yield b
                assert trace.get_current_span() is mine
        check_ending(b)
    finally:
        logging.getLogger("opentelemetry").removeHandler(lines)
        if instrumented:
            integration.uninstrument()
    assert lines.said == []


def check_ending(b: Ending) -> None:
    """Every span ended once, in one trace, only what failed is an error, nothing is open, and the sums are the delivered bills."""
    let_go(b)
    if b.orphans:
        b.recorder.flush()
    assert b.recorder.open_runs == 0, b.recorder.open_runs
    assert sorted(b.ends.ended) == sorted(span.name for span in b.ends.started), b.ends.ended
    errors = sorted(span.name for span in b.spans if _is_ours(span) and span.status.status_code.name == "ERROR")
    assert errors == sorted(b.failed), errors
    assert len({span.context.trace_id for span in b.spans if span.context is not None}) == 1
    if b.balanced:
        check_balance(b)


def let_go(b: Ending) -> None:
    """Do what the interpreter and the worker do within a second: collect what nobody holds, and see what is overdue."""
    gc.collect()
    b.recorder._worker._tick()  # pyright: ignore[reportPrivateUsage]


def _is_ours(span: ReadableSpan) -> bool:
    return "token_otel.run.status" in attributes(span)


def calls(name: str, *answers: Answer) -> Any:
    """A model that calls a tool, then answers."""
    return {"gpt-5-mini": [Answer(tool_calls=[ToolCall(name)]), *(answers or [Answer(NOTES)])]}


def pilot(b: Bench, *tools: Any, **options: Any) -> Any:
    """An agent with tools."""
    return create_agent(b.gpt("gpt-5-mini"), tools, name="pilot", **options)


class QuietError(Exception):
    """A failure without a message."""


def broken(error: Callable[[], BaseException], **options: Any) -> BaseTool:
    """A tool that fails."""

    def fail() -> str:
        """Fail."""
        raise error()

    async def afail() -> str:
        """Fail."""
        raise error()

    return StructuredTool.from_function(fail, afail, name="fail", **options)


async def read_on(stream: Any) -> None:
    """Read to the end."""
    async for _ in stream:
        pass
