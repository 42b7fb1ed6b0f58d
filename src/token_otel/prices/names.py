"""Names of providers and models as price books spell them.

Source: the spellings of LangChain's `ls_provider`, semconv's `gen_ai.provider.name`, LiteLLM's and the ids of genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPELLINGS = {
    "openai": ("openai-codex",),
    "azure": ("azure_openai", "azure.ai.openai", "azure.ai.inference", "azure_ai"),
    # What Bedrock resells costs what Bedrock asks, whoever made it.
    "aws": ("amazon_bedrock", "bedrock", "bedrock_converse", "aws.bedrock", "anthropic-bedrock", "anthropic-mantle", "openai-mantle"),
    "google": (
        "google_genai",
        "gcp.gemini",
        "gcp.gen_ai",
        "gemini",
        "google_vertexai",
        "gcp.vertex_ai",
        "vertexai",
        "vertex_ai",
        "google_anthropic_vertex",
    ),
    "mistral": ("mistralai", "mistral_ai"),
    "x-ai": ("xai", "x_ai"),
    "moonshotai": ("moonshot", "moonshot_ai"),
    "fireworks": ("fireworks_ai",),
    "together": ("together_ai", "together-ai", "togetherai"),
    "local": ("ollama", "llamacpp", "llama.cpp", "vllm", "huggingface_pipeline", "lmstudio", "mlx"),
}
_BOOK_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}

# A route to the models of others, named before the slash; it has no prices of its own.
ROUTERS = frozenset({"litellm"})

# What stands around a model's name, outermost first, and what takes its place.
_WRAPPINGS = (
    (re.compile(r"^arn:[^/]*:(?:inference-profile|foundation-model)/"), ""),
    (re.compile(r"^(?:(?:projects/.*/)?publishers/[^/]+/models/|accounts/fireworks/models/|models/|.*/deployments/)"), ""),
    (re.compile(r"@(?:default|latest)$"), ""),
    (re.compile(r"@"), "-"),
    (re.compile(r"(?:-v\d+)?:\d+$"), ""),
    (re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$"), ""),
)


def book_provider(provider: str | None) -> str | None:
    """Return the price book's id for a provider, lower case; an unknown one is returned as it is."""
    if provider is None:
        return None
    name = provider.strip().lower()
    return _BOOK_NAMES.get(name, name)


def is_local(provider: str | None) -> bool:
    """Return whether a provider runs on the caller's own machines, where no token has a list price."""
    return book_provider(provider) == "local"


def model_spellings(model: str) -> Iterator[str]:
    """Yield a model's name as it is, then with one wrapping after the other taken off; the first that is found counts.

    An application profile's ARN and a deployment's name are the user's own words and say nothing about the model.
    """
    name = model.strip().lower()
    yield name
    for pattern, replacement in _WRAPPINGS:
        clean = pattern.sub(replacement, name)
        if clean != name:
            name = clean
            yield name
