"""The OpenAI Agents SDK: a trace processor that translates its spans into token-otel's events.

add_trace_processor(TokenOtelProcessor())
"""

try:
    from agents.tracing import TracingProcessor  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError:
    raise ImportError('token_otel_openai_agents needs openai-agents: pip install "token-otel[openai-agents]"') from None

from token_otel_openai_agents.instrumentation import integration
from token_otel_openai_agents.processor import TokenOtelProcessor

__all__ = ["TokenOtelProcessor", "integration"]
