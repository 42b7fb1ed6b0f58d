"""`Prompts`: what agents read. What an agent has read before is known by its digests; the rest is looked up part by part."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from functools import partial
from operator import attrgetter
from typing import TypeAlias

from token_otel.events import Part
from token_otel.flow.calibration import Estimate
from token_otel.flow.matching import TextIndex
from token_otel.flow.pieces import LONGEST, Given, Match, given_steps, is_searched, search_steps, unsearched
from token_otel.flow.provenance import GIVEN, Read, given, read, role
from token_otel.flow.reading import Measure, Reading, Row
from token_otel.flow.reasoning import kept_from
from token_otel.flow.store import Conversation, Learn, Store
from token_otel.flow.transcript import Reader, Transcript
from token_otel.tokens import Counter

Job: TypeAlias = Callable[[], Generator[None]]

BEGINNINGS = 64  # of conversations that are remembered
MODELS_LIMIT = 1024
WAITING = LONGEST  # characters that are not indexed at once
MOVED = 0.05  # of a weight: what was weighed before more was learnt than that is weighed again
FUNCTION = '"function":{'  # how Chat Completions tells a tool
_DIGEST = attrgetter("digest")


class Prompts:
    """Finds where each part of a prompt comes from, and remembers the prompts that were read last.

    Args:
        store: What was produced and read.
        counter: Counts what is found in pieces.
        pieces: Whether texts are also recognised in pieces.
        submit: Takes the work of recognising them, to be done in the order given.
    """

    def __init__(self, store: Store, counter: Counter, *, pieces: bool, submit: Callable[[Job], object]) -> None:
        self._store = store
        self._counter = counter
        self._pieces = pieces
        self._submit = submit
        self._answering: OrderedDict[tuple[str, str], str] = OrderedDict()  # which model answers for a name
        self._blank: OrderedDict[tuple[str, tuple[str, str]], Transcript] = OrderedDict()  # prompts of conversations that begin

    def read(
        self,
        prompt: Sequence[Part],
        reader: str,
        conversation: str,
        *,
        model: str | None = None,
        provider: str | None = None,
        alone: bool = False,
    ) -> Reading:
        """Find where each part of `prompt` comes from.

        Args:
            prompt: All that is sent.
            reader: The agent that reads it.
            conversation: In which one.
            model: The model that is asked; `None` if it will be known with the bill alone.
            provider: Its provider.
            alone: Whether nothing will follow in this conversation that we know of, so that nothing is kept for it.
        """
        asked = None if model is None else (provider or "", self._answering.get((provider or "", model), model))
        reading = Reading(reader, conversation, asked)
        known = self._store.conversation(conversation)
        reading.blank = known.is_blank and not self._store.knows_any(prompt)
        digests = list(map(_DIGEST, prompt))
        state = self._store.reader(known, reader)
        if asked is not None:
            head, most = (self._blank.get((reader, asked)), len(digests)) if reading.blank else state.transcript(asked)
            parts = head.same(digests[:most]) if head is not None else 0
            if head is not None and head.pending:
                parts = self._known(head, parts, prompt)
            if head is not None and parts:
                if parts < len(head.digests) and not head.shared:
                    head = head.prefix(parts)
                reading.head, reading.parts, reading.rows = head, parts, head.part_ends[parts]
                reading.tools, reading.functions = head.tools > 0, head.functions
        tail = prompt[reading.parts :] if reading.parts else prompt
        reading.digests = digests[reading.parts :]
        if reading.blank:
            reading.reads = [Read(part, None, role(part), None) for part in tail]
            state.given.update(digests)
            for part in prompt:
                if part.message_id is not None and (key := given(part, reader)) is not None:
                    self._store.keep(known, key)
            if self._pieces and not alone:
                readers = {reader}
                self._learn_given(conversation, [(Given(role(part).origin, readers), part.text) for part in prompt if is_searched(part)])
        else:
            reading.reads = [self._read(part, reader, known, state) for part in tail]
            if self._pieces:
                self._search(reading, conversation)
        for item in reading.reads:
            if item.part.kind == "tools":
                reading.tools = True
                reading.functions = reading.functions or FUNCTION in item.part.text
            elif item.part.kind == "reasoning":
                reading.kept = -1
        if reading.kept and asked is not None:
            reading.kept = kept_from(prompt, asked[1], asked[0]) - reading.parts
        self._store.weigh(known)
        return reading

    def _known(self, head: Transcript, parts: int, prompt: Sequence[Part]) -> int:
        """Return how many of the first parts are still what they were taken for: what was found since counts from now on."""
        pending: list[tuple[int, Match | None]] = []
        for part, match in head.pending:
            if part >= parts:
                pending.append((part, match))
            elif match is None:
                if self._counter.known(prompt[part].text) is not None:
                    parts = part
                pending.append((part, match))
            elif match.stretches:
                parts = part
                pending.append((part, match))
            elif match.stretches is None:
                if not match.submitted:  # its job was lost
                    parts = part
                pending.append((part, match))
        head.pending = pending
        return parts

    def _read(self, part: Part, reader: str, known: Conversation, state: Reader) -> Read:
        item = read(part, reader, self._store, known, pieces=self._pieces)
        if item.producer is None:
            if part.message_id is None:
                state.given.add(part.digest)
            elif (key := given(part, reader)) is not None:
                self._store.keep(known, key)
        elif part.message_id is None and part.digest in state.given and part.kind in GIVEN:
            return Read(part, None, role(part), None)
        return item

    def _search(self, reading: Reading, conversation: str) -> None:
        matches: list[Match] = []
        for item in reading.reads:
            if item.match is not None and not item.match.submitted:
                item.match.submitted = True
                matches.append(item.match)
        if not matches:
            return
        known = self._store.conversation(conversation)
        if known.index is None and not known.waiting and not known.learning:
            self._learn_given(conversation, unsearched(matches))
            return
        known.learn()
        index = self._store.index(conversation)
        search = partial(search_steps, index, matches, reading.reader, self._counter)
        if self._submit(partial(_learn_steps, known.learning, index, search)) is False:
            for match in matches:
                match.submitted = False

    def _learn_given(self, conversation: str, texts: Sequence[tuple[Given, str]]) -> None:
        """Remember what a conversation begins with, to be known as given when it comes again in other surroundings."""
        if texts:
            self.learn(conversation, partial(given_steps, texts), sum([len(text) for _, text in texts]))

    def learn(self, conversation: str, job: Learn, characters: int) -> None:
        """Put texts into a conversation's index before it is next looked into, or when too many wait."""
        known = self._store.conversation(conversation)
        known.waiting.append(job)
        known.waiting_bytes += characters
        if known.waiting_bytes > WAITING:
            known.learn()
            self._submit(partial(_learn_steps, known.learning, self._store.index(conversation)))

    def posted(
        self,
        reading: Reading,
        rows: Sequence[Sequence[Row]],
        measures: Sequence[Measure],
        estimate: Estimate,
        known: Conversation,
        state: Reader,
    ) -> None:
        """Remember what has been read: from now on it is read again."""
        head = reading.head
        if reading.blank and not state.seen:
            state.saw(head.digests[: reading.parts] + reading.digests if head is not None else reading.digests)
        elif reading.digests:
            state.saw_more(reading.digests, head.digests[: reading.parts] if head is not None else ())
        if reading.model is None or reading.sizes is not None:
            return
        begun = reading.blank and known.readers.keys() == {reading.reader} and reading.model not in state.transcripts
        # Where one begins that nobody has read yet, others may begin; ids are its own.
        begun = begun and all(item.group.external_id is None for item in reading.reads)
        key = (reading.reader, reading.model)
        if head is not None and _is_outdated(head, estimate):
            # Read it anew with what is learnt by now.
            state.transcripts.pop(reading.model, None)
            self._blank.pop(key, None)
            return
        if head is None:
            head = Transcript(shared=begun)
            head.tools_more, head.foreign_more = estimate.tools, estimate.foreign
        elif len(head.digests) != reading.parts or (head.shared and not begun):
            head = head.prefix(reading.parts)  # another call, or conversation, has read on from there
        head.shared = begun
        for item, digest, stretches, measure in zip(reading.reads, reading.digests, rows, measures, strict=True):
            if item.part.kind == "reasoning":
                break  # what is kept of reasoning changes with the turn
            if item.match is not None and item.match.stretches is None:
                head.pending.append((len(head.digests), item.match))
            elif item.part.text and self._counter.known(item.part.text) is None:
                head.pending.append((len(head.digests), None))
            is_tool = item.part.kind == "tools"
            head.add(digest, stretches, measure, tools=is_tool, functions=is_tool and reading.functions)
            head.cut = head.cut or (item.match is not None and item.match.cut)
        if head.shared:
            self._blank[key] = head
            self._blank.move_to_end(key)
            if len(self._blank) > BEGINNINGS:
                self._blank.popitem(last=False)
        state.keep(reading.model, head)
        self._store.weigh(known)

    def answered(self, asked: tuple[str, str], model: str) -> None:
        """Note which model has answered for the one that was asked."""
        self._answering[asked] = model
        if len(self._answering) > MODELS_LIMIT:
            self._answering.popitem(last=False)


def _learn_steps(learning: list[Learn], index: TextIndex, then: Job | None = None) -> Generator[None]:
    """Index what was said until now, then search: what a fork, or a full queue, has kept from being done is done with the next."""
    failure: Exception | None = None
    try:
        while learning:
            yield from learning.pop(0)(index)
    except Exception as error:
        failure = error
    if then is not None:
        yield from then()
    if failure is not None:
        raise failure


def _is_outdated(head: Transcript, estimate: Estimate) -> bool:
    _, schemas, foreign = head.counted[-1]
    moved = schemas and abs(head.tools_more - estimate.tools) > MOVED
    return bool(moved or (foreign and abs(head.foreign_more - estimate.foreign) > MOVED))
