"""What goes to and fro, as parts: items of Responses, messages of Chat Completions, and what the SDK makes of tools."""

# Items are literals with empty lists in them.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import Response, ResponseOutputMessage

from token_otel.events import Part
from token_otel_openai_agents.calls import answered, provider_of, reported
from token_otel_openai_agents.items import Items, output_parts, result_parts, schema_parts

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def read(*items: Any) -> list[tuple[str, str, str | None, str | None]]:
    """The parts of items: kind, text, name, and the id of the call."""
    return [(part.kind, part.text, part.name, part.call_id) for part in Items({}).read(list(items))]


def test_a_text_is_what_the_user_says():
    """The SDK takes a plain text for the input."""
    assert Items({}).read("hello") == (Part(kind="user", text="hello"),)


def test_an_answer_is_the_same_as_an_object_and_as_a_dict():
    """What a model has said comes back as a dict: the same parts, under the same id."""
    said: Any = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "seven feet", "annotations": []}],
    }
    as_object = ResponseOutputMessage.model_validate(said)

    assert Items({}).read([said]) == Items({}).read([as_object]) == (Part(kind="assistant", text="seven feet", message_id="msg_1"),)


def test_an_id_that_is_made_up_is_none():
    """All items of Chat Completions bear the same one."""
    [part] = Items({}).read([{"id": "__fake_id__", "type": "message", "role": "assistant", "content": "seven feet"}])
    assert part.message_id is None


def test_a_result_is_named_by_the_call_it_answers():
    """Items of results have no name; of a call that is not there, neither."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "sound", "arguments": '{"mile":7}'}

    assert read(call, {"type": "function_call_output", "call_id": "call_1", "output": "seven feet"}) == [
        ("tool_call", 'sound {"mile":7}', "sound", "call_1"),
        ("tool_result", "seven feet", "sound", "call_1"),
    ]
    assert read({"type": "function_call_output", "call_id": "call_1", "output": "seven feet"}) == [
        ("tool_result", "seven feet", None, "call_1")
    ]


def test_a_message_of_chat_completions_has_content_then_calls():
    """Only the first part opens it; a tool's message is its result."""
    call = {"id": "call_1", "type": "function", "function": {"name": "sound", "arguments": "{}"}}
    parts = Items({}).read(
        [
            {"role": "assistant", "content": "Wait.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "seven feet"},
        ]
    )

    assert [(part.kind, part.text, part.name, part.opens) for part in parts] == [
        ("assistant", "Wait.", None, True),
        ("tool_call", "sound {}", "sound", False),
        ("tool_result", "seven feet", "sound", True),
    ]


def test_pictures_are_media():
    """In a message, in a result of a tool, and as an item of their own."""
    picture = {"type": "input_image", "image_url": PIXEL}
    parts = Items({}).read(
        [
            {"role": "user", "content": [{"type": "input_text", "text": "what is this?"}, picture]},
            {"type": "function_call_output", "call_id": "call_1", "output": [picture]},
            {"type": "image_generation_call", "id": "ig_1", "result": PIXEL.partition(",")[2]},
        ]
    )

    assert [(part.kind, part.media.width if part.media else None) for part in parts] == [("user", None), *[("media", 1)] * 3]
    assert PIXEL[40:60] not in str(parts)


def test_tools_of_the_provider_are_calls_with_their_results():
    """What it returned is none of what the model has said."""
    parts = Items({}).read(
        [
            {"type": "mcp_call", "id": "mcp_1", "name": "survey", "arguments": "{}", "server_label": "s", "output": "seven feet"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "river"}},
        ]
    )

    assert [(part.kind, part.name, part.text) for part in parts] == [
        ("tool_call", "survey", "survey {}"),
        ("tool_result", "survey", "seven feet"),
        ("tool_call", "web_search", 'web_search {"action":{"type":"search","query":"river"}}'),
    ]
    assert [part.kind for part in output_parts(parts, None, {})] == ["tool_call", "tool_call"]


def test_sealed_reasoning_keeps_the_tokens_of_its_call():
    """Two pieces share what the call reported; when they come back they are known by their ids."""
    thoughts = [{"type": "reasoning", "id": f"rs_{number}", "summary": []} for number in (1, 2)]
    seals: dict[str, int] = {}
    made = output_parts(Items(seals).read(thoughts), 101, seals)

    assert [part.sealed_tokens for part in made] == [50, 51]
    assert Items(seals).read(thoughts) == made


@pytest.mark.parametrize(
    ("output", "text"),
    [("seven", "seven"), (7, "7"), ({"deep": 7}, "{'deep': 7}"), ({"type": "text", "text": "seven"}, "seven"), ([], "[]")],
)
def test_a_result_is_the_text_that_the_sdk_sends(output: object, text: str):
    """Structured output is its content, anything else is `str`."""
    assert result_parts(output, "call_1", "sound") == (Part(kind="tool_result", text=text, call_id="call_1", name="sound"),)


def test_no_result_is_none():
    """A tool that was cut off, or whose output the trace is not to have."""
    assert result_parts(None, "call_1", "sound") == ()


def test_schemas_have_the_names_of_their_tools():
    """Flat, nested, or of the provider's own."""
    schemas = [{"type": "function", "name": "a"}, {"type": "function", "function": {"name": "b"}}, {"type": "web_search"}]
    assert [part.name for part in schema_parts(schemas)] == ["a", "b", "web_search"]


def test_what_nobody_knows_breaks_nothing():
    """Items of a later release, and what is no item."""
    assert read({"type": "telepathy", "thought": "x"}, 7, None, {"role": 7}) == []


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"input_tokens": 0, "output_tokens": 0, "input_tokens_details": {"cached_tokens": 0}}, None),
        ({"input_tokens": 7, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 0}}, (7, 2, None)),
        ({"input_tokens": 7, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 3}}, (7, 2, 3)),
        ({"prompt_tokens": 7, "completion_tokens": 2}, (7, 2, None)),
        (None, None),
    ],
)
def test_a_zero_of_the_sdk_is_unknown(usage: object, told: tuple[int, int, int | None] | None):
    """It fills in what a provider does not say."""
    found = reported(usage)
    assert (found and (found.input, found.output, found.cache_read)) == told


@pytest.mark.parametrize(
    ("model", "url", "provider"),
    [
        ("gpt-5", "http://127.0.0.1:8000/v1/", "openai"),
        ("gpt-5", "https://mine.openai.azure.com/openai/", "azure.ai.openai"),
        ("deepseek-chat", "https://api.deepseek.com/v1/", "deepseek"),
        ("anthropic/claude-sonnet-4-5", None, "anthropic"),
        ("gemini/gemini-2.5-pro", None, "gcp.gen_ai"),
        ("somebody/else", None, None),
    ],
)
def test_a_provider_is_known_by_its_host_or_prefix(model: str, url: str | None, provider: str | None):
    """Of what is unknown nothing is said."""
    assert provider_of(model, url) == provider


def test_an_answer_that_was_cut_short_says_why():
    """An incomplete response is billed; its searches are counted."""
    response = Response.model_construct(
        id="resp_1",
        model="gpt-5",
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
        usage={"input_tokens": 7, "output_tokens": 2},
        output=[{"type": "web_search_call", "id": "ws_1"}],
        service_tier="flex",
    )
    found = answered(response)

    assert (found.finish_reasons, found.service_tier) == (("length",), "flex")
    assert found.usage is not None
    assert (found.usage.input, found.usage.output, found.usage.web_searches) == (7, 2, 1)
