"""`Toolbox`: the schemas of tools as `Part`s, each flattened once however often it is sent, and the deferred ones held back.

A tool that is sent with `defer_loading` is not in the model's context until a search brings it in; its schema then stands where the
search was answered, so that what is cached before it stays so. At Anthropic a reference in the messages does that, and nothing of the
tool is seen before. At OpenAI the answer of the search holds the schema itself; of a function its name and description are seen before.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool,
https://developers.openai.com/api/docs/guides/tools-tool-search
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from token_otel.events import Part
from token_otel.wire import compact

SCHEMAS = 512


@dataclass(frozen=True, slots=True)
class _Known:
    """A schema as it was when it was flattened: the parts that are seen at once, and by name those that are held back."""

    schema: object
    sent: tuple[Part, ...]
    deferred: tuple[tuple[str, Part], ...]


class Toolbox:
    """Remembers the parts of schemas, within a bound."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._lock = threading.RLock()

    def prompt(self, schemas: Sequence[object], parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Return the schemas that are seen at once, then `parts`, each reference in them exchanged for the schema it brings in."""
        sent: list[Part] = []
        deferred: dict[str, Part] = {}
        for schema in schemas:
            known = self._flattened(schema)
            sent += known.sent
            deferred |= known.deferred
        return (*sent, *(_revealed(parts, deferred) if deferred else parts))

    def _flattened(self, schema: object) -> _Known:
        name, description = _name(schema)
        known = self._known.get((name, description))
        if known is not None and known.schema == schema:
            return known
        known = _flatten(schema, name)
        with self._lock:
            self._known[name, description] = known
            if len(self._known) > SCHEMAS:
                self._known.popitem(last=False)
        return known


def _flatten(schema: object, name: str) -> _Known:
    kept = copied(schema)
    if isinstance(schema, Mapping):
        schema = tool = cast("Mapping[str, Any]", schema)
        if tool.get("type") == "namespace" and isinstance(inner := tool.get("tools"), list):
            # Of a namespace its own name and description are seen, and what in it is not deferred.
            each = cast("list[object]", inner)
            held = [(_name(one)[0], _part(one, _name(one)[0])) for one in each if _is_deferred(one)]
            seen = _part({**tool, "tools": [one for one in each if not _is_deferred(one)]}, name)
            return _Known(kept, (seen,), tuple(held))
        if _is_deferred(tool):
            sent = (_part(_announced(tool), name),) if tool.get("type") == "function" else ()
            return _Known(kept, sent, ((name, _part(tool, name)),))
    return _Known(kept, (_part(schema, name),), ())


def _is_deferred(schema: object) -> bool:
    """Tell whether a tool is held back; one of a server's is not in the request in any case."""
    if not isinstance(schema, Mapping):
        return False
    tool = cast("Mapping[str, Any]", schema)
    return tool.get("defer_loading") is True and isinstance(_told(tool).get("name"), str)


def _announced(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what OpenAI's models see of a deferred function; LangChain tells it in either of its two forms."""
    seen = {key: value for key, value in _told(tool).items() if key in ("name", "description")}
    return {"type": "function", "function": seen} if "function" in tool else {"type": "function", **seen}


def _part(schema: object, name: str) -> Part:
    seen = schema
    if isinstance(schema, Mapping) and "defer_loading" in schema:
        seen = {key: value for key, value in cast("Mapping[str, Any]", schema).items() if key != "defer_loading"}
    return Part(kind="tools", text=compact(seen), name=name or None, opens=False)


def _revealed(parts: tuple[Part, ...], deferred: Mapping[str, Part]) -> Iterator[Part]:
    """Yield `parts` with the schemas that are brought in; one that is named again is taken to be there already."""
    left = dict(deferred)
    for part in parts:
        schema = left.pop(part.name, None) if part.kind == "tools" and part.name is not None and not part.text else None
        yield part if schema is None else replace(part, text=schema.text)


def _name(schema: object) -> tuple[str, str]:
    """Return the name and description of a tool in any provider's format."""
    if not isinstance(schema, Mapping):
        return str(getattr(schema, "name", "")), ""
    outer = cast("Mapping[str, Any]", schema)
    found = _told(outer)
    return str(found.get("name") or outer.get("type") or ""), str(found.get("description") or "")


def _told(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = tool.get("function") or tool.get("toolSpec")
    return cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else tool


def copied(value: object) -> object:
    """Copy what can change in place, containers; share the strings."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, list):
        return [copied(item) for item in cast("list[object]", value)]
    return value
