"""`FloorHandler`: the least that a span per model call can cost, written by hand: ten attributes, no parent, no more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from opentelemetry import trace
from opentelemetry.trace import Span


class FloorHandler(BaseCallbackHandler):
    """Opens a span at the start of a model call, and ends it at its end."""

    run_inline = True
    ignore_chain = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    ignore_agent = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    ignore_retriever = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("floor")
        self._spans: dict[UUID, Span] = {}

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        about: dict[str, Any] = kwargs.get("metadata") or {}
        self._spans[run_id] = self._tracer.start_span(
            "chat",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": about.get("ls_provider", ""),
                "gen_ai.request.model": about.get("ls_model_name", ""),
                "gen_ai.request.temperature": about.get("ls_temperature", 0.0),
            },
        )

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        span = self._spans.pop(run_id)
        message = response.generations[0][0].message
        usage = message.usage_metadata
        about = message.response_metadata
        span.set_attributes(
            {
                "gen_ai.response.model": about["model_name"],
                "gen_ai.response.id": about["id"],
                "gen_ai.response.finish_reasons": (about["finish_reason"],),
                "gen_ai.usage.input_tokens": usage["input_tokens"],
                "gen_ai.usage.output_tokens": usage["output_tokens"],
                "gen_ai.usage.cache_read.input_tokens": usage["input_token_details"]["cache_read"],
            }
        )
        span.end()

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._spans.pop(run_id).end()
