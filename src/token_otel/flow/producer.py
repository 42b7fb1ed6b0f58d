"""`Producer`: the run that made a text, and the span on which it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

ProducerKind: TypeAlias = Literal["agent", "tool", "document"]

NAMELESS = "agent"


class SpanRef(NamedTuple):
    """A span in any trace: 32 and 16 lower-case hexadecimal digits."""

    trace_id: str
    span_id: str

    def __str__(self) -> str:
        return f"{self.trace_id}:{self.span_id}"


@dataclass(frozen=True, slots=True)
class Producer:
    """Who made a text.

    Attributes:
        kind: An agent's model call, a tool's run, or a retriever's.
        name: The agent's or the tool's name; a retriever's is not shown.
        span: The producing span (chat, execute_tool, retrieval); `None` if it is not sampled.
    """

    kind: ProducerKind
    name: str
    span: SpanRef | None = None

    def origin(self, reader: str) -> str:
        """Return this producer's origin in the eyes of the agent called `reader`."""
        if self.kind == "agent":
            return "self" if self.name == reader else f"agent:{self.name}"
        return f"tool:{self.name}" if self.kind == "tool" else "document"
