"""`Items`: what goes to and fro as `Part`s: items of the Responses API and messages of Chat Completions, as dicts or objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, cast

from token_otel import wire
from token_otel.events import Media, Part, PartKind

_KIND: dict[str, PartKind] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_TEXT = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal", "summary_text": "text"}
# What the SDK writes where a provider gives no id.
_NO_ID = "__fake_id__"
# What a provider's own tool returned stands in the item of its call.
_RETURNED = ("output", "outputs", "result", "results")
_NOT_READ = {"id", "type", "status", "call_id", "name", "server_label", "approval_request_id", "encrypted_content", "created_by"}


class Items:
    """Reads the items of one call, in order: what answers a tool call is named by the call that it answers.

    Args:
        seals: By its key, the tokens of reasoning that is sealed, as the call that made it has reported them.
    """

    def __init__(self, seals: Mapping[str, int]) -> None:
        self._seals = seals
        self._names: dict[str, str] = {}

    def read(self, given: object) -> tuple[Part, ...]:
        """Return the parts of a text, which is what the user says, or of a list of items."""
        if isinstance(given, str):
            return (Part(kind="user", text=given),)
        if not isinstance(given, list | tuple):
            return ()
        return tuple(part for item in cast("Iterable[object]", given) for part in self._item(plain(item)))

    def follow(self, parts: Iterable[Part]) -> None:
        """Know the calls in what was read before."""
        self._names |= {part.call_id: part.name for part in parts if part.kind == "tool_call" and part.call_id and part.name}

    def _item(self, item: Mapping[str, Any]) -> Iterator[Part]:
        form, message_id = item.get("type"), _id(item)
        call_id: Any = item.get("call_id") or item.get("tool_call_id")
        name: Any = item.get("name")
        if isinstance(item.get("role"), str):
            yield from self._message(item, message_id)
        elif form in ("function_call", "custom_tool_call"):
            yield self._call(name, item.get("arguments", item.get("input")), call_id, message_id, opens=True)
        elif isinstance(form, str) and form.endswith("_output") and call_id:
            yield from _result(item.get("output"), call_id, self._names.get(call_id))
        elif thought := wire.read_reasoning(item):
            if thought.sealed or thought.text:
                tokens = self._seals.get(thought.key or "", thought.guess) if thought.sealed else None
                yield Part(kind="reasoning", text=thought.text, message_id=message_id, call_id=thought.key, sealed_tokens=tokens)
        elif form == "mcp_list_tools":
            yield from _schemas(item.get("tools"))
        elif media := wire.read_media(item):
            yield Part(kind="media", media=media, message_id=message_id)
        elif isinstance(form, str) and form.endswith("_call"):
            yield from self._served(item, form, message_id)

    def _message(self, item: Mapping[str, Any], message_id: str | None) -> Iterator[Part]:
        kind = _KIND.get(item["role"], "user")
        call_id: Any = item.get("tool_call_id")
        name = self._names.get(call_id) if call_id else item.get("name")
        opens = True
        thought: object = item.get("reasoning_content") or item.get("reasoning")
        if isinstance(thought, str):
            yield Part(kind="reasoning", text=thought, message_id=message_id)
            opens = False
        for part in _content(kind, item.get("content") or item.get("refusal"), message_id, call_id, name):
            yield part if opens else replace(part, opens=False)
            opens = False
        for made in cast("Iterable[object]", item.get("tool_calls") or ()):
            call = plain(made)
            told = plain(call.get("function") or call.get("custom") or {})
            yield self._call(told.get("name"), told.get("arguments", told.get("input")), call.get("id"), message_id, opens=opens)
            opens = False
        if opens:
            yield Part(kind=kind, message_id=message_id, call_id=call_id, name=name)

    def _call(self, name: object, arguments: object, call_id: Any, message_id: str | None, *, opens: bool) -> Part:
        name = name if isinstance(name, str) else ""
        if call_id:
            self._names[call_id] = name
        said = arguments if isinstance(arguments, str) else wire.compact(arguments)
        return Part(kind="tool_call", text=f"{name} {said}", message_id=message_id, call_id=call_id, name=name, opens=opens)

    def _served(self, item: Mapping[str, Any], form: str, message_id: str | None) -> Iterator[Part]:
        """Read a call of a tool that the provider runs itself, and what it returned."""
        name = item.get("name") or form.removesuffix("_call")
        key = item.get("call_id") or message_id
        asked = {field: value for field, value in item.items() if field not in _NOT_READ and field not in _RETURNED and value is not None}
        yield self._call(name, asked.get("arguments", asked), key, message_id, opens=True)
        for field in _RETURNED:
            if returned := item.get(field):
                yield Part(kind="tool_result", text=_text(returned), call_id=key, name=name)


def result_parts(output: object, call_id: str | None, name: str) -> tuple[Part, ...]:
    """Return what a tool returned, as the model will read it."""
    return () if output is None else tuple(_result(output, call_id, name))


def schema_parts(schemas: Iterable[object]) -> tuple[Part, ...]:
    """Return the schemas of tools that are sent along."""
    return tuple(_schemas(list(schemas)))


def output_parts(parts: Iterable[Part], reasoning: int | None, seals: MutableMapping[str, int]) -> tuple[Part, ...]:
    """Return what the model itself produced, what is sealed of it with the tokens that the call has reported.

    What the provider's tools returned in between is none of it.
    """
    made = [part for part in parts if part.kind not in ("tool_result", "tools")]
    sealed = [place for place, part in enumerate(made) if part.kind == "reasoning" and part.call_id]
    if reasoning is not None and sealed:
        for place, tokens in zip(sealed, wire.sealed_shares(reasoning, [made[place].sealed_tokens for place in sealed]), strict=True):
            seals[made[place].call_id or ""] = tokens
            made[place] = replace(made[place], sealed_tokens=tokens)
    return tuple(made)


def plain(item: object) -> Mapping[str, Any]:
    """Return an item as a mapping; what is none is empty."""
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item)
    dump: Any = getattr(item, "model_dump", None)
    return dump(mode="json", by_alias=True, exclude_none=True, warnings=False) if dump is not None else {}


def _id(item: Mapping[str, Any]) -> str | None:
    found: object = item.get("id")
    return found if isinstance(found, str) and found != _NO_ID else None


def _result(output: object, call_id: str | None, name: str | None) -> Iterator[Part]:
    if isinstance(output, str):
        yield Part(kind="tool_result", text=output, call_id=call_id, name=name)
        return
    opens = True
    for part in _content("tool_result", _blocks(output), None, call_id, name):
        yield part if opens else replace(part, opens=False)
        opens = False


def _blocks(output: object) -> object:
    """Return structured output as blocks, as the SDK sends it; any other value is sent as its text."""
    several = cast("list[object]", output) if isinstance(output, list | tuple) else [output]
    blocks = [plain(each) for each in several]
    if blocks and all(block.get("type") in ("text", "image", "file", "input_text", "input_image", "input_file") for block in blocks):
        return blocks
    return str(cast("object", output))


def _content(kind: PartKind, content: object, message_id: str | None, call_id: str | None, name: Any) -> Iterator[Part]:
    def part(kind: PartKind, text: str = "", media: Media | None = None) -> Part:
        return Part(kind=kind, text=text, message_id=message_id, call_id=call_id, name=name, media=media)

    if isinstance(content, str):
        if content:
            yield part(kind, content)
        return
    for each in cast("list[object]", content) if isinstance(content, list) else ():
        block = plain(each)
        text: object = block.get(_TEXT.get(block.get("type") or "", ""))
        if isinstance(text, str):
            if text:
                yield part(kind, text)
        elif document := wire.document_text(block):
            yield part("document", document)
        elif media := wire.read_media(block):
            yield part("media", media=media)
        elif block:
            yield part(kind, wire.compact(block))


def _schemas(schemas: object) -> Iterator[Part]:
    for each in cast("list[object]", schemas) if isinstance(schemas, list) else ():
        schema = plain(each)
        name = schema.get("name") or plain(schema.get("function")).get("name") or schema.get("type")
        yield Part(kind="tools", text=wire.compact(schema), name=name if isinstance(name, str) else None, opens=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else wire.compact(value)
