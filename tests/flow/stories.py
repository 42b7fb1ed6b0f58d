"""Stories: agents of frameworks that are not installed here, told as events and billed by the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link
from tests.tapes import Bench, bench
from tests.words import TOLERANCE, Written, agree, truth_of

from token_otel import Usage
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, Part, PartKind, RetrievalStarted, ToolStarted
from token_otel.testing import Tape
from token_otel.testing.loopback.openai_prompt import count

FRAME = 4  # tokens of each message, in its own price
REPLY = 3  # tokens that open the reply
ROLES: Mapping[PartKind, str] = {"system": "system", "user": "user", "document": "document"}


def system(text: str) -> Part:
    """A system prompt."""
    return Part(kind="system", text=text)


def user(text: str, *, opens: bool = True) -> Part:
    """A message of the user, or of a framework that writes in the user's place."""
    return Part(kind="user", text=text, opens=opens)


def assistant(text: str, message_id: str | None = None) -> Part:
    """A turn of a model."""
    return Part(kind="assistant", text=text, message_id=message_id)


def result(text: str, name: str, call_id: str | None = None) -> Part:
    """What a tool answered."""
    return Part(kind="tool_result", text=text, name=name, call_id=call_id)


def call(name: str, arguments: str, call_id: str) -> Part:
    """A model's call of a tool."""
    return Part(kind="tool_call", text=f"{name} {arguments}", call_id=call_id)


def values(span: ReadableSpan) -> Mapping[str, Any]:
    """A span's attributes."""
    return span.attributes or {}


def flow(span: ReadableSpan, what: str = "tokens") -> dict[str, int]:
    """Tokens by origin: all of them, or the new ones alone."""
    return dict(zip(values(span)["token_otel.flow.origins"], values(span)[f"token_otel.flow.{what}"], strict=True))


def place(where: ReadableSpan | Link) -> str:
    """Where a span stands, or what a link leads to, as producers are named."""
    context = where.context
    assert context is not None
    return f"{context.trace_id:032x}:{context.span_id:016x}"


def producers(span: ReadableSpan) -> dict[str, int]:
    """The tokens of a call by the span that produced them."""
    names = values(span).get("token_otel.flow.producers", ())
    return dict(zip(names, values(span).get("token_otel.flow.producer_tokens", ()), strict=True))


class Story:
    """What happens in one process, call after call.

    Args:
        settings: Of the recorder, beside the inline worker.
    """

    def __init__(self, **settings: Any) -> None:
        self.bench: Bench = bench(**settings)
        self._runs = 0

    def reads(
        self,
        agent: str,
        prompt: Sequence[Part],
        *,
        says: str | Sequence[Part] = "ok",
        cached: int | None = None,
        bill: int | None = None,
        conversation: str = "c",
    ) -> ReadableSpan:
        """An agent reads a prompt and answers, at the price of the words or for another bill; returns the span of the call."""
        output = (assistant(says),) if isinstance(says, str) else tuple(says)
        usage = Usage(input=bill or billed(prompt), output=sum(count(part.text) for part in output), cache_read=cached)
        run = self._new()
        self._play(
            AgentStarted(run_id=run, name=agent, conversation_id=conversation),
            ModelStarted(run_id=run + "m", parent_id=run, model="cheap", prompt=tuple(prompt)),
            ModelEnded(run_id=run + "m", usage=usage, output=output),
            Ended(run_id=run),
        )
        return self._last("chat cheap")

    def says(self, agent: str, words: str | Sequence[Part], conversation: str = "c") -> ReadableSpan:
        """An agent says something when it is asked to; returns the span of the call."""
        return self.reads(agent, [user("Go on.")], says=words, conversation=conversation)

    def runs(self, tool: str, text: str, call_id: str | None = None, conversation: str = "c") -> ReadableSpan:
        """A tool runs and returns a text; returns its span."""
        run = self._new()
        self._play(
            ToolStarted(run_id=run, name=tool, call_id=call_id, conversation_id=conversation),
            Ended(run_id=run, output=(result(text, tool, call_id),)),
        )
        return self._last(f"execute_tool {tool}")

    def finds(self, *documents: str, conversation: str = "c") -> ReadableSpan:
        """A retriever finds documents; returns its span."""
        run = self._new()
        self._play(
            RetrievalStarted(run_id=run, name="library", conversation_id=conversation),
            Ended(run_id=run, output=tuple(Part(kind="document", text=document) for document in documents)),
        )
        return self._last("retrieval library")

    def _new(self) -> str:
        self._runs += 1
        return f"run-{self._runs}"

    def _play(self, *events: Event) -> None:
        Tape(list(events)).play(self.bench.recorder)

    def _last(self, name: str) -> ReadableSpan:
        return [span for span in self.bench.spans if span.name == name][-1]


def billed(prompt: Sequence[Part]) -> int:
    """What a prompt costs: its words, a frame for each message, and the reply's opening."""
    return sum(count(part.text) + FRAME * part.opens for part in prompt) + REPLY


def check(span: ReadableSpan, prompt: Sequence[Part], owners: Mapping[str, Sequence[str]], share: float = TOLERANCE) -> None:
    """The span's origins are the truth, and its tokens and cost add up to the bill."""
    written = [Written(text=part.text, tokens=count(part.text) + FRAME * part.opens, role=_role(part)) for part in prompt]
    agree(flow(span), truth_of(written, owners), slack=REPLY, share=share)
    check_sums(span)


def check_sums(span: ReadableSpan) -> None:
    """Origins sum to the input, to its cost, and to what is new in it; the producers' tokens to no more than the input."""
    attributes = values(span)
    assert sum(attributes["token_otel.flow.tokens"]) == attributes["gen_ai.usage.input_tokens"]
    assert sum(attributes["token_otel.flow.new_tokens"]) == attributes["token_otel.input.new_tokens"]
    assert sum(producers(span).values()) <= attributes["gen_ai.usage.input_tokens"]
    cost = sum(Decimal(repr(usd)) for usd in attributes["token_otel.flow.cost_usd"])
    assert abs(cost - Decimal(repr(attributes["token_otel.cost.input_usd"]))) < Decimal("1e-15")


def _role(part: Part) -> str:
    return f"tool:{part.name}" if part.kind == "tool_result" else ROLES.get(part.kind, "external")
