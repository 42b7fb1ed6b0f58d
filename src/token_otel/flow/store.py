"""`Store`: what was produced in each conversation, by id and by text, in memory and bounded.

Texts are kept as 64-bit hashes, salted per process; where pieces of them are looked for, also their letters and digits.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeAlias, cast

from token_otel.events import Part
from token_otel.flow.matching import TextIndex
from token_otel.flow.producer import Producer
from token_otel.flow.transcript import Reader

SHORTEST_TEXT = 16  # characters: `yes` and `42` repeat by chance, so only an id can tell who said them
LONGEST_ID = 1_024  # characters: an entry weighs the same whatever its id, so that a longer one is not known
SHORTEST_GLOBAL_ID = 16  # `call_0` and `1` repeat across conversations, provider and run ids do not
ENTRY_BYTES = 240  # a dict slot, its key and a shared Producer, measured on CPython 3.11
CONVERSATION_ENTRIES = 3  # an empty conversation: itself, two dicts and its place in the store


Learn: TypeAlias = Callable[[TextIndex], Generator[None]]
"""Puts texts into an index, in steps."""


class Conversation:
    """What one conversation's runs produced and read. Two generations: when the young one is full, the old one goes.

    Attributes:
        entries: How many there are, the index and the readers among them by their size when they were last weighed.
        index: Its texts, for the worker alone; `None` until something is looked for among them.
        waiting: What is to be put into the index before that, `waiting_bytes` of text: where nobody ever looks, nothing is indexed.
        learning: What the worker is to put into it now.
        readers: What each agent has read.
    """

    def __init__(self, generation: int) -> None:
        self.entries = CONVERSATION_ENTRIES
        self.index: TextIndex | None = None
        self.waiting: list[Learn] = []
        self.waiting_bytes = 0
        self.learning: list[Learn] = []
        self.readers: dict[str, Reader] = {}
        self._weighed = 0
        self._generation = generation
        self._young: dict[object, Any] = {}
        self._old: dict[object, Any] = {}

    def get(self, key: object) -> Any:
        """Return what is kept under `key`, or `None`; what is asked for stays young."""
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.pop(key, None)
            if found is not None:
                self._young[key] = found
        return found

    def put(self, key: object, value: object) -> None:
        """Keep `value` under `key`."""
        if key not in self._young:
            if len(self._young) >= self._generation:
                self.age()
            self.entries += 0 if self._old.pop(key, None) is not None else 1
        self._young[key] = value

    def learn(self) -> None:
        """Leave to the worker what is waiting."""
        self.learning.extend(self.waiting)
        self.waiting, self.waiting_bytes = [], 0

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known of it."""
        return not self._young and not self._old and not self.readers

    def age(self) -> None:
        """Drop the old generation; the young one is old now."""
        self.entries -= len(self._old)
        self._old, self._young = self._young, {}

    def weigh(self) -> None:
        """Take account of what was read, and of what the worker has put into the index."""
        now = (self.waiting_bytes + (0 if self.index is None else self.index.bytes)) // ENTRY_BYTES
        for reader in self.readers.values():
            now += reader.entries
        self.entries += now - self._weighed
        self._weighed = now


class Store:
    """Conversations, the least recently used going first when the bound in bytes is reached.

    Runs hold a conversation's key, never the object: what was dropped is not kept alive, and begins anew when it is named again.

    Args:
        limit_bytes: The bound. One conversation may have three quarters of it, the ids known everywhere the rest.
        texts: Whether there are indexes of texts, which then may have half of it.
    """

    def __init__(self, limit_bytes: int, *, texts: bool = False) -> None:
        self._limit = max(1, limit_bytes // ENTRY_BYTES)
        self._generation = max(1, self._limit // 8 if texts else self._limit * 3 // 8)
        self._index_bytes = limit_bytes // 2
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._homes: OrderedDict[tuple[str, int], tuple[str, Producer]] = OrderedDict()  # known in every conversation
        self._entries = 0
        self.evicted = 0

    @property
    def bytes(self) -> int:
        """About how much memory is held."""
        return (self._entries + len(self._homes)) * ENTRY_BYTES

    def conversation(self, key: str) -> Conversation:
        """Return the conversation called `key`, made new if it is not known; it is the most recently used now."""
        found = self._conversations.get(key)
        if found is None:
            found = self._conversations[key] = Conversation(self._generation)
            self._entries += found.entries
            self._shrink()
        else:
            self._conversations.move_to_end(key)
        return found

    def reader(self, conversation: Conversation, name: str) -> Reader:
        """Return what the agent called `name` has read in a conversation."""
        found = conversation.readers.get(name)
        if found is None:
            found = conversation.readers[name] = Reader()
        return found

    def weigh(self, conversation: Conversation) -> None:
        """Take account of what has grown in a conversation that is in use."""
        before = conversation.entries
        conversation.weigh()
        self._entries += conversation.entries - before
        self._shrink()

    def index(self, key: str) -> TextIndex:
        """Return the index of a conversation's texts, made at the first call."""
        conversation = self.conversation(key)
        if conversation.index is None:
            conversation.index = TextIndex(self._index_bytes)
        return conversation.index

    def home(self, prompt: Iterable[Part]) -> str | None:
        """Return the conversation from which a part of `prompt` comes, by a globally unique message id with the same content."""
        for part in prompt if self._homes else ():
            if part.message_id is not None:
                home = self._homes.get((part.message_id, hash(part.text)))
                if home is not None and home[0] in self._conversations:
                    return home[0]
        return None

    def knows_any(self, prompt: Iterable[Part]) -> bool:
        """Tell whether a part of `prompt` is known everywhere."""
        homes = self._homes
        return bool(homes) and any(part.message_id is not None and (part.message_id, hash(part.text)) in homes for part in prompt)

    def by_message(self, conversation: Conversation, message_id: str, content: int) -> Producer | None:
        """Return who produced a message with this id and this content, in any conversation if the id is globally unique."""
        found: Producer | None = conversation.get(("message", message_id, content))
        if found is None:
            home = self._homes.get((message_id, content))
            if home is not None:
                self._homes.move_to_end((message_id, content))
                found = home[1]
        return found

    def caller(self, key: str, call_id: str) -> Producer | None:
        """Return whose call a tool run answers."""
        known: tuple[Producer, int] | None = self.conversation(key).get(("caller", call_id))
        return known[0] if known is not None else None

    def produced(self, key: str, producer: Producer, output: Iterable[Part]) -> list[str]:
        """Enter what a run produced, under its message id, its tool call ids and its texts.

        Returns:
            The texts that nobody, or somebody else, was the last to say.
        """
        conversation = self.conversation(key)
        fresh: list[str] = []
        for part in output:
            if part.message_id is not None and len(part.message_id) <= LONGEST_ID:
                self._put(conversation, ("message", part.message_id, hash(part.text)), producer)
                if len(part.message_id) >= SHORTEST_GLOBAL_ID:
                    self._homes[part.message_id, hash(part.text)] = (key, producer)
            if part.call_id is not None and len(part.call_id) <= LONGEST_ID:
                side = "caller" if part.kind == "tool_call" else "result"
                self._put(conversation, (side, part.call_id), (producer, hash(part.text)))
            if part.text and conversation.get(hash(part.text)) != producer:
                fresh.append(part.text)
            for text in _texts(part):
                if len(text) >= SHORTEST_TEXT:
                    self._put(conversation, hash(text), producer)
                    self._put(conversation, (hash(text), producer.name), producer)
        self._shrink()
        return fresh

    def answered(self, key: str, call_id: str, producer: Producer) -> None:
        """Enter who answered a tool call whose text is not known."""
        self._put(self.conversation(key), ("result", call_id), (producer, None))
        self._shrink()

    def keep(self, conversation: Conversation, key: object, value: object = True) -> None:
        """Remember `key` in a conversation that is in use."""
        self._put(conversation, key, value)
        self._shrink()

    def _put(self, conversation: Conversation, key: object, value: object) -> None:
        before = conversation.entries
        conversation.put(key, value)
        self._entries += conversation.entries - before

    def _shrink(self) -> None:
        while self._entries + len(self._homes) > self._limit:
            if len(self._homes) > self._limit // 4:
                self._homes.popitem(last=False)
            elif len(self._conversations) > 1:
                self._dropped(self._conversations.popitem(last=False)[1].entries)
            else:
                [only] = self._conversations.values()
                before = only.entries
                only.age()
                if only.entries == before:
                    only.age()
                if only.entries == before:
                    only.index = None
                    only.waiting, only.waiting_bytes = [], 0
                    only.readers.clear()
                    only.weigh()
                if only.entries == before:
                    return  # the bound is smaller than an empty conversation
                self._dropped(before - only.entries)

    def _dropped(self, entries: int) -> None:
        self._entries -= entries
        self.evicted += entries


def _texts(part: Part) -> Iterator[str]:
    """Yield the texts that a part makes known: itself, and each string among a tool call's arguments."""
    yield part.text
    if part.kind == "tool_call":
        _, _, arguments = part.text.partition(" ")
        yield arguments
        try:
            yield from _strings(json.loads(arguments))
        except (ValueError, RecursionError):
            return


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _strings(item)
