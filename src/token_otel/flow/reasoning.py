"""Reasoning that is sent back: for how long it stays in the model's context, and on the bill.

A prompt may hold the reasoning of every turn, yet providers drop some of it before the model reads it, without a word; what is
dropped is not billed. Context editing (Anthropic's `clear_thinking`, OpenAI's `reasoning.context`) can change what is said here;
the request's parameters are not known in this place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from token_otel.events import Part

_MOST_TOKENS = 10**9

# Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Thinking block preservation": Opus since 4.5,
# Sonnet since 4.6 and Mythos keep all, what came before and Haiku up to 4.5 the turn at hand; what came since is taken to keep all.
# https://developers.openai.com/api/docs/guides/reasoning: `reasoning.context`, since GPT-5.6, whose default is the model's own.
_KEEPS_ALL = re.compile(
    r"claude-(opus-(4[-.][5-9](?!\d)|[5-9])|sonnet-(4[-.][6-9](?!\d)|[5-9])|haiku-[5-9]|fable|mythos)|gpt-5\.[6-9]|gpt-[6-9]"
)
# Recorded calls: GPT-5, Gemini 3 and Claude Sonnet 4.5 bill it within a loop of tools, to the token, and not after the next
# question. Source for DeepSeek: https://api-docs.deepseek.com/guides/thinking_mode
_KEEPS_TURN = re.compile(r"claude|gpt-|\bo[134]\b|codex|gemini-[3-9]|deepseek")
# Recorded calls: Gemini 2.5 never bills it; nor does Vertex, whatever the model.
_KEEPS_NONE = re.compile(r"gemini")


def kept_from(parts: Sequence[Part], model: str, provider: str = "") -> int:
    """Return the place in a prompt from which on reasoning is billed; what other models do is not known: they bill all of it."""
    if not any(part.kind == "reasoning" for part in parts):
        return 0
    name = model.lower()
    if _KEEPS_NONE.search(name) and ("vertex" in provider or not _KEEPS_TURN.search(name)):
        return len(parts)
    if _KEEPS_ALL.search(name) or not _KEEPS_TURN.search(name):
        return 0
    place = len(parts)
    while place > 0:
        place -= 1
        if _asks(parts[place]):
            last = place
            while place > 0 and _asks(parts[place - 1]):
                place -= 1
            # Recorded calls: what is said along with a tool's result goes on with the turn at Gemini; Claude's page says otherwise.
            if place == 0 or "gemini" not in name or parts[place - 1].kind != "tool_result":
                return last
    return 0


def sealed_tokens(part: Part) -> int | None:
    """Return the tokens of reasoning whose text does not tell them; `None` if it does."""
    return None if part.sealed_tokens is None else min(max(0, part.sealed_tokens), _MOST_TOKENS)


def _asks(part: Part) -> bool:
    """Tell whether a part is what a user says; what a tool returns, be it a picture, goes on with the turn."""
    return part.kind == "user" or (part.kind in ("document", "media") and part.call_id is None)
