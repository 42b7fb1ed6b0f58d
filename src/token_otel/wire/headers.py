"""What the first bytes of a picture, sound, film or file tell of its size; no more of it is ever read, let alone decoded."""

from __future__ import annotations

import re

_MP3_KBIT = {
    # By version and layer III: 1, then 2 and 2.5.
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LINEARIZED = re.compile(rb"/Linearized[^>]{0,256}/N (\d{1,6})\b")
_COUNT = re.compile(rb"/Count (\d{1,6})\b")


def pixels(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF, WebP or JPEG."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp(head)
    return _jpeg(head) if head.startswith(b"\xff\xd8") else None


def seconds(head: bytes, length: int) -> float | None:
    """Return how long a WAV, FLAC, MP3 or MP4 plays, given its `length` in bytes."""
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        at = head.find(b"fmt ", 12)
        per_s = int.from_bytes(head[at + 16 : at + 20], "little") if 0 < at < len(head) - 20 else 0
        return length / per_s if per_s else None
    if head.startswith(b"fLaC") and len(head) >= 26:
        # Sample rate in 20 bits, then channels and depth in 8, then the number of samples in 36.
        bits = int.from_bytes(head[18:26], "big")
        return (bits & 0xF_FFFF_FFFF) / (bits >> 44) if bits >> 44 else None
    if head[4:8] == b"ftyp":
        return _mp4(head)
    return _mp3(head, length) if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0") else None


def pages(head: bytes, length: int) -> int | None:
    """Return the pages of a PDF, where it says so at its beginning or is read whole."""
    if not head.startswith(b"%PDF"):
        return None
    first = _LINEARIZED.search(head)
    if first is not None:
        return int(first[1])
    return max((int(count) for count in _COUNT.findall(head)), default=None) if length <= len(head) else None


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


def _mp4(head: bytes) -> float | None:
    """Read the movie header, which stands in front in files that are made for streaming."""
    at = head.find(b"mvhd")
    wide = head[at + 4 : at + 5] == b"\1"
    start = at + (24 if wide else 16)
    if at < 0 or start + 12 > len(head):
        return None
    per_s = int.from_bytes(head[start : start + 4], "big")
    return int.from_bytes(head[start + 4 : start + (12 if wide else 8)], "big") / per_s if per_s else None


def _mp3(head: bytes, length: int) -> float | None:
    """Read the first frame: the number of frames where it tells it, else the bit rate, taken as constant."""
    at = 0
    if head[:3] == b"ID3" and len(head) >= 10:
        at = 10 + sum((head[6 + i] & 0x7F) << 7 * (3 - i) for i in range(4))
    if at + 4 > len(head) or head[at] != 0xFF or head[at + 1] < 0xE0:
        return None
    version, rate, hz = head[at + 1] >> 3 & 3, head[at + 2] >> 4, head[at + 2] >> 2 & 3
    if version == 1 or head[at + 1] >> 1 & 3 != 1 or rate in (0, 15) or hz == 3:
        return None
    tag = max(head.find(b"Xing", at, at + 48), head.find(b"Info", at, at + 48))
    if tag > 0 and head[tag + 7 : tag + 8] and head[tag + 7] & 1:
        frames = int.from_bytes(head[tag + 8 : tag + 12], "big")
        return frames * (1152 if version == 3 else 576) / _MP3_HZ[version][hz]
    return (length - at) * 8 / (_MP3_KBIT[version][rate] * 1000)
