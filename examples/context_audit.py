"""Why is this agent so dear? A researcher whose context is four fifths tool results that it has read before, and their price.

Offline: the real client of Anthropic talks to a provider on this machine, which replies from a script and bills, caches and
forgets as the real one does. The researcher reads four chapters, notes fourteen findings, and for the last of them is told
another system prompt: with that the prefix is broken, and everything in the cache is paid for anew.
"""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import token_otel
from token_otel import report
from token_otel.testing.loopback import Answer, LoopbackAnthropic, ToolCall

MODEL = "claude-sonnet-4-5"
CHAPTERS = 4
FINDINGS = 14


def main() -> None:
    os.environ.setdefault("TOKEN_OTEL_WORKER", "inline")  # so that it gives the same numbers every time
    with tempfile.TemporaryDirectory() as folder:
        spans = Path(folder) / "spans.jsonl"
        token_otel.init(file=str(spans))
        research()
        flush()
        audit = report.load(spans)
    report.show(audit, only=("contexts", "messages", "caching"))
    print(f"\n{verdict(audit)}")


def research() -> None:
    """Let the researcher work."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import dynamic_prompt
    from langchain_anthropic import ChatAnthropic
    from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware

    def read_chapter(number: int) -> str:
        """Read one chapter of the survey."""
        facts = (f"Well {well} of district {number} is {7 * well + number} feet deep, and holds water in most years." for well in range(70))
        return " ".join(facts)

    def note(finding: str) -> str:
        """Note a finding."""
        return "Noted."

    @dynamic_prompt
    def prompt(request: Any) -> str:
        done = sum(message.type == "tool" for message in request.messages)
        return "You survey wells. " + ("Note what you find." if done < CHAPTERS + FINDINGS - 1 else "Come to an end now.")

    answers = [
        *(Answer(tool_calls=[ToolCall("read_chapter", {"number": number})]) for number in range(1, CHAPTERS + 1)),
        *(Answer(tool_calls=[ToolCall("note", {"finding": f"District {1 + n % CHAPTERS} has a deep well."})]) for n in range(FINDINGS)),
        Answer("Every district has a well that is deep enough for a dry year."),
    ]
    with LoopbackAnthropic({MODEL: answers}) as server:
        model = ChatAnthropic(model_name=MODEL, base_url=server.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportCallIssue]
        middleware: Any = [prompt, AnthropicPromptCachingMiddleware(ttl="5m")]
        agent: Any = create_agent(model, [read_chapter, note], name="researcher", middleware=middleware)
        agent.invoke({"messages": [("user", "Does every district have a deep well?")]}, {"configurable": {"thread_id": "survey"}})


def flush() -> None:
    """Have all spans written."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()


def verdict(audit: report.Report) -> str:
    """Say in a sentence what the tables show."""
    results = [message for message in audit.messages if (message.origin or "").startswith("tool:")]
    again = sum(message.reread_tokens for message in results)
    usd = sum(message.reread_usd for message in results)
    dearest = max(results, key=lambda message: message.cost_usd)
    return (
        f"{again / audit.totals.input:.0%} of what the researcher reads are tool results that it has read before: {again:,} tokens, "
        f"${usd:.6f}.\nThe dearest, {dearest.origin}, was read {dearest.reads} times, at {dearest.times_face:.1f} times its face price."
    )


if __name__ == "__main__":
    main()
