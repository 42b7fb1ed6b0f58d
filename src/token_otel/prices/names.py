"""Names of providers and models as price books spell them.

Source: the spellings of LangChain's `ls_provider`, semconv's `gen_ai.provider.name` and the provider ids of genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PROVIDERS = {
    "openai": "openai",
    "openai-codex": "openai",
    "azure": "azure",
    "azure_openai": "azure",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure_ai": "azure",
    "anthropic": "anthropic",
    "amazon_bedrock": "aws",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "aws.bedrock": "aws",
    "anthropic-bedrock": "aws",
    "anthropic-mantle": "aws",
    "openai-mantle": "aws",
    "google_genai": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "google_vertexai": "google",
    "vertexai": "google",
    "gcp.vertex_ai": "google",
    "google_anthropic_vertex": "google",
    "mistral": "mistral",
    "mistralai": "mistral",
    "mistral_ai": "mistral",
    "xai": "x-ai",
    "x_ai": "x-ai",
    "moonshot": "moonshotai",
    "moonshot_ai": "moonshotai",
}

_PREFIXES = re.compile(r"^(?:models/|publishers/[^/]+/models/|accounts/fireworks/models/|.*/deployments/)")
_ARN = re.compile(r"^arn:.*(?<!application-)(?:inference-profile|foundation-model)/")
_SUFFIXES = re.compile(r"(?:-\d{8}|-\d{4}-\d{2}-\d{2}|-v\d+:\d+|:\d+)$")


def book_provider(provider: str | None) -> str | None:
    """Return the price book's id for a provider, lower case; an unknown one is returned as it is."""
    if provider is None:
        return None
    name = provider.lower()
    return _PROVIDERS.get(name, name)


def model_spellings(model: str) -> Iterator[str]:
    """Yield a model's name as it is, then without the wrappings under which a book does not list it."""
    name = model.lower()
    seen = {name}
    yield name
    for clean in (_ARN.sub("", name), _PREFIXES.sub("", name), name.replace("@", "-"), _SUFFIXES.sub("", name)):
        if clean not in seen:
            seen.add(clean)
            yield clean
