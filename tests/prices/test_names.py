"""Names as they are cleaned before a book is asked, and the entries that they lead to."""

import time

import pytest

from token_otel.prices.genai import GenaiBook
from token_otel.prices.names import book_provider, is_local, model_spellings

BOOK = GenaiBook()


@pytest.mark.parametrize(
    ("cleaned", "providers"),
    [
        ("openai", "openai OpenAI openai-codex"),
        ("azure", "azure azure_openai azure.ai.openai azure.ai.inference azure_ai"),
        ("anthropic", "anthropic"),
        ("aws", "amazon_bedrock bedrock bedrock_converse aws.bedrock anthropic-bedrock anthropic-mantle openai-mantle"),
        ("google", "google_genai gcp.gemini gcp.gen_ai gemini google_vertexai gcp.vertex_ai vertexai vertex_ai google_anthropic_vertex"),
        ("mistral", "mistral mistralai mistral_ai"),
        ("groq", "groq"),
        ("deepseek", "deepseek"),
        ("x-ai", "xai x_ai x-ai"),
        ("cohere", "cohere"),
        ("fireworks", "fireworks fireworks_ai"),
        ("together", "together together_ai"),
        ("perplexity", "perplexity"),
        ("openrouter", "openrouter"),
        ("moonshotai", "moonshot moonshot_ai moonshotai"),
        ("local", "ollama llamacpp llama.cpp vllm huggingface_pipeline lmstudio local"),
        ("somebody-new", "somebody-new"),
    ],
)
def test_a_provider_has_the_books_name(cleaned: str, providers: str):
    """Whatever the framework or the conventions call it; an unknown one is left as it is."""
    assert {book_provider(provider) for provider in providers.split()} == {cleaned}


def test_nobody_is_nobody():
    """No provider is no alias."""
    assert book_provider(None) is None
    assert not is_local(None)
    assert is_local("Ollama")


@pytest.mark.parametrize(
    ("model", "cleaned"),
    [
        ("GPT-5", "gpt-5"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514", "claude-opus-4-20250514"),
        ("accounts/fireworks/models/deepseek-v3", "deepseek-v3"),
        ("https://me.openai.azure.com/openai/deployments/gpt-5", "gpt-5"),
        ("claude-opus-4@20250514", "claude-opus-4"),
        ("claude-sonnet-4@default", "claude-sonnet-4"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0", "us.anthropic.claude-3-haiku"),
        ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.titan-embed-text-v2:0", "amazon.titan-embed-text"),
    ],
)
def test_a_models_wrappings_are_taken_off(model: str, cleaned: str):
    """One after the other; the name as it is comes first, so that a book which lists it so is believed."""
    spellings = list(model_spellings(model))

    assert spellings[0] == model.lower()
    assert cleaned in spellings
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    "model",
    [
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
        "arn:aws:bedrock:us-east-1:1:provisioned-model/abc",
        "mistral-large-2411",
        "qwen3:8b",
        "ft:gpt-4o-2024-08-06:acme::abc",
    ],
)
def test_what_belongs_to_a_name_stays(model: str):
    """An id of the user's says nothing about its model, and not every number is a date."""
    assert list(model_spellings(model)) == [model]


@pytest.mark.parametrize(
    ("provider", "model", "entry"),
    [
        (None, "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        (None, "gpt-5", "openai/gpt-5"),
        (None, "x-ai/grok-4", "x-ai/grok-4-0709"),
        (None, "mistralai/mistral-large-2512", "mistral/mistral-large-2512"),
        (None, "xai/grok-4", "x-ai/grok-4-0709"),
        ("litellm", "openai/gpt-5", "openai/gpt-5"),
        ("openai", "GPT-5", "openai/gpt-5"),
        ("openai", "gpt-5-2025-08-07", "openai/gpt-5"),
        ("openai", "gpt-5-2031-01-01", "openai/gpt-5"),
        ("openai-codex", "gpt-5", "openai/gpt-5"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc", "openai/ft:gpt-4o"),
        ("google_genai", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.gen_ai", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("google_anthropic_vertex", "publishers/anthropic/models/claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
        ("fireworks", "accounts/fireworks/models/gpt-oss-20b", "fireworks/gpt-oss-20b"),
        ("azure.ai.inference", "gpt-4o-2024-08-06", "azure/gpt-4o"),
        ("azure", "claude-sonnet-4-5", "azure/claude-sonnet-4-5"),
        # What Bedrock resells costs what Bedrock asks, whoever's SDK was used.
        ("anthropic-bedrock", "us.anthropic.claude-opus-5-5", "aws/regional.anthropic.claude-opus-5-5"),
        ("anthropic-mantle", "anthropic.claude-opus-5-5", "aws/regional.anthropic.claude-opus-5-5"),
        ("openai-mantle", "openai.gpt-6-sol", "aws/regional.openai.gpt-6-sol"),
        ("aws.bedrock", "global.anthropic.claude-opus-5-5", "aws/global.anthropic.claude-opus-5-5"),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        # A class of the user's own names no provider; closed models are sold under their makers' names alone.
        ("mymodel", "gpt-5", "openai/gpt-5"),
        ("mymodel", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
    ],
)
def test_a_name_leads_to_its_entry(provider: str | None, model: str, entry: str):
    """Under the names of frameworks, conventions and clouds."""
    tariff = BOOK.find(provider=provider, model=model, at_ns=time.time_ns())

    assert tariff is not None
    assert tariff.model == entry


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model-anywhere"),
        ("openai", ""),
        ("openai", "half a pair: \ud800"),
        ("openai", "x" * 10_000),
        ("openai", "openai/gpt-5"),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::abc"),
        ("azure", "my-deployment"),
        ("azure", "https://me.openai.azure.com/openai/deployments/my-deployment"),
        ("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"),
        ("ollama", "gpt-oss-120b"),
        ("vllm", "deepseek-chat"),
        ("mymodel", "gpt-oss-120b"),
        ("mymodel", "deepseek-chat"),
        ("ibm.watsonx.ai", "mistral-large"),
        ("ibm.watsonx.ai", "meta-llama/llama-3-3-70b-instruct"),
        (None, "meta-llama/llama-3-3-70b-instruct"),
        ("groq", "gpt-5"),
        ("litellm", "gpt"),
    ],
)
def test_a_name_that_leads_nowhere_has_no_price(provider: str | None, model: str):
    """A wrong price is worse than none: open models cost what their host asks, and a deployment's name is the user's own."""
    assert BOOK.find(provider=provider, model=model, at_ns=time.time_ns()) is None


def test_what_is_remembered_is_bounded():
    """A program that makes up names costs no memory."""
    book = GenaiBook()
    for number in range(5_000):
        book.find(provider="ollama", model=f"model-{number}", at_ns=0)

    assert len(book._matches) <= 4096  # pyright: ignore[reportPrivateUsage]


def test_a_price_found_at_another_provider_has_no_tiers():
    """Azure sells gpt-4o at OpenAI's list price; OpenAI's flex and batch it does not sell. Nor does genai-prices think so."""
    now = time.time_ns()

    for model, tier in (("gpt-5", "flex"), ("gpt-5", "batch")):
        azure = BOOK.find(provider="azure", model=model, at_ns=now, service_tier=tier)
        openai = BOOK.find(provider="openai", model=model, at_ns=now, service_tier=tier)
        assert azure is not None
        assert openai is not None
        assert azure.rates(0) == BOOK.find(provider="openai", model=model, at_ns=now).rates(0)  # pyright: ignore[reportOptionalMemberAccess]
        assert azure.rates(0) != openai.rates(0)
