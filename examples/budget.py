"""A budget that stops an agent which would go on for ever, in a loop of one's own and in LangChain's.

Offline: the real clients talk to a provider on this machine, whose model asks for its tool again and again.
"""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import logging
import os
from typing import Any

import openai
from opentelemetry.sdk.trace import TracerProvider

import token_otel
from token_otel.testing.loopback import Answer, LoopbackOpenAI, Request, ToolCall

MODEL = "gpt-5"
QUESTION = "Search until you find it."


def again(request: Request) -> Answer:
    """Ask for one more search."""
    return Answer("Not found yet.", tool_calls=[ToolCall("search", {"page": request.index})])


def search(page: int) -> str:
    """Search one page."""
    return f"There is nothing of the kind on page {page}."


def own_loop(server: LoopbackOpenAI, recorder: token_otel.Recorder) -> None:
    """Go on until the budget is spent."""
    client = openai.OpenAI(base_url=server.base_url, api_key="offline", max_retries=0)
    messages: Any = [{"role": "user", "content": QUESTION}]
    with token_otel.agent("seeker", recorder=recorder):
        while True:
            with token_otel.model(MODEL, provider="openai", messages=messages) as call:
                answer: Any = call.end(client.chat.completions.create(model=MODEL, messages=messages)).choices[0].message
            messages.append(answer)
            for asked in answer.tool_calls:
                with token_otel.tool("search", call_id=asked.id) as tool:
                    messages.append({"role": "tool", "tool_call_id": asked.id, "content": tool.end(search(0), cost_usd="0.001")})


def langchain(server: LoopbackOpenAI, recorder: token_otel.Recorder) -> None:
    """Do the same in a framework's loop."""
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    from token_otel_langchain import TokenOtelHandler

    model = ChatOpenAI(model=MODEL, base_url=server.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportArgumentType]
    agent: Any = create_agent(model, [search], name="seeker")
    agent.invoke({"messages": [("user", QUESTION)]}, {"callbacks": [TokenOtelHandler(recorder=recorder)], "recursion_limit": 1000})


def main() -> None:
    os.environ.setdefault("TOKEN_OTEL_WORKER", "inline")  # so that it gives the same numbers every time
    logging.getLogger("langchain_core").setLevel(logging.ERROR)  # it logs the exception that it lets through
    recorder = token_otel.Recorder.shared(TracerProvider())  # nobody listens: the bill is kept all the same
    for loop in (own_loop, langchain):
        with LoopbackOpenAI({MODEL: again}) as server, token_otel.track(budget_usd="0.01", on_budget="raise") as bill:
            try:
                loop(server, recorder)
            except token_otel.BudgetExceeded as stop:
                print(f"{loop.__name__}: {stop}")
                print(bill, end="\n\n")


if __name__ == "__main__":
    main()
