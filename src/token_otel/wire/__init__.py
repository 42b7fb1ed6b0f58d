"""What providers say a call used, in each one's own words: one pure function per wire format, mapping -> `Usage`.

Each function says whether its format counts cached and reasoning tokens inside the totals; `Usage` always does.
Nothing raises: what is not a count is unknown, and a part that exceeds its total is cut down to it.
"""

from token_otel.wire.bedrock import bedrock_converse, bedrock_invoke
from token_otel.wire.detection import detect
from token_otel.wire.frameworks import langchain, service_tier
from token_otel.wire.openai import openai_chat, openai_embeddings, openai_responses, reported_cost
from token_otel.wire.providers import anthropic_messages, cohere, gemini, ollama, token_usage

__all__ = [
    "anthropic_messages",
    "bedrock_converse",
    "bedrock_invoke",
    "cohere",
    "detect",
    "gemini",
    "langchain",
    "ollama",
    "openai_chat",
    "openai_embeddings",
    "openai_responses",
    "reported_cost",
    "service_tier",
    "token_usage",
]
