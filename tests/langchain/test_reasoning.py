"""Reasoning that is sent back sealed or signed: a part of its own, of the tokens that its call has reported."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from token_otel.events import ModelStarted
from token_otel.flow.book import FlowBook
from token_otel.prices.cost import UNPRICED
from token_otel.testing.loopback import Answer, LoopbackAnthropic, ToolCall
from token_otel.usage import Usage
from token_otel_langchain.blocks import parts_of

SEAL = "c2ln" * 126  # 504 characters suggest 100 tokens
SIGNATURES = "__gemini_function_call_thought_signatures__"
ASK: Any = {"messages": [("user", "tea?")]}
CALL: Any = {"name": "search", "args": {}, "id": "c1", "type": "tool_call"}


def answer(content: Any, reasoning: int | None = None, **about: Any) -> AIMessage:
    """Return an answer whose call has reported so much reasoning."""
    details: Any = {} if reasoning is None else {"reasoning": reasoning}
    usage: Any = {"input_tokens": 9, "output_tokens": 1000, "total_tokens": 1009, "output_token_details": details}
    return AIMessage(content, id="m1", usage_metadata=usage, **about)


def sealed(message: AIMessage) -> list[tuple[str, int | None]]:
    """Return text and sealed tokens of each part that is reasoning."""
    return [(part.text, part.sealed_tokens) for part in parts_of(message) if part.kind == "reasoning"]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "thinking", "thinking": "hm", "signature": SEAL}, "hm"),
        ({"type": "thinking", "thinking": "", "signature": SEAL}, ""),
        ({"type": "redacted_thinking", "data": SEAL}, ""),
        ({"type": "non_standard", "value": {"type": "redacted_thinking", "data": SEAL}}, ""),
        ({"type": "reasoning", "reasoning": "hm", "extras": {"signature": SEAL}}, "hm"),
        ({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SEAL}, ""),
        ({"type": "reasoning", "id": "rs_1", "summary": []}, ""),
        ({"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": SEAL}}, "hm"),
    ],
)
def test_a_seal_holds_what_its_call_reported(block: Any, text: str):
    """Neither the length of the base64, nor nothing, nor that of the summary."""
    assert sealed(answer([block, {"type": "text", "text": "x"}], 704)) == [(text, 704)]


def test_without_a_report_its_length_must_do():
    """Five characters are a token; what stays with the provider is not known."""
    assert sealed(answer([{"type": "thinking", "thinking": "hm", "signature": SEAL}])) == [("hm", 100)]
    assert sealed(answer([{"type": "reasoning", "id": "rs_1", "summary": []}])) == [("", None)]


def test_several_seals_share_what_was_reported():
    """By their length: 100 and 200 of 300 are a third and two thirds of 100."""
    first, second = ({"type": "thinking", "thinking": "", "signature": SEAL * times} for times in (1, 2))

    assert sealed(answer([first, second], 100)) == [("", 33), ("", 67)]


def test_a_priority_call_reports_it_under_its_tier():
    """As langchain-openai does."""
    message = answer([{"type": "reasoning", "id": "rs_1", "summary": []}])
    message.usage_metadata["output_token_details"] = {"priority_reasoning": 64, "priority": 9}  # pyright: ignore

    assert sealed(message) == [("", 64)]


@pytest.mark.parametrize(
    "message",
    [
        answer("", 190, tool_calls=[CALL], additional_kwargs={SIGNATURES: {"c1": SEAL}}),
        answer([{"type": "text", "text": "x", "extras": {"signature": SEAL}}], 190),
        answer("x", 190, additional_kwargs={"reasoning": {"id": "rs_1", "summary": [], "encrypted_content": SEAL}}),
    ],
)
def test_a_seal_may_stand_elsewhere(message: AIMessage):
    """Gemini signs texts and calls; older messages of OpenAI's keep it beside the content."""
    assert sealed(message) == [("", 190)]


def test_gemini_s_summary_is_what_its_signature_seals():
    """They are one reasoning, not two."""
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x", "extras": {"signature": SEAL}}]

    assert sealed(answer(content, 190)) == [("hm", 190)]


def test_open_reasoning_is_counted():
    """Its text is all of it."""
    assert sealed(answer([{"type": "reasoning", "reasoning": "hm"}], 704)) == [("hm", None)]


def test_sealed_reasoning_has_a_key_of_its_own():
    """A history that was rebuilt has no message ids; the reasoning in it is known by its id or its seal."""
    first, again = (parts_of(AIMessage([{"type": "redacted_thinking", "data": SEAL}], id=name))[0] for name in ("m1", "m2"))
    item = parts_of(AIMessage([{"type": "reasoning", "id": "rs_1", "summary": []}]))[0]

    assert first.call_id == again.call_id != item.call_id
    assert item.call_id == "rs_1"


@tool
def search(query: str) -> str:
    """Look something up."""
    return f"found {query}"


@pytest.mark.skipif(version("langchain-anthropic").startswith("1.3."), reason="it does not tell how much was thought")
def test_what_claude_thought_is_its_own_input_of_the_next_step(watch: Any):
    """4,000 tokens of thinking in a loop of tools: sealed in a signature of 400 characters, shown in six words, and billed."""
    anthropic = pytest.importorskip("langchain_anthropic")
    answers = [Answer("", tool_calls=[ToolCall("search", {"query": "tea"})], reasoning_tokens=4000), Answer("done")]
    with LoopbackAnthropic({"claude-sonnet-5": answers}) as server:
        thinking: Any = {"type": "enabled", "budget_tokens": 5000}
        model = anthropic.ChatAnthropic(
            model="claude-sonnet-5", base_url=server.base_url, api_key="x", max_retries=0, max_tokens=9000, thinking=thinking
        )
        create_agent(model, [search]).invoke(ASK, watch.config)
        bill = server.bills[1]

    prompt = watch.of(ModelStarted)[1].prompt
    flow = FlowBook(1 << 20)
    split, _ = flow.split(flow.read(prompt, "agent", "c"), Usage(input=bill.input, output=0), UNPRICED, "claude-sonnet-5")
    said = sum(share.tokens for share in split.shares if share.origin == "external")

    assert [part.sealed_tokens for part in prompt if part.kind == "reasoning"] == [4000]
    assert abs(said - 4000) < 0.05 * bill.input
