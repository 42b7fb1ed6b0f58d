"""Estimates against recorded bills, before anything is learnt. Runs where `TOKEN_OTEL_PROVIDER_CALLS` names the recording."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import pytest
from bench.estimates import READERS, Call, Unseen, calls, error

from token_otel.events import Part


@pytest.fixture(scope="module")
def recorded() -> list[Call]:
    path = os.environ.get("TOKEN_OTEL_PROVIDER_CALLS")
    if not path:
        pytest.skip("TOKEN_OTEL_PROVIDER_CALLS is not set")
    return [call for call in calls(Path(path)) if call.half == "report"]


@pytest.mark.parametrize(
    ("flavor", "model", "most"),
    [
        ("openai.chat", "", 0.03),
        ("openai.responses", "", 0.06),
        ("anthropic.messages", "", 0.10),
        ("", "claude", 0.10),
        ("bedrock.converse", "nova", 0.02),
        ("google.generate", "gemini-2", 0.15),
        ("google.generate", "gemini-3", 0.40),
        ("openai.chat", "llama-4", 0.05),
    ],
)
def test_half_of_the_estimates_are_this_near_to_the_bill(recorded: list[Call], flavor: str, model: str, most: float):
    """On the files that the constants were not fitted on."""
    errors = [error(call) for call in recorded if call.flavor.startswith(flavor) and model in call.model]

    assert statistics.median(errors) <= most


def test_no_file_is_in_both_halves(recorded: list[Call]):
    """Its calls are alike: one half would tell the other."""
    names = {call.id.partition("#")[0] for call in recorded}
    path = Path(os.environ["TOKEN_OTEL_PROVIDER_CALLS"])

    assert names.isdisjoint(call.id.partition("#")[0] for call in calls(path) if call.half == "fit")


TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": {}}}
SCHEMA = Part(kind="tools", text='{"name":"f"}', opens=False)
CONVERSATION = [
    Part(kind="system", text="Be brief."),
    Part(kind="user", text="How deep?"),
    Part(kind="tool_call", text='f {"at":1}'),
    Part(kind="tool_result", text="7 m"),
]


REQUESTS: list[tuple[str, Any, list[Part]]] = [
    (
        "openai.chat",
        {
            "tools": [TOOL],
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "How deep?"}]},
                {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": '{"at":1}'}}]},
                {"role": "tool", "content": "7 m"},
            ],
        },
        [Part(kind="tools", text='{"type":"function","function":{"name":"f","parameters":{}}}', opens=False), *CONVERSATION],
    ),
    (
        "openai.responses",
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": "How deep?"},
                {"type": "reasoning", "encrypted_content": "sealed"},
                {"type": "function_call", "name": "f", "arguments": '{"at":1}'},
                {"type": "function_call_output", "output": "7 m"},
            ],
        },
        CONVERSATION,
    ),
    (
        "anthropic.messages",
        {
            "system": "Be brief.",
            "tools": [{"name": "f"}],
            "messages": [
                {"role": "user", "content": "How deep?"},
                {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"at": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "content": "7 m"}]},
            ],
        },
        [SCHEMA, *CONVERSATION],
    ),
    (
        "google.generate",
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"function_declarations": [{"name": "f"}]}],
            "contents": [
                {"role": "user", "parts": [{"text": "How deep?"}]},
                {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"at": 1}}, "thought_signature": "sealed"}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "7 m"}}]},
            ],
        },
        [SCHEMA, *CONVERSATION[:3], Part(kind="tool_result", text='"7 m"')],
    ),
    (
        "bedrock.converse",
        {
            "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]},
            "messages": [
                {"role": "user", "content": [{"text": "How deep?"}]},
                {"role": "assistant", "content": [{"toolUse": {"name": "f", "input": {"at": 1}}}]},
                {"role": "user", "content": [{"toolResult": {"content": [{"text": "7 m"}]}}]},
            ],
        },
        [SCHEMA, *CONVERSATION],
    ),
]


@pytest.mark.parametrize(("flavor", "body", "parts"), REQUESTS, ids=READERS)
def test_a_request_is_read_as_an_adapter_would(flavor: str, body: dict[str, Any], parts: list[Part]):
    """The same conversation in each provider's words."""
    assert list(READERS[flavor](body)) == parts


UNSEEN: list[tuple[str, Any]] = [
    ("openai.chat", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]}),
    ("openai.chat", {"messages": [], "response_format": {"type": "json_schema"}}),
    ("openai.responses", {"input": "Hi", "previous_response_id": "resp_1"}),
    ("openai.responses", {"input": "Hi", "tools": [{"type": "web_search"}]}),
    ("anthropic.messages", {"messages": [], "tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
    ("google.generate", {"contents": [], "tools": [{"google_search": {}}]}),
    ("google.generate", {"contents": [], "cachedContent": "cachedContents/1"}),
    ("bedrock.converse", {"messages": [{"role": "user", "content": [{"image": {}}]}]}),
]


@pytest.mark.parametrize(("flavor", "body"), UNSEEN)
def test_what_a_request_does_not_show_is_not_compared(flavor: str, body: dict[str, Any]):
    """Media, output schemas, the provider's own tools, and what it keeps."""
    with pytest.raises(Unseen):
        list(READERS[flavor](body))
