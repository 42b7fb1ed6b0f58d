"""/v1/responses. Source: https://platform.openai.com/docs/api-reference/responses and .../responses-streaming"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from token_otel.testing.loopback.answers import new_id
from token_otel.testing.loopback.caches import AutomaticCache
from token_otel.testing.loopback.openai_chat import OpenAIApi
from token_otel.testing.loopback.openai_prompt import input_items, responses_prompt
from token_otel.testing.loopback.prompts import BadRequest, Prompt
from token_otel.testing.loopback.turns import Delta, Event, Turn, chunks, sse

Item: TypeAlias = dict[str, Any]


class ResponsesApi(OpenAIApi):
    """The Responses API. Remembers what was said, by response and by conversation, and what was thought; there is one choice."""

    name = "responses"
    id_prefix = "resp_"

    def __init__(self, cache: AutomaticCache) -> None:
        super().__init__(cache)
        self._stored: dict[str, list[Item]] = {}
        self._thoughts: dict[str, int] = {}

    def requests(self, body: dict[str, Any]) -> list[list[Item]]:
        """Give the messages of each answer asked for."""
        return [input_items(body)]

    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt."""
        return responses_prompt(body, self._history(body), self._thoughts)

    def streams_usage(self, body: dict[str, Any]) -> bool:
        """Say yes: `response.completed` always carries it."""
        return True

    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage."""
        return {
            "input_tokens": turn.prompt.tokens,
            "input_tokens_details": {"cached_tokens": turn.cached.read},
            "output_tokens": turn.parts.total,
            "output_tokens_details": {"reasoning_tokens": turn.parts.reasoning},
            "total_tokens": turn.prompt.tokens + turn.parts.total,
        }

    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""
        return self._completed(turn, _output(turn))

    def events(self, turn: Turn) -> Iterator[Event]:
        """Write the response as a stream."""
        number = 0

        def event(kind: str, payload: dict[str, Any], *, delta: Delta | None = None, terminal: bool = False) -> Event:
            nonlocal number
            data = sse({"type": kind, "sequence_number": number, **payload}, event=kind)
            number += 1
            return Event(data=data, delta=delta, terminal=terminal)

        yield event("response.created", {"response": self._envelope(turn)})
        yield event("response.in_progress", {"response": self._envelope(turn)})
        items = _output(turn)
        calls = 0
        for index, item in enumerate(items):
            at: dict[str, Any] = {"output_index": index}
            place = {**at, "item_id": item["id"]}
            match item["type"]:
                case "message":
                    yield event("response.output_item.added", {**at, "item": {**item, "status": "in_progress", "content": []}})
                    part = {**place, "content_index": 0}
                    [content] = item["content"]
                    yield event("response.content_part.added", {**part, "part": {**content, "text": ""}})
                    for text in chunks(content["text"], turn.chunk_chars):
                        said = Delta(text=text)
                        yield event("response.output_text.delta", {**part, "delta": text, "logprobs": []}, delta=said)
                    yield event("response.output_text.done", {**part, "text": content["text"], "logprobs": []})
                    yield event("response.content_part.done", {**part, "part": content})
                case "function_call":
                    opened = {**item, "status": "in_progress", "arguments": ""}
                    yield event("response.output_item.added", {**at, "item": opened}, delta=Delta(call=calls, text=""))
                    for text in chunks(item["arguments"], turn.chunk_chars):
                        said = Delta(call=calls, text=text)
                        yield event("response.function_call_arguments.delta", {**place, "delta": text}, delta=said)
                    done = {**place, "name": item["name"], "arguments": item["arguments"]}
                    yield event("response.function_call_arguments.done", done)
                    calls += 1
                case _:
                    yield event("response.output_item.added", {**at, "item": item})
            yield event("response.output_item.done", {**at, "item": item})
        yield event("response.completed", {"response": self._completed(turn, items)}, terminal=True)

    def _history(self, body: dict[str, Any]) -> list[Item]:
        if (conversation := _conversation(body)) is not None:
            return self._stored.get(conversation, [])
        previous: str | None = body.get("previous_response_id")
        if previous is None:
            return []
        if previous not in self._stored:
            raise BadRequest(f"Previous response with id '{previous}' not found.")
        return self._stored[previous]

    def _envelope(self, turn: Turn) -> dict[str, Any]:
        return {
            "id": turn.response_id,
            "object": "response",
            "created_at": turn.created,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": turn.body.get("instructions"),
            "model": turn.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": turn.body.get("previous_response_id"),
            "conversation": {"id": conversation} if (conversation := _conversation(turn.body)) is not None else None,
            "service_tier": turn.service_tier,
            "tool_choice": turn.body.get("tool_choice") or "auto",
            "tools": turn.body.get("tools") or [],
            "text": turn.body.get("text") or {"format": {"type": "text"}},
            "metadata": {},
            "usage": None,
        }

    def _completed(self, turn: Turn, items: list[Item]) -> dict[str, Any]:
        said = [*self._history(turn.body), *input_items(turn.body), *items]
        self._stored[turn.response_id] = said
        if (conversation := _conversation(turn.body)) is not None:
            self._stored[conversation] = said
        self._thoughts |= {item["id"]: turn.choices[0].reasoning for item in items if item["type"] == "reasoning"}
        return {**self._envelope(turn), "status": "completed", "output": items, "usage": self.usage(turn)}


def _conversation(body: dict[str, Any]) -> str | None:
    """Give the id of the conversation that a request goes on with; one that is not known yet begins."""
    named: str | Item | None = body.get("conversation")
    return named["id"] if isinstance(named, dict) else named


def _output(turn: Turn) -> list[Item]:
    """Give the output items: reasoning (without its text, as by default), the message, the calls."""
    choice = turn.choices[0]
    items: list[Item] = []
    if choice.reasoning:
        items.append({"type": "reasoning", "id": new_id("rs_"), "summary": []})
    if choice.text:
        content: Item = {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}
        items.append({"type": "message", "id": new_id("msg_"), "status": "completed", "role": "assistant", "content": [content]})
    items += [
        {
            "type": "function_call",
            "id": new_id("fc_"),
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for call in choice.calls
    ]
    return items
