"""The OpenAI prompt: what chat, responses, completion and embedding requests are billed as input.

Per message 3 tokens, its role, its content, its name and 1; tool calls by name and arguments; 3 tokens to open the reply.
Tools as a TypeScript namespace and 9. An output schema as JSON before the messages. Images by tiles, never by their base64.
Source: https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken; tools: measured by litellm and others.
"""

from collections.abc import Mapping
from typing import Any

from token_otel.testing.loopback.answers import compact, plain_text
from token_otel.testing.loopback.counting import encode
from token_otel.testing.loopback.prompts import Piece, Prompt, blocks_of, dig, opaque
from token_otel.testing.loopback.typescript import namespace

IMAGE_TOKENS = 85 + 170
"""An image of unknown size, as one 512-pixel tile."""
TOOLS_TOKENS = 9
MESSAGE_TOKENS = 3
REPLY_TOKENS = 3


def count(text: str) -> int:
    """Count a text as OpenAI does."""
    return len(tokens(text))


def tokens(text: str) -> tuple[int, ...]:
    """Encode a text as OpenAI does."""
    return encode("o200k_base", text)


def chat_prompt(body: dict[str, Any]) -> Prompt:
    """Read the body of /v1/chat/completions."""
    functions = [tool["function"] for tool in body.get("tools") or () if tool.get("type") == "function"]
    schema = dig(body, "response_format", "json_schema", "schema")
    messages = [message_piece(message, index=index) for index, message in enumerate(body.get("messages") or ())]
    return _prompt(functions, schema, messages)


def responses_prompt(body: dict[str, Any], history: list[dict[str, Any]], thoughts: Mapping[str, int] | None = None) -> Prompt:
    """Read the body of /v1/responses.

    Args:
        body: The request.
        history: The items behind its `previous_response_id`.
        thoughts: By id of a reasoning item, its tokens. They are billed again until the user speaks next, and then dropped.
    """
    functions = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
    schema = dig(body, "text", "format", "schema")
    instructions: str | None = body.get("instructions")
    pieces = [message_piece({"role": "system", "content": instructions}, index=None)] if instructions else []
    items = [*((None, item) for item in history), *enumerate(input_items(body))]
    asked = max((at for at, (_, item) in enumerate(items) if item.get("role") == "user"), default=-1)
    for at, (index, item) in enumerate(items):
        if item.get("type") == "reasoning" and at > asked and (thought := (thoughts or {}).get(item.get("id", ""))):
            pieces.append(Piece(kind="message", role="assistant", text="", tokens=opaque(item["id"], thought), index=index))
        pieces += item_pieces(item, index=index)
    return _prompt(functions, schema, pieces)


def text_prompt(texts: list[str | list[int]]) -> Prompt:
    """Read the prompts of /v1/completions or the inputs of /v1/embeddings: texts or token ids, without frames."""
    return Prompt(
        pieces=tuple(
            Piece(kind="message", role="user", text=text, tokens=tokens(text), index=index)
            if isinstance(text, str)
            else Piece(kind="message", role="user", text="", tokens=tuple(text), index=index)
            for index, text in enumerate(texts)
        )
    )


def input_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the input of a Responses request as items: a string is one user message."""
    given: Any = body.get("input") or []
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def item_pieces(item: dict[str, Any], *, index: int | None) -> list[Piece]:
    """Read one input item of the Responses API; none of reasoning, whose text it does not tell."""
    match item.get("type", "message"):
        case "message":
            return [message_piece(item, index=index)]
        case "function_call":
            call = {"name": item["name"], "arguments": item["arguments"]}
            return [message_piece({"role": "assistant", "tool_calls": [{"function": call}]}, index=index)]
        case "function_call_output":
            return [message_piece({"role": "tool", "content": item["output"], "tool_call_id": item["call_id"]}, index=index)]
        case _:
            return []


def message_piece(message: dict[str, Any], *, index: int | None) -> Piece:
    """Read one chat message: frame, role, content, name, tool calls."""
    role: str = message["role"]
    ids = opaque("message", MESSAGE_TOKENS) + tokens(role)
    texts: list[str] = []
    for block in blocks_of(message.get("content")):
        if block.get("type") in ("image_url", "input_image"):
            ids += opaque(compact(block), IMAGE_TOKENS)
        elif text := plain_text(block):
            ids += tokens(text)
            texts.append(text)
    if name := message.get("name"):
        ids += tokens(name) + opaque("name", 1)
    for call in message.get("tool_calls") or ():
        ids += tokens(call["function"]["name"]) + tokens(call["function"]["arguments"])
        texts.append(call["function"]["name"] + call["function"]["arguments"])
    return Piece(
        kind="system" if role in ("system", "developer") else "message",
        role=role,
        text="\n".join(texts),
        tokens=ids,
        index=index,
        tool_call_id=message.get("tool_call_id"),
    )


def _prompt(functions: list[dict[str, Any]], schema: dict[str, Any] | None, messages: list[Piece]) -> Prompt:
    pieces: list[Piece] = []
    if functions:
        text = namespace(functions)
        pieces.append(Piece(kind="tools", role="system", text=text, tokens=tokens(text) + opaque("tools", TOOLS_TOKENS)))
    if schema:
        text = compact(schema)
        pieces.append(Piece(kind="preamble", role="system", text=text, tokens=tokens(text)))
    reply = Piece(kind="framing", role="assistant", text="", tokens=opaque("reply", REPLY_TOKENS))
    return Prompt(pieces=(*pieces, *messages, reply))
