"""`Answer`: what a provider's response says, read off the object or the mapping that its SDK returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

from token_otel import wire
from token_otel.events import Operation, Part
from token_otel.manual.messages import message_parts
from token_otel.manual.objects import get, mapping, plain, several, text
from token_otel.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a response says; what it does not say is not known.

    Attributes:
        usage: What the provider reported.
        output: What the model produced.
        model: The model that answered.
        response_id: The provider's id of the response.
        finish_reasons: One for each choice.
        service_tier: The tier that served it.
        cost_usd: The cost that the provider itself reported.
    """

    usage: Usage | None = None
    output: tuple[Part, ...] = ()
    model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None
    cost_usd: Decimal | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether it is no response of any provider."""
        return self == Answer()


def answer_of(response: object, operation: Operation = "chat") -> Answer:
    """Read a response of OpenAI, Anthropic, Google, Mistral or Bedrock, or of whoever speaks as they do."""
    if isinstance(response, str):
        return Answer(output=(Part(kind="assistant", text=response),))
    told = mapping(get(response, "usage", "usage_metadata", "usageMetadata"))
    usage = usage_of(told or _counts(response), operation, by_anthropic=get(response, "type") == "message")
    reasoning = usage.reasoning if usage is not None else None
    output = tuple([part for message in _said(response) for part in message_parts(message, "assistant", reasoning=reasoning)])
    # What the provider's own tools returned in between was read, not produced.
    output = tuple([part for part in output if part.kind != "tool_result" and (part.text or part.media or part.sealed_tokens)])
    if usage is not None and (searches := _searches(response)) and usage.web_searches is None:
        usage = replace(usage, web_searches=searches)
    return Answer(
        usage=wire.believed(usage, output),
        output=output,
        model=text(get(response, "model", "model_version", "modelVersion")),
        response_id=text(get(response, "id", "response_id", "responseId")) or text(get(get(response, "ResponseMetadata"), "RequestId")),
        finish_reasons=tuple(_reasons(response)),
        service_tier=tier_of(response, told),
        cost_usd=wire.reported_cost(told),
    )


def usage_of(told: Mapping[str, Any], operation: Operation = "chat", *, by_anthropic: bool = False) -> Usage | None:
    """Read a report of usage in any provider's words; those of `by_anthropic` may look like OpenAI's."""
    if not told:
        return None
    if by_anthropic:
        return wire.anthropic_messages(told) or None
    usage = wire.openai_embeddings(told) if operation == "embeddings" and "input_tokens" not in told else wire.detect(told)
    return usage or None


def tier_of(response: object, usage: Mapping[str, Any]) -> str | None:
    """Return the service tier that a response names; Anthropic calls its dearer, faster service a speed."""
    if usage.get("speed") == "fast":
        return "fast"
    return text(get(response, "service_tier")) or text(usage.get("service_tier")) or text(get(get(response, "serviceTier"), "type"))


def _counts(response: object) -> Mapping[str, Any]:
    """Return a response whose counts stand on it, as Ollama's and the bodies of some models at Bedrock do."""
    names = ("eval_count", "prompt_eval_count", "generation_token_count", "prompt_token_count", "inputTextTokenCount", "results")
    return {name: plain(value) for name in names if (value := get(response, name)) is not None}


def _said(response: object) -> Iterable[object]:
    """Return the messages of a response, one for each choice."""
    if choices := several(get(response, "choices")):
        return [get(choice, "message") or get(choice, "text") or "" for choice in choices]
    if candidates := several(get(response, "candidates")):
        return [content for candidate in candidates if (content := get(candidate, "content")) is not None]
    output: Any = get(response, "output")
    if isinstance(output, list | tuple):
        return cast("list[object]", output)
    if (message := get(output, "message") or get(response, "message")) is not None:
        return [message]
    content: Any = get(response, "content")
    if isinstance(content, str) or several(content):
        return [{"role": "assistant", "content": content}]
    said = get(response, "generation") or [get(result, "outputText") for result in several(get(response, "results"))]
    return [each for each in ([said] if isinstance(said, str) else said) if each]


def _reasons(response: object) -> Iterable[str]:
    for choice in [*several(get(response, "choices")), *several(get(response, "candidates"))]:
        if reason := text(get(choice, "finish_reason", "finishReason")):
            yield reason
    reason = text(get(response, "stop_reason", "stopReason", "done_reason"))
    if reason is None and get(response, "object") == "response":
        reason = text(get(get(response, "incomplete_details"), "reason")) or text(get(response, "status"))
    if reason:
        yield reason


def _searches(response: object) -> int:
    """Count the searches of the Responses API: they are billed apiece, and its usage leaves them out."""
    output: Any = get(response, "output")
    return sum(get(item, "type") == "web_search_call" for item in several(output))
