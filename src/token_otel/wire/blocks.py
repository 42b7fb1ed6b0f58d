"""`Blocks`: the content of a message, block by block, as `Part`s: LangChain's blocks, old and new, and those of the providers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from token_otel.events import Media, Part, PartKind
from token_otel.wire.media import document_text, read_media
from token_otel.wire.reasoning import Reasoning, read_reasoning, read_signature, sealed_shares

_TEXT = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal", "text-plain": "text"}
# The same calls stand in `tool_calls`; what streams leave of them does not parse.
_CALLS = {"tool_use", "tool_call", "function_call", "tool_call_chunk", "input_json_delta", "invalid_tool_call", "custom_tool_call"}
_NOT_TEXT = {"cachePoint", "cache_point", "compaction"}
# What answers a search for tools; `additional_tools` brings them in without one.
_SEARCHED = {"tool_search_output", "server_tool_result", "additional_tools"}
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


def compact(value: object) -> str:
    """Return `value` as compact JSON; what JSON cannot say is said by `str`."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)


class Blocks:
    """Reads the blocks of one message, one after the other, into `parts`.

    Args:
        kind: What its text is.
        message_id: The id under which the message is kept.
        call_id: Of the answer of a tool, the call that it answers.
        name: Who speaks.
        calls_known: Whether the calls that the message makes are told beside its blocks, by `call`.
    """

    def __init__(
        self,
        kind: PartKind,
        *,
        message_id: str | None = None,
        call_id: str | None = None,
        name: str | None = None,
        calls_known: bool = False,
    ) -> None:
        self.kind: PartKind = kind
        self.parts: list[Part] = []
        self.call_id = call_id
        self._seals: dict[int, int | None] = {}  # by place, the tokens that a seal suggests
        self._signature: Reasoning | None = None
        self._id = message_id
        self._name = name
        self._calls_known = calls_known

    def add(
        self, kind: PartKind, text: str = "", *, call_id: str | None = None, name: str | None = None, media: Media | None = None
    ) -> None:
        """Add a part."""
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
        """Add the call of a tool."""
        self.add("tool_call", f"{name} {arguments}", call_id=call_id, name=name)

    def think(self, found: Reasoning) -> None:
        """Add reasoning; what is neither text nor sealed is nothing."""
        if found.sealed:
            self._seals[len(self.parts)] = found.guess
        if found.sealed or found.text:
            self.add("reasoning", found.text, call_id=found.key)

    def sign(self, signatures: object) -> None:
        """Seal what is signed on other blocks, or beside the content: the summary of it, where there is one."""
        if isinstance(signatures, Mapping):
            values = cast("Mapping[str, object]", signatures).values()
            self._signature = self._signature or next((read_signature({"signature": value}) for value in values), None)
        if self._seals or self._signature is None:
            return
        place = next((place for place, part in enumerate(self.parts) if part.kind == "reasoning"), None)
        if place is None:
            self.think(self._signature)
        else:
            self._seals[place] = self._signature.guess

    @property
    def sealed(self) -> bool:
        """Whether some of it is sealed."""
        return bool(self._seals)

    def seal(self, reported: int | None) -> None:
        """Say what is sealed: the tokens of reasoning that the call has reported, in proportion to the seals, else what these suggest."""
        if not self._seals:
            return
        guesses = [*self._seals.values()]
        for place, tokens in zip(self._seals, guesses if reported is None else sealed_shares(reported, guesses), strict=True):
            self.parts[place] = replace(self.parts[place], sealed_tokens=tokens)

    def read(self, block: object) -> None:
        """Read a block, or a text; what is neither says nothing."""
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
            self._signature = self._signature or read_signature(block)
        elif thought := read_reasoning(whole):
            self.think(thought)
        elif form in _CALLS:
            self._signature = self._signature or read_signature(block)
            if not self._calls_known and isinstance(name := block.get("name"), str):
                arguments = _first(block, "input", "args", "arguments")
                self.call(name, arguments if isinstance(arguments, str) else compact(arguments), _first(block, "id", "call_id"))
        elif text := document_text(whole):
            self.add("document", text)
        elif media := read_media(whole):
            self.add("media", media=media)
        elif form == "search_result":
            self.add("document", _texts(block.get("content")))
        elif form == "non_standard" and isinstance(value := block.get("value"), Mapping):
            self._read(cast("Mapping[str, Any]", value))
        elif form in ("server_tool_use", "server_tool_call", "tool_search_call"):
            name = str(block.get("name") or form.removesuffix("_call").removeprefix("server_"))
            self.call(name, compact(_first(block, "input", "args", "arguments")), block.get("id"))
        elif revealed := list(_revealed(block, 4)):
            self._reveal(block, revealed)
        elif isinstance(form, str) and form.endswith(("_result", "_output")):
            self._answer(block)
        elif form not in _NOT_TEXT:
            self.add(self.kind, compact(_unsealed(block)))

    def _answer(self, block: Mapping[str, Any]) -> None:
        content: object = block.get("content")
        call_id = _answered(block)
        inner = cast("list[object]", content) if isinstance(content, list) else [block.get("output")]
        found = [read_media(cast("Mapping[str, Any]", each)) for each in inner if isinstance(each, Mapping)]
        media = [each for each in found if each is not None]
        text = _texts(block.get("content")) or ("" if media else compact(_unsealed(block)))
        if text or not media:
            self.add("tool_result", text, call_id=call_id, name=block.get("name"))
        for each in media:
            self.add("media", media=each, call_id=call_id, name=block.get("name"))

    def _reveal(self, block: Mapping[str, Any], tools: list[Mapping[str, Any]]) -> None:
        """Add the schemas of tools that a search brings in; of a reference the name alone, for `Toolbox` to find the schema."""
        if self.kind != "tool_result" or not self.parts:
            self.add("tool_result", _texts(block.get("content")), call_id=_answered(block))
        for tool in tools:
            name = _first(tool, "tool_name", "name")
            self.add("tools", "" if tool.get("type") == "tool_reference" else compact(tool), name=name if isinstance(name, str) else None)


def _revealed(block: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the tools that a block brings in: Anthropic's references, and the schemas in OpenAI's answers of searches."""
    form = block.get("type")
    if form == "tool_reference":
        yield block
        return
    for name, value in block.items() if depth and isinstance(form, str) else ():
        if isinstance(value, Mapping):
            inner = cast("Mapping[str, Any]", value)
            yield from _revealed(inner if "type" in inner else {"type": form, **inner}, depth - 1)
        elif isinstance(value, list):
            for item in cast("list[object]", value):
                if isinstance(item, Mapping):
                    tool = cast("Mapping[str, Any]", item)
                    schema = name == "tools" and form in _SEARCHED
                    yield from (tool,) if schema else _revealed(tool, depth - 1)


def _answered(block: Mapping[str, Any]) -> Any:
    return _first(block, "tool_use_id", "tool_call_id", "call_id")


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
