"""Calls of models: whole and streamed, through both APIs, seen on spans alone and at the models' doors."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import ModelSettings
from tests.openai_agents.bench import CHAT, DOORS, RESPONSES, SPANS, Answer, RunConfig, Runner, bench, calls, flow, soundings

from token_otel.testing.loopback import Request

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
SAY = "It is eleven feet deep there in spring, and seven in late summer."
BOTH = pytest.mark.parametrize("api", [RESPONSES, CHAT])
HOW = pytest.mark.parametrize("how", [SPANS, DOORS])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
USAGE = RunConfig(model_settings=ModelSettings(include_usage=True))


@BOTH
@HOW
@STREAM
@pytest.mark.parametrize("reasoning", [0, 192], ids=["plain", "reasoning"])
def test_a_call_is_billed_once(api: str, how: str, stream: bool, reasoning: int):
    """Tokens, parts, USD and flow stand on the one chat span; tasks and turns, which hold sums, have none."""
    with bench([Answer(SAY, reasoning_tokens=reasoning)], api=api, how=how) as b:
        b.run(b.agent(), ASK, stream=stream, run_config=USAGE)

        b.check()
        assert b.tree == ["invoke_workflow", "  invoke_agent scout", "    chat gpt-5-mini"]
        [chat] = b.chats
        assert set(flow(chat)) == {"system", "user"}


@BOTH
@HOW
@STREAM
def test_a_prefix_that_is_cached_is_billed_as_such(api: str, how: str, stream: bool):
    """The second agent reads the long instructions of the first from the provider's cache."""
    rules = " ".join(f"Rule {number}: give way to any raft upstream of mile {number * 3}." for number in range(160))
    with bench([Answer(SAY), Answer(SAY)], api=api, how=how) as b:
        for _ in range(2):
            b.run(b.agent(instructions=rules), ASK, stream=stream, run_config=USAGE)

        b.check()
        assert [bill.cache_read > 0 for bill in b.bills] == [False, True]


@BOTH
@STREAM
def test_schemas_are_seen_at_the_door(api: str, stream: bool):
    """Tools, and the format of the answer, are among what the call reads."""

    with bench([calls("soundings", mile=700), Answer('{"response":["seven"]}')], api=api) as b:
        b.run(b.agent(tools=[soundings], output_type=list[str]), ASK, stream=stream, run_config=USAGE)

        b.check()
        first, second = b.chats
        assert set(flow(first)) == {"tools", "system", "user"}
        assert set(flow(second)) == {"tools", "system", "user", "self", "tool:soundings"}
        assert flow(second)["tools"] >= 0.6 * flow(first)["tools"]


@HOW
def test_a_stream_that_reports_no_usage_is_unreported(how: str):
    """The SDK writes zeros on the span of a chat stream that was not asked for usage: that is no report."""
    with bench([Answer(SAY)], api=CHAT, how=how) as b:
        b.run(b.agent(), ASK, stream=True)

        b.balance()
        [chat] = b.chats
        assert chat["token_otel.usage.status"] == "unreported"
        assert not [name for name in chat if name.startswith("gen_ai.usage.")]


@BOTH
@HOW
@STREAM
def test_an_error_has_its_class_alone(api: str, how: str, stream: bool):
    """The call, its agent and the run fail with the class of the exception; what it says stays here."""
    with bench([Answer(error=429)], api=api, how=how) as b:
        with pytest.raises(Exception, match="429"):
            b.run(b.agent(), ASK, stream=stream)

        b.balance()
        [chat] = b.chats
        assert (chat["token_otel.run.status"], chat["error.type"]) == ("error", "openai.RateLimitError")
        assert "429" not in str([dict(span.attributes or {}) for span in b.spans])
        assert {values["token_otel.run.status"] for values in b.named("invoke_")} == {"error"}


@BOTH
@HOW
def test_a_stream_that_breaks_is_an_error(api: str, how: str):
    """The connection is dropped before the usage: unreported, and failed."""
    with bench([Answer(SAY, cut_after=2)], api=api, how=how) as b:
        with pytest.raises(Exception):  # noqa: B017, PT011 - the class is the client's own
            b.run(b.agent(), ASK, stream=True, run_config=USAGE)

        b.balance()
        [chat] = b.chats
        assert (chat["token_otel.run.status"], chat["token_otel.usage.status"]) == ("error", "unreported")


@BOTH
@HOW
def test_a_run_that_is_cancelled_is_no_error(api: str, how: str):
    """Its call, its agent and itself end as cancelled, each once."""
    asked: list[str] = []

    def slow(request: Request) -> Answer:
        asked.append(request.last_text)
        return Answer(SAY, delay_s=5)

    with bench({"gpt-5-mini": slow}, api=api, how=how) as b:

        async def main() -> None:
            task = asyncio.create_task(Runner.run(b.agent(), ASK))
            while not asked:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        b.wait(main)

        assert b.tree == [
            "invoke_workflow",
            "  invoke_agent scout",
            "    chat" + (" gpt-5-mini" if (how, api) != (SPANS, RESPONSES) else ""),
        ]
        assert b.statuses == {"cancelled"}


@BOTH
@HOW
def test_a_stream_that_is_left_is_cancelled(api: str, how: str):
    """Whoever stops reading in the middle ends the run; what was never reported is unreported."""
    with bench([Answer(SAY, chunk_chars=4, chunk_delay_s=0.05)], api=api, how=how) as b:

        async def main() -> None:
            result = Runner.run_streamed(b.agent(), ASK, run_config=USAGE)
            async for event in result.stream_events():
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                    result.cancel()

        b.wait(main)

        [chat] = b.chats
        assert (chat["token_otel.run.status"], chat["token_otel.usage.status"]) == ("cancelled", "unreported")
        assert ("gen_ai.response.time_to_first_chunk" in chat) is (how == DOORS)


def test_a_refused_attempt_is_followed_by_its_retry():
    """The SDK's own retries are attempts of one call; the refused one is billed nothing."""
    from agents import ModelRetrySettings, retry_policies

    again: Any = ModelSettings(
        retry=ModelRetrySettings(max_retries=1, policy=retry_policies.http_status([503]), backoff={"initial_delay": 0})
    )
    with bench([Answer(error=503), Answer(SAY)]) as b:
        b.run(b.agent(), ASK, run_config=RunConfig(model_settings=again))

        b.balance()
        assert [chat["token_otel.run.status"] for chat in b.chats] == ["error", "ok"]
        assert [chat.get("token_otel.attempt") for chat in b.chats] == [None, 2]
