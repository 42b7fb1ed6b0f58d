"""What was asked of a model, and what it answered, as the SDK tells it: on a span, or at the model's own door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import urlsplit

from agents.tracing import GenerationSpanData, ResponseSpanData

from token_otel import Usage, wire
from token_otel.events import Attribute, Attributes
from token_otel_openai_agents.items import plain

# Source: https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.provider.name`.
_PROVIDER = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gen_ai",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
_AS_THEY_ARE = {"anthropic", "cohere", "deepseek", "groq", "openai", "openrouter", "perplexity"}
# Servers that speak OpenAI's formats, by the end of their host's name.
_HOSTS = {
    "openai.azure.com": "azure.ai.openai",
    "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gen_ai",
}
_NUMBERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_tokens": "max_tokens",
}
_REASONS = {"max_output_tokens": "length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call sends.

    Attributes:
        schemas: Of tools and of the answer's format.
        instructions: The system prompt, where it is no message.
        given: A text, or items, or messages.
        previous: The response that the provider puts before them.
        conversation: The conversation at the provider that it puts before them.
    """

    model: str | None = None
    provider: str | None = "openai"
    schemas: tuple[object, ...] = ()
    instructions: object = None
    given: object = None
    previous: str | None = None
    conversation: str | None = None
    request: Attributes = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back; `output` are items or messages."""

    usage: Usage | None = None
    output: tuple[object, ...] = ()
    model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None


def told(data: object) -> tuple[Asked, Answered]:
    """Read a span of a model that has ended."""
    if isinstance(data, ResponseSpanData):
        response = data.response
        if response is None:
            return Asked(given=data.input), Answered(usage=reported(data.usage))
        return asked_of(response, data.input), answered(response, data.usage)
    if isinstance(data, GenerationSpanData):
        config = data.model_config or {}
        asked = Asked(
            model=data.model, provider=provider_of(data.model, config.get("base_url")), given=data.input, request=parameters(config)
        )
        output = [plain(each) for each in data.output or ()]
        items = [item for each in output for item in cast("list[object]", each.get("output") or [each])]
        return asked, Answered(usage=reported(data.usage), output=tuple(items))
    return Asked(), Answered()


def asked_of(response: Any, given: object) -> Asked:
    """Read a response, which repeats what was sent."""
    form = plain(getattr(getattr(response, "text", None), "format", None))
    conversation = getattr(response, "conversation", None)
    return Asked(
        model=response.model,
        schemas=(*(response.tools or ()), *((form,) if "schema" in form else ())),
        instructions=response.instructions,
        given=given,
        previous=response.previous_response_id,
        conversation=getattr(conversation, "id", None),
    )


def answered(response: Any, usage: object = None) -> Answered:
    """Read a response; of its usage the SDK keeps less than it holds."""
    raw = plain(response.usage)
    found = wire.openai_responses(raw) if raw else reported(usage)
    output = tuple(plain(item) for item in response.output or ())
    if found and (searches := sum(item.get("type") == "web_search_call" for item in output)):
        found = replace(found, web_searches=searches)
    return Answered(
        usage=found,
        output=output,
        model=response.model,
        response_id=response.id,
        finish_reasons=_reasons(response, output),
        service_tier=response.service_tier,
    )


def reported(usage: object) -> Usage | None:
    """Read a usage that the SDK has filled in with zeros: where all is zero there was none, and of a part nobody can tell."""
    raw = {name: value for name, value in plain(usage).items() if value}
    for name in ("input_tokens_details", "output_tokens_details"):
        if details := plain(raw.get(name)):
            raw[name] = {part: tokens for part, tokens in details.items() if tokens}
    found = wire.detect(raw)
    return found if found and (found.input or found.output) else None


def provider_of(model: str | None, base_url: object) -> str | None:
    """Return who serves a model: by its prefix, where there are several behind one door, or by the host that is asked."""
    host = urlsplit(base_url).hostname or "" if isinstance(base_url, str) else ""
    for end, provider in _HOSTS.items():
        if host == end or host.endswith(f".{end}"):
            return provider
    prefix = model.partition("/")[0] if model and "/" in model else "openai"
    return _PROVIDER.get(prefix) or (prefix if prefix in _AS_THEY_ARE else "openai" if base_url else None)


def parameters(config: Mapping[str, Any]) -> Attributes:
    """Return the request parameters that are set, by their semconv names."""
    found: dict[str, Attribute] = {
        attribute: value
        for name, attribute in _NUMBERS.items()
        if isinstance(value := config.get(name), int | float) and not isinstance(value, bool)
    }
    if isinstance(level := plain(config.get("reasoning")).get("effort"), str):
        found["reasoning.level"] = level
    return found


def _reasons(response: Any, output: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    if response.status == "completed":
        return ("tool_calls" if any(item.get("type") == "function_call" for item in output) else "stop",)
    reason = getattr(response.incomplete_details, "reason", None) or response.status
    return (_REASONS.get(reason, reason),) if isinstance(reason, str) else ()
