"""Provenance: the origin of each part of a prompt, found when the call starts.

In this order: a message id with the same content, a tool call id with the same content, the same text, text known in
pieces; the rest belongs to its role.
"""

from __future__ import annotations

import re

from token_otel.events import Part
from token_otel.flow.pieces import Match, is_searched
from token_otel.flow.producer import Producer
from token_otel.flow.split import Group
from token_otel.flow.store import LONGEST_ID, SHORTEST_TEXT, Conversation, Store

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
_ROLES = {kind: Group(origin) for kind, origin in _ROLE_ORIGIN.items()}

_SAID = ("assistant", "tool_call", "reasoning")
GIVEN = ("user", "system", "document")
_NAME = re.compile(r"[\w.:/-]{1,128}")  # what else a model calls a tool that nobody has run is its own words


class Read:
    """One part as it is read: where it comes from.

    Attributes:
        part: What is read.
        producer: Who made it, if a run did.
        group: Whose it is in the eyes of the reader.
        match: What is known of it in pieces, where it is not known as a whole; `None` if that is not looked for.
    """

    __slots__ = ("group", "match", "part", "producer")

    def __init__(self, part: Part, producer: Producer | None, group: Group, match: Match | None) -> None:
        self.part = part
        self.producer = producer
        self.group = group
        self.match = match

    @property
    def origin(self) -> str:
        """Its origin in the eyes of the reader."""
        return self.group.origin


def read(part: Part, reader: str, store: Store, conversation: Conversation, *, pieces: bool) -> Read:
    """Find the origin of a part for the agent called `reader`; with `pieces`, say whether it is to be searched for them."""
    producer = _producer(part, reader, store, conversation)
    if producer is not None:
        return Read(part, producer, Group(producer.origin(reader), producer), None)
    group = role(part)
    match = None
    if pieces and is_searched(part):
        match = _match(part, group.origin, reader, store, conversation)
        match.readers.add(reader)
    return Read(part, None, group, match)


def role(part: Part) -> Group:
    """Return whose a part is that nobody is known to have produced."""
    if part.kind == "tool_result":
        return Group(f"tool:{part.name}" if part.name and _NAME.fullmatch(part.name) else "tool")
    group = _ROLES[part.kind]
    return group if part.message_id is None or group.origin != "external" else Group("external", None, part.message_id)


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
    if found is not None and part.kind in GIVEN and conversation.get(("given", part.kind, part.message_id or reader, content)) is not None:
        # What was given to the program stays given, also once an agent has passed it on word for word.
        return None
    return found


def given(part: Part, reader: str) -> object:
    """Return the key under which a part is remembered that was given to `reader` in its role; `None` for others."""
    if part.kind not in GIVEN or (part.message_id is not None and len(part.message_id) > LONGEST_ID):
        return None
    return "given", part.kind, part.message_id or reader, hash(part.text)


def _match(part: Part, origin: str, reader: str, store: Store, conversation: Conversation) -> Match:
    key: tuple[object, ...] = ("pieces", origin, hash(part.text))
    found: Match | None = conversation.get(key)
    if found is not None and found.only_for not in (None, reader):
        key = (*key, reader)
        found = conversation.get(key)
    if found is None:
        found = Match(part.text, origin)
        store.keep(conversation, key, found)
    return found
