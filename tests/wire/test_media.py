"""Blocks of media in any provider's format, told by their first bytes."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from token_otel.events import Media
from token_otel.wire import document_text, read_media


def encoded(data: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(data).decode()


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 280, 56) + bytes(576)  # 600 bytes
GIF = b"GIF89a" + struct.pack("<HH", 56, 28) + bytes(9)
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 28, 84) + bytes(99)
WEBP = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")
WAV = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + struct.pack("<II", 16_000, 32_000) + bytes(64_000 - 32)
FLAC = b"fLaC" + bytes(14) + (44_100 << 44 | 88_200).to_bytes(8, "big")
MP3 = b"\xff\xfb\x90\0" + bytes(15_996)  # version 1, layer III, 128 kbit/s
LONG_MP3 = b"ID3\4\0\0\0\0\0\2ab\xff\xfb\x90\0" + bytes(32) + b"Xing\0\0\0\1" + (1000).to_bytes(4, "big") + bytes(99)
MP4 = b"\0\0\0\x14ftypisom" + bytes(8) + b"\0\0\0\x6cmvhd" + bytes(12) + struct.pack(">II", 1000, 4500) + bytes(99)
PDF = b"%PDF-1.7\n1 0 obj<</Type/Pages /Count 3>>"
STREAMED_PDF = b"%PDF-1.7\n1 0 obj<</Linearized 1 /L 99999 /N 12 /T 5>>" + bytes(70_000)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(PNG)}"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{encoded(PNG)}"},
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": encoded(PNG)},
        {"type": "image", "mime_type": "image/png", "base64": encoded(PNG)},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded(PNG)}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{encoded(PNG)}"},
        {"type": "media", "mime_type": "image/png", "data": encoded(PNG)},
        {"inlineData": {"mimeType": "image/png", "data": encoded(PNG)}},
        {"image": {"format": "png", "source": {"bytes": PNG}}},
    ],
)
def test_every_provider_s_picture_is_the_same(block: Any):
    """LangChain's blocks, old and new, OpenAI's two, Anthropic's, Google's and Bedrock's."""
    assert read_media(block) == Media(kind="image", width=280, height=56, bytes=600)


@pytest.mark.parametrize(
    ("data", "size"),
    [(GIF, (56, 28)), (JPEG, (84, 28)), (WEBP, (640, 480)), (PNG[:20], (None, None)), (b"not a picture", (None, None))],
)
def test_a_picture_s_size_stands_in_its_header(data: bytes, size: tuple[int | None, int | None]):
    """What has none, or is cut, has an unknown size."""
    media = read_media({"type": "image", "base64": encoded(data)})

    assert media is not None
    assert (media.width, media.height) == size


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (WAV, 2.0),  # 64,000 bytes at 32,000 a second
        (FLAC, 2.0),  # 88,200 samples at 44,100 a second
        (MP3, 1.0),  # 16,000 bytes at 128 kbit/s
        (LONG_MP3, 1000 * 1152 / 44_100),  # a thousand frames of 1,152 samples
        (b"OggS" + bytes(99), None),
    ],
)
def test_a_sound_s_length_stands_in_its_header(data: bytes, seconds: float | None):
    """As seconds, whatever the format; Ogg tells it at its end, which is not read."""
    media = read_media({"type": "input_audio", "input_audio": {"data": encoded(data), "format": "any"}})

    assert media == Media(kind="audio", seconds=seconds, bytes=len(data))


def test_a_film_s_length_stands_in_its_movie_header():
    """4,500 of 1,000 a second."""
    assert read_media({"type": "video", "base64": encoded(MP4)}) == Media(kind="video", seconds=4.5, bytes=len(MP4))


@pytest.mark.parametrize(("data", "pages"), [(PDF, 3), (STREAMED_PDF, 12), (PDF + bytes(70_000), None)])
def test_a_pdf_s_pages_are_known_where_it_begins_with_them(data: bytes, pages: int | None):
    """Or where it is so short that all of it is read."""
    block = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": encoded(data)}}

    assert read_media(block) == Media(kind="file", pages=pages, bytes=len(data))


@pytest.mark.parametrize(
    ("block", "media"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, Media(kind="image")),
        ({"type": "image", "source": {"type": "file", "file_id": "f1"}}, Media(kind="image")),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/a.mp4"}}, Media(kind="video")),
        ({"type": "file", "file": {"file_id": "f1"}}, Media(kind="file")),
        ({"type": "file", "file_id": "f1", "mime_type": "audio/wav"}, Media(kind="audio")),
    ],
)
def test_what_is_elsewhere_is_of_unknown_size(block: Any, media: Media):
    """It is never fetched."""
    assert read_media(block) == media


@pytest.mark.parametrize(
    ("block", "detail"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}, "low"),
        ({"type": "input_image", "image_url": "https://example.com/a.png", "detail": "original"}, "original"),
        ({"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"}, None),
        ({"type": "media", "mime_type": "image/png", "media_resolution": "MEDIA_RESOLUTION_MEDIUM"}, "medium"),
        ({"inlineData": {"mimeType": "image/png"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}}, "original"),
    ],
)
def test_the_detail_that_is_asked_for_is_kept(block: Any, detail: str | None):
    """In OpenAI's words and Google's; `auto` asks for nothing."""
    media = read_media(block)

    assert media is not None
    assert media.detail == detail


def test_the_length_of_an_encoding_is_no_size():
    """A megabyte of base64 is three quarters of that, and its header says how large a picture it is."""
    media = read_media({"type": "image", "base64": encoded(PNG + bytes(786_432 - 600))})

    assert media == Media(kind="image", width=280, height=56, bytes=786_432)


@pytest.mark.parametrize("block", [{"type": "text", "text": "x"}, {"text": "x"}, {}, {"type": None}, {"type": "thinking", "data": "x"}])
def test_what_is_no_media_is_none(block: Any):
    """Texts, thoughts and whatever else stands in a message."""
    assert read_media(block) is None


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "page"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "page"}]}},
        {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": encoded(b"page")}},
        {"type": "file", "source_type": "text", "text": "page"},
        {"type": "file", "file": {"filename": "a.csv", "file_data": f"data:text/csv;base64,{encoded(b'page')}"}},
        {"document": {"format": "txt", "name": "a", "source": {"bytes": b"page"}}},
        {"inlineData": {"mimeType": "text/plain", "data": encoded(b"page")}},
    ],
)
def test_a_file_of_text_is_its_text(block: Any):
    """However it is wrapped: models read it, they do not look at it."""
    assert document_text(block) == "page"


def test_a_pdf_is_no_text():
    """It is media."""
    assert document_text({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": encoded(PDF)}}) is None
