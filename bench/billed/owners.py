"""Who said what: kept by whoever made the conversation, and laid on the pieces of a bill."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from token_otel.testing.loopback import Bill, PieceTruth
from token_otel.testing.loopback.anthropic_prompt import count as count_as_anthropic
from token_otel.testing.loopback.openai_prompt import count as count_as_openai

SERIAL = re.compile(r"no-\d{6}")  # stands in each tool call and in no other text


@dataclass(frozen=True, slots=True)
class Origin:
    """What one origin was billed."""

    tokens: int = 0
    cached: int = 0


@dataclass
class Owners:
    """Who said what, in one conversation.

    Attributes:
        said: The agent that said a text, or made the tool call of this number.
        answered: By tool call id, the origin of what answers it.
        quoted: By text, what stands in it that others wrote, with their origins; the rest is the role's.
    """

    said: dict[str, str] = field(default_factory=dict[str, str])
    answered: dict[str, str] = field(default_factory=dict[str, str])
    quoted: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])

    def truth(self, bill: Bill, reader: str) -> Mapping[str, Origin]:
        """Return what each origin was billed, in the eyes of `reader`; what opens the reply is nobody's."""
        count = count_as_openai if bill.provider == "openai" else count_as_anthropic
        found: dict[str, Origin] = {}
        for piece in bill.messages:
            if piece.kind == "framing":
                continue
            for name, share in self._shares(piece, reader, count):
                origin = "self" if name == f"agent:{reader}" else name
                before = found.get(origin, Origin())
                # Exact where the piece is one origin's, or is cached as a whole or not at all.
                cached = round(piece.cache_read * share / piece.tokens) if piece.tokens else 0
                found[origin] = Origin(before.tokens + share, before.cached + cached)
        return found

    def _shares(self, piece: PieceTruth, reader: str, count: Callable[[str], int]) -> list[tuple[str, int]]:
        if piece.kind in ("preamble", "tools"):
            return [("tools", piece.tokens)]
        if piece.tool_call_id is not None:
            return [(self.answered[piece.tool_call_id], piece.tokens)]
        if piece.kind == "system":
            return [("system", piece.tokens)]
        if piece.role == "assistant" and not piece.text:
            return [(f"agent:{reader}", piece.tokens)]  # what was thought in this turn
        if piece.role == "assistant":
            serial = SERIAL.search(piece.text)
            return [(f"agent:{self.said[serial[0] if serial else piece.text]}", piece.tokens)]
        quotes = self.quoted.get(piece.text, [])
        if [text for text, _ in quotes] == [piece.text]:
            return [(quotes[0][1], piece.tokens)]
        shares = [(origin, count(text)) for text, origin in quotes]
        return [*shares, ("user", piece.tokens - sum(tokens for _, tokens in shares))]
