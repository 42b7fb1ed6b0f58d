"""LoopbackOpenAI: chat completions, responses, text completions and embeddings on 127.0.0.1."""

from collections.abc import Mapping
from typing import Any

from token_otel.testing.loopback.answers import Answers
from token_otel.testing.loopback.bills import Rates
from token_otel.testing.loopback.caches import AutomaticCache
from token_otel.testing.loopback.openai_chat import ChatApi, CompletionsApi, EmbeddingsApi
from token_otel.testing.loopback.openai_responses import ResponsesApi
from token_otel.testing.loopback.server import Loopback


class LoopbackOpenAI(Loopback):
    """OpenAI as its clients see it. See `Loopback` for the arguments. One prefix cache serves chat and responses."""

    provider = "openai"
    request_id_header = "x-request-id"

    def __init__(self, answers: Answers | None = None, *, prices: Mapping[str, Rates] | None = None) -> None:
        cache = AutomaticCache()
        apis = {
            "/v1/chat/completions": ChatApi(cache),
            "/v1/responses": ResponsesApi(cache),
            "/v1/completions": CompletionsApi(cache),
            "/v1/embeddings": EmbeddingsApi(cache),
        }
        super().__init__(answers or {}, apis=apis, prices=prices)

    @property
    def base_url(self) -> str:
        """What the clients take as `base_url`."""
        return f"{self.origin}/v1"

    def error_body(self, status: int, message: str, request_id: str) -> dict[str, Any]:
        """Write an error. Source: https://platform.openai.com/docs/guides/error-codes"""
        match status:
            case 429:
                kind, code = "requests", "rate_limit_exceeded"
            case 404:
                kind, code = "invalid_request_error", "model_not_found"
            case _:
                kind, code = ("invalid_request_error" if status < 500 else "server_error"), None
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}
