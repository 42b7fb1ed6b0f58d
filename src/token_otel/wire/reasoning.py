"""A block of reasoning in any provider's format: its text, if it has one, and its seal, if it is sealed or signed.

A seal holds all of the reasoning, encrypted, for the provider to read when it comes back; the text beside it is a summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from itertools import accumulate, pairwise
from typing import Any, cast

_FORMS = ("thinking", "redacted_thinking", "reasoning", "reasoning_content", "reasoningContent")
_TEXTS = ("thinking", "reasoning", "text", "reasoning_content", "reasoningText")
_SEALS = ("encrypted_content", "signature", "thought_signature", "thoughtSignature", "redactedContent", "redacted_content")
# Measured on 60 recorded calls that report their reasoning: characters of base64 per token, and what OpenAI's seals add to it.
_CHARACTERS_PER_TOKEN = 5
_OPENAI_SEAL = 1000


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning as it goes to and fro.

    Attributes:
        text: All of it, or a summary, or nothing.
        sealed: Whether the provider reads more of it than its text.
        key: Under which it comes back: the provider's id of it, else a digest of the seal.
        guess: The tokens that its seal's length suggests; `None` if the seal stayed with the provider.
    """

    text: str
    sealed: bool = False
    key: str | None = None
    guess: int | None = None


def read_reasoning(block: Mapping[str, Any]) -> Reasoning | None:
    """Read a block of reasoning; `None` if it is none.

    Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking,
    https://developers.openai.com/api/docs/guides/reasoning, https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    form = block.get("type")
    if form is None:
        form = next(iter(block), None)  # Bedrock's own blocks name their only key
    if form not in _FORMS:
        return None
    text = _text(block)
    named = block.get("id")
    item = named if isinstance(named, str) and named.startswith("rs_") else None
    name, seal = next(_seals(block), ("", ""))
    if not seal and form == "redacted_thinking" and isinstance(data := block.get("data"), str):
        seal = data
    if not seal:
        return Reasoning(text, sealed=item is not None, key=item)
    return Reasoning(text, True, item or _digest(seal), _guess(name, seal))


def read_signature(block: Mapping[str, Any]) -> Reasoning | None:
    """Read the signature by which Gemini ties its reasoning to another block, a text or a call; `None` if it has none."""
    _, seal = next(_seals(block), ("", ""))
    return Reasoning("", True, _digest(seal), _guess("", seal)) if seal else None


def _seals(block: Mapping[str, Any]) -> Iterator[tuple[str, str | bytes]]:
    for name, value in block.items():
        if name in _SEALS and isinstance(value, str | bytes) and value:
            yield name, value
        elif name in ("extras", *_TEXTS, "reasoningContent") and isinstance(value, Mapping):
            yield from _seals(cast("Mapping[str, Any]", value))


def _text(block: Mapping[str, Any]) -> str:
    for name in (*_TEXTS, "reasoningContent"):
        value = block.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping):
            return _text(cast("Mapping[str, Any]", value))
        if isinstance(value, list) and (text := _joined(cast("object", value))):
            return text  # Mistral's, in blocks of their own
    return _joined(block.get("summary")) or _joined(block.get("content"))


def _joined(value: object) -> str:
    if not isinstance(value, list):
        return value if isinstance(value, str) else ""
    texts = [cast("Mapping[str, object]", block).get("text") for block in cast("list[object]", value) if isinstance(block, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def _digest(seal: str | bytes) -> str:
    return blake2s(seal.encode("utf-8", "replace") if isinstance(seal, str) else seal, digest_size=12).hexdigest()


def _guess(name: str, seal: str | bytes) -> int:
    length = len(seal) if isinstance(seal, str) else len(seal) * 4 // 3
    return max(0, length - _OPENAI_SEAL * (name == "encrypted_content")) // _CHARACTERS_PER_TOKEN


def sealed_shares(reported: int, guesses: Sequence[int | None]) -> list[int]:
    """Split the tokens of reasoning that a call has reported among its seals, in proportion to what each suggests; equally if none does."""
    weights = [guess or 0 for guess in guesses]
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum(weights)
    ends = [reported * before // whole for before in accumulate(weights)]
    return [end - start for start, end in pairwise([0, *ends])]
