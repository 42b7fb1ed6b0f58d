"""Answers: what a script says a model replies, and to what."""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias


def new_id(prefix: str) -> str:
    """Make an identifier that is unique in the world, as the providers' are."""
    return f"{prefix}{uuid.uuid4().hex}"


def compact(value: object) -> str:
    """Write JSON without blanks, in the order given, as models write arguments."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of an answer. Without an `id` the server makes one, as the provider would."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted reply.

    `choices` is the number of equal choices; None follows the request's `n`.
    `reasoning_tokens` are billed as output and, as with the real providers, not shown as text.
    `error` is an HTTP status to answer with instead; such a call costs nothing.
    `cut_after` drops the connection of a stream after so many content chunks (text or arguments), before its usage.
    `chunk_delay_s` is waited before each content chunk: the time a client needs to hang up in the middle.
    `service_tier` overrides the tier that the response names.
    """

    text: str = ""
    _: KW_ONLY
    tool_calls: Sequence[ToolCall] = ()
    reasoning_tokens: int = 0
    choices: int | None = None
    delay_s: float = 0.0
    error: int | None = None
    cut_after: int | None = None
    chunk_chars: int = 20
    chunk_delay_s: float = 0.0
    service_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a callable script sees of one request.

    `messages` are the plain dicts as received; of the Responses API, its input items; of a text completion, one user message.
    `index` counts the requests for this model on this server, from 0.
    """

    api: str
    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    body: dict[str, Any]
    index: int

    @property
    def last_text(self) -> str:
        """The plain text of the last message: what a simple script decides by."""
        last = self.messages[-1] if self.messages else {}
        content: Any = last.get("content", last.get("output", ""))
        return content if isinstance(content, str) else "".join(plain_text(block) for block in content or ())


Answers: TypeAlias = Mapping[str, Sequence[Answer] | Callable[[Request], Answer]]


def plain_text(block: Any) -> str:
    """Give the text of one content block of either provider; "" for anything but text."""
    if isinstance(block, str):
        return block
    if block.get("type") == "tool_result":
        content: Any = block.get("content") or ""
        return content if isinstance(content, str) else "".join(plain_text(inner) for inner in content)
    text: Any = block.get("text")
    return text if isinstance(text, str) else ""


class ScriptError(Exception):
    """The script has no answer; `status` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Script:
    """Hands out the answers, each once, and counts the requests of each model. Thread-safe."""

    def __init__(self, answers: Answers) -> None:
        self._answers = {model: given if callable(given) else list(given) for model, given in answers.items()}
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __contains__(self, model: str) -> bool:
        return model in self._answers

    def answer(self, *, api: str, model: str, messages: list[dict[str, Any]], body: dict[str, Any]) -> Answer:
        """Take the next answer for `model`.

        Raises:
            ScriptError: The model is not in the script, its queue is exhausted, or its callable raised.
        """
        with self._lock:
            if model not in self._answers:
                raise ScriptError(404, f"the script has no model {model!r}; it has {sorted(self._answers)}")
            index = self._asked[model]
            self._asked[model] += 1
            given = self._answers[model]
            if not callable(given):
                if index >= len(given):
                    raise ScriptError(500, f"the script for {model!r} is exhausted: it had {len(given)} answers")
                return given[index]
        tools: list[dict[str, Any]] = body.get("tools") or []
        request = Request(api=api, model=model, messages=messages, tools=tools, body=body, index=index)
        try:
            return given(request)
        except Exception as error:
            raise ScriptError(500, f"the script for {model!r} raised {error!r}") from error
