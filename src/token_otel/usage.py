"""`Usage`: the tokens of one model call, as inclusive buckets."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter

LARGEST = 10**12  # no call has more tokens; a counter beyond 64 bits would cost the program every export of its metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one model call, as inclusive buckets; `None` is unknown, 0 is none.

    A parent bucket includes its parts, whatever the provider's own convention: `cache_read`, `cache_write_5m`,
    `cache_write_1h` and the modalities' inputs are parts of `input`; `reasoning`, `citation` and the modalities' outputs
    are parts of `output`; `audio_cache_read` is a part of both `audio_input` and `cache_read`, and so are image and video.
    `web_searches` counts searches that the provider ran and bills apiece. `adjusted` says that the report contradicted itself,
    and that parts were cut down to what their totals leave.

    Raises:
        ValueError: A count is negative, beyond all bounds or no whole number, or the parts exceed their total.

    Source: https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.usage.*`.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    audio_cache_read: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    image_cache_read: int | None = None
    video_input: int | None = None
    video_output: int | None = None
    video_cache_read: int | None = None
    citation: int | None = None
    web_searches: int | None = None
    adjusted: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        counts = _counts(self)
        known = [count for count in counts if count is not None]
        if known and ({*map(type, known)} != {int} or min(known) < 0 or max(known) > LARGEST):
            name = next(name for name, count in zip(COUNTS, counts, strict=True) if not _is_count(count))
            raise ValueError(f"{name} is no count: that is a whole number from 0 to a trillion")
        total, output, read, write_5m, write_1h, reasoning = counts[:PLAIN_COUNTS]
        cached = (read or 0) + (write_5m or 0) + (write_1h or 0)
        if cached <= (total or 0) and (reasoning or 0) <= (output or 0) and not any(counts[PLAIN_COUNTS:]):
            return
        _check_parts("input", self.input, "cache read and cache write", self.cache_read, self.cache_write)
        _check_parts("input", self.input, "audio, image and video input", self.audio_input, self.image_input, self.video_input)
        _check_parts("output", self.output, "reasoning", self.reasoning)
        _check_parts("output", self.output, "citation", self.citation)
        _check_parts("output", self.output, "audio, image and video output", self.audio_output, self.image_output, self.video_output)
        cached = (self.audio_cache_read, self.image_cache_read, self.video_cache_read)
        _check_parts("cache_read", self.cache_read, "audio, image and video cache read", *cached)
        _check_parts("audio_input", self.audio_input, "audio cache read", self.audio_cache_read)
        _check_parts("image_input", self.image_input, "image cache read", self.image_cache_read)
        _check_parts("video_input", self.video_input, "video cache read", self.video_cache_read)

    @property
    def cache_write(self) -> int | None:
        """Tokens written to the provider's cache for five minutes or one hour."""
        if self.cache_write_5m is None and self.cache_write_1h is None:
            return None
        return (self.cache_write_5m or 0) + (self.cache_write_1h or 0)

    @property
    def uncached(self) -> int:
        """Input tokens neither read from nor written to the provider's cache."""
        return (self.input or 0) - (self.cache_read or 0) - (self.cache_write or 0)

    @property
    def plain(self) -> bool:
        """Whether it is all text, and no search or citation is billed beside."""
        return not any(_others(self))

    @property
    def complete(self) -> bool:
        """Whether both totals are known."""
        return self.input is not None and self.output is not None

    def __bool__(self) -> bool:
        """Whether anything at all is known."""
        return self.input is not None or self.output is not None


COUNTS = tuple(item.name for item in fields(Usage) if item.name != "adjusted")
PLAIN_COUNTS = COUNTS.index("audio_input")  # what follows are modalities, and what else few calls have
_counts, _others = attrgetter(*COUNTS), attrgetter(*COUNTS[PLAIN_COUNTS:])


def _is_count(count: object) -> bool:
    return count is None or (type(count) is int and 0 <= count <= LARGEST)


def _check_parts(total_name: str, total: int | None, part_name: str, *parts: int | None) -> None:
    together = sum([part or 0 for part in parts])
    if together > (total or 0):
        raise ValueError(f"{part_name} of {together} exceed {total_name} of {total}")
