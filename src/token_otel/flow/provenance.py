"""Provenance: the origin of each part of a prompt, found when the call starts.

In this order: a message id with the same content, a tool call id with the same content, the same text, text known in
pieces; the rest belongs to its role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from token_otel.events import Part
from token_otel.flow.pieces import Match, is_searched
from token_otel.flow.producer import Producer
from token_otel.flow.store import SHORTEST_TEXT, Conversation, Store

_ROLE_ORIGIN = {
    "system": "system",
    "tools": "tools",
    "user": "user",
    "document": "document",
    "media": "media",
    "assistant": "external",
    "tool_call": "external",
    "reasoning": "external",
}

_SAID = ("assistant", "tool_call", "reasoning")
_GIVEN = ("user", "system", "document")
_NAME = re.compile(r"[\w.:/-]{1,128}")  # what else a model calls a tool that nobody has run is its own words


@dataclass(frozen=True, slots=True)
class Read:
    """One part as it is read: where it comes from.

    Attributes:
        part: What is read.
        origin: Its origin in the eyes of the reader.
        producer: Who made it, if a run did.
        key: The identity under which it counts as read before.
        match: What is known of it in pieces, where it is not known as a whole; `None` if that is not looked for.
    """

    part: Part
    origin: str
    producer: Producer | None
    key: object
    match: Match | None = None


def read(prompt: Iterable[Part], reader: str, store: Store, conversation: Conversation, *, pieces: bool = False) -> tuple[Read, ...]:
    """Find the origin of each part of `prompt` for the agent called `reader`; with `pieces`, say what is to be searched for them."""
    reads: list[Read] = []
    seen: dict[object, int] = {}
    for part in prompt:
        producer = _producer(part, reader, store, conversation)
        origin = producer.origin(reader) if producer is not None else _role(part)
        match = None
        if pieces and producer is None and is_searched(part):
            match = _match(part, origin, store, conversation)
            match.readers.add(reader)
        identity = ("read", reader, part.kind, part.message_id or part.call_id, hash(part.text))
        # The same words said twice in one prompt are two texts: the second is read for the first time.
        seen[identity] = ordinal = seen.get(identity, 0) + 1
        reads.append(Read(part, origin, producer, (identity, ordinal), match))
    return tuple(reads)


def _producer(part: Part, reader: str, store: Store, conversation: Conversation) -> Producer | None:
    if part.kind == "tools":
        return None
    content = hash(part.text)
    if part.message_id is not None:
        found = store.by_message(conversation, part.message_id, content)
        if found is not None:
            return found
    if part.call_id is not None:
        known: tuple[Producer, int | None] | None = conversation.get(("caller" if part.kind == "tool_call" else "result", part.call_id))
        if known is not None and known[1] in (None, content):
            return known[0]
    if len(part.text) < SHORTEST_TEXT:
        return None
    # Words relayed by another belong to whoever said them last, but what the reader is told that it said itself is its own.
    own: Producer | None = conversation.get((content, reader)) if part.kind in _SAID else None
    found: Producer | None = own or conversation.get(content)
    if part.kind in _GIVEN:
        # What was given to the program stays given, also once an agent has passed it on word for word.
        given = ("given", part.kind, part.message_id or reader, content)
        if found is None:
            store.keep(conversation, given)
        elif conversation.get(given) is not None:
            return None
    return found


def _match(part: Part, origin: str, store: Store, conversation: Conversation) -> Match:
    key = ("pieces", origin, hash(part.text))
    found: Match | None = conversation.get(key)
    if found is None:
        found = Match(part.text, origin)
        store.keep(conversation, key, found)
    return found


def _role(part: Part) -> str:
    if part.kind == "tool_result":
        return f"tool:{part.name}" if part.name and _NAME.fullmatch(part.name) else "tool"
    return _ROLE_ORIGIN[part.kind]
