"""A loop of one's own around the SDK of Anthropic: an agent, its tool, a stream, and the bill.

Offline: the real client talks to a provider on this machine, which replies from a script and bills, caches and streams as the
real one does. The last line says what that provider has billed.
"""

# The SDK overloads what it returns by `stream`.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import os
from typing import Any

import anthropic
from opentelemetry.sdk.trace import TracerProvider

import token_otel
from token_otel.testing.loopback import Answer, LoopbackAnthropic, ToolCall

MODEL = "claude-opus-4-5"
SYSTEM = "You survey wells. Read the reports, then answer in one sentence."
TOOLS: Any = [
    {
        "name": "read_report",
        "description": "Read the report on one district.",
        "input_schema": {"type": "object", "properties": {"district": {"type": "integer"}}, "required": ["district"]},
    }
]
ANSWERS = [
    Answer("I shall read the first report.", tool_calls=[ToolCall("read_report", {"district": 1})]),
    Answer("And the second.", tool_calls=[ToolCall("read_report", {"district": 2})]),
    Answer("Every district has a well that is deep enough for a dry year."),
]


@token_otel.agent("surveyor")
def survey(client: anthropic.Anthropic, question: str) -> str:
    """Ask and run tools until there is an answer."""
    messages: Any = [{"role": "user", "content": question}]
    request: Any = {"model": MODEL, "max_tokens": 500, "system": SYSTEM, "tools": TOOLS}
    while True:
        with (
            token_otel.model(MODEL, provider="anthropic", messages=messages, system=SYSTEM, tools=TOOLS) as call,
            client.messages.stream(messages=messages, **request) as stream,
        ):
            for _ in call.stream(stream):
                pass
            answer = stream.get_final_message()
        messages.append({"role": "assistant", "content": answer.content})
        results = [read(block) for block in answer.content if block.type == "tool_use"]
        if not results:
            return "".join(block.text for block in answer.content if block.type == "text")
        messages.append({"role": "user", "content": results})


def read(asked: Any) -> Any:
    """Run the tool that a block of an answer asks for."""
    with token_otel.tool(asked.name, call_id=asked.id) as tool:
        wells = (f"Well {well} of district {asked.input['district']} is {7 * well + 30} feet deep." for well in range(1, 9))
        return {"type": "tool_result", "tool_use_id": asked.id, "content": tool.end(" ".join(wells))}


def main() -> None:
    os.environ.setdefault("TOKEN_OTEL_WORKER", "inline")  # so that it gives the same numbers every time
    recorder = token_otel.Recorder.shared(TracerProvider())  # nobody listens: the bill is kept all the same
    with LoopbackAnthropic({MODEL: ANSWERS}) as server, token_otel.track(conversation="survey", tags={"tenant": "north"}) as bill:
        client = anthropic.Anthropic(base_url=server.base_url, api_key="offline", max_retries=0)
        with token_otel.agent("office", kind="workflow", recorder=recorder):
            print(survey(client, "Does every district have a deep well?"), end="\n\n")
        print(bill)
        billed = sum(theirs.cost_usd or 0 for theirs in server.bills)
    print(f"\nthe provider billed ${billed:f}; ours is {'the same' if billed == bill.cost_usd else 'another'}")


if __name__ == "__main__":
    main()
