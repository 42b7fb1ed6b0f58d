"""What providers say, in each one's own words: one pure function per format of usage, mapping -> `Usage`, and of blocks.

Each function says whether its format counts cached and reasoning tokens inside the totals; `Usage` always does.
Nothing raises: what is not a count is unknown, and a part that exceeds its total is cut down to it.
"""

from token_otel.wire.bedrock import bedrock_converse, bedrock_invoke
from token_otel.wire.blocks import Blocks, compact
from token_otel.wire.counts import believed
from token_otel.wire.detection import detect
from token_otel.wire.frameworks import langchain, service_tier
from token_otel.wire.media import document_text, read_media
from token_otel.wire.openai import openai_chat, openai_embeddings, openai_responses, reported_cost
from token_otel.wire.providers import anthropic_messages, cohere, gemini, ollama, token_usage
from token_otel.wire.reasoning import Reasoning, read_reasoning, read_signature, sealed_shares

__all__ = [
    "Blocks",
    "Reasoning",
    "anthropic_messages",
    "bedrock_converse",
    "bedrock_invoke",
    "believed",
    "cohere",
    "compact",
    "detect",
    "document_text",
    "gemini",
    "langchain",
    "ollama",
    "openai_chat",
    "openai_embeddings",
    "openai_responses",
    "read_media",
    "read_reasoning",
    "read_signature",
    "reported_cost",
    "sealed_shares",
    "service_tier",
    "token_usage",
]
