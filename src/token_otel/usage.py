"""`Usage`: the tokens of one model call, as inclusive buckets."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one model call, as inclusive buckets; `None` is unknown, 0 is none.

    A parent bucket includes its parts, whatever the provider's own convention: `cache_read`, `cache_write_5m`,
    `cache_write_1h`, `audio_input` and `image_input` are parts of `input`; `reasoning`, `audio_output` and
    `image_output` are parts of `output`; `audio_cache_read` is a part of both `audio_input` and `cache_read`.
    `web_searches` counts searches that the provider ran and bills apiece.

    Raises:
        ValueError: A count is negative, or the parts exceed their total.

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
    web_searches: int | None = None

    def __post_init__(self) -> None:
        for field in _FIELDS:
            value = getattr(self, field)
            if value is not None and value < 0:
                raise ValueError(f"{field} is {value}, but a count cannot be negative")
        _check_parts("input", self.input, "cache read and cache write", (self.cache_read or 0) + (self.cache_write or 0))
        _check_parts("input", self.input, "audio and image input", (self.audio_input or 0) + (self.image_input or 0))
        _check_parts("output", self.output, "reasoning", self.reasoning or 0)
        _check_parts("output", self.output, "audio and image output", (self.audio_output or 0) + (self.image_output or 0))
        _check_parts("cache_read", self.cache_read, "audio cache read", self.audio_cache_read or 0)
        _check_parts("audio_input", self.audio_input, "audio cache read", self.audio_cache_read or 0)

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
    def complete(self) -> bool:
        """Whether both totals are known."""
        return self.input is not None and self.output is not None

    def __bool__(self) -> bool:
        """Whether anything at all is known."""
        return self.input is not None or self.output is not None


_FIELDS = tuple(field.name for field in fields(Usage))


def _check_parts(total_name: str, total: int | None, part_name: str, parts: int) -> None:
    if parts > (total or 0):
        raise ValueError(f"{part_name} of {parts} exceed {total_name} of {total}")
