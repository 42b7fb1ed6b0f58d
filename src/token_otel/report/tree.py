"""`Tree`: the spans of all traces with their ancestry. Spans of other scopes stand only between ours and their parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from token_otel.flow.producer import NAMELESS
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import SpanRecord
from token_otel.report import values

SpanKey: TypeAlias = tuple[str, str]

CALLS = frozenset({"chat", "text_completion", "embeddings"})
AGENTS = frozenset({"invoke_agent", "invoke_workflow"})


def key_of(span: SpanRecord) -> SpanKey:
    """Return what identifies a span: its trace's id and its own."""
    return span.trace_id, span.span_id


def operation_of(span: SpanRecord) -> str:
    """Return the operation: `chat`, `invoke_agent`, `execute_tool`, ..."""
    return values.text(span, sc.OPERATION_NAME) or "span"


def agent_name(span: SpanRecord) -> str:
    """Return the name of the agent or workflow that a span is, or belongs to."""
    return values.text(span, sc.AGENT_NAME) or values.text(span, sc.WORKFLOW_NAME) or NAMELESS


def scope_of(span: SpanRecord) -> str:
    """Return the conversation, or, where there is none, the trace: there an agent reads a text for the first time once."""
    return values.text(span, sc.CONVERSATION_ID) or span.trace_id


class Tree:
    """Our spans in the order of a reader: parents before their children, siblings by their start.

    Args:
        spans: The spans of any number of files; one that comes twice counts once.
    """

    def __init__(self, spans: Iterable[SpanRecord]) -> None:
        self._spans: dict[SpanKey, SpanRecord] = {}
        for span in spans:
            self._spans.setdefault(key_of(span), span)
        ours = sorted(
            (span for span in self._spans.values() if span.scope == sc.SCOPE), key=lambda span: (span.start_ns, span.end_ns, key_of(span))
        )
        self._ours = {key_of(span): span for span in ours}
        self._parents = {key: self._nearest(span) for key, span in self._ours.items()}
        self._depths: dict[SpanKey, int] = {}
        self.spans = tuple(self._in_order())

    @property
    def foreign(self) -> int:
        """The number of spans of other scopes."""
        return len(self._spans) - len(self._ours)

    def find(self, key: SpanKey) -> SpanRecord | None:
        """Return one of our spans."""
        return self._ours.get(key)

    def parent(self, span: SpanRecord) -> SpanRecord | None:
        """Return the nearest of our spans above a span."""
        return self._parents[key_of(span)]

    def depth(self, span: SpanRecord) -> int:
        """Return how many of our spans are above a span."""
        return self._depths[key_of(span)]

    def agents(self, span: SpanRecord) -> Iterator[SpanRecord]:
        """Yield the agents and workflows above a span, the nearest first."""
        above = self.parent(span)
        while above is not None:
            if operation_of(above) in AGENTS:
                yield above
            above = self.parent(above)

    def _nearest(self, span: SpanRecord) -> SpanRecord | None:
        passed = {span.span_id}
        parent_id = span.parent_id
        while parent_id is not None and parent_id not in passed:
            passed.add(parent_id)
            above = self._spans.get((span.trace_id, parent_id))
            if above is None or above.scope == sc.SCOPE:
                return above
            parent_id = above.parent_id
        return None

    def _in_order(self) -> Iterator[SpanRecord]:
        children: dict[SpanKey, list[SpanRecord]] = {}
        for key, span in self._ours.items():
            parent = self._parents[key]
            if parent is not None:
                children.setdefault(key_of(parent), []).append(span)
        roots = [span for key, span in self._ours.items() if self._parents[key] is None]
        # Whatever is not beneath a root is in a circle, which a damaged file can hold: it is cut where it begins.
        for root in [*roots, *self._ours.values()]:
            if key_of(root) in self._depths:
                continue
            self._parents[key_of(root)] = None
            pending = [(root, 0)]
            while pending:
                span, depth = pending.pop()
                if key_of(span) not in self._depths:
                    self._depths[key_of(span)] = depth
                    yield span
                    pending += [(child, depth + 1) for child in reversed(children.get(key_of(span), ()))]
