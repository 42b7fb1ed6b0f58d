"""`Gathered`: what the chunks of a stream say together, in the words of whichever provider sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from token_otel import wire
from token_otel.events import Part
from token_otel.manual.messages import message_parts
from token_otel.manual.objects import get, mapping, plain, several, text
from token_otel.manual.responses import Answer, answer_of, tier_of, usage_of
from token_otel.usage import Usage

_BEDROCK = ("contentBlockStart", "contentBlockDelta", "messageStop", "metadata")


class Gathered:
    """Adds up chunks; `answer` is what a whole response would have said."""

    def __init__(self) -> None:
        self.model: str | None = None
        self._id: str | None = None
        self._tier: str | None = None
        self._reasons: dict[object, str] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[object, dict[str, Any]] = {}
        self._texts: dict[object, list[str]] = {}
        self._whole: Answer | None = None
        self._by_anthropic = False

    def add(self, chunk: object) -> Usage | None:
        """Add a chunk; return what has been used so far, if it says that."""
        if isinstance(chunk, str):
            self._say("text", 0, chunk)
            return None
        if isinstance(chunk, tuple):  # with its kind before it, as some clients give it
            chunk = cast("tuple[object, ...]", chunk)[-1]
        if isinstance(body := get(get(chunk, "chunk"), "bytes"), bytes):
            chunk = json.loads(body)  # Bedrock's InvokeModel: the model's own words
        elif (inner := get(chunk, "data")) is not None and get(inner, "choices") is not None:
            chunk = inner  # Mistral's
        before = dict(self._usage)
        form = text(get(chunk, "type"))
        if form is not None:
            self._event(form, chunk)
        else:
            self._plain_chunk(chunk)
        return self._used() if self._usage != before else None

    def answer(self, *, whole: bool) -> Answer:
        """Return what was said; of a stream that is not `whole`, without the usage: what it has reported so far is known."""
        usage = self._used()
        if self._whole is not None and self._whole.output:
            output = self._whole.output
        else:
            output = self._output(usage.reasoning if usage is not None else None)
        return Answer(
            usage=wire.believed(usage, output) if whole else None,
            output=output,
            model=self.model,
            response_id=self._id,
            finish_reasons=tuple(self._reasons.values()),
            service_tier=self._tier,
            cost_usd=wire.reported_cost(self._usage) if whole else None,
        )

    def _used(self) -> Usage | None:
        return usage_of(self._usage, by_anthropic=self._by_anthropic)

    def _about(self, thing: object) -> None:
        """Take what a chunk, or the message in it, says of itself."""
        self.model = text(get(thing, "model", "model_version", "modelVersion")) or self.model
        self._id = text(get(thing, "id", "response_id", "responseId")) or self._id
        # A stream tells what was used so far, each time more of it.
        used = get(thing, "usage", "usage_metadata", "usageMetadata", "amazon-bedrock-invocationMetrics")
        self._usage |= mapping(used)
        self._tier = tier_of(thing, self._usage) or self._tier

    def _plain_chunk(self, chunk: object) -> None:
        """Add a chunk without a type: of Chat Completions and those who speak it, of Google, of Bedrock's Converse, of Ollama."""
        self._about(chunk)
        for place, choice in enumerate(several(get(chunk, "choices"))):
            number = get(choice, "index") or place
            self._choice(number, get(choice, "delta"))
            self._say("text", number, get(choice, "text"))
            if reason := text(get(choice, "finish_reason")):
                self._reasons[number] = reason
        for place, candidate in enumerate(several(get(chunk, "candidates"))):
            number = get(candidate, "index") or place
            for part in several(get(get(candidate, "content"), "parts")):
                self._google(number, mapping(part))
            if reason := text(get(candidate, "finish_reason", "finishReason")):
                self._reasons[number] = reason
        for name in _BEDROCK:
            if isinstance(said := get(chunk, name), Mapping):
                self._converse(name, cast("Mapping[str, Any]", said))
        if get(chunk, "done") is not None and (message := get(chunk, "message")) is not None:
            self._choice(0, message)
            if get(chunk, "done") is True:
                names = ("prompt_eval_count", "eval_count")
                self._usage |= {name: count for name in names if (count := get(chunk, name)) is not None}

    def _choice(self, number: object, delta: object) -> None:
        thought = get(delta, "reasoning_content", "reasoning", "thinking")
        self._say("reasoning", number, thought)
        content: Any = get(delta, "content")
        self._say("text", number, content)
        for block in several(content):
            if isinstance(block, str) or get(block, "type") == "text":
                self._say("text", number, block if isinstance(block, str) else get(block, "text"))
            elif get(block, "type") == "thinking":
                for piece in several(get(block, "thinking")):
                    self._say("reasoning", number, get(piece, "text"))
        self._say("text", number, get(delta, "refusal"))
        for place, call in enumerate(several(get(delta, "tool_calls"))):
            made = get(call, "function", "custom") or call
            key = ("call", number, index if (index := get(call, "index")) is not None else place)
            arguments = get(made, "arguments", "input")
            self._call(key, text(get(call, "id")), text(get(made, "name")), arguments)

    def _google(self, number: object, part: Mapping[str, Any]) -> None:
        signed = {name: part[name] for name in ("thought_signature", "thoughtSignature") if name in part}
        if isinstance(said := part.get("text"), str):
            self._say("reasoning" if part.get("thought") is True else "text", number, said)
        elif part:
            self._blocks["part", number, len(self._blocks)] = dict(part)
            return
        if signed:
            kind = "reasoning" if part.get("thought") is True else "text"
            self._blocks.setdefault((kind, number), {}).update(signed)

    def _converse(self, name: str, said: Mapping[str, Any]) -> None:
        place = said.get("contentBlockIndex")
        if name == "metadata":
            self._about(said)
        elif name == "messageStop":
            self._reasons[0] = text(said.get("stopReason")) or "stop"
        elif name == "contentBlockStart":
            asked = get(said.get("start"), "toolUse")
            if asked is not None:
                self._call(("call", place), text(get(asked, "toolUseId")), text(get(asked, "name")), None)
        else:
            delta = said.get("delta")
            self._say("text", place, get(delta, "text"))
            if (asked := get(delta, "toolUse")) is not None:
                self._call(("call", place), None, None, get(asked, "input"))
                self._blocks["call", place]["raw"] = False  # they come back as a mapping
            if (thought := get(delta, "reasoningContent")) is not None:
                self._say("reasoning", place, get(thought, "text"))
                if signature := get(thought, "signature"):
                    self._blocks.setdefault(("reasoning", place), {})["signature"] = signature

    def _event(self, form: str, event: object) -> None:
        """Add an event with a type: of Anthropic's Messages, or of OpenAI's Responses."""
        if (response := get(event, "response")) is not None:
            self._about(response)
            if form in ("response.completed", "response.incomplete", "response.failed"):
                whole = answer_of(response)
                self._whole, self._reasons = whole, dict(enumerate(whole.finish_reasons))
                if whole.usage is not None and whole.usage.web_searches:
                    self._usage["server_tool_use"] = {"web_search_requests": whole.usage.web_searches}
            return
        place = get(event, "index")
        if form == "message_start":
            self._by_anthropic = True
            self._about(get(event, "message"))
        elif form == "message_delta":
            self._usage |= mapping(get(event, "usage"))
            if reason := text(get(get(event, "delta"), "stop_reason")):
                self._reasons[0] = reason
        elif form == "message_stop":
            if metrics := mapping(get(event, "amazon-bedrock-invocationMetrics")):
                self._usage = self._usage or dict(metrics)
        elif form == "content_block_start":
            block = dict(mapping(get(event, "content_block")))
            if block.get("type") in ("tool_use", "server_tool_use"):
                block["input"] = None
            self._blocks["block", place] = block
        elif form == "content_block_delta":
            self._delta(("block", place), get(event, "delta"))
        elif form in ("response.output_text.delta", "response.refusal.delta"):
            self._say("text", (get(event, "output_index"), get(event, "content_index")), get(event, "delta"))
        elif form == "response.output_item.added" and get(get(event, "item"), "type") == "function_call":
            item = get(event, "item")
            self._call(("call", get(event, "output_index")), text(get(item, "call_id")), text(get(item, "name")), None)
        elif form == "response.function_call_arguments.delta":
            self._call(("call", get(event, "output_index")), None, None, get(event, "delta"))

    def _delta(self, key: object, delta: object) -> None:
        for name, field in (("text", "text"), ("thinking", "thinking"), ("partial_json", "input")):
            if isinstance(said := get(delta, name), str):
                self._texts.setdefault((key, field), []).append(said)
        if signature := get(delta, "signature"):
            self._blocks.setdefault(key, {})["signature"] = signature

    def _say(self, kind: str, number: object, said: object) -> None:
        if isinstance(said, str) and said:
            field = "text" if kind == "text" else "thinking"
            self._blocks.setdefault((kind, number), {}).setdefault("type", field)
            self._texts.setdefault(((kind, number), field), []).append(said)

    def _call(self, key: object, call_id: str | None, name: str | None, arguments: object) -> None:
        block = self._blocks.setdefault(key, {"type": "tool_use", "raw": True})
        block |= {field: value for field, value in (("id", call_id), ("name", name)) if value}
        if isinstance(arguments, str):
            self._texts.setdefault((key, "input"), []).append(arguments)
        elif arguments is not None:
            block["input"] = plain(arguments)

    def _output(self, reasoning: int | None) -> tuple[Part, ...]:
        blocks: list[Mapping[str, Any]] = []
        for key, block in self._blocks.items():
            made = dict(block)
            raw = made.pop("raw", False)
            for field in ("text", "thinking", "input"):
                if said := self._texts.get((key, field)):
                    made[field] = str(made.get(field) or "") + "".join(said)
            if made.get("type") in ("tool_use", "server_tool_use"):
                made["input"] = _arguments(made.get("input"), verbatim=raw)
            blocks.append(made)
        if not blocks:
            return ()
        parts = message_parts({"role": "assistant", "content": blocks}, "assistant", reasoning=reasoning)
        return tuple([part for part in parts if part.kind != "tool_result" and (part.text or part.sealed_tokens or part.media)])


def _arguments(arguments: object, *, verbatim: bool) -> object:
    """Return arguments as they come back: a text stays one where the provider says it so, else it is read as what it holds."""
    if not isinstance(arguments, str) or verbatim:
        return {} if arguments is None else arguments
    try:
        return json.loads(arguments) if arguments else {}
    except ValueError:
        return arguments
