"""Reading counts out of mappings that nobody vouches for: what is not a count is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias, cast

from token_otel.events import Part
from token_otel.usage import LARGEST, Usage

Raw: TypeAlias = Mapping[str, object]

NOTHING: Raw = {}

_OF_OUTPUT = ("output", "reasoning", "citation", "audio_output", "image_output", "video_output")
_PLAIN = {"cache_read", "cache_write_5m", "cache_write_1h", "reasoning"}


def fitted(total: int | None, output: int | None, **parts: int | None) -> Usage:
    """Make a `Usage` of counts that may contradict each other: each part is cut down to what its total leaves."""
    told = {name: value for name, value in parts.items() if value is not None}
    if not told or (told.keys() <= _PLAIN and _fits(told, total, output)):
        return Usage(input=total, output=output, adjusted=False, **told)
    kept = dict(told)

    def fit(room: int | None, *names: str) -> None:
        """Keep of each part what those before it leave; nothing of a total that is not known."""
        for name in names:
            if name in kept and room is not None:
                kept[name] = min(kept[name], room)
                room -= kept[name]
            else:
                kept.pop(name, None)

    fit(total, "cache_read", "cache_write_5m", "cache_write_1h")
    fit(total, "audio_input", "image_input", "video_input")
    fit(output, "reasoning")
    fit(output, "citation")
    fit(output, "audio_output", "image_output", "video_output")
    for modality in ("audio", "image", "video"):
        fit(kept.get(f"{modality}_input", 0), f"{modality}_cache_read")
    fit(kept.get("cache_read", 0), "audio_cache_read", "image_cache_read", "video_cache_read")
    return Usage(input=total, output=output, adjusted=kept != told, **kept)


def believed(usage: Usage | None, output: Iterable[Part]) -> Usage | None:
    """Return a report without the output of 0 that stands beside a text: that is a report that is missing."""
    if usage and not usage.output and any(part.text for part in output):
        return replace(usage, **dict.fromkeys(_OF_OUTPUT)) if usage.input else None
    return usage


def _fits(told: Mapping[str, int], total: int | None, output: int | None) -> bool:
    """Tell whether no part of a call without other modalities contradicts its total, as with most."""
    reasoning = told.get("reasoning")
    cached = sum(told.values()) - (reasoning or 0)
    read_fits = cached <= total if total is not None else len(told) == (reasoning is not None)
    return read_fits and (reasoning is None or (output is not None and reasoning <= output))


def count_of(raw: Raw, name: str) -> int | None:
    """Return a count; `None` if it is missing, negative, beyond all bounds or no whole number."""
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None


def mapping_of(raw: Raw, name: str) -> Raw:
    """Return a mapping within, or an empty one."""
    value = raw.get(name)
    if value is None:
        return NOTHING
    # A dict is asked for first: an abstract class takes ten times as long to answer.
    return cast("Raw", value) if isinstance(value, dict) or isinstance(value, Mapping) else NOTHING  # noqa: SIM101


def mappings_of(raw: Raw, name: str) -> Iterable[Raw]:
    """Return the mappings in a list within."""
    value = raw.get(name)
    if not isinstance(value, list | tuple):
        return ()
    return [cast("Raw", item) for item in cast("list[object]", value) if isinstance(item, Mapping)]


def first_of(*counts: int | None) -> int | None:
    """Return the first count that is known."""
    return next((count for count in counts if count is not None), None)


def sum_of(*counts: int | None) -> int | None:
    """Return the sum of the counts that are known; `None` if none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def plain(value: object) -> str:
    """Return an enumeration's member, or its name, as a bare word; an empty one of anything else."""
    name = getattr(value, "value", value)
    return name.rpartition(".")[2].upper() if isinstance(name, str) else ""


def snake(name: str) -> str:
    """Return `promptTokenCount` as `prompt_token_count`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
