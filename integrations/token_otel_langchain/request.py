"""What is asked of a model: its name, its provider in semconv's words, the parameters and the schemas sent along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from token_otel.events import Attribute, Attributes

# Source: https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.provider.name`.
_PROVIDER = {
    "amazon_bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "vertexai": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google_genai": "gcp.gen_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
    "moonshot": "moonshot_ai",
    "ibm": "ibm.watsonx.ai",
    "watsonx": "ibm.watsonx.ai",
}
# By what clients call them; of several names of one, the first that holds a number counts.
_NUMBERS = (
    ("temperature", "temperature"),
    ("ls_temperature", "temperature"),
    ("top_p", "top_p"),
    ("top_k", "top_k"),
    ("max_tokens", "max_tokens"),
    ("max_completion_tokens", "max_tokens"),
    ("max_output_tokens", "max_tokens"),
    ("num_predict", "max_tokens"),
    ("ls_max_tokens", "max_tokens"),
    ("frequency_penalty", "frequency_penalty"),
    ("presence_penalty", "presence_penalty"),
    ("seed", "seed"),
)


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return a mapping that LangChain tells, or an empty one for what is none."""
    if value is None:
        return {}
    # For a dict it takes a tenth to ask for that first.
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) or isinstance(value, Mapping) else {}  # noqa: SIM101


def name_of(serialized: object) -> str:
    """Return the name of what runs, or of its class; an empty one where LangChain does not say."""
    found = mapping_of(serialized)
    path: object = found.get("id")
    return found.get("name") or (str(cast("list[object]", path)[-1]) if isinstance(path, list) and path else "")


def model_of(params: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """Return the model asked for."""
    for name in (params.get("model"), params.get("model_name"), metadata.get("ls_model_name"), params.get("model_id")):
        if isinstance(name, str) and name:
            return name
    return None


def provider_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the provider by semconv's name, or as LangChain says it where semconv has none."""
    provider = metadata.get("ls_provider")
    return _PROVIDER.get(provider, provider) if isinstance(provider, str) else None


def parameters(params: Mapping[str, Any], metadata: Mapping[str, Any]) -> Attributes:
    """Return the request parameters that are set, by their semconv names."""
    found: dict[str, Attribute] = {}
    for name, attribute in _NUMBERS:
        if (name in params or name in metadata) and attribute not in found:
            value = params.get(name, metadata.get(name))
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[attribute] = value
    stop = params.get("stop") or params.get("stop_sequences") or metadata.get("ls_stop")
    if isinstance(stop, str):
        found["stop_sequences"] = (stop,)
    elif stop and isinstance(stop, Sequence):
        found["stop_sequences"] = tuple(str(word) for word in cast("Sequence[object]", stop))
    if params.get("stream") is True or params.get("streaming") is True:
        found["stream"] = True
    choices = params.get("n")
    if isinstance(choices, int) and choices > 1:
        found["choice.count"] = choices
    level = params.get("reasoning_effort")
    for name in ("reasoning", "output_config"):
        if not level and name in params:
            level = _inner(params, name, "effort")
    if isinstance(level, str):
        found["reasoning.level"] = level
    if isinstance(previous := params.get("previous_response_id"), str):
        found["previous_response.id"] = previous
    return found


def schemas(params: Mapping[str, Any], options: Mapping[str, Any]) -> list[object]:
    """Return the schemas that are sent, and billed, along with the messages: of tools, and of the answer's format."""
    found: list[object] = []
    for name in ("tools", "functions"):
        value = params.get(name)
        if value and isinstance(value, Sequence) and not isinstance(value, str):
            found.extend(cast("Sequence[object]", value))
    form = params.get("response_format")
    if form is None:
        return found
    if isinstance(form, Mapping) and "json_schema" in form:
        found.append(cast("object", form))
    elif isinstance(form, type) and (schema := _inner(options, "ls_structured_output_format", "schema")):
        # The client makes the schema of a class while it sends; LangChain tells it beside.
        found.append(schema)
    return found


def _inner(params: Mapping[str, Any], *path: str) -> object:
    value: object = params
    for name in path:
        # A dict is asked for first: an abstract class takes ten times as long to answer.
        if not isinstance(value, dict | Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(name)
    return value
