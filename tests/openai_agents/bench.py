"""The bench: the real SDK, its real models on the loopback provider, our spans; watched by the processor alone or by `instrument()`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from agents import (
    Agent,
    Model,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
    set_trace_processors,
)
from openai import AsyncOpenAI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.scenarios.bench import attributes, billed, check_balance, check_calls, check_rollups
from tests.scenarios.scenes import tree

from token_otel import Recorder, Settings
from token_otel.testing.loopback import Answer, Bill, LoopbackOpenAI, ToolCall
from token_otel.testing.loopback.answers import Answers
from token_otel_openai_agents import TokenOtelProcessor
from token_otel_openai_agents.instrumentation import Integration

T = TypeVar("T")

RESPONSES, CHAT = "responses", "chat"
SPANS, DOORS = "spans", "doors"


@dataclass
class Bench:
    """The provider, its client, the recorder, and what was exported."""

    server: LoopbackOpenAI
    recorder: Recorder
    provider: TracerProvider
    exporter: InMemorySpanExporter
    api: str
    clients: list[AsyncOpenAI] = field(default_factory=list[AsyncOpenAI])

    def model(self, name: str = "gpt-5-mini") -> Model:
        """The SDK's own model, on the loopback."""
        client = AsyncOpenAI(base_url=self.server.base_url, api_key="offline", max_retries=0)
        self.clients.append(client)
        return (OpenAIResponsesModel if self.api == RESPONSES else OpenAIChatCompletionsModel)(name, client)

    def agent(self, name: str = "scout", model: str = "gpt-5-mini", **options: Any) -> Agent[Any]:
        """An agent on it."""
        given: dict[str, Any] = {"instructions": f"You are the {name} of a river survey.", **options}
        return Agent(name=name, model=self.model(model), **given)

    def run(self, agent: Agent[Any], given: Any, *, stream: bool = False, **options: Any) -> Any:
        """Run an agent to its end."""
        return self.wait(lambda: ask(agent, given, stream=stream, **options))

    def wait(self, do: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in a loop of its own, and close the clients in it."""

        async def main() -> T:
            try:
                return await do()
            finally:
                for client in self.clients:
                    await client.close()
                self.clients.clear()

        return asyncio.run(main())

    @property
    def bills(self) -> list[Bill]:
        """What the provider has billed."""
        return self.server.bills

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What was exported."""
        return self.exporter.get_finished_spans()

    @property
    def tree(self) -> list[str]:
        """The names of the spans, each beneath its parent; beside it how it ended, where that was not well."""
        return tree(cast("Any", self))

    def named(self, name: str) -> list[dict[str, Any]]:
        """The attributes of the spans of a name, or of what it begins with, in order."""
        return [dict(attributes(span)) for span in sorted(self.spans, key=lambda span: span.start_time or 0) if span.name.startswith(name)]

    @property
    def whole(self) -> list[tuple[str, dict[str, Any]]]:
        """All spans by name with their attributes, in the order of their start."""
        return [(span.name, dict(attributes(span))) for span in sorted(self.spans, key=lambda span: span.start_time or 0)]

    @property
    def statuses(self) -> set[str]:
        """How the runs have ended."""
        return {str(attributes(span)["token_otel.run.status"]) for span in self.spans}

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The attributes of the calls of models, in order."""
        return self.named("chat")

    def check(self) -> None:
        """All books at once: what was billed stands on the spans, and nothing else does."""
        self.balance()
        check_calls(cast("Any", self))
        check_rollups(cast("Any", self))

    def balance(self) -> None:
        """The sums over all spans are those of the bills; what was not billed, or not told, is unreported."""
        check_balance(cast("Any", self))

    def pairs(self) -> list[tuple[Bill, ReadableSpan]]:
        """Each bill with its span."""
        return billed(cast("Any", self))


async def ask(agent: Agent[Any], given: Any, *, stream: bool = False, **options: Any) -> Any:
    """Run an agent to its end, with all of its stream read."""
    if not stream:
        return await Runner.run(agent, given, **options)
    result = Runner.run_streamed(agent, given, **options)
    async for _ in result.stream_events():
        pass
    return result


@contextmanager
def bench(answers: Sequence[Answer] | Answers, *, api: str = RESPONSES, how: str = DOORS, **settings: Any) -> Generator[Bench]:
    """Start the provider with these answers, and a recorder that watches the SDK."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    given: dict[str, Any] = {"worker": "inline", "raise_errors": True, **settings}
    recorder = Recorder(provider, settings=Settings(**given))
    integration = Integration()
    if how == DOORS:
        set_trace_processors([])
        integration.instrument(recorder)
    else:
        set_trace_processors([TokenOtelProcessor(recorder=recorder)])
    try:
        with LoopbackOpenAI(answers if isinstance(answers, Mapping) else {"gpt-5-mini": answers}) as server:
            yield Bench(server, recorder, provider, exporter, api)
        assert recorder.open_runs == 0
    finally:
        integration.uninstrument()
        set_trace_processors([])


def flow(values: dict[str, Any]) -> dict[str, int]:
    """The tokens of a call by origin."""
    return dict(zip(values["token_otel.flow.origins"], values["token_otel.flow.tokens"], strict=True))


def calls(name: str, call_id: str | None = None, /, **arguments: Any) -> Answer:
    """An answer that calls one tool."""
    return Answer(tool_calls=[ToolCall(name, arguments, call_id)])


@function_tool
def soundings(mile: int) -> str:
    """Read how deep the river is.

    Args:
        mile: Where.
    """
    return f"At mile {mile} the river is eleven feet deep in spring, and seven in late summer, says the table of soundings."


__all__ = [
    "CHAT",
    "DOORS",
    "RESPONSES",
    "SPANS",
    "Agent",
    "Answer",
    "Bench",
    "RunConfig",
    "Runner",
    "ToolCall",
    "ask",
    "attributes",
    "bench",
    "calls",
    "flow",
    "soundings",
]
