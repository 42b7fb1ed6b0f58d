"""A block of media in any provider's format, as `Media`: LangChain's, OpenAI's, Anthropic's, Google's and Bedrock's.

Of what is sent along, the first bytes are looked at; what is elsewhere is never fetched. The length of an encoding is no size.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from token_otel.events import Detail, Media, MediaKind
from token_otel.wire.headers import pages, pixels, seconds

_HEADER = 65_536
_DEPTH = 3
_KINDS: dict[str, MediaKind] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "computer_screenshot": "image",
    "image_generation_call": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "media": "file",
    "inlineData": "file",
    "inline_data": "file",
    "fileData": "file",
    "file_data": "file",
}
_MIMES: dict[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}
_PAYLOADS = ("base64", "data", "bytes", "file_data", "url", "image_url", "result")
_MIME_NAMES = ("mime_type", "mimeType", "media_type")
_ELSEWHERE = ("http://", "https://", "gs://", "s3://")
_TEXTS = ("text/", "application/json", "application/xml", "application/x-yaml", "application/javascript")
_TEXT_FORMATS = ("txt", "md", "csv", "html")
_LONGEST_TEXT = 4_000_000
# OpenAI's words, and what follows `MEDIA_RESOLUTION_` at Google.
_DETAILS: dict[str, Detail] = {"low": "low", "medium": "medium", "high": "high", "original": "original", "ultra_high": "original"}


def read_media(block: Mapping[str, Any]) -> Media | None:
    """Read a block of media; `None` if it is none."""
    kind = _kind(block)
    if kind is None:
        return None
    found = _Found()
    found.look(block, _DEPTH)
    if kind == "file":
        kind = _MIMES.get(found.mime.partition("/")[0], kind)
    head = _decoded(found.payload)
    if not head:
        return Media(kind=kind, detail=found.detail)
    size = pixels(head) if kind == "image" else None
    return Media(
        kind=kind,
        width=size[0] if size is not None else None,
        height=size[1] if size is not None else None,
        seconds=seconds(head, found.length) if kind in ("audio", "video") else None,
        pages=pages(head, found.length) if kind == "file" else None,
        bytes=found.length,
        detail=found.detail,
    )


def document_text(block: Mapping[str, Any]) -> str | None:
    """Return the text of a file that is text, which is read rather than looked at; `None` if it is none, or elsewhere."""
    if _kind(block) != "file":
        return None
    name = _name(block)
    inner = block[name] if isinstance(block.get(name), Mapping) else block
    source = inner.get("source")
    told = cast("Mapping[str, Any]", source) if isinstance(source, Mapping) else inner
    text = told.get("text")
    if text is None and "text" in (told.get("type"), inner.get("source_type"), told.get("source_type")):
        text = told.get("data")
    if isinstance(text, str) and text:
        return text
    if isinstance(content := told.get("content"), str | list):
        return _joined(cast("str | list[object]", content)) or None
    found = _Found(most=_LONGEST_TEXT)
    found.look(block, _DEPTH)
    if found.mime.startswith(_TEXTS) or inner.get("format") in _TEXT_FORMATS:
        return _decoded(found.payload).decode("utf-8", "replace") or None
    return None


def _name(block: Mapping[str, Any]) -> str:
    """Return what a block calls itself; Bedrock's and Google's name their only key."""
    name = block.get("type")
    return name if isinstance(name, str) else next((key for key in block if key in _KINDS), "")


def _kind(block: Mapping[str, Any]) -> MediaKind | None:
    return _KINDS.get(_name(block))


@dataclass(slots=True)
class _Found:
    """What a block holds, however deep: a payload by reference or cut to its beginning, its length in bytes, its type, its detail."""

    most: int = _HEADER
    payload: str | bytes = ""
    length: int = 0
    mime: str = ""
    detail: Detail | None = field(default=None)

    def look(self, block: Mapping[str, Any], depth: int) -> None:
        for name, value in block.items():
            if isinstance(value, Mapping):
                if depth:
                    self.look(cast("Mapping[str, Any]", value), depth - 1)
            elif name in _MIME_NAMES and isinstance(value, str):
                self.mime = self.mime or value
            elif name in ("detail", "level", "media_resolution", "mediaResolution") and isinstance(value, str):
                self.detail = _DETAILS.get(value.lower().removeprefix("media_resolution_"))
            elif name in _PAYLOADS and not self.payload:
                self._take(value)

    def _take(self, value: object) -> None:
        if isinstance(value, bytes | bytearray):
            self.payload, self.length = bytes(value[: self.most]), len(value)
        elif isinstance(value, str) and not value.startswith(_ELSEWHERE):
            start = 0
            if value.startswith("data:"):
                start = value.find(",", 0, 256) + 1
                self.mime = self.mime or value[5:start].partition(";")[0].rstrip(",")
            padding = value[-2:].count("=")
            self.payload, self.length = value[start : start + self.most], (len(value) - start) * 3 // 4 - padding


def _decoded(payload: str | bytes) -> bytes:
    if isinstance(payload, bytes):
        return payload
    try:
        return base64.b64decode(payload[: len(payload) // 4 * 4].replace("-", "+").replace("_", "/"))
    except (binascii.Error, ValueError):
        return b""


def _joined(content: str | list[object]) -> str:
    if isinstance(content, str):
        return content
    texts = [cast("Mapping[str, object]", block).get("text") for block in content if isinstance(block, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))
