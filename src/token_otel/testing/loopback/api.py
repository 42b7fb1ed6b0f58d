"""Api: what one endpoint of a provider adds to the server: how it reads a request and how it writes a reply."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from token_otel.testing.loopback.answers import Answer
from token_otel.testing.loopback.prompts import Cached, Prompt
from token_otel.testing.loopback.turns import Event, Turn


class Api(ABC):
    """One endpoint. Its methods may be called from many threads at once."""

    name: ClassVar[str]
    id_prefix: ClassVar[str]
    call_prefix: ClassVar[str]
    scripted: ClassVar[bool] = True

    def requests(self, body: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """Give the messages of each answer that the request asks of the script: one, but for several text prompts."""
        return [body.get("messages") or []]

    @abstractmethod
    def prompt(self, body: dict[str, Any]) -> Prompt:
        """Read the prompt.

        Raises:
            BadRequest: The provider would refuse it.
        """

    @abstractmethod
    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Look the prompt up in the cache and write it there. Called once for each call that is billed."""

    @abstractmethod
    def count(self, text: str) -> int:
        """Count a text of the reply."""

    @abstractmethod
    def service_tier(self, body: dict[str, Any], answer: Answer) -> str:
        """Give the tier that the response names."""

    @abstractmethod
    def usage(self, turn: Turn) -> dict[str, Any]:
        """Write the usage as the provider does."""

    @abstractmethod
    def response(self, turn: Turn) -> dict[str, Any]:
        """Write the whole response."""

    @abstractmethod
    def events(self, turn: Turn) -> Iterator[Event]:
        """Write the response as a stream."""

    @abstractmethod
    def streams_usage(self, body: dict[str, Any]) -> bool:
        """Tell whether a stream for this request carries its usage."""
