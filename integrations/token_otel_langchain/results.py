"""What tools and retrievers return, as the model will read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from langchain_core.documents import Document
from langchain_core.messages import ToolMessage

from token_otel.events import Part
from token_otel.wire import compact
from token_otel_langchain.blocks import parts_of


def tool_results(output: object, call_id: str | None, name: str) -> tuple[Part, ...]:
    """Return a tool's result: a message, a message within a `Command`, or a plain value."""
    answers = [
        message
        for message in _update(output) or _several(output)
        if isinstance(message, ToolMessage) and call_id in (None, message.tool_call_id)
    ]
    if answers:
        return parts_of(answers[-1])
    if output is None or type(output).__name__ == "Command":
        return ()
    return (Part(kind="tool_result", text=output if isinstance(output, str) else compact(output), call_id=call_id, name=name),)


def document_parts(documents: Iterable[Document]) -> tuple[Part, ...]:
    """Return what a retriever found."""
    return tuple(Part(kind="document", text=document.page_content, message_id=document.id) for document in documents)


def _update(output: object) -> list[object]:
    update = getattr(output, "update", None)
    messages = cast("Mapping[str, object]", update).get("messages") if isinstance(update, Mapping) else None
    return cast("list[object]", messages) if isinstance(messages, list) else []


def _several(output: object) -> list[object]:
    return [*cast("list[object]", output)] if isinstance(output, list) else [output]
