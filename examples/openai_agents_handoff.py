"""A hand-off with the OpenAI Agents SDK, offline: who produced what each agent reads.

A triage agent looks something up and hands over to a writer, who asks a fact checker (an agent as a tool). The models are
scripted and served on this machine by `token_otel.testing`, which bills as OpenAI does; at the end the spans are held against its bills.

    pip install "token-otel[openai-agents]"
    python examples/openai_agents_handoff.py
"""

from __future__ import annotations

import asyncio
from typing import Any

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_trace_processors
from openai import AsyncOpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import token_otel
from token_otel.testing.loopback import Answer, LoopbackOpenAI, ToolCall

SOUNDINGS = " ".join(
    f"At mile {mile} the river is {9 + mile % 7} feet deep in spring and {5 + mile % 3} in late summer." for mile in range(690, 720)
)
ANSWERS = {
    "gpt-5-mini": [
        Answer(tool_calls=[ToolCall("read_soundings", {"around": 700})]),
        Answer(tool_calls=[ToolCall("transfer_to_writer", {})]),
    ],
    "gpt-5": [
        Answer(tool_calls=[ToolCall("check_facts", {"input": "Is the river nine feet deep at mile 700 in spring?"})]),
        Answer("In spring a barge that draws eight feet passes mile 700; by late summer it has to wait for rain.", reasoning_tokens=192),
    ],
    "gpt-4o-mini": [Answer("Yes: nine feet at mile 700 in spring, by the soundings of the survey.")],
}


@function_tool
def read_soundings(around: int) -> str:
    """Read the table of soundings of the river.

    Args:
        around: The mile in the middle of the part to be read.
    """
    return SOUNDINGS


async def work(server: LoopbackOpenAI) -> str:
    """Let the agents work, and return what they found."""
    async with AsyncOpenAI(base_url=server.base_url, api_key="offline") as client:

        def agent(name: str, model: str, **options: Any) -> Agent[Any]:
            return Agent(
                name=name, instructions=f"You are the {name} of a river survey.", model=OpenAIResponsesModel(model, client), **options
            )

        checker = agent("fact checker", "gpt-4o-mini").as_tool("check_facts", "Check a statement about the river.")
        writer = agent("writer", "gpt-5", tools=[checker])
        triage = agent("triage", "gpt-5-mini", tools=[read_soundings], handoffs=[writer])
        result = await Runner.run(triage, "May a barge that draws eight feet pass mile 700?")
        return str(result.final_output)


def main() -> None:
    """Run, and print what the spans say."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_trace_processors([])  # the SDK's own would send its traces to OpenAI
    token_otel.instrument(provider)

    with LoopbackOpenAI(answers=ANSWERS) as server:
        print(asyncio.run(work(server)), end="\n\n")
        bills = server.bills
    provider.force_flush()

    chats = [dict(span.attributes or {}) for span in exporter.get_finished_spans() if span.name.startswith("chat")]
    print(f"{'agent':<14}{'model':<14}{'input':>7}{'output':>8}  reads")
    for chat in chats:
        origins: Any = zip(chat["token_otel.flow.origins"], chat["token_otel.flow.tokens"], strict=True)  # pyright: ignore[reportArgumentType]
        reads = ", ".join(f"{origin} {tokens}" for origin, tokens in origins)
        used = f"{chat['gen_ai.usage.input_tokens']:>7}{chat['gen_ai.usage.output_tokens']:>8}"
        print(f"{chat['gen_ai.agent.name']:<14}{chat['gen_ai.request.model']:<14}{used}  {reads}")

    ours = [sum(int(str(chat[f"gen_ai.usage.{side}_tokens"])) for chat in chats) for side in ("input", "output")]
    billed = [sum(bill.input for bill in bills), sum(bill.output for bill in bills)]
    print(f"\nthe provider billed {billed[0]:,} in / {billed[1]:,} out; the spans say {ours[0]:,} in / {ours[1]:,} out")
    if ours != billed:
        raise SystemExit("the spans do not say what was billed")


if __name__ == "__main__":
    main()
