"""LoopbackAnthropic: the Messages API on 127.0.0.1."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from token_otel.testing.loopback.answers import Answers
from token_otel.testing.loopback.anthropic_messages import MessagesApi
from token_otel.testing.loopback.bills import Rates
from token_otel.testing.loopback.caches import ExplicitCache
from token_otel.testing.loopback.server import Loopback

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class LoopbackAnthropic(Loopback):
    """Anthropic as its clients see it. See `Loopback` for the other arguments.

    Args:
        clock: Seconds, rising; by it cached prefixes expire.
    """

    provider = "anthropic"
    request_id_header = "request-id"

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        prices: Mapping[str, Rates] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(answers or {}, apis={"/v1/messages": MessagesApi(ExplicitCache(clock))}, prices=prices)

    @property
    def base_url(self) -> str:
        """What the clients take as `base_url`."""
        return self.origin

    def error_body(self, status: int, message: str, request_id: str) -> dict[str, Any]:
        """Write an error. Source: https://docs.claude.com/en/api/errors"""
        kind = KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
