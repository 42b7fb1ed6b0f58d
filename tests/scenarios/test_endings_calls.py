"""A call among others: one of several fails, one is tried again, another model answers."""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_openai import ChatOpenAI, OpenAI
from openai import APIStatusError, InternalServerError
from tests.scenarios.endings import Ending, ending, read_on
from tests.scenarios.scenes import NOTES, QUESTION

from token_otel.testing.loopback import Answer

SLOW = Answer(NOTES * 20, chunk_delay_s=0.005)
CANCELLED = [("chat gpt-5-mini", "cancelled")]


def three() -> list[list[BaseMessage]]:
    """Three prompts."""
    return [[HumanMessage(f"{QUESTION} ({number})")] for number in range(3)]


def sync_generate(b: Ending) -> Any:
    """Answer all three."""
    return b.gpt("gpt-5-mini").generate(three(), callbacks=[b.handler])


def async_generate(b: Ending) -> Any:
    """Answer all three."""
    return b.run(lambda: b.gpt("gpt-5-mini").agenerate(three(), callbacks=[b.handler]))


@pytest.mark.parametrize("how", ["chat", "achat"])
def test_the_second_of_three_fails(how: str):
    """`generate` ends none of the others, and drops the first one's answer; `agenerate` ends them all."""
    answers = lambda request: Answer(error=500) if "(1)" in request.last_text else Answer(NOTES)  # noqa: E731
    with ending({"gpt-5-mini": answers}, failed=["chat gpt-5-mini"]) as b:
        generate = sync_generate if how == "chat" else async_generate
        with pytest.raises(InternalServerError):
            generate(b)
        b.balanced = how == "achat"
    others = "cancelled" if how == "chat" else "ok"
    assert b.statuses == sorted([("chat gpt-5-mini", others), ("chat gpt-5-mini", "error"), ("chat gpt-5-mini", others)])


def test_a_completion_of_three_fails_as_one():
    """They are one request, with one bill."""
    with ending({"gpt-3.5-turbo-instruct": [Answer(error=500)]}, failed=["text_completion gpt-3.5-turbo-instruct"] * 3) as b:
        b.balanced = False
        model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=b.openai.base_url, api_key="offline", max_retries=0)  # pyright: ignore[reportArgumentType]
        with pytest.raises(InternalServerError):
            model.generate([QUESTION] * 3, callbacks=[b.handler])
    assert {status for _, status in b.statuses} == {"error"}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_of_a_batch_fails(asynchronous: bool):
    """The others are booked, whether or not anybody waits for them."""
    answers = lambda request: Answer(error=500) if "(1)" in request.last_text else Answer(NOTES)  # noqa: E731
    with ending({"gpt-5-mini": answers}, failed=["chat gpt-5-mini"]) as b:
        model = b.gpt("gpt-5-mini")
        if asynchronous:
            b.run(lambda: model.abatch([*three()], b.config, return_exceptions=True))
        else:
            model.batch([*three()], b.config, return_exceptions=True)
    assert [status for _, status in b.statuses] == ["error", "ok", "ok"]


def test_a_batch_is_left_before_it_is_complete():
    """What was asked for already comes, and is booked."""
    with ending({"gpt-5-mini": lambda request: Answer(NOTES)}) as b:
        answers: Any = b.gpt("gpt-5-mini").batch_as_completed([*three()], b.config)
        next(answers)
        answers.close()
    assert {status for _, status in b.statuses} == {"ok"}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_retry_after_a_failure(streamed: bool):
    """The refused attempt is an error that has cost nothing."""
    with ending({"gpt-5-mini": [Answer(error=500), Answer(NOTES)]}, failed=["chat gpt-5-mini"]) as b:
        model = b.gpt("gpt-5-mini", streaming=streamed).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
        model.invoke(QUESTION, b.config)
    assert [status for name, status in b.statuses if name.startswith("chat")] == ["error", "ok"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_fallback_after_a_failure(way: str):
    """Another model answers: it is booked, and what stands around both has not failed."""
    answers = {"gpt-5": [Answer(error=500)], "gpt-5-mini": [Answer(NOTES)]}
    with ending(answers, failed=["chat gpt-5"]) as b:
        model: Any = b.gpt("gpt-5").with_fallbacks([b.gpt("gpt-5-mini")])
        match way:
            case "invoke":
                model.invoke(QUESTION, b.config)
            case "ainvoke":
                b.run(lambda: model.ainvoke(QUESTION, b.config))
            case "stream":
                list(model.stream(QUESTION, b.config))
            case _:
                b.run(lambda: read_on(model.astream(QUESTION, b.config)))
    assert [each for each in b.statuses if each[0].startswith("chat")] == [("chat gpt-5", "error"), ("chat gpt-5-mini", "ok")]


class SilentError(Exception):
    """An exception without a message."""


def test_an_exception_without_a_message_is_an_error():
    """By its class."""
    with ending({"gpt-5-mini": [Answer(NOTES)]}, failed=["chat gpt-5-mini"]) as b:
        b.balanced = False

        class Broken(ChatOpenAI):
            def _generate(self, *args: Any, **kwargs: Any) -> Any:
                raise SilentError

        with pytest.raises(SilentError):
            Broken(model="gpt-5-mini", api_key="offline").invoke(QUESTION, b.config)  # pyright: ignore[reportArgumentType]
    assert b.values("chat gpt-5-mini")["error.type"].endswith("SilentError")


def test_a_refused_call_is_an_error_by_its_class():
    """With the SDK's own class."""
    with ending({"gpt-5-mini": [Answer(error=429)]}, failed=["chat gpt-5-mini"]) as b, pytest.raises(APIStatusError):
        b.gpt("gpt-5-mini").invoke(QUESTION, b.config)
    assert b.values("chat gpt-5-mini")["error.type"].endswith("RateLimitError")
