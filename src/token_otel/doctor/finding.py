"""`Finding`: one thing that is as it should be, or not, and then what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Grade: TypeAlias = Literal["ok", "note", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        about: Under which heading it belongs.
        grade: `ok`; `note`: worth knowing; `warning`: numbers are wrong or missing until something is done.
        found: What is so, as a sentence.
        do: What to do about it, as a sentence; empty where nothing is to be done.
        block: Lines to copy, where there are any.
    """

    about: str
    grade: Grade
    found: str
    do: str = ""
    block: str = ""
