"""LangChain and LangGraph: a callback handler that translates their callbacks into token-otel's events.

graph.invoke(inputs, config={"callbacks": [TokenOtelHandler()]})
"""

try:
    import langchain_core  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError:
    raise ImportError('token_otel_langchain needs langchain-core: pip install "token-otel[langchain]"') from None

from token_otel_langchain.handler import TokenOtelHandler
from token_otel_langchain.instrumentation import integration

__all__ = ["TokenOtelHandler", "integration"]
