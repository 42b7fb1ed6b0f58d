"""Three readers at work in threads, and one writer in a task: each call is its agent's, and all of them are on one bill.

Offline: the real client of OpenAI talks to a provider on this machine.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
from opentelemetry.sdk.trace import TracerProvider

import token_otel
from token_otel.testing.loopback import Answer, LoopbackOpenAI, Request

MODEL = "gpt-5-mini"


def answer(request: Request) -> Answer:
    """Reply to what is asked."""
    if "Sum up" in request.last_text:
        return Answer("The wells of all three districts are deep enough for a dry year.")
    return Answer(f"{request.last_text.removesuffix('?').removeprefix('Is ')}: its wells are between forty and ninety feet deep.")


def read(client: openai.OpenAI, district: str) -> str:
    """Let an agent answer for one district."""
    messages: Any = [{"role": "user", "content": f"Is {district} safe in a dry year?"}]
    with (
        token_otel.agent(f"reader of {district}"),
        token_otel.model(MODEL, provider="openai", messages=messages) as call,
    ):
        return call.end(client.chat.completions.create(model=MODEL, messages=messages)).choices[0].message.content or ""


async def write(options: Any, notes: list[str]) -> str:
    """Let an agent sum up what the others found."""
    messages: Any = [{"role": "user", "content": f"Sum up: {note}"} for note in notes]
    async with (
        openai.AsyncOpenAI(**options) as client,
        token_otel.agent("writer"),
        token_otel.model(MODEL, provider="openai", messages=messages) as call,
    ):
        return call.end(await client.chat.completions.create(model=MODEL, messages=messages)).choices[0].message.content or ""


def main() -> None:
    os.environ.setdefault("TOKEN_OTEL_WORKER", "inline")  # so that it gives the same numbers every time
    recorder = token_otel.Recorder.shared(TracerProvider())  # nobody listens: the bill is kept all the same
    with LoopbackOpenAI({MODEL: answer}) as server, token_otel.track() as bill:
        options: Any = {"base_url": server.base_url, "api_key": "offline", "max_retries": 0}
        client = openai.OpenAI(**options)
        team = token_otel.agent("team", kind="workflow", conversation="survey", recorder=recorder)
        with team, ThreadPoolExecutor(3) as pool:
            # A thread gets the agent and the bill with a copy of the context, one for each; tasks have theirs anyway.
            found = [pool.submit(contextvars.copy_context().run, read, client, district) for district in ("Ahn", "Brenn", "Corr")]
            print(asyncio.run(write(options, [each.result() for each in found])), end="\n\n")
    print(bill)


if __name__ == "__main__":
    main()
