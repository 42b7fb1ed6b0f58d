"""Reasoning that is sent back: what providers keep of it, and what it weighs."""

from __future__ import annotations

import pytest

from token_otel.events import Media, Part
from token_otel.flow.book import FlowBook
from token_otel.flow.producer import Producer, SpanRef
from token_otel.flow.reasoning import kept_from
from token_otel.prices.cost import UNPRICED
from token_otel.usage import Usage

QUESTION = Part(kind="user", text="why?")
THOUGHT = Part(kind="reasoning", sealed_tokens=190)
CALL = Part(kind="tool_call", text="search {}", call_id="c1")
RESULT = Part(kind="tool_result", text="found", call_id="c1")
ANSWER = Part(kind="assistant", text="because")
LOOP = (QUESTION, THOUGHT, CALL, RESULT)
NEXT_TURN = (*LOOP, THOUGHT, ANSWER, QUESTION)

PLANNER = Producer("agent", "planner", SpanRef("1" * 32, "1" * 16))


@pytest.mark.parametrize(
    ("model", "provider", "loop", "turn"),
    [
        ("claude-sonnet-4-5", "anthropic", 0, 6),
        ("claude-opus-4-1-20250805", "anthropic", 0, 6),
        ("claude-opus-4-20250514", "anthropic", 0, 6),
        ("claude-haiku-4-5", "anthropic", 0, 6),
        ("claude-opus-4-5-20251101", "anthropic", 0, 0),
        ("claude-sonnet-4-6", "anthropic", 0, 0),
        ("claude-haiku-5-5", "anthropic", 0, 0),
        ("gpt-5", "openai", 0, 6),
        ("o4-mini", "openai", 0, 6),
        ("gpt-5.6-sol", "openai", 0, 0),
        ("gpt-6-astra", "openai", 0, 0),
        ("gemini-3-flash-preview", "gcp.gen_ai", 0, 6),
        ("gemini-3-flash-preview", "gcp.vertex_ai", 4, 7),
        ("gemini-2.5-pro", "gcp.gen_ai", 4, 7),
        ("nobody-knows", "", 0, 0),
    ],
)
def test_what_is_kept_depends_on_the_model(model: str, provider: str, loop: int, turn: int):
    """All of it, that of the turn at hand, or none: within a loop of tools, and after the next question."""
    assert (kept_from(LOOP, model, provider), kept_from(NEXT_TURN, model, provider)) == (min(loop, len(LOOP)), min(turn, len(NEXT_TURN)))


def test_a_picture_that_a_tool_returns_goes_on_with_the_turn():
    """One that the user sends begins the next."""
    returned = Part(kind="media", media=Media(kind="image"), call_id="c1")
    sent = Part(kind="media", media=Media(kind="image"))

    assert kept_from((*LOOP, returned), "gpt-5") == 0
    assert kept_from((*LOOP, sent), "gpt-5") == 4


def test_what_is_said_along_with_a_result_goes_on_with_the_turn_at_gemini():
    """A bill of 261 tokens holds the 56 that were thought before; elsewhere it is the next question."""
    assert kept_from((*LOOP, QUESTION, QUESTION), "gemini-3-flash-preview") == 0
    assert kept_from((*LOOP, QUESTION, QUESTION), "claude-sonnet-4-5") == 5


def test_sealed_reasoning_weighs_what_its_call_reported():
    """As a bill shows it: 83 tokens were read and 190 thought; with a call and its result, the next step read 348."""
    flow = FlowBook(1 << 20)
    flow.produced("c", PLANNER, [Part(kind="reasoning", message_id="m1", sealed_tokens=190)])
    prompt = (Part(kind="user", text="hello" + " hello" * 9), Part(kind="reasoning", message_id="m1", sealed_tokens=190, opens=False))
    reading = flow.read(prompt, "planner", "c")
    found, _ = flow.split(reading, Usage(input=200, output=0), UNPRICED, "gemini-3-flash-preview", "gcp.gen_ai")
    shares = found.shares

    # 10 and 190 tokens, and Gemini adds nothing
    assert [(share.origin, share.tokens) for share in shares] == [("user", 10), ("self", 190)]


def test_reasoning_that_the_provider_drops_weighs_nothing():
    """What is read after the next question is the question, and what was said."""
    flow = FlowBook(1 << 20)
    prompt = (Part(kind="reasoning", text="a summary of it", sealed_tokens=190), Part(kind="user", text="hello" + " hello" * 9))
    found, _ = flow.split(flow.read(prompt, "planner", "c"), Usage(input=10, output=0), UNPRICED, "gemini-3-pro", "gcp.gen_ai")
    shares = found.shares

    assert [(share.origin, share.tokens) for share in shares] == [("user", 10)]
