"""The Anthropic prompt: what a request to /v1/messages is billed as input, block by block, and where its cache breakpoints stand.

A hidden preamble where there are tools, each tool as compact JSON, system blocks, then per message a frame of 7 and its blocks.
Counted with cl100k_base: not Claude's tokenizer, which is not public, but deliberately another than OpenAI's.
Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing (346 and 313) and .../build-with-claude/prompt-caching.
"""

import base64
import re
from typing import Any

from token_otel.testing.loopback.answers import compact, plain_text
from token_otel.testing.loopback.counting import encode
from token_otel.testing.loopback.prompts import BadRequest, Piece, Prompt, Ttl, blocks_of, dig, opaque

PREAMBLE_TOKENS = 346
"""With `tool_choice` auto or none."""
FORCED_PREAMBLE_TOKENS = 313
"""With `tool_choice` any or tool."""
MESSAGE_TOKENS = 7
IMAGE_TOKENS = 1_568
DOCUMENT_TOKENS = 1_500
"""A PDF of unknown size, as one page."""
MAX_BREAKPOINTS = 4


def count(text: str) -> int:
    """Count a text as this server does."""
    return len(tokens(text))


def tokens(text: str) -> tuple[int, ...]:
    """Encode a text as this server does."""
    return encode("cl100k_base", text)


def messages_prompt(body: dict[str, Any]) -> Prompt:
    """Read the body of /v1/messages.

    Raises:
        BadRequest: More than four breakpoints, or one of an hour after one of five minutes.
    """
    pieces: list[Piece] = []
    breakpoints: dict[int, Ttl] = {}
    cacheable: list[int] = []

    def add(piece: Piece, block: dict[str, Any]) -> None:
        if block.get("cache_control"):
            breakpoints[len(pieces)] = _ttl(block["cache_control"])
        if block.get("type") not in ("thinking", "redacted_thinking") and block.get("text") != "":
            cacheable.append(len(pieces))
        pieces.append(piece)

    if tools := body.get("tools"):
        forced = dig(body, "tool_choice", "type") in ("any", "tool")
        hidden = FORCED_PREAMBLE_TOKENS if forced else PREAMBLE_TOKENS
        pieces.append(Piece(kind="preamble", role="system", text="", tokens=opaque(f"preamble {hidden}", hidden)))
        for tool in tools:
            text = compact({key: value for key, value in tool.items() if key != "cache_control"})
            add(Piece(kind="tools", role="system", text=text, tokens=tokens(text)), tool)
    for block in blocks_of(body.get("system")):
        text, ids = _content(block)
        add(Piece(kind="system", role="system", text=text, tokens=ids), block)
    for index, message in enumerate(body.get("messages") or ()):
        frame = opaque(f"message {message['role']}", MESSAGE_TOKENS)
        for block in blocks_of(message["content"]) or [{"type": "text", "text": ""}]:
            text, ids = _content(block)
            add(
                Piece(
                    kind="message",
                    role=message["role"],
                    text=text,
                    tokens=frame + ids,
                    index=index,
                    tool_call_id=block.get("tool_use_id"),
                ),
                block,
            )
            frame = ()
    if body.get("cache_control") and cacheable:
        _automatic(breakpoints, at=cacheable[-1], ttl=_ttl(body["cache_control"]))
    _check(breakpoints)
    return Prompt(pieces=tuple(pieces), breakpoints=breakpoints)


def _content(block: dict[str, Any]) -> tuple[str, tuple[int, ...]]:
    """Give text and token ids of one block. Signatures, encrypted reasoning and base64 are never counted as text."""
    match block.get("type"):
        case "image":
            return "", opaque(compact(block.get("source")), IMAGE_TOKENS)
        case "document" if dig(block, "source", "type") == "text":
            text = block["source"]["data"]
            return text, tokens(text)
        case "document":
            return "", opaque(compact(block.get("source")), DOCUMENT_TOKENS)
        case "tool_use":
            text = block["name"] + compact(block["input"])
            return text, tokens(block["name"]) + tokens(compact(block["input"]))
        case "tool_result":
            inner = [_content(part) for part in blocks_of(block.get("content"))]
            return "\n".join(text for text, _ in inner if text), sum((ids for _, ids in inner), ())
        case "thinking":
            text, signature = block.get("thinking") or "", block.get("signature") or ""
            thought = unseal(signature)
            return text, tokens(text) if thought is None else opaque(signature, thought)
        case _:
            text = plain_text(block)
            return text, tokens(text)


def seal(thought: int, response_id: str) -> str:
    """Give the signature of so many tokens of thinking: whoever reads it knows them all, though it shows a summary alone."""
    return base64.b64encode(f"thought {thought} {response_id}".encode() * 8).decode()


def unseal(signature: str) -> int | None:
    """Give the tokens of thinking that a signature stands for; `None` if it is none of ours."""
    found = re.match(rb"thought (\d+) ", base64.b64decode(signature[: len(signature) // 4 * 4]))
    return int(found[1]) if found else None


def _ttl(control: dict[str, Any]) -> Ttl:
    ttl = control.get("ttl", "5m")
    if ttl == "5m" or ttl == "1h":
        return ttl
    raise BadRequest(f"cache_control.ttl: Input should be '5m' or '1h', not {ttl!r}")


def _automatic(breakpoints: dict[int, Ttl], *, at: int, ttl: Ttl) -> None:
    """Place the breakpoint of the top-level `cache_control`; where the last block has one of its own, they must agree."""
    if breakpoints.setdefault(at, ttl) != ttl:
        raise BadRequest("cache_control: the last block has a breakpoint with another ttl")


def _check(breakpoints: dict[int, Ttl]) -> None:
    if len(breakpoints) > MAX_BREAKPOINTS:
        raise BadRequest(f"A maximum of 4 blocks with cache_control may be provided. Found {len(breakpoints)}.")
    ttls = [breakpoints[at] for at in sorted(breakpoints)]
    if ttls != sorted(ttls):  # "1h" sorts before "5m"
        raise BadRequest("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
