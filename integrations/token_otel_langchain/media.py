"""The tokens that a picture, a sound or a file suggests: from its size where the header tells it, never from its encoding's length."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from math import ceil
from typing import Any, cast

# Providers differ by some 20 %; one rule serves them all, since these are only weights by which a bill is split.
_PATCH = 28
_LONG_EDGE = 1568
_MOST = 1568
_LOW_DETAIL = 85
_PAGE = 560
_AUDIO_PER_S, _AUDIO_BYTES_PER_S, _AUDIO_UNKNOWN = 10, 16_000, 100
_VIDEO_UNKNOWN = 3000
_HEADER = 65_536

_PAYLOADS = ("base64", "data", "bytes", "file_data", "url", "image_url")


def media_tokens(kind: str, block: Mapping[str, Any]) -> int:
    """Weigh one media block of any provider's format; a remote address is never fetched.

    Source: the providers' pages on vision and audio; a picture costs one token per 28 x 28 pixels, at most 1568.
    """
    payload, length, low = _find(block, 3)
    if kind == "image":
        return _LOW_DETAIL if low else _image(payload)
    if kind == "audio":
        return max(1, round(length / _AUDIO_BYTES_PER_S * _AUDIO_PER_S)) if payload else _AUDIO_UNKNOWN
    return _VIDEO_UNKNOWN if kind == "video" else _PAGE


def _image(payload: str | bytes) -> int:
    size = _dimensions(payload)
    if size is None or not all(size):
        return _MOST
    scale = min(1.0, _LONG_EDGE / max(size))
    return min(_MOST, ceil(size[0] * scale / _PATCH) * ceil(size[1] * scale / _PATCH))


def _find(block: Mapping[str, Any], depth: int) -> tuple[str | bytes, int, bool]:
    """Return the payload, by reference or cut to its header, its length in bytes, and whether low detail is asked for."""
    low = block.get("detail") == "low"
    nested: list[Mapping[str, Any]] = []
    for name, value in block.items():
        if isinstance(value, Mapping):
            nested.append(cast("Mapping[str, Any]", value))
        elif name in _PAYLOADS and isinstance(value, bytes | bytearray):
            return bytes(value[:_HEADER]), len(value), low
        elif name in _PAYLOADS and isinstance(value, str):
            if value.startswith("data:"):
                start = value.find(",") + 1
                return value[start : start + _HEADER], (len(value) - start) * 3 // 4, low
            if not value.startswith(("http://", "https://", "gs://", "s3://")):
                return value[:_HEADER], len(value) * 3 // 4, low
    for inner in nested if depth else ():
        payload, length, is_low = _find(inner, depth - 1)
        low = low or is_low
        if payload:
            return payload, length, low
    return "", 0, low


def _dimensions(payload: str | bytes) -> tuple[int, int] | None:
    """Read width and height from the header of a PNG, GIF, WebP or JPEG; `None` if it is none of them."""
    try:
        head = base64.b64decode(payload[: len(payload) // 4 * 4]) if isinstance(payload, str) else payload
    except (binascii.Error, ValueError):
        return None
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp(head)
    return _jpeg(head) if head.startswith(b"\xff\xd8") else None


def _webp(head: bytes) -> tuple[int, int]:
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head):
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[at + 7 : at + 9], "big"), int.from_bytes(head[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
