"""What providers charge for pictures, sounds, films and files, in tokens: a rule per family of models.

The rules are the providers' own, checked against bills: a table of ten sizes of pictures
(https://huggingface.co/datasets/JOHNISKING/image-token-cost, exact for GPT, Claude and Gemini 3) and recorded calls. What is not
known is taken as usual: a picture as one that most rules reduce to their maximum, a sound or film by its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, floor, sqrt
from typing import TypeAlias

from token_otel.events import Detail, Media

Picture: TypeAlias = Callable[[int, int, Detail | None], float]

_UNKNOWN_PICTURE = (2000, 1500)
_AUDIO_BYTES_PER_S, _VIDEO_BYTES_PER_S, _BYTES_PER_PAGE = 16_000, 250_000, 50_000  # 128 kbit/s, 2 Mbit/s, a page of a report
_UNKNOWN_SECONDS = 30.0
_MOST_PIXELS, _MOST_SECONDS, _MOST_PAGES = 100_000, 1_000_000, 100_000  # beyond is no size


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The rules of one family of models.

    Attributes:
        picture: The tokens of a picture by width, height and detail.
        audio: Tokens per second of sound.
        video: Tokens per second of film, its sound included.
        low_video: The same in low detail.
        page: Tokens per page of a PDF.
    """

    picture: Picture
    audio: float = 10
    video: float = 295
    low_video: float = 98
    page: float = 700


def tiles(base: int, tile: int) -> Picture:
    """OpenAI's tiles of 512 pixels: fitted into 2048 x 2048, then to a short side of 768; low detail is the base alone.

    Source: https://platform.openai.com/docs/guides/images-vision, "Calculating costs".
    """

    def tokens(width: int, height: int, detail: Detail | None) -> float:
        if detail == "low":
            return base
        scale = min(1.0, 2048 / max(width, height))
        scale = min(scale, 768 / min(width, height))
        return base + tile * ceil(round(width * scale, 3) / 512) * ceil(round(height * scale, 3) / 512)

    return tokens


def patches(factor: float, *, high: tuple[float, float] = (2048, 1536), original: tuple[float, float] | None = None) -> Picture:
    """OpenAI's patches of 32 pixels, times the model's factor; low detail is a picture of 512 pixels.

    Args:
        factor: Tokens per patch.
        high: The longest side and the most patches in high detail.
        original: The same where no detail is asked for, or `original`; `None` if that is high.

    Source: https://developers.openai.com/api/docs/guides/images-vision, "Calculating costs".
    """

    def tokens(width: int, height: int, detail: Detail | None) -> float:
        side, most = high if detail in ("high", "medium") or original is None else original
        if detail == "low":
            side = 512.0
        scale = min(1.0, side / max(width, height))
        columns, rows = width * scale / 32, height * scale / 32
        if ceil(columns) * ceil(rows) > most:
            shrink = sqrt(most / (columns * rows))
            columns, rows = columns * shrink, rows * shrink
            whole = min(max(1, floor(columns)) / columns, max(1, floor(rows)) / rows)
            columns, rows = columns * whole, rows * whole
        return ceil(factor * ceil(round(columns, 6)) * ceil(round(rows, 6)))

    return tokens


def claude(side: int, most: int, note: int) -> Picture:
    """Claude's patches of 28 pixels: as large as the longest side and the most tokens allow.

    A picture with a side beyond 2000 pixels is billed some tokens more: it was reduced, and the model is told.

    Source: https://platform.claude.com/docs/en/build-with-claude/vision; the note and the side of Claude 5.5 are measured.
    """

    def tokens(width: int, height: int, _: Detail | None) -> float:
        scale = min(1.0, side / max(width, height), sqrt(most * 784 / (width * height)) * 1.1)
        while (columns := ceil(round(width * scale / 28, 6))) * (rows := ceil(round(height * scale / 28, 6))) > most:
            scale = max((columns - 1) * 28 / width, (rows - 1) * 28 / height)
        return columns * rows + note * (max(width, height) > 2000)

    return tokens


def gemini_2(width: int, height: int, detail: Detail | None) -> float:
    """Gemini up to 2.5: 258 tokens for each tile of 768 pixels, and 64 in low resolution.

    Its page counts smaller tiles for middling pictures, its bills do not: 258 for one of 576 x 512.

    Source: https://ai.google.dev/gemini-api/docs/tokens, .../docs/media-resolution
    """
    if detail == "low":
        return 64
    return 258 if detail == "medium" else 258 * ceil(width / 768) * ceil(height / 768)


def gemini_3(width: int, height: int, detail: Detail | None) -> float:
    """Gemini 3 and later: as many patches as the resolution's budget allows, whatever the size of the picture.

    Source: https://ai.google.dev/gemini-api/docs/media-resolution; the whole rows and columns are measured.
    """
    budget = {"low": 280, "medium": 560, "original": 2240}.get(detail or "high", 1120)
    return max(1, floor(sqrt(budget * width / height))) * max(1, floor(sqrt(budget * height / width)))


_CLAUDE = _Rules(picture=claude(1568, 1568, 32), page=1568 + 700)  # each page is a picture beside its text; bills say 1600 to 2650
_OPENAI = _Rules(picture=tiles(85, 170))  # of a page, bills show the text alone
_LATER_GPT = patches(1.2, high=(2048, 2500))
_NO_LIMIT = (1e9, 1e9)

# The first that is found in a model's name counts.
_FAMILIES: tuple[tuple[re.Pattern[str], _Rules], ...] = (
    (re.compile(r"gpt-4o-mini"), replace(_OPENAI, picture=tiles(2833, 5667))),
    (re.compile(r"gpt-4\.1-mini"), replace(_OPENAI, picture=patches(1.62))),
    # Its page said 1.62; a bill says 163 for 130 patches and some words.
    (re.compile(r"gpt-5-mini|codex-mini"), replace(_OPENAI, picture=patches(1.2))),
    (re.compile(r"gpt-4\.1-nano|gpt-5-nano"), replace(_OPENAI, picture=patches(2.46))),
    (re.compile(r"o4-mini"), replace(_OPENAI, picture=patches(1.72))),
    (re.compile(r"gpt-5\.[2-4]"), replace(_OPENAI, picture=_LATER_GPT)),
    (re.compile(r"gpt-5\.5"), replace(_OPENAI, picture=patches(1.2, high=(2048, 2500), original=(6000, 10_000)))),
    (re.compile(r"gpt-5\.[6-9]"), replace(_OPENAI, picture=patches(1.2, high=(2048, 2500), original=_NO_LIMIT))),
    (re.compile(r"gpt-[6-9]"), replace(_OPENAI, picture=patches(1.2, high=(1e9, 2500), original=_NO_LIMIT))),
    (re.compile(r"gpt-5"), replace(_OPENAI, picture=tiles(70, 140))),
    (re.compile(r"\bo[13]\b"), replace(_OPENAI, picture=tiles(75, 150))),
    (re.compile(r"computer-use"), replace(_OPENAI, picture=tiles(65, 129))),
    (re.compile(r"gpt-|chatgpt"), _OPENAI),
    (re.compile(r"claude-[a-z]+-(5[-.][5-9]|[6-9])"), replace(_CLAUDE, picture=claude(2000, 4784, 40))),
    (re.compile(r"claude-(opus-4[-.][7-9]|[a-z]+-5)"), replace(_CLAUDE, picture=claude(2576, 4784, 40))),
    (re.compile(r"claude"), _CLAUDE),
    # Of ten seconds, bills say 640 for the frames and 250 for the sound; before, 263 a frame and 32 a second.
    (re.compile(r"gemini-[3-9]"), _Rules(picture=gemini_3, audio=25, video=64 + 25, low_video=64 + 25, page=560)),
    (re.compile(r"gemini"), _Rules(picture=gemini_2, audio=32, video=263 + 32, low_video=66 + 32, page=258)),
)
# Qwen and Mistral bill one token for 28 x 28 pixels too.
_UNKNOWN = _Rules(picture=claude(1568, 1568, 0))


def media_tokens(media: Media, model: str) -> int:
    """Return the tokens that `model`'s provider bills for `media`."""
    rules = _rules(model)
    if media.kind == "image":
        width, height = _within(media.width, _MOST_PIXELS), _within(media.height, _MOST_PIXELS)
        if not width or not height:
            width, height = _UNKNOWN_PICTURE
        return ceil(rules.picture(ceil(width), ceil(height), media.detail))
    size = _within(media.bytes, _MOST_SECONDS * _VIDEO_BYTES_PER_S)
    if media.kind == "file":
        return ceil(rules.page * (_within(media.pages, _MOST_PAGES) or ceil((size or 1) / _BYTES_PER_PAGE)))
    per_s = _AUDIO_BYTES_PER_S if media.kind == "audio" else _VIDEO_BYTES_PER_S
    seconds = _within(media.seconds, _MOST_SECONDS) or (size / per_s if size else _UNKNOWN_SECONDS)
    if media.kind == "audio":
        return ceil(rules.audio * seconds)
    return ceil((rules.low_video if media.detail == "low" else rules.video) * seconds)


@lru_cache(maxsize=1024)
def _rules(model: str) -> _Rules:
    name = model.lower()
    return next((rules for pattern, rules in _FAMILIES if pattern.search(name)), _UNKNOWN)


def _within(value: float | None, most: int) -> float | None:
    return value if value is not None and 0 < value <= most else None
