"""`Tally`: what the providers have delivered; `Sums`: what stands on the spans. Both are totals alone."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor


class Tally:
    """Calls by how they were to end, and the tokens that their clients were told."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.input = 0
        self.output = 0
        self._lock = threading.Lock()

    def called(self, how: str) -> None:
        with self._lock:
            self.calls[how] += 1

    def billed(self, usage: Any) -> None:
        with self._lock:
            self.input += usage["input_tokens"]
            self.output += usage["output_tokens"]


class Sums(SpanProcessor):
    """Adds up the spans of model calls as they end, and counts those that end again."""

    def __init__(self) -> None:
        self.started = 0
        self.ended: Counter[str] = Counter()
        self.input = 0
        self.output = 0
        self.cost_usd = 0.0
        self.again = 0
        self._open: set[int] = set()
        self._lock = threading.Lock()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        with self._lock:
            self.started += 1
            self._open.add(span.context.span_id)

    def on_end(self, span: ReadableSpan) -> None:
        values: Any = span.attributes or {}
        context: Any = span.context
        with self._lock:
            self.again += context.span_id not in self._open
            self._open.discard(context.span_id)
            if values.get("gen_ai.operation.name") == "chat":
                self.ended[str(values["token_otel.run.status"])] += 1
                self.input += values.get("gen_ai.usage.input_tokens", 0)
                self.output += values.get("gen_ai.usage.output_tokens", 0)
                self.cost_usd += values.get("token_otel.cost.total_usd", 0.0)

    @property
    def open(self) -> int:
        return len(self._open)
