"""/v1/chat/completions and its elders: /v1/completions and /v1/embeddings."""

import base64
import hashlib
from array import array
from collections.abc import Iterator
from typing import Any, ClassVar

from token_otel.testing.loopback.answers import Answer
from token_otel.testing.loopback.api import Api
from token_otel.testing.loopback.caches import AutomaticCache
from token_otel.testing.loopback.openai_prompt import chat_prompt, count, text_prompt
from token_otel.testing.loopback.prompts import Cached, Prompt, dig
from token_otel.testing.loopback.turns import Choice, Delta, Event, Turn, chunks, sse

DONE = b"data: [DONE]\n\n"
DIMENSIONS = 8


class OpenAIApi(Api):
    """What the endpoints of OpenAI share."""

    id_prefix: ClassVar[str] = "chatcmpl-"
    call_prefix: ClassVar[str] = "call_"

    def __init__(self, cache: AutomaticCache) -> None:
        self._cache = cache

    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Look the prompt up in the cache and write it there."""
        return self._cache.settle(model, prompt)

    def count(self, text: str) -> int:
        """Count a text of the reply."""
        return count(text)

    def service_tier(self, body: dict[str, Any], answer: Answer) -> str:
        """Give the answer's tier, else the one asked for."""
        asked = body.get("service_tier")
        return answer.service_tier or (asked if asked not in (None, "auto") else "default")

    def streams_usage(self, body: dict[str, Any]) -> bool:
        """Tell whether `stream_options.include_usage` asks for it."""
        return bool(dig(body, "stream_options", "include_usage"))


class ChatApi(OpenAIApi):
    """Chat completions. Source: https://platform.openai.com/docs/api-reference/chat"""

    name = "chat"

    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt."""
        return chat_prompt(body)

    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage."""
        return {
            "prompt_tokens": turn.prompt.tokens,
            "completion_tokens": turn.parts.total,
            "total_tokens": turn.prompt.tokens + turn.parts.total,
            "prompt_tokens_details": {"cached_tokens": turn.cached.read, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": turn.parts.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""
        choices = [
            {"index": number, "message": _message(choice), "logprobs": None, "finish_reason": _finish(choice)}
            for number, choice in enumerate(turn.choices)
        ]
        return {**_head(turn, "chat.completion"), "choices": choices, "usage": self.usage(turn)}

    def events(self, turn: Turn) -> Iterator[Event]:
        """Write the response as a stream."""
        with_usage = self.streams_usage(turn.body)
        head = {**_head(turn, "chat.completion.chunk"), **({"usage": None} if with_usage else {})}

        def chunk(number: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
            return sse({**head, "choices": [{"index": number, "delta": delta, "logprobs": None, "finish_reason": finish}]})

        for number, choice in enumerate(turn.choices):
            yield Event(data=chunk(number, {"role": "assistant", "content": "" if choice.text else None}))
            for text in chunks(choice.text, turn.chunk_chars):
                yield Event(data=chunk(number, {"content": text}), delta=Delta(choice=number, text=text))
            for at, call in enumerate(choice.calls):
                opening = {"index": at, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
                yield Event(data=chunk(number, {"tool_calls": [opening]}), delta=Delta(choice=number, call=at, text=""))
                for text in chunks(call.arguments, turn.chunk_chars):
                    more = {"index": at, "function": {"arguments": text}}
                    yield Event(data=chunk(number, {"tool_calls": [more]}), delta=Delta(choice=number, call=at, text=text))
        for number, choice in enumerate(turn.choices):
            yield Event(data=chunk(number, {}, _finish(choice)), terminal=True)
        if with_usage:
            yield Event(data=sse({**head, "choices": [], "usage": self.usage(turn)}), terminal=True)
        yield Event(data=DONE, terminal=True)


class CompletionsApi(OpenAIApi):
    """Text completions: one answer per prompt, no cache. Source: https://platform.openai.com/docs/api-reference/completions"""

    name = "completions"
    id_prefix = "cmpl-"

    def requests(self, body: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """Give the messages of each answer asked for."""
        return [[{"role": "user", "content": prompt if isinstance(prompt, str) else ""}] for prompt in _texts(body["prompt"])]

    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt."""
        return text_prompt(_texts(body["prompt"]))

    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Look the prompt up in the cache and write it there."""
        return Cached()

    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage."""
        tokens, output = turn.prompt.tokens, turn.parts.total
        return {"prompt_tokens": tokens, "completion_tokens": output, "total_tokens": tokens + output}

    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""
        choices = [
            {"index": number, "text": choice.text, "logprobs": None, "finish_reason": "stop"} for number, choice in enumerate(turn.choices)
        ]
        return {**_head(turn, "text_completion"), "choices": choices, "usage": self.usage(turn)}

    def events(self, turn: Turn) -> Iterator[Event]:
        """Write the response as a stream."""
        with_usage = self.streams_usage(turn.body)
        head = {**_head(turn, "text_completion"), **({"usage": None} if with_usage else {})}

        def chunk(number: int, text: str, finish: str | None = None) -> bytes:
            return sse({**head, "choices": [{"index": number, "text": text, "logprobs": None, "finish_reason": finish}]})

        for number, choice in enumerate(turn.choices):
            for text in chunks(choice.text, turn.chunk_chars):
                yield Event(data=chunk(number, text), delta=Delta(choice=number, text=text))
        for number in range(len(turn.choices)):
            yield Event(data=chunk(number, "", "stop"), terminal=True)
        if with_usage:
            yield Event(data=sse({**head, "choices": [], "usage": self.usage(turn)}), terminal=True)
        yield Event(data=DONE, terminal=True)


class EmbeddingsApi(CompletionsApi):
    """Embeddings: a vector of 8 numbers from the input's digest. Needs no script."""

    name = "embeddings"
    id_prefix = ""  # the response has no id
    scripted = False

    def requests(self, body: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """Give the messages of each answer asked for."""
        return [[{"role": "user", "content": text} for text in _texts(body["input"])]]

    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt."""
        return text_prompt(_texts(body["input"]))

    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage."""
        return {"prompt_tokens": turn.prompt.tokens, "total_tokens": turn.prompt.tokens}

    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""
        vectors = [_vector(str(text)) for text in _texts(turn.body["input"])]
        as_base64 = turn.body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(array("f", vector).tobytes()).decode() if as_base64 else vector,
            }
            for index, vector in enumerate(vectors)
        ]
        return {"object": "list", "model": turn.model, "data": data, "usage": self.usage(turn)}


def _head(turn: Turn, kind: str) -> dict[str, Any]:
    return {
        "id": turn.response_id,
        "object": kind,
        "created": turn.created,
        "model": turn.model,
        "service_tier": turn.service_tier,
        "system_fingerprint": "fp_loopback",
    }


def _message(choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text or None, "refusal": None, "annotations": []}
    if choice.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in choice.calls
        ]
    return message


def _finish(choice: Choice) -> str:
    return "tool_calls" if choice.calls else "stop"


def _texts(given: Any) -> list[str | list[int]]:
    """Give a prompt as a list: it may be a text, token ids, or a list of either."""
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def _vector(text: str) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest()
    return [byte / 256 for byte in digest[:DIMENSIONS]]  # exact in 32 bits too
