"""What a call reads, from the messages, system texts and tools that each SDK takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from token_otel.manual.messages import document_parts, prompt_of, result_parts

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAAC07w7bAAAAAElFTkSuQmCC"


PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
USE = {"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}
RESULT = {"toolResult": {"toolUseId": "c1", "content": [{"json": {"found": 1}}], "status": "success"}}


def lookup(query: str) -> str:
    """Look it up."""
    return query


ROWS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "a text": ({"messages": "Hello."}, [("user", "Hello.", None)]),
    "nothing": ({}, []),
    "openai": (
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look:"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "found"},
                {"role": "assistant", "content": "", "refusal": "No."},
            ],
            "tools": [{"type": "function", "function": {"name": "search", "parameters": {"default": None}}}],
        },
        [
            ("tools", '{"type":"function","function":{"name":"search","parameters":{"default":null}}}', None),
            ("system", "Be brief.", None),
            ("user", "Look:", None),
            ("media", "", None),
            ("tool_call", 'search {"q": "x"}', "c1"),
            ("tool_result", "found", "c1"),
            ("assistant", "No.", None),
        ],
    ),
    "openai responses": (
        {
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Thought."}]},
                {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "search", "arguments": '{"q": "x"}'},
                {"type": "function_call_output", "call_id": "c1", "output": "found"},
                {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
            ],
        },
        [
            ("system", "Be brief.", None),
            ("user", "Look.", None),
            ("reasoning", "Thought.", "rs_1"),
            ("tool_call", 'search {"q": "x"}', "c1"),
            ("tool_result", "found", "c1"),
            ("assistant", "Done.", None),
        ],
    ),
    "anthropic": (
        {
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "Look."},
                {
                    "role": "assistant",
                    "content": [{"type": "text", "text": "I do."}, {"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "found"}]}]},
            ],
            "tools": [{"name": "search", "input_schema": {"type": "object"}}],
        },
        [
            ("tools", '{"name":"search","input_schema":{"type":"object"}}', None),
            ("system", "Be brief.", None),
            ("user", "Look.", None),
            ("assistant", "I do.", None),
            ("tool_call", 'search {"q":"x"}', "c1"),
            ("tool_result", "found", "c1"),
        ],
    ),
    "google": (
        {
            "system": {"parts": [{"text": "Be brief."}]},
            "messages": [
                "Look.",
                {"role": "model", "parts": [{"function_call": {"id": "c1", "name": "search", "args": {"q": "x"}}}]},
                {"role": "user", "parts": [{"function_response": {"id": "c1", "name": "search", "response": {"result": "found"}}}]},
            ],
            "tools": [{"function_declarations": [{"name": "search"}, {"name": "note"}]}, lookup],
        },
        [
            ("tools", '{"name":"search"}', None),
            ("tools", '{"name":"note"}', None),
            ("tools", "lookup\nLook it up.", None),
            ("system", "Be brief.", None),
            ("user", "Look.", None),
            ("tool_call", 'search {"q":"x"}', "c1"),
            ("tool_result", "found", "c1"),
        ],
    ),
    "mistral": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Look."}]},
                {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": {"q": "x"}}}]},
                {"role": "tool", "name": "search", "tool_call_id": "c1", "content": "found"},
            ]
        },
        [("user", "Look.", None), ("tool_call", 'search {"q":"x"}', "c1"), ("tool_result", "found", "c1")],
    ),
    "bedrock": (
        {
            "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
            "messages": [
                {"role": "user", "content": [{"text": "Look."}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "search", "input": {"q": "x"}}}]},
                {
                    "role": "user",
                    "content": [{"toolResult": {"toolUseId": "c1", "content": [{"json": {"found": 1}}], "status": "success"}}],
                },
            ],
            "tools": {"tools": [{"toolSpec": {"name": "search", "inputSchema": {"json": {}}}}]},
        },
        [
            ("tools", '{"toolSpec":{"name":"search","inputSchema":{"json":{}}}}', None),
            ("system", "Be brief.", None),
            ("user", "Look.", None),
            ("tool_call", 'search {"q":"x"}', "c1"),
            ("tool_result", '{"found":1}', "c1"),
        ],
    ),
}


def as_object(value: Any, depth: int = 2) -> Any:
    """Return messages as an SDK's objects."""
    if isinstance(value, list):
        return [as_object(item, depth) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict) and depth and "toolUse" not in value and "json" not in value:
        return SimpleNamespace(**{str(key): as_object(item, depth - 1) for key, item in value.items()})  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value  # pyright: ignore[reportUnknownVariableType]


@pytest.mark.parametrize(("asked", "expected"), ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("objects", [False, True], ids=["mappings", "objects"])
def test_a_prompt_is_read(asked: dict[str, Any], expected: list[tuple[Any, ...]], objects: bool):
    """Tools, then the system text, then the messages, under the ids of calls."""
    if objects:
        asked = {**asked, "messages": as_object(asked.get("messages"))}
    parts = prompt_of(asked.get("messages"), asked.get("system"), asked.get("tools"))

    assert [(part.kind, part.text, part.call_id) for part in parts] == expected
    assert {part.name for part in parts if part.kind == "tools"} <= {"search", "note", "lookup"}


def test_a_message_keeps_its_id():
    """Under which the provider, or the program, keeps it."""
    parts = prompt_of(
        [{"role": "user", "content": "Hello.", "id": "u1"}, {"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi."}]
    )

    assert [part.message_id for part in parts] == ["u1", "msg_1"]


def test_a_picture_is_measured():
    """By its first bytes."""
    [_, picture] = prompt_of([{"role": "user", "content": ["Look:", {"type": "image", "source": {"type": "base64", "data": PNG}}]}])

    assert picture.media is not None
    assert (picture.media.width, picture.media.height) == (10, 20)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("found", "found"),
        ({"found": 1}, '{"found":1}'),
        ([1, 2], "[1,2]"),
        ([], "[]"),
        ([{"type": "text", "text": "found"}], "found"),
        (SimpleNamespace(found=1), '{"found":1}'),
        (42, "42"),
    ],
)
def test_a_result_is_a_text(result: Any, text: str):
    """As it is, in blocks, or as JSON."""
    [part] = result_parts(result, "c1")

    assert (part.kind, part.text, part.call_id) == ("tool_result", text, "c1")


def test_no_result_is_no_text():
    """Nor are no documents."""
    assert (result_parts(None, None), document_parts([]), document_parts(None)) == ((), (), ())


def test_documents_are_texts_or_have_one():
    """Or are said as JSON."""
    parts = document_parts(["one", SimpleNamespace(page_content="two"), {"text": "three"}, {"row": 4}])

    assert [part.text for part in parts] == ["one", "two", "three", '{"row":4}']
    assert [part.text for part in document_parts("alone")] == ["alone"]
