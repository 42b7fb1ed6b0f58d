"""What a call reads, as `Part`s: the messages, system texts and tools that the SDKs of providers take.

OpenAI's and Mistral's messages, the items of OpenAI's Responses, Anthropic's messages, Google's contents and Bedrock's: as
mappings or as the SDK's own objects.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from token_otel.events import Part, PartKind
from token_otel.manual.objects import get, mapping, plain, several, text
from token_otel.wire import Blocks, compact

SEALS = 4_096

_KINDS: dict[str, PartKind] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_CALLS = {"function_call", "custom_tool_call"}
_ANSWERS = {"function_call_output", "custom_tool_call_output"}
_BESIDE = ("tool_calls", "function_call", "reasoning_content", "reasoning", "refusal", "audio", "tool_call_id", "parts", "type")


def prompt_of(messages: object, system: object = None, tools: object = None) -> tuple[Part, ...]:
    """Return everything that a call reads, in the order in which it is sent: tools, system, messages."""
    parts = [*_tools(tools), *_system(system)]
    for message in _messages(messages):
        parts += message_parts(message)
    return tuple(parts)


def message_parts(message: Any, kind: PartKind = "user", *, reasoning: int | None = None) -> tuple[Part, ...]:
    """Return the parts of one message, or item.

    Args:
        message: In any SDK's words, or a text.
        kind: What it is where it does not say whose it is.
        reasoning: The tokens of reasoning that the call which made it has reported.
    """
    if isinstance(message, str):
        return (Part(kind=kind, text=message),)
    told = cast("dict[str, Any]", message)
    if type(told) is dict and _is_text_alone(told):
        kind = _KINDS.get(told.get("role", ""), kind)
        return (Part(kind=kind, text=told["content"], message_id=text(told.get("id")), name=text(told.get("name"))),)
    return _parts(mapping(told), kind, reasoning)


def result_parts(result: Any, call_id: str | None) -> tuple[Part, ...]:
    """Return what a tool has answered: a text, blocks of any provider, or what is said best as JSON."""
    if isinstance(result, str):
        return (Part(kind="tool_result", text=result, call_id=call_id),)
    if result is None:
        return ()
    made = Blocks("tool_result", call_id=call_id)
    blocks = several(result)
    if blocks and all(map(_is_block, blocks)):
        _read_all(made, blocks)
    else:
        made.add("tool_result", compact(plain(cast("object", result))))
    return tuple(made.parts)


def document_parts(documents: Any) -> tuple[Part, ...]:
    """Return what a retriever has found: texts, or whatever has one under a usual name."""
    found: list[Any] = several(documents) or [documents]
    texts = [each if isinstance(each, str) else get(each, "page_content", "text", "content") for each in found]
    return tuple(
        Part(kind="document", text=said if isinstance(said, str) else compact(plain(each)))
        for each, said in zip(found, texts, strict=True)
        if each
    )


def _messages(messages: object) -> Iterable[object]:
    if messages is None:
        return ()
    if isinstance(messages, str | Mapping) or not isinstance(messages, Iterable):
        return (cast("object", messages),)
    # An object of an SDK can be gone through too, field by field.
    return cast("Iterable[object]", messages) if isinstance(messages, Sequence) else (cast("object", messages),)


def _is_text_alone(message: dict[str, Any]) -> bool:
    return isinstance(message.get("content"), str) and not any(message.get(name) for name in _BESIDE)


def _parts(message: Mapping[str, Any], kind: PartKind, reasoning: int | None) -> tuple[Part, ...]:
    form, role = message.get("type"), message.get("role")
    answers = text(get(message, "tool_call_id", "call_id")) if role in ("tool", "function") or form in _ANSWERS else None
    told = role is not None or "content" in message or "parts" in message
    kind = "tool_result" if form in _ANSWERS else _KINDS.get(str(role), kind if told or not form else "assistant")
    calls = several(message.get("tool_calls"))
    made = Blocks(kind, message_id=text(message.get("id")), call_id=answers, name=text(message.get("name")), calls_known=bool(calls))
    if form in _CALLS:
        made.call(str(message.get("name")), _arguments(get(message, "arguments", "input")), text(message.get("call_id")))
    elif form in _ANSWERS:
        _read_all(made, message.get("output"))
    elif not told:
        _read(made, message)
    else:
        thought = get(message, "reasoning_content", "reasoning")
        if isinstance(thought, str) and thought:
            made.read({"type": "thinking", "thinking": thought})
        _read_all(made, get(message, "content", "parts"))
        for beside in (message.get("refusal"), get(message.get("audio"), "transcript")):
            if isinstance(beside, str) and beside:
                made.add(made.kind, beside)
        for call in (*calls, message.get("function_call")):
            asked = get(call, "function", "custom") or call
            if name := text(get(asked, "name")):
                made.call(name, _arguments(get(asked, "arguments", "input")), text(get(call, "id")))
    if made.sealed:
        made.seal(reasoning)
    call_id = _first_call(made) if made.kind == "assistant" and message.get("id") is None else None
    if call_id is not None:
        # What stands beside a call comes back with it: it may be too short to be known by its words.
        made.parts[:] = [replace(part, message_id=call_id) for part in made.parts]
    parts = tuple(made.parts) or (Part(kind=kind, message_id=text(message.get("id")), call_id=answers),)
    return _remembered(parts, reasoning) if made.sealed else parts


def _first_call(made: Blocks) -> str | None:
    return next((part.call_id for part in made.parts if part.kind == "tool_call"), None)


def _read_all(made: Blocks, content: Any) -> None:
    if isinstance(content, str):
        if content:
            made.add(made.kind, content)
        return
    signatures: dict[int, object] = {}
    for place, block in enumerate(several(content) or [content]):
        _read(made, block)
        if (signature := get(block, "thought_signature", "thoughtSignature")) and not get(block, "text"):
            signatures[place] = signature
    if signatures:
        made.sign(signatures)


def _read(made: Blocks, block: object) -> None:
    """Read a block; those of Google and Bedrock name their only key."""
    if isinstance(block, str):
        made.read(block)
        return
    told = mapping(block)
    if "type" in told:
        made.read(told)
    elif call := _inner(told, "function_call", "functionCall"):
        made.call(str(call.get("name")), compact(call.get("args") or {}), text(call.get("id")))
    elif call := _inner(told, "toolUse"):
        made.call(str(call.get("name")), compact(call.get("input")), text(call.get("toolUseId")))
    elif answer := _inner(told, "function_response", "functionResponse"):
        made.add("tool_result", _response(answer.get("response")), call_id=text(answer.get("id")), name=text(answer.get("name")))
    elif answer := _inner(told, "toolResult"):
        content = [_said(each) for each in several(answer.get("content"))]
        made.read({"type": "tool_result", "tool_use_id": answer.get("toolUseId"), "content": content})
    elif told.get("thought") is True and isinstance(said := told.get("text"), str):
        made.read({"type": "thinking", "thinking": said, "signature": get(told, "thought_signature", "thoughtSignature")})
    elif isinstance(told.get("text"), str):
        made.read({"type": "text", **told})
    elif told:
        made.read({name: value for name, value in told.items() if name not in ("thought_signature", "thoughtSignature")})


def _inner(told: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found: Any = get(told, *names)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _said(block: object) -> object:
    """Return a block of Bedrock's tool result, its JSON as text."""
    value = get(block, "json")
    return block if value is None else {"type": "text", "text": compact(value)}


def _response(response: object) -> str:
    """Return what a function has answered to Google's model: the text itself where nothing else stands beside it."""
    values = list(mapping(response).values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return response if isinstance(response, str) else compact(response)


def _arguments(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else compact(arguments if arguments is not None else {})


def _is_block(block: object) -> bool:
    return isinstance(get(block, "type"), str) or any(get(block, name) is not None for name in ("text", "json", "inline_data"))


def _system(system: object) -> Iterator[Part]:
    if system is None:
        return
    for part in _parts(mapping(system) if get(system, "parts") else {"role": "system", "content": system}, "system", None):
        if part.text or part.media is not None:
            yield replace(part, kind="system") if part.kind == "user" else part


def _tools(tools: Any) -> Iterator[Part]:
    """Yield the schemas of tools, whatever holds them."""
    for tool in several(tools) or several(get(tools, "tools")):
        if callable(tool) and (name := text(getattr(tool, "__name__", None))):
            yield Part(kind="tools", text=f"{name}\n{getattr(tool, '__doc__', None) or ''}", name=name, opens=False)
            continue
        schema = cast("Mapping[str, Any]", tool) if isinstance(tool, dict) else mapping(tool)
        declared = get(schema, "function_declarations", "functionDeclarations")
        for one in several(declared) if declared else [schema]:
            told = get(one, "function", "toolSpec", "custom") or one
            yield Part(kind="tools", text=compact(one), name=text(get(told, "name")) or text(get(one, "type")), opens=False)


_seals: OrderedDict[str, int] = OrderedDict()
_seals_lock = threading.Lock()


def _remembered(parts: tuple[Part, ...], reasoning: int | None) -> tuple[Part, ...]:
    """Keep what sealed reasoning has weighed when it was made, for when it comes back: a seal's length says little."""
    found: list[Part] = []
    with _seals_lock:
        for part in parts:
            if part.kind == "reasoning" and part.sealed_tokens is not None and part.call_id is not None:
                if reasoning is not None:
                    _seals[part.call_id] = part.sealed_tokens
                    while len(_seals) > SEALS:
                        _seals.popitem(last=False)
                elif part.call_id in _seals:
                    part = replace(part, sealed_tokens=_seals[part.call_id])
            found.append(part)
    return tuple(found)
