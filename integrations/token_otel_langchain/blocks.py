"""A message's content as `Part`s: LangChain's own blocks, old and new, and those of the providers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from token_otel import wire
from token_otel.events import Media, Part, PartKind

_KIND: dict[str, PartKind] = {
    "system": "system",
    "developer": "system",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_TEXT = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal", "text-plain": "text"}
# The same calls stand in `tool_calls`; what streams leave of them does not parse.
_CALLS = {"tool_use", "tool_call", "function_call", "tool_call_chunk", "input_json_delta", "invalid_tool_call", "custom_tool_call"}
_NOT_TEXT = {"cachePoint", "cache_point", "redacted_thinking", "compaction"}
# Payloads that no model reads as text: encodings, signatures, seals.
_SEALED = {
    "data",
    "base64",
    "bytes",
    "file_data",
    "encrypted_content",
    "signature",
    "thought_signature",
    "encrypted_index",
    "extras",
    "index",
}

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


def parts_of(message: BaseMessage) -> tuple[Part, ...]:
    """Split a message into its parts, in order: content, then the tool calls it makes; an empty one is one empty part."""
    role = getattr(message, "role", None) or message.type.removesuffix("MessageChunk").lower()
    made = _Parts(_KIND.get(role, "user"), message)
    if isinstance(message.content, str):
        if message.content:
            made.add(made.kind, message.content)
    else:
        for block in cast("list[object]", message.content):
            made.read(block)
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            made.call(call["name"], compact(call["args"]), call["id"])
        for broken in message.invalid_tool_calls:
            made.call(broken["name"] or "", broken["args"] or "", broken["id"])
    return tuple(made.parts) or (Part(kind=made.kind, message_id=message.id, call_id=made.call_id, name=message.name),)


def compact(value: object) -> str:
    """Return `value` as compact JSON; what JSON cannot say is said by `str`."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)


class _Parts:
    def __init__(self, kind: PartKind, message: BaseMessage) -> None:
        self.kind: PartKind = kind
        self.parts: list[Part] = []
        self.call_id = message.tool_call_id if isinstance(message, ToolMessage) else None
        self._id = message.id
        self._name = message.name
        self._calls_known = isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)

    def add(
        self, kind: PartKind, text: str = "", *, call_id: str | None = None, name: str | None = None, media: Media | None = None
    ) -> None:
        self.parts.append(
            Part(
                kind=kind,
                text=text,
                message_id=self._id,
                call_id=call_id or self.call_id,
                name=name or self._name,
                media=media,
                opens=not self.parts,
            )
        )

    def call(self, name: str, arguments: str, call_id: str | None) -> None:
        self.add("tool_call", f"{name} {arguments}", call_id=call_id, name=name)

    def read(self, block: object) -> None:
        if isinstance(block, str):
            if block:
                self.add(self.kind, block)
        elif isinstance(block, Mapping):
            self._read(cast("Mapping[str, Any]", block))

    def _read(self, block: Mapping[str, Any]) -> None:
        whole, form = block, block.get("type")
        if form is None:
            # Bedrock's own blocks name their only key.
            form = next(iter(block), "")
            block = block if not isinstance(block.get(form), Mapping) else block[form]
        if form in _TEXT and isinstance(text := block.get(_TEXT[form]), str):
            if text:
                self.add("document" if form == "text-plain" else self.kind, text)
        elif form in ("thinking", "reasoning", "reasoning_content"):
            if text := _thoughts(block):
                self.add("reasoning", text)
        elif form in _CALLS:
            if not self._calls_known and isinstance(name := block.get("name"), str):
                arguments = _first(block, "input", "args", "arguments")
                self.call(name, arguments if isinstance(arguments, str) else compact(arguments), _first(block, "id", "call_id"))
        elif text := wire.document_text(whole):
            self.add("document", text)
        elif media := wire.read_media(whole):
            self.add("media", media=media)
        elif form == "search_result":
            self.add("document", _texts(block.get("content")))
        elif form == "non_standard" and isinstance(value := block.get("value"), Mapping):
            self._read(cast("Mapping[str, Any]", value))
        elif form in ("server_tool_use", "server_tool_call"):
            self.call(str(block.get("name") or ""), compact(_first(block, "input", "args")), block.get("id"))
        elif isinstance(form, str) and form.endswith(("_result", "_output")):
            call_id = _first(block, "tool_use_id", "tool_call_id", "call_id")
            self.add("tool_result", _texts(block.get("content")) or compact(_unsealed(block)), call_id=call_id, name=block.get("name"))
        elif form not in _NOT_TEXT:
            self.add(self.kind, compact(_unsealed(block)))


def _thoughts(block: Mapping[str, Any]) -> str:
    """Return thoughts that are text; what is sealed or signed is none."""
    for name in ("thinking", "reasoning", "text", "reasoning_content"):
        value = block.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping):
            return _thoughts(cast("Mapping[str, Any]", value))
    return _texts(block.get("summary")) or _texts(block.get("content"))


def _texts(value: object) -> str:
    """Return a text, or the texts of a list of blocks, joined only where there are several."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    found = [text for block in cast("list[object]", value) if isinstance(text := _text(block), str) and text]
    return found[0] if len(found) == 1 else "\n".join(found)


def _text(block: object) -> object:
    return cast("Mapping[str, object]", block).get("text") if isinstance(block, Mapping) else block


def _unsealed(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _unsealed(item) for key, item in cast("Mapping[str, object]", value).items() if key not in _SEALED}
    if isinstance(value, list):
        return [_unsealed(item) for item in cast("list[object]", value)]
    return value


def _first(block: Mapping[str, Any], *names: str) -> Any:
    return next((block[name] for name in names if block.get(name) is not None), None)
