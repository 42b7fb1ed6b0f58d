"""Which format a usage mapping has."""

from __future__ import annotations

from token_otel.usage import Usage
from token_otel.wire.bedrock import bedrock_converse, bedrock_invoke
from token_otel.wire.counts import Raw
from token_otel.wire.frameworks import langchain
from token_otel.wire.openai import openai_chat, openai_responses
from token_otel.wire.providers import anthropic_messages, cohere, gemini, ollama, token_usage


def detect(raw: Raw) -> Usage | None:
    """Read a usage mapping whose format is not known, by the names in it; `None` if it has none of them."""
    names = raw.keys()
    if names & {"generation_token_count", "inputTextTokenCount"}:
        return bedrock_invoke(raw)
    if names & {"promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count"}:
        return gemini(raw)
    if names & {"inputTokens", "outputTokens", "inputTokenCount", "outputTokenCount"}:
        return bedrock_converse(raw)
    if names & {"prompt_eval_count", "eval_count"}:
        return ollama(raw)
    if names & {"prompt_tokens", "completion_tokens"}:
        return openai_chat(raw)
    if names & {"billed_units", "tokens"}:
        return cohere(raw)
    if names & {"input_token_details", "output_token_details"}:
        return langchain(raw)
    if names & {"input_tokens", "output_tokens"}:
        by_anthropic = {"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use", "iterations"}
        return anthropic_messages(raw) if names & by_anthropic else openai_responses(raw)
    return token_usage(raw) if names & {"input_token_count", "generated_token_count"} else None
