"""What stands on spans."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan


def values(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    return dict(span.attributes or {})
