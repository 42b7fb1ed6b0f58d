"""The counting of the loopback providers, without a socket."""

import base64
import hashlib
from typing import Any
from unittest.mock import patch

import pytest
import tiktoken_ext.openai_public as official

from token_otel.testing.loopback import anthropic_prompt, openai_prompt
from token_otel.testing.loopback.counting import PATTERNS, EncodingName, encoding, ranks
from token_otel.testing.loopback.typescript import namespace

SHA256: dict[EncodingName, str] = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
SEARCH = {
    "name": "search",
    "description": "Search the web.",
    "parameters": {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for"},
            "kind": {"enum": ["web", "news"]},
            "sites": {"type": "array", "items": {"type": "string"}},
            "page": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
            "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["query"],
    },
}


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_splits_as_tiktoken_does(name: EncodingName):
    """The patterns are copied; tiktoken's own definition is the oracle."""
    with patch.object(official, "load_tiktoken_bpe", return_value={}):
        theirs: str = getattr(official, name)()["pat_str"]

    assert PATTERNS[name] == theirs


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_ranks_are_the_published_ones(name: EncodingName):
    """Written as OpenAI publishes them, they have the digest that tiktoken expects."""
    text = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks(name).items())

    assert hashlib.sha256(text).hexdigest() == SHA256[name]


def test_an_encoding_is_loaded_once():
    """It holds 80 MB."""
    assert encoding("cl100k_base") is encoding("cl100k_base")


def test_openai_by_hand():
    """The example is counted by hand, frame by frame."""
    body: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "hello world", "name": "bob"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "function": {"name": "search", "arguments": "{}"}}]},
            {"role": "tool", "content": "done", "tool_call_id": "call_1"},
        ]
    }

    prompt = openai_prompt.chat_prompt(body)

    # frame 3 + role 1 + content: 4 ("You", " are", " helpful", "."); 2, name 1 and 1; "search" 1 and "{}" 1; 1; then 3 to reply
    assert [len(piece.tokens) for piece in prompt.pieces] == [8, 8, 6, 5, 3]
    assert prompt.tokens == 30
    assert [piece.kind for piece in prompt.pieces] == ["system", "message", "message", "message", "framing"]
    assert prompt.pieces[3].tool_call_id == "call_1"


def test_tools_are_rendered_as_typescript():
    """OpenAI writes schemas into the prompt as a TypeScript namespace, and bills 9 tokens more."""
    prompt = openai_prompt.chat_prompt({"tools": [{"type": "function", "function": SEARCH}], "messages": []})

    text = """namespace functions {

// Search the web.
type search = (_: {
// What to look for
query: string,
kind?: "web" | "news",
sites?: string[],
page?: {
  number: number,
},
limit?: number | null,
}) => any;

} // namespace functions"""
    assert namespace([SEARCH]) == text
    assert prompt.pieces[0].kind == "tools"
    assert len(prompt.pieces[0].tokens) == openai_prompt.count(text) + 9


def test_a_tool_without_parameters():
    """It is rendered without an argument."""
    assert "type stop = () => any;" in namespace([{"name": "stop"}])


@pytest.mark.parametrize("kind", ["image_url", "input_image"])
def test_an_image_is_billed_by_tiles(kind: str):
    """255 tokens for one tile, however long its base64."""
    image = {"type": kind, "image_url": "data:image/png;base64," + "A" * 100_000}

    [piece, _] = openai_prompt.chat_prompt({"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, image]}]}).pieces

    # 3 + role 1 + "see" 1 + 85 + 170
    assert len(piece.tokens) == 260
    assert piece.text == "see"


def test_responses_items_are_pieces():
    """Instructions, history items and outputs are billed like messages; reasoning that comes back is not."""
    body: dict[str, Any] = {
        "instructions": "You are helpful.",
        "input": [
            {"role": "user", "content": "hello world"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "A" * 1_000},
            {"type": "function_call", "name": "search", "arguments": "{}", "call_id": "call_1"},
            {"type": "function_call_output", "output": "done", "call_id": "call_1"},
        ],
    }

    pieces = openai_prompt.responses_prompt(body, []).pieces

    # As by hand above, without the name: 3 + 1 + 2
    assert [(piece.index, len(piece.tokens)) for piece in pieces] == [(None, 8), (0, 6), (2, 6), (3, 5), (None, 3)]


def test_what_was_thought_is_billed_until_the_user_speaks_next():
    """As GPT-5 was recorded to do: reasoning that comes back in a loop of tools is billed to the token, else it is dropped."""
    thoughts = {"rs_1": 700, "rs_2": 50}
    question, first, second = {"role": "user", "content": "hi"}, {"type": "reasoning", "id": "rs_1"}, {"type": "reasoning", "id": "rs_2"}

    pieces = openai_prompt.responses_prompt({"input": [question, first, question, second]}, [], thoughts).pieces

    # frame 3 + role 1 + "hi" 1, twice; rs_2 alone; then 3 to reply
    assert [(piece.index, len(piece.tokens)) for piece in pieces] == [(0, 5), (2, 5), (3, 50), (None, 3)]


def test_an_output_schema_is_billed():
    """OpenAI puts it before the messages."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    body: dict[str, Any] = {"messages": [], "response_format": {"type": "json_schema", "json_schema": {"name": "P", "schema": schema}}}

    piece = openai_prompt.chat_prompt(body).pieces[0]

    assert piece.kind == "preamble"
    assert len(piece.tokens) == openai_prompt.count('{"type":"object","properties":{"name":{"type":"string"}}}')


def test_anthropic_by_hand():
    """The example is counted by hand, frame by frame."""
    body: dict[str, Any] = {
        "tools": [{"name": "search", "input_schema": {}}],
        "system": "You are helpful.",
        "messages": [
            {"role": "user", "content": "hello world"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "search", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "done"}]},
                    {"type": "text", "text": "hello world"},
                    {"type": "image", "source": {"type": "base64", "data": "A" * 10_000}},
                ],
            },
        ],
    }

    pieces = anthropic_prompt.messages_prompt(body).pieces

    assert [(piece.kind, piece.text, piece.tool_call_id) for piece in pieces] == [
        ("preamble", "", None),
        ("tools", '{"name":"search","input_schema":{}}', None),
        ("system", "You are helpful.", None),
        ("message", "hello world", None),
        ("message", "search{}", None),
        ("message", "done", "toolu_1"),
        ("message", "hello world", None),
        ("message", "", None),
    ]
    # tool: {" name ":" search "," input _schema ": { }}; a message's frame of 7 is in its first block
    assert [len(piece.tokens) for piece in pieces] == [346, 10, 4, 7 + 2, 7 + 2, 7 + 1, 2, 1_568]


@pytest.mark.parametrize(("choice", "tokens"), [("auto", 346), ("none", 346), ("any", 313), ("tool", 313)])
def test_the_hidden_preamble(choice: str, tokens: int):
    """A forced tool has a shorter one."""
    body: dict[str, Any] = {"tools": [{"name": "search"}], "tool_choice": {"type": choice}, "messages": []}

    assert len(anthropic_prompt.messages_prompt(body).pieces[0].tokens) == tokens


def test_signatures_and_pdfs_are_not_text():
    """What is base64 is never counted by its length."""
    thinking = {"type": "thinking", "thinking": "hello world", "signature": "A" * 1_000}
    redacted = {"type": "redacted_thinking", "data": "A" * 1_000}
    pdf = {"type": "document", "source": {"type": "base64", "data": "A" * 10_000}}
    plain = {"type": "document", "source": {"type": "text", "data": "hello world"}}
    body: dict[str, Any] = {"messages": [{"role": "user", "content": [thinking, redacted, pdf, plain]}]}

    assert [len(piece.tokens) for piece in anthropic_prompt.messages_prompt(body).pieces] == [7 + 2, 0, 1_500, 2]
