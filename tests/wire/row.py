"""`Row`: one row of the golden table of usage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from token_otel import Usage


@dataclass(frozen=True)
class Row:
    """What a provider says, what it means, and where that is written.

    Attributes:
        detected: Whether the names alone tell the format.
    """

    name: str
    read: Callable[[Mapping[str, Any]], Usage]
    raw: Mapping[str, Any]
    usage: Usage
    source: str
    detected: bool = True
