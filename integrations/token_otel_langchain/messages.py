"""`Memo`: messages as `Part`s, each flattened once however often it is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any
from weakref import ref

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from token_otel.events import Part
from token_otel_langchain.blocks import parts_of
from token_otel_langchain.tools import Toolbox, copied

LONG = 16
HISTORIES = 256
MESSAGES = 4096
CHARACTERS = 8_000_000

_State = Callable[[Mapping[str, Any]], tuple[Any, ...]]

# All that the parts are made of. Compared in C, by identity first: some 0.2 us a message.
_HEAD: _State = itemgetter("content", "id", "name")
_CALLS: _State = itemgetter("tool_calls", "invalid_tool_calls")
_MADE: Callable[[Mapping[str, Any]], object] = itemgetter("tool_calls")
_BROKEN: Callable[[Mapping[str, Any]], object] = itemgetter("invalid_tool_calls")
_REFERENCE: Callable[[Mapping[str, Any]], object] = itemgetter("tool_call_id")
_PLAIN: _State = itemgetter("content", "id", "name", "type")
_ANSWER: _State = itemgetter("content", "id", "name", "type", "tool_calls", "invalid_tool_calls")
_RESULT: _State = itemgetter("content", "id", "name", "type", "tool_call_id")


class Memo:
    """Remembers the parts of messages, by object while the object lives, and by message id within a bound.

    Both count only for the same content: a message that was changed in place, or edited under its id, is read anew.
    """

    def __init__(self) -> None:
        self._objects: dict[int, _Known] = {}
        self._ids: OrderedDict[str, _Parts] = OrderedDict()
        self._histories: OrderedDict[tuple[int, int], History] = OrderedDict()
        self._characters = 0
        # Re-entrant: it may be the collector, in the middle of this, that ends a stream which somebody has dropped.
        self._lock = threading.RLock()
        self._toolbox = Toolbox()

    def prompt(self, messages: Sequence[BaseMessage], schemas: Sequence[object] = ()) -> tuple[Part, ...]:
        """Return everything a call reads, in the order in which it is sent: tools, then the messages."""
        parts = self._all(messages) if len(messages) < LONG else self._long(messages)
        return self._toolbox.prompt(schemas, parts) if schemas else parts

    def message(self, message: BaseMessage) -> tuple[Part, ...]:
        """Return the parts of one message."""
        known = self._objects.get(id(message))
        if known is None or known() is not message or known.state(message.__dict__) != known.seen:
            known = self._learn(message)
        return known.parts

    def _all(self, messages: Iterable[BaseMessage]) -> tuple[Part, ...]:
        return tuple(part for message in messages for part in self.message(message))

    def _long(self, messages: Sequence[BaseMessage]) -> tuple[Part, ...]:
        """Go on from the history that an earlier call has sent."""
        ids = list(map(id, messages))
        key = (ids[0], ids[1])
        history = self._histories.get(key)
        if history is not None and not history.begins(ids):
            history = None
        elif history is not None and len(history.ids) == len(ids):
            return history.parts
        fresh = messages[len(history.ids) if history is not None else 0 :]
        history = History(history, ids, fresh, self._all(fresh))
        with self._lock:
            before = self._histories.pop(key, None)
            self._histories[key] = history
            self._characters += history.size - (before.size if before is not None else 0)
            self._shrink()
        return history.parts

    def _learn(self, message: BaseMessage) -> _Known:
        state = _ANSWER if isinstance(message, AIMessage) else _RESULT if isinstance(message, ToolMessage) else _PLAIN
        now = state(message.__dict__)
        found = self._ids.get(message.id) if message.id is not None else None
        if found is None or found.seen != now:
            found = _Parts(_snapshot(now), parts_of(message))
            if message.id is not None:
                self._keep(message.id, found)
        known = _Known(message, self._forget)
        known.key, known.state, known.seen, known.parts = id(message), state, found.seen, found.parts
        self._objects[known.key] = known
        return known

    def _keep(self, message_id: str, found: _Parts) -> None:
        with self._lock:
            before = self._ids.pop(message_id, None)
            self._ids[message_id] = found
            self._characters += found.size - (before.size if before is not None else 0)
            self._shrink()

    def _shrink(self) -> None:
        for kept, most in ((self._histories, HISTORIES), (self._ids, MESSAGES)):
            while len(kept) > most or (self._characters > CHARACTERS and len(kept) > 1):
                self._characters -= kept.popitem(last=False)[1].size

    def _forget(self, known: _Known) -> None:
        if self._objects.get(known.key) is known:
            del self._objects[known.key]


class History:
    """The messages of a long prompt, checked in C when they come again at the start of the next: 0.2 us a message.

    It holds the messages, so that their identity cannot be taken over by others.
    """

    __slots__ = ("_callers", "_calls", "_fields", "_heads", "_messages", "_references", "_results", "_talkers", "ids", "parts", "size")

    def __init__(self, before: History | None, ids: list[int], fresh: Sequence[BaseMessage], parts: tuple[Part, ...]) -> None:
        fields: list[Mapping[str, Any]] = [message.__dict__ for message in fresh]
        answers = [each for each in fields if "tool_calls" in each]
        results = [each for each in fields if "tool_call_id" in each]
        self.ids = ids
        self.parts = parts
        self.size = sum(len(part.text) for part in parts)
        self._messages = [*fresh]
        self._fields = fields
        self._heads = [_snapshot(_HEAD(each)) for each in fields]
        # Most answers call no tool: that they still do not is seen without a look at what they were.
        self._talkers = [each for each in answers if not each["tool_calls"] and not each["invalid_tool_calls"]]
        self._callers = [each for each in answers if each["tool_calls"] or each["invalid_tool_calls"]]
        self._calls = [_snapshot(_CALLS(each)) for each in self._callers]
        self._results = results
        self._references = list(map(_REFERENCE, results))
        if before is not None:
            self._follow(before)

    def _follow(self, before: History) -> None:
        self.parts = before.parts + self.parts
        self.size += before.size
        self._messages = before._messages + self._messages
        self._fields = before._fields + self._fields
        self._heads = before._heads + self._heads
        self._talkers = before._talkers + self._talkers
        self._callers = before._callers + self._callers
        self._calls = before._calls + self._calls
        self._results = before._results + self._results
        self._references = before._references + self._references

    def begins(self, ids: list[int]) -> bool:
        """Tell whether a prompt begins with the same messages, and none of them has changed in place."""
        return (
            ids[: len(self.ids)] == self.ids
            and list(map(_HEAD, self._fields)) == self._heads
            and not any(map(_MADE, self._talkers))
            and not any(map(_BROKEN, self._talkers))
            and list(map(_CALLS, self._callers)) == self._calls
            and list(map(_REFERENCE, self._results)) == self._references
        )


class _Known(ref[BaseMessage]):
    """A living message and what it was made of when it was read."""

    __slots__ = ("key", "parts", "seen", "state")

    key: int
    state: _State
    seen: tuple[Any, ...]
    parts: tuple[Part, ...]


class _Parts:
    __slots__ = ("parts", "seen", "size")

    def __init__(self, seen: tuple[Any, ...], parts: tuple[Part, ...]) -> None:
        self.seen = seen
        self.parts = parts
        self.size = len(parts[0].text) if len(parts) == 1 else sum(len(part.text) for part in parts)


def _snapshot(state: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([value if isinstance(value, str) else copied(value) for value in state])
