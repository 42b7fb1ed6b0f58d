"""How far our estimate of a prompt is from its bill, over recorded calls, before anything is learnt from a bill.

Needs TOKEN_OTEL_PROVIDER_CALLS: JSON lines (gzipped) with `id`, `flavor`, `provider_host`, `model`, `request`, `usage`. Only what
the request shows whole is compared: text and functions; no media, output schema, server-side tool or state kept by the provider.
The constants' values were fitted on one half of the recorded files, by a checksum of the file's name; the other half is what counts.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import statistics
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from token_otel import wire
from token_otel.events import Part, PartKind
from token_otel.flow.book import FlowBook

Body: TypeAlias = Mapping[str, Any]
Half: TypeAlias = Literal["fit", "report"]

ROLES: dict[str, PartKind] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool_result",
}


BEDROCK = {"bedrock_claude": "claude-sonnet-4-5", "anthropic": "claude-sonnet-4-5", "nova": "nova-lite"}


class Unseen(Exception):
    """The request bills something that it does not show."""


@dataclass(frozen=True)
class Call:
    """One recorded call that shows all that it is billed for."""

    id: str
    flavor: str
    host: str
    model: str
    prompt: tuple[Part, ...]
    billed: int

    @property
    def half(self) -> Half:
        """Calls of one recorded file are alike, so that files are divided, not calls."""
        return "fit" if zlib.crc32(self.id.partition("#")[0].encode()) % 2 else "report"


def calls(path: Path) -> Iterator[Call]:
    """The recorded calls that can be compared."""
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row: dict[str, Any] = json.loads(line)
        usage = wire.detect(row["usage"])
        if row["flavor"] not in READERS or usage is None or not usage.input:
            continue
        try:
            prompt = tuple(READERS[row["flavor"]](row["request"]))
        except Unseen:
            continue
        model: str = row["response_model"] or row["model"]
        if row["flavor"] == "bedrock.converse":
            # The recording lost the model, which stands in the URL; where the test's name has it, that will do.
            model = next((full for name, full in BEDROCK.items() if name in row["id"]), "unknown")
        yield Call(row["id"], row["flavor"], row["provider_host"], model, prompt, usage.input)


def chat(body: Body) -> Iterator[Part]:
    """OpenAI's Chat Completions, and those who speak it."""
    _refuse(body, "response_format", "web_search_options", "plugins")
    yield from _tools(body.get("tools"), "function")
    for message in body["messages"]:
        kind = ROLES.get(message["role"], "user")
        said = list(_texts(message.get("content"), "text"))
        asked = [f"{call['function']['name']} {call['function']['arguments']}" for call in message.get("tool_calls") or ()]
        yield from _message((kind, said), ("tool_call", asked))


def responses(body: Body) -> Iterator[Part]:
    """OpenAI's Responses."""
    _refuse(body, "previous_response_id", "conversation", "prompt")
    if _at(body, "text", "format", "type") not in (None, "text"):
        raise Unseen
    yield from _tools(body.get("tools"), "function")
    if body.get("instructions"):
        yield Part(kind="system", text=body["instructions"])
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        match item.get("type", "message"):
            case "message":
                kind = ROLES.get(item["role"], "user")
                yield from _message((kind, list(_texts(item["content"], "input_text", "output_text", "text"))))
            case "function_call":
                yield Part(kind="tool_call", text=f"{item['name']} {item['arguments']}")
            case "function_call_output":
                yield from _message(("tool_result", list(_texts(item["output"], "input_text", "output_text"))))
            case "reasoning":
                pass  # sealed
            case _:
                raise Unseen


def messages(body: Body) -> Iterator[Part]:
    """Anthropic's Messages."""
    _refuse(body, "mcp_servers", "container")
    if _at(body, "output_config", "format"):
        raise Unseen
    yield from _tools(body.get("tools"), "custom")
    yield from _message(("system", list(_texts(body.get("system"), "text"))))
    for message in body["messages"]:
        found: list[tuple[PartKind, list[str]]] = []
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            match block["type"]:
                case "text":
                    found.append((ROLES.get(message["role"], "user"), [block["text"]]))
                case "thinking":
                    found.append(("reasoning", [block["thinking"]]))
                case "tool_use":
                    found.append(("tool_call", [f"{block['name']} {_compact(block['input'])}"]))
                case "tool_result":
                    found.append(("tool_result", list(_texts(block.get("content"), "text"))))
                case _:
                    raise Unseen
        yield from _message(*found)


def generate(body: Body) -> Iterator[Part]:
    """Gemini's and Vertex's generateContent."""
    _refuse(body, "cachedContent")
    if _camel(body.get("generationConfig")).keys() & {"responseMimeType", "responseSchema", "responseJsonSchema"}:
        raise Unseen
    for tool in body.get("tools") or ():
        functions: list[Any] = _camel(tool).get("functionDeclarations") or []
        if not functions:
            raise Unseen
        yield from _tools(functions, None)
    contents: list[Any] = [{**body["systemInstruction"], "role": "system"}] if body.get("systemInstruction") else []
    for content in [*contents, *body["contents"]]:
        found: list[tuple[PartKind, list[str]]] = []
        for part in map(_camel, content["parts"]):
            if "text" in part:
                found.append(("reasoning" if part.get("thought") else ROLES.get(content.get("role"), "user"), [part["text"]]))
            elif "functionCall" in part:
                found.append(("tool_call", [f"{part['functionCall']['name']} {_compact(part['functionCall'].get('args'))}"]))
            elif "functionResponse" in part and "parts" not in part["functionResponse"]:
                found.append(("tool_result", [_compact(part["functionResponse"].get("response"))]))
            else:
                raise Unseen
        yield from _message(*found)


def converse(body: Body) -> Iterator[Part]:
    """Bedrock's Converse."""
    _refuse(body, "outputConfig")
    yield from _tools([_one(tool, "toolSpec") for tool in _at(body, "toolConfig", "tools") or ()], None)
    yield from _message(("system", [_one(block, "text") for block in body.get("system") or () if "cachePoint" not in block]))
    for message in body["messages"]:
        found: list[tuple[PartKind, list[str]]] = []
        for block in message["content"]:
            match block:
                case {"text": text}:
                    found.append((ROLES.get(message["role"], "user"), [text]))
                case {"toolUse": use}:
                    found.append(("tool_call", [f"{use['name']} {_compact(use['input'])}"]))
                case {"toolResult": result}:
                    inner = [inner["text"] if "text" in inner else _compact(_one(inner, "json")) for inner in result["content"]]
                    found.append(("tool_result", inner))
                case {"reasoningContent": {"reasoningText": thought}}:
                    found.append(("reasoning", [thought["text"]]))
                case {"cachePoint": _}:
                    pass
                case _:
                    raise Unseen
        yield from _message(*found)


READERS: dict[str, Callable[[Body], Iterator[Part]]] = {
    "openai.chat": chat,
    "openai.responses": responses,
    "anthropic.messages": messages,
    "google.generate": generate,
    "bedrock.converse": converse,
}


def error(call: Call) -> float:
    """The estimate's distance from the bill, as a share of the bill, by a book that has seen no other call."""
    book = FlowBook(1 << 20)
    for text in book.uncounted(call.prompt):
        book.counter.count(text)
    estimate, _ = book.estimate(book.read(call.prompt, "agent", "conversation"), (), call.model)
    return abs(estimate - call.billed) / call.billed


def flavor(call: Call) -> str:
    """Which API was called."""
    return call.flavor


def group(call: Call) -> str:
    """Whose tokens they are."""
    host = call.host.removeprefix("api.").removesuffix(".com")
    who = {"openai.chat": host, "openai.responses": host}.get(call.flavor, "")
    family = next((name for name in FAMILIES if name in call.model.lower()), call.model)
    return f"{call.flavor:<19}{who:<22.22}{family}"


FAMILIES = (
    *("gpt-3.5", "gpt-4o", "gpt-4.1", "gpt-5", "gpt-oss", "o1", "o3", "o4", "claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-5"),
    *("claude-opus-5", "claude-haiku-5", "claude-fable", "claude"),
    *("gemini-3", "gemini-2", "nova", "llama", "mistral", "magistral", "deepseek", "qwen", "glm", "kimi"),
)


def row(name: str, errors: list[float]) -> str:
    p90 = sorted(errors)[math.ceil(0.9 * len(errors)) - 1]
    return f"{len(errors):>6} {statistics.median(errors):>8.1%} {p90:>8.1%}  {name}"


def main() -> None:
    path = os.environ.get("TOKEN_OTEL_PROVIDER_CALLS")
    if not path:
        print("TOKEN_OTEL_PROVIDER_CALLS names no recorded calls: nothing to compare")
        return
    found = [(call, error(call)) for call in calls(Path(path))]
    for half in ("fit", "report"):
        print(f"{half} half\n{'calls':>6} {'median':>8} {'p90':>8}")
        for by in (flavor, group):
            groups: dict[str, list[float]] = {}
            for call, off in found:
                if call.half == half:
                    groups.setdefault(by(call), []).append(off)
            print("\n".join(row(name, errors) for name, errors in sorted(groups.items())), end="\n\n")


def _message(*contents: tuple[PartKind, list[str]]) -> Iterator[Part]:
    opens = True
    for kind, texts in contents:
        for text in texts:
            yield Part(kind=kind, text=text, opens=opens)
            opens = False


def _tools(tools: list[Any] | None, form: str | None) -> Iterator[Part]:
    for tool in tools or ():
        if (form is not None and tool.get("type", "custom") != form) or tool.get("defer_loading"):
            raise Unseen
        yield Part(kind="tools", text=_compact(tool), opens=False)


def _texts(content: Any, *forms: str) -> Iterator[str]:
    for block in [{"type": forms[0], "text": content}] if isinstance(content, str) else content or ():
        if block.get("type") not in forms:
            raise Unseen
        yield block["text"]


def _refuse(body: Body, *names: str) -> None:
    if any(body.get(name) for name in names):
        raise Unseen


def _at(body: Any, *path: str) -> Any:
    for name in path:
        body = body.get(name) if body else None
    return body


def _one(block: Body, name: str) -> Any:
    if name not in block:
        raise Unseen
    return block[name]


def _camel(part: Body | None) -> dict[str, Any]:
    return {"".join(word.title() if at else word for at, word in enumerate(name.split("_"))): value for name, value in (part or {}).items()}


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    main()
