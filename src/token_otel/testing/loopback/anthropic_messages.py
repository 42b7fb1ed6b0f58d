"""/v1/messages. Source: https://docs.claude.com/en/api/messages and .../build-with-claude/streaming"""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from token_otel.testing.loopback.answers import Answer
from token_otel.testing.loopback.anthropic_prompt import count, messages_prompt, seal
from token_otel.testing.loopback.api import Api
from token_otel.testing.loopback.caches import ExplicitCache
from token_otel.testing.loopback.prompts import Cached, Prompt, dig
from token_otel.testing.loopback.turns import Delta, Event, Turn, chunks, sse

Block: TypeAlias = dict[str, Any]

THOUGHT = "Let me think this through."
"""The summary shown for thinking, whatever it cost."""


class MessagesApi(Api):
    """The Messages API. A reply is one choice."""

    name = "messages"
    id_prefix = "msg_"
    call_prefix = "toolu_"

    def __init__(self, cache: ExplicitCache) -> None:
        self._cache = cache

    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt."""
        return messages_prompt(body)

    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Look the prompt up in the cache and write it there."""
        return self._cache.settle(model, prompt)

    def count(self, text: str) -> int:
        """Count a text of the reply."""
        return count(text)

    def service_tier(self, body: dict[str, Any], answer: Answer) -> str:
        """Give the tier: standard, but for an answer that says otherwise."""
        return answer.service_tier or "standard"

    def streams_usage(self, body: dict[str, Any]) -> bool:
        """Say yes: `message_delta` always carries it."""
        return True

    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage of a whole response."""
        cached = turn.cached
        return {
            **_cumulative(turn),
            "cache_creation": {"ephemeral_5m_input_tokens": cached.write_5m, "ephemeral_1h_input_tokens": cached.write_1h},
            "service_tier": turn.service_tier,
        }

    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""
        return {**_envelope(turn), "content": _blocks(turn), "stop_reason": _stop_reason(turn), "usage": self.usage(turn)}

    def events(self, turn: Turn) -> Iterator[Event]:
        """Write the response as a stream."""
        opening = {key: value for key, value in self.usage(turn).items() if key != "output_tokens_details"}
        yield _event("message_start", {"message": {**_envelope(turn), "usage": {**opening, "output_tokens": 1}}})
        calls = 0
        for index, block in enumerate(_blocks(turn)):
            match block["type"]:
                case "text":
                    yield _start(index, {"type": "text", "text": ""})
                    for text in chunks(block["text"], turn.chunk_chars):
                        yield _delta(index, {"type": "text_delta", "text": text}, Delta(text=text))
                case "tool_use":
                    yield _start(index, {**block, "input": {}}, Delta(call=calls, text=""))
                    for text in chunks(turn.choices[0].calls[calls].arguments, turn.chunk_chars):
                        yield _delta(index, {"type": "input_json_delta", "partial_json": text}, Delta(call=calls, text=text))
                    calls += 1
                case _:
                    yield _start(index, {"type": "thinking", "thinking": "", "signature": ""})
                    yield _delta(index, {"type": "thinking_delta", "thinking": block["thinking"]})
                    yield _delta(index, {"type": "signature_delta", "signature": block["signature"]})
            yield _event("content_block_stop", {"index": index})
        ending = {"delta": {"stop_reason": _stop_reason(turn), "stop_sequence": None}, "usage": _cumulative(turn)}
        yield _event("message_delta", ending, terminal=True)
        yield _event("message_stop", {}, terminal=True)


def _cumulative(turn: Turn) -> dict[str, Any]:
    """Write what a stream's last event carries: neither the split by time to live nor the tier. `input_tokens` excludes both caches."""
    cached = turn.cached
    written = cached.write_5m + cached.write_1h
    usage: dict[str, Any] = {
        "input_tokens": turn.prompt.tokens - cached.read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached.read,
        "output_tokens": turn.parts.total,
    }
    if turn.parts.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": turn.parts.reasoning}
    return usage


def _envelope(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.response_id,
        "type": "message",
        "role": "assistant",
        "model": turn.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop_reason(turn: Turn) -> str:
    return "tool_use" if turn.choices[0].calls else "end_turn"


def _blocks(turn: Turn) -> list[Block]:
    """Give the content blocks. Thinking is shown only if the request enables it."""
    choice = turn.choices[0]
    thinks = dig(turn.body, "thinking", "type") in ("enabled", "adaptive")
    blocks: list[Block] = []
    if choice.reasoning and thinks:
        signature = seal(turn.parts.reasoning, turn.response_id)
        blocks.append({"type": "thinking", "thinking": THOUGHT, "signature": signature})
    if choice.text:
        blocks.append({"type": "text", "text": choice.text})
    blocks += [{"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)} for call in choice.calls]
    return blocks


def _event(kind: str, payload: dict[str, Any], *, delta: Delta | None = None, terminal: bool = False) -> Event:
    return Event(data=sse({"type": kind, **payload}, event=kind), delta=delta, terminal=terminal)


def _start(index: int, block: Block, delta: Delta | None = None) -> Event:
    return _event("content_block_start", {"index": index, "content_block": block}, delta=delta)


def _delta(index: int, payload: Block, delta: Delta | None = None) -> Event:
    return _event("content_block_delta", {"index": index, "delta": payload}, delta=delta)
