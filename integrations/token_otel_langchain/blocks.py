"""A message's content as `Part`s: its blocks, the calls it makes, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from token_otel import wire
from token_otel.events import Part, PartKind
from token_otel.wire import compact

_KIND: dict[str, PartKind] = {
    "system": "system",
    "developer": "system",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
# A message of these that was given no role besides is what its class says.
_KIND_OF_TYPE: dict[type[BaseMessage], PartKind] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    AIMessageChunk: "assistant",
    ToolMessage: "tool_result",
}
# Where Gemini's signatures stand beside the content, by call.
_SIGNATURES = "__gemini_function_call_thought_signatures__"
_BESIDE = {_SIGNATURES, "reasoning"}


def parts_of(message: BaseMessage) -> tuple[Part, ...]:
    """Split a message into its parts, in order: content, then the tool calls it makes; an empty one is one empty part."""
    kind = _kind(message)
    if isinstance(text := message.content, str) and _is_text_alone(message):
        call_id = message.tool_call_id if isinstance(message, ToolMessage) else None
        return (Part(kind=kind, text=text, message_id=message.id, call_id=call_id, name=message.name),)
    calls_known = isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)
    answers = message.tool_call_id if isinstance(message, ToolMessage) else None
    made = wire.Blocks(kind, message_id=message.id, call_id=answers, name=message.name, calls_known=calls_known)
    beside = message.additional_kwargs if isinstance(message, AIMessage) else {}
    if isinstance(thought := beside.get("reasoning"), Mapping):
        made.read({"type": "reasoning", **cast("Mapping[str, Any]", thought)})
    if isinstance(message.content, str):
        if message.content:
            made.add(made.kind, message.content)
    else:
        for block in cast("list[object]", message.content):
            made.read(block)
    if isinstance(message, AIMessage):
        made.sign(beside.get(_SIGNATURES))
        for call in message.tool_calls:
            made.call(call["name"], compact(call["args"]), call["id"])
        for broken in message.invalid_tool_calls:
            made.call(broken["name"] or "", broken["args"] or "", broken["id"])
        if made.sealed:
            usage = message.usage_metadata
            made.seal(wire.langchain(cast("Mapping[str, object]", usage)).reasoning if usage is not None else None)
    return tuple(made.parts) or (Part(kind=made.kind, message_id=message.id, call_id=made.call_id, name=message.name),)


def _is_text_alone(message: BaseMessage) -> bool:
    """Tell whether nothing stands beside the content, as with most messages."""
    if isinstance(message, AIMessage):
        return not message.tool_calls and not message.invalid_tool_calls and message.additional_kwargs.keys().isdisjoint(_BESIDE)
    return True


def _kind(message: BaseMessage) -> PartKind:
    kind = _KIND_OF_TYPE.get(type(message)) if not message.__pydantic_extra__ else None
    if kind is not None:
        return kind
    role = getattr(message, "role", None) or message.type.removesuffix("MessageChunk").lower()
    return _KIND.get(role, "user")
