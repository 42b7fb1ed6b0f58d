"""Blocks of reasoning in any provider's format: text, and seals."""

from __future__ import annotations

from typing import Any

import pytest

from token_otel.wire import Reasoning, read_reasoning, read_signature

SEAL = "c2ln" * 126  # 504 characters: on a bill they are 104 tokens
OPENAI_SEAL = "ZW5j" * 1395  # 5,580 characters: on a bill they are 704 tokens


@pytest.mark.parametrize(
    "block",
    [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "thinking", "thinking": "hm"},
        {"type": "reasoning_content", "reasoning_content": {"text": "hm"}},
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
    ],
)
def test_open_reasoning_is_its_text(block: Any):
    """LangChain's, OpenAI's, Anthropic's and Bedrock's."""
    assert read_reasoning(block) == Reasoning("hm")


@pytest.mark.parametrize(
    ("block", "text", "guess"),
    [
        ({"type": "thinking", "thinking": "hm", "signature": SEAL}, "hm", 100),  # 504 / 5
        ({"type": "thinking", "thinking": "", "signature": SEAL}, "", 100),
        ({"type": "redacted_thinking", "data": SEAL}, "", 100),
        ({"type": "reasoning", "reasoning": "hm", "extras": {"signature": SEAL}}, "hm", 100),
        ({"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": SEAL}}, "hm", 100),
        ({"reasoningContent": {"reasoningText": {"text": "hm", "signature": SEAL}}}, "hm", 100),
        ({"reasoningContent": {"redactedContent": b"x" * 375}}, "", 100),  # 500 characters of base64
        ({"type": "reasoning", "summary": [], "encrypted_content": OPENAI_SEAL}, "", 916),  # (5,580 - 1,000) / 5
        ({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "short"}, "", 0),
    ],
)
def test_a_seal_s_length_suggests_its_tokens(block: Any, text: str, guess: int):
    """Five characters each, whoever sealed them; OpenAI adds a thousand."""
    found = read_reasoning(block)

    assert found is not None
    assert (found.text, found.sealed, found.guess) == (text, True, guess)


def test_reasoning_that_stays_with_the_provider_is_sealed():
    """Only its id goes to and fro."""
    assert read_reasoning({"type": "reasoning", "id": "rs_1", "summary": []}) == Reasoning("", sealed=True, key="rs_1")


def test_a_seal_is_known_again():
    """By the provider's id, else by a digest."""
    first, again, other = (read_reasoning({"type": "thinking", "thinking": "", "signature": seal}) for seal in (SEAL, SEAL, OPENAI_SEAL))

    assert first == again != other


def test_a_signature_may_stand_on_another_block():
    """Gemini ties its reasoning to texts and calls."""
    found = read_signature({"type": "text", "text": "because", "extras": {"signature": SEAL}})

    assert found is not None
    assert (found.text, found.sealed, found.guess) == ("", True, 100)
    assert read_signature({"type": "text", "text": "because"}) is None


@pytest.mark.parametrize("block", [{"type": "text", "text": "x"}, {"text": "x"}, {}, {"type": "image", "data": "x"}])
def test_what_is_no_reasoning_is_none(block: Any):
    """Texts and media."""
    assert read_reasoning(block) is None
