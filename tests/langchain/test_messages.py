"""Messages as parts: every format of content, and each message flattened once."""

from __future__ import annotations

import base64
import gc
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from token_otel_langchain import messages as memos
from token_otel_langchain.blocks import parts_of
from token_otel_langchain.messages import Memo

CALL: Any = {"name": "search", "args": {"q": "größe", "n": 3}, "id": "c1", "type": "tool_call"}


def png(width: int, height: int) -> str:
    """Write the head of a PNG, as base64."""
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(600)).decode()


def brief(message: AnyMessage) -> list[tuple[str, str]]:
    """Return kind and text of each part."""
    return [(part.kind, part.text) for part in parts_of(message)]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (SystemMessage("x"), "system"),
        (HumanMessage("x"), "user"),
        (AIMessage("x"), "assistant"),
        (ToolMessage("x", tool_call_id="c1"), "tool_result"),
        (ChatMessage(content="x", role="developer"), "system"),
        (ChatMessage(content="x", role="assistant"), "assistant"),
        (ChatMessage(content="x", role="moderator"), "user"),
    ],
)
def test_the_kind_is_the_role(message: AnyMessage, kind: str):
    """Who speaks decides."""
    assert brief(message) == [(kind, "x")]


def test_text_is_kept_by_reference():
    """A long text is never copied."""
    text = "long " * 1000

    assert parts_of(HumanMessage(text))[0].text is text
    assert parts_of(HumanMessage([{"type": "text", "text": text}]))[0].text is text


def test_a_tool_call_is_its_name_and_compact_arguments():
    """As the model wrote it, or nearly so, whatever the provider's blocks look like."""
    content: Any = [{"type": "text", "text": "let me see"}, {"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "größe"}}]
    parts = parts_of(AIMessage(content, id="m1", tool_calls=[CALL]))

    assert [(part.kind, part.text, part.call_id, part.name, part.opens) for part in parts] == [
        ("assistant", "let me see", None, None, True),
        ("tool_call", 'search {"q":"größe","n":3}', "c1", "search", False),
    ]
    assert {part.message_id for part in parts} == {"m1"}


def test_a_tool_call_that_does_not_parse_is_read_as_it_is():
    """It was billed."""
    broken: Any = {"name": "search", "args": '{"q": ', "id": "c1", "error": "bad", "type": "invalid_tool_call"}

    assert brief(AIMessage("", invalid_tool_calls=[broken])) == [("tool_call", 'search {"q": ')]


def test_a_tool_result_names_its_call_and_tool():
    """Several blocks are several parts of one answer."""
    content: Any = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    parts = parts_of(ToolMessage(content, tool_call_id="c1", name="search"))

    assert [(part.text, part.call_id, part.name, part.opens) for part in parts] == [
        ("a", "c1", "search", True),
        ("b", "c1", "search", False),
    ]


def test_an_empty_message_is_one_empty_part():
    """It has a frame, and an id under which it comes back."""
    [part] = parts_of(AIMessage("", id="m1"))

    assert (part.kind, part.text, part.message_id, part.opens) == ("assistant", "", "m1", True)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": "c2ln" * 100},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "ZW5j" * 100},
        {"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": "c2ln" * 100}},
        {"reasoning_content": {"text": "hm", "signature": "c2ln" * 100}},
    ],
)
def test_thoughts_are_reasoning(block: Any):
    """In every provider's words; signatures and seals are no text."""
    assert brief(AIMessage([block])) == [("reasoning", "hm")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png(280, 56)}"}},
        {"type": "image", "mime_type": "image/png", "base64": png(280, 56)},
        {"type": "media", "mime_type": "image/png", "data": png(280, 56)},
        {"image": {"format": "png", "source": {"bytes": base64.b64decode(png(280, 56))}}},
    ],
)
def test_a_picture_is_media_of_its_size(block: Any):
    """In LangChain's blocks, in the providers' own, and in Bedrock's, which have no type."""
    [part] = parts_of(HumanMessage([block]))
    media = part.media

    assert (part.kind, part.text) == ("media", "")
    assert media is not None
    assert (media.kind, media.width, media.height) == ("image", 280, 56)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "image", "source": {"type": "base64", "data": png(280, 56)}}]},
        {"type": "computer_call_output", "call_id": "c1", "output": {"type": "computer_screenshot", "image_url": png(280, 56)}},
    ],
)
def test_a_picture_in_a_result_is_media_that_answers_the_call(block: Any):
    """It is not read as text."""
    [part] = parts_of(HumanMessage([block]))
    media = part.media

    assert (part.kind, part.text, part.call_id) == ("media", "", "c1")
    assert media is not None
    assert (media.width, media.height) == (280, 56)


def test_a_picture_that_a_model_made_is_media():
    """OpenAI's tool gives it as base64, which nobody reads."""
    [part] = parts_of(AIMessage([{"type": "image_generation_call", "id": "ig_1", "result": png(280, 56)}]))

    assert (part.kind, part.text) == ("media", "")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "page"}},
        {"type": "text-plain", "text": "page"},
        {"type": "file", "source_type": "text", "text": "page"},
        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "page"}]},
    ],
)
def test_documents_that_are_text_are_text(block: Any):
    """They are read, not looked at."""
    assert brief(HumanMessage([block])) == [("document", "page")]


def test_tools_of_the_provider_are_calls_and_results():
    """What they sealed is left out."""
    content: Any = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s1",
            "content": [{"type": "web_search_result", "title": "t", "encrypted_content": "ZW5j" * 100}],
        },
    ]
    call, result = parts_of(AIMessage(content))

    assert (call.kind, call.text, call.call_id) == ("tool_call", 'web_search {"query":"x"}', "s1")
    assert (result.kind, result.call_id, "ZW5j" in result.text) == ("tool_result", "s1", False)


def test_what_is_unknown_is_read_as_json():
    """New kinds of blocks come every month."""
    assert brief(HumanMessage([{"type": "new_kind", "value": 1, "signature": "xx"}])) == [("user", '{"type":"new_kind","value":1}')]


def test_a_message_seen_before_gives_the_same_parts():
    """By object."""
    memo, message = Memo(), HumanMessage("hello")

    assert memo.message(message)[0] is memo.message(message)[0]


def test_a_copy_under_the_same_id_gives_the_same_parts():
    """Checkpointers read messages anew for every turn."""
    memo, message = Memo(), AIMessage("hello", id="m1", tool_calls=[CALL])

    assert memo.message(message)[1] is memo.message(message.model_copy(deep=True))[1]


@pytest.mark.parametrize("length", [1, 40])
@pytest.mark.parametrize(
    "change",
    [
        {"content": "goodbye"},
        {"content": [{"type": "text", "text": "goodbye"}]},
        {"id": "m9"},
        {"name": "bob"},
        {"tool_calls": [{**CALL, "args": {"q": "other"}}]},
    ],
)
def test_a_message_changed_in_place_is_read_anew(length: int, change: dict[str, Any]):
    """In short prompts and in long ones."""
    memo = Memo()
    prompt: list[AnyMessage] = [AIMessage("hello", id=f"m{n}x", tool_calls=[CALL]) for n in range(length)]
    memo.prompt(prompt)
    for field, value in change.items():
        setattr(prompt[0], field, value)

    assert memo.prompt(prompt) == Memo().prompt(prompt)


@pytest.mark.parametrize("length", [1, 40])
def test_content_changed_within_is_read_anew(length: int):
    """A block may be edited, and a call's arguments."""
    memo = Memo()
    prompt: list[AnyMessage] = [AIMessage([{"type": "text", "text": "hello"}], tool_calls=[CALL]) for _ in range(length)]
    memo.prompt(prompt)
    block: Any = prompt[-1].content[0]
    block["text"] = "goodbye"
    last: Any = prompt[-1]
    last.tool_calls[0]["args"]["q"] = "other"

    assert memo.prompt(prompt)[-2:] == Memo().prompt(prompt)[-2:]
    assert memo.prompt(prompt)[-2].text == "goodbye"


def test_a_message_edited_under_its_id_is_read_anew():
    """An id counts only with the same content."""
    memo = Memo()
    memo.message(HumanMessage("hello", id="m1"))

    assert memo.message(HumanMessage("goodbye", id="m1"))[0].text == "goodbye"


def test_a_long_prompt_that_grows_keeps_its_parts():
    """Only what is new is flattened."""
    memo = Memo()
    prompt: list[AnyMessage] = [HumanMessage(f"message {n}") for n in range(40)]
    before = memo.prompt(prompt)
    after = memo.prompt([*prompt, HumanMessage("one more")])

    assert all(a is b for a, b in zip(before, after, strict=False))
    assert after[-1].text == "one more"


@given(st.lists(st.tuples(st.sampled_from(["add", "edit", "drop", "copy"]), st.integers(0, 50)), max_size=60))
def test_the_memo_never_changes_what_is_read(steps: list[tuple[str, int]]):
    """Whatever is done to a history, the memo gives what a fresh one gives."""
    memo = Memo()
    prompt: list[AnyMessage] = [HumanMessage(f"start {n}", id=f"s{n}") for n in range(15)]
    for number, (step, place) in enumerate(steps):
        at = place % max(1, len(prompt))
        if step == "add" or not prompt:
            prompt = [*prompt, AIMessage(f"answer {number}", id=f"a{number}", tool_calls=[{**CALL, "args": {"n": number}}])]
        elif step == "edit":
            prompt[at].content = f"edited {number}"
        elif step == "drop":
            prompt = prompt[:at] + prompt[at + 1 :]
        else:
            prompt = [*prompt[:at], prompt[at].model_copy(deep=True), *prompt[at + 1 :]]

        assert memo.prompt(prompt) == Memo().prompt(prompt)


def test_the_memo_keeps_no_message_alive_by_itself():
    """Short prompts are remembered as long as they live."""
    memo = Memo()
    for n in range(1000):
        memo.message(HumanMessage(f"message {n}"))
    gc.collect()

    assert len(memo._objects) <= 1  # pyright: ignore[reportPrivateUsage]


def test_the_memo_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """By characters, over all that it holds."""
    monkeypatch.setattr(memos, "CHARACTERS", 10_000)
    memo = Memo()
    for n in range(300):
        memo.prompt([HumanMessage("x" * 100, id=f"{n}-{m}") for m in range(20)])

    held = [*memo._ids.values(), *memo._histories.values()]  # pyright: ignore[reportPrivateUsage]
    assert sum(each.size for each in held) == memo._characters <= 10_000  # pyright: ignore[reportPrivateUsage]


def test_tool_schemas_are_compared():
    """Frameworks make them anew for every call, and two agents may name different tools alike."""
    memo = Memo()
    one: Any = {"type": "function", "function": {"name": "search", "description": "d", "parameters": {"type": "object"}}}
    other: Any = {"type": "function", "function": {"name": "search", "description": "d", "parameters": {"type": "string"}}}
    [first] = memo.prompt([], [one])
    [again] = memo.prompt([], [{"type": "function", "function": {**one["function"]}}])
    [changed] = memo.prompt([], [other])

    assert first is again
    assert changed.text == '{"type":"function","function":{"name":"search","description":"d","parameters":{"type":"string"}}}'
