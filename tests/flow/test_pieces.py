"""Text known in pieces, from the prompt to the bill: what is late, lost, cut or contested, and whose it is for each reader."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.matching.texts import text_of, wild

from token_otel import Usage
from token_otel.events import Part
from token_otel.flow import pieces
from token_otel.flow.book import FlowBook
from token_otel.flow.matching import TextIndex
from token_otel.flow.pieces import LONGEST, Given, Match, learn_steps, search_steps
from token_otel.flow.producer import Producer
from token_otel.flow.prompts import Job
from token_otel.prices.cost import UNPRICED
from token_otel.tokens import Counter
from token_otel.worker import Worker

MODEL = "nobody-knows"
PAGE, OTHER = text_of(1, 120), text_of(2, 120)
PLANNER, WRITER = Producer("agent", "planner"), Producer("agent", "writer")


class Queue:
    """Takes jobs as a worker does, and does them when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.is_full = False

    def submit(self, job: Job) -> bool:
        if not self.is_full:
            self.jobs.append(job)
        return not self.is_full

    def work(self) -> None:
        while self.jobs:
            for _ in self.jobs.pop(0)():
                pass


class Book:
    """A book whose conversations have begun, and what its readers make of a prompt."""

    def __init__(self, queue: Queue | None = None, *, is_searched: bool = True) -> None:
        self.flow = FlowBook(1 << 24, pieces=is_searched, submit=queue.submit if queue is not None else None)

    def says(self, producer: Producer, text: str, conversation: str = "c") -> None:
        self.flow.produced(conversation, producer, [Part(kind="assistant", text=text)])

    def reads(self, *parts: Part | str, reader: str = "critic", conversation: str = "c", bill: int = 10_000) -> tuple[dict[str, int], str]:
        """Tokens by origin, and the method."""
        prompt = [Part(kind="user", text=part) if isinstance(part, str) else part for part in parts]
        reading = self.flow.read(prompt, reader, conversation, model=MODEL)
        split, method = self.flow.split(reading, Usage(input=bill, output=1), UNPRICED, MODEL)
        origins: dict[str, int] = {}
        for share in split.shares:
            origins[share.origin] = origins.get(share.origin, 0) + share.tokens
        return origins, method


@pytest.fixture
def queue() -> Queue:
    return Queue()


def test_a_part_that_is_searched_late_is_right_in_the_next_call(queue: Queue):
    """The worker is slower than the model: the text stays with its role, is marked, and is the planner's from then on."""
    book = Book(queue)
    book.says(PLANNER, PAGE)
    late, late_method = book.reads(f"Do this: {PAGE}")
    queue.work()
    found, method = book.reads(f"Do this: {PAGE}", "Go on.")

    assert "agent:planner" not in late
    assert "+late" in late_method
    assert found["agent:planner"] > found["user"]
    assert "late" not in method


def test_a_part_is_searched_once(queue: Queue):
    """However often it is read before it is found, and by whomever."""
    book = Book(queue)
    book.says(PLANNER, PAGE)
    queue.work()
    for reader in ("critic", "critic", "editor"):
        book.reads(f"Do this: {PAGE}", reader=reader)

    assert len(queue.jobs) == 1


def test_what_a_full_queue_has_dropped_is_searched_in_the_next_call(queue: Queue):
    """It would be late for ever."""
    book = Book(queue)
    book.says(PLANNER, PAGE)
    queue.work()
    queue.is_full = True
    _, dropped = book.reads(f"Do this: {PAGE}")
    queue.is_full = False
    _, late = book.reads(f"Do this: {PAGE}")
    queue.work()
    found, method = book.reads(f"Do this: {PAGE}")

    assert ("+late" in dropped, "+late" in late, "+late" in method) == (True, True, False)
    assert "agent:planner" in found


def test_what_a_fork_has_lost_is_searched_in_the_child(queue: Queue, monkeypatch: pytest.MonkeyPatch):
    """The jobs of the parent's thread stay behind."""
    book = Book(queue)
    book.says(PLANNER, PAGE)
    queue.work()
    book.reads(f"Do this: {PAGE}")
    queue.jobs.clear()
    pid = os.getpid()
    monkeypatch.setattr(pieces.os, "getpid", lambda: pid + 1)
    book.reads(f"Do this: {PAGE}")
    queue.work()

    assert "agent:planner" in book.reads(f"Do this: {PAGE}")[0]


def test_nothing_is_indexed_until_something_is_looked_for(queue: Queue):
    """What was said waits; where everything is known by its id, nobody ever looks."""
    book = Book(queue)
    book.says(PLANNER, PAGE)
    book.reads(PAGE)
    waiting = book.flow.store.conversation("c")

    assert not queue.jobs
    assert waiting.index is None
    assert waiting.waiting_bytes >= len(PAGE)
    book.reads(f"Do this: {PAGE}")
    queue.work()
    assert "agent:planner" in book.reads(f"Do this: {PAGE}")[0]
    assert waiting.waiting_bytes == 0


def test_what_waits_to_be_indexed_is_bounded(queue: Queue):
    """Beyond 262,144 characters it is indexed all the same: texts take more than what the index keeps of them."""
    book = Book(queue)
    book.says(PLANNER, text_of(6, LONGEST // 4))
    assert not queue.jobs
    book.says(PLANNER, text_of(7, LONGEST // 4))

    assert len(queue.jobs) == 1
    assert book.flow.store.conversation("c").waiting_bytes == 0


def test_a_text_that_cannot_be_indexed_does_not_keep_others_from_being_searched(queue: Queue, monkeypatch: pytest.MonkeyPatch):
    """The failure is told, and the search goes on with what there is."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("broken")

    book = Book(queue)
    book.says(PLANNER, PAGE)
    with monkeypatch.context() as patch:
        patch.setattr(TextIndex, "add_steps", fail)
        book.reads(f"Do this: {PAGE}")
        with pytest.raises(ValueError, match="broken"):
            queue.work()
    _, method = book.reads(f"Do this: {PAGE}")

    assert "late" not in method


def test_a_search_that_fails_is_over(queue: Queue, monkeypatch: pytest.MonkeyPatch):
    """The failure is told once, and the text is its role's: it does not wait for ever."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("broken")

    book = Book(queue)
    book.says(PLANNER, PAGE)
    queue.work()
    book.reads(f"Do this: {PAGE}")
    with monkeypatch.context() as patch:
        patch.setattr(TextIndex, "find_all_steps", fail)
        with pytest.raises(ValueError, match="broken"):
            queue.work()
    origins, method = book.reads(f"Do this: {PAGE}")

    assert "agent:planner" not in origins
    assert "late" not in method
    assert not queue.jobs


@pytest.mark.parametrize("inline", [True, False])
def test_a_worker_finds_what_is_found_at_once(inline: bool):
    """In slices, on a thread or in the caller's."""
    errors: list[Exception] = []
    worker = Worker(lambda: None, on_error=errors.append, inline=inline)
    book, plain = Book(), Book()
    book.flow = FlowBook(1 << 24, pieces=True, submit=worker.submit)
    prompt = f"First {OTHER} and then {text_of(4, 5_000)[9_000:15_000]}"
    for each in (book, plain):
        each.says(PLANNER, text_of(4, 5_000))
        each.says(WRITER, OTHER)
        each.reads(prompt)
        worker.drain()

    assert book.reads(prompt) == plain.reads(prompt)
    assert not errors


def test_without_pieces_nothing_is_searched_and_nothing_indexed(queue: Queue):
    """`TOKEN_OTEL_FLOW=ids`."""
    book = Book(queue, is_searched=False)
    book.says(PLANNER, PAGE)
    origins, method = book.reads(f"Do this: {PAGE}")

    assert set(origins) == {"user", "unexplained"}
    assert "pieces" not in method
    assert not queue.jobs
    assert book.flow.store.conversation("c").index is None


def test_what_is_found_for_one_reader_is_right_for_another():
    """The planner reads its own words, others read the planner's: one search for all."""
    book = Book()
    book.says(PLANNER, PAGE)
    others, _ = book.reads(f"Do this: {PAGE}")
    own, _ = book.reads(f"Do this: {PAGE}", reader="planner")

    assert others["agent:planner"] == own["self"]


@pytest.mark.parametrize("first", ["critic", "editor"])
def test_a_contested_text_is_read_by_each_reader_for_itself(first: str):
    """Words that were given to the critic, and that the planner has repeated since: the user's to the one, the planner's to others."""
    book = Book()
    book.reads("Begin.", reader="planner")
    book.reads(f"Mind this: {PAGE}", reader="critic")
    book.says(PLANNER, PAGE)
    second = "editor" if first == "critic" else "critic"
    found = {reader: book.reads(f"Once more: {PAGE}", reader=reader)[0] for reader in (first, second)}

    assert "agent:planner" not in found["critic"]
    assert "agent:planner" in found["editor"]


def test_two_conversations_share_nothing():
    """Neither what was said nor what was found."""
    book = Book()
    book.says(PLANNER, PAGE, conversation="one")
    book.reads("Begin.", conversation="two")
    known, _ = book.reads(f"Do this: {PAGE}", conversation="one")
    unknown, _ = book.reads(f"Do this: {PAGE}", conversation="two")

    assert "agent:planner" in known
    assert "agent:planner" not in unknown


def test_what_is_too_long_is_marked():
    """262,144 characters of unknown text are searched in one call: what stands behind them stays with its role."""
    book = Book()
    book.says(PLANNER, PAGE)
    filler = text_of(5, LONGEST // 4)
    before, method = book.reads(f"{PAGE} {filler}")
    behind, cut = book.reads(f"{filler} {PAGE}")
    none, whole = book.reads(f"Short: {PAGE}")

    assert ("agent:planner" in before, "agent:planner" in behind, "agent:planner" in none) == (True, False, True)
    assert ("+cut" in method, "+cut" in cut, "+cut" in whole) == (True, True, False)


def test_a_conversation_may_be_evicted_while_its_index_is_filled(queue: Queue):
    """The job goes on into an index that nobody asks any more; the conversation begins anew."""
    book = Book(queue)
    book.flow = FlowBook(400_000, pieces=True, submit=queue.submit)
    book.says(PLANNER, text_of(6, 3_000))
    book.reads(f"Do that: {PAGE}")
    filling = queue.jobs.pop(0)()
    for _ in range(5):
        next(filling)
    for number in range(400):
        book.reads(f"Question {number}", conversation=f"other-{number}")
    evicted = book.flow.store.evicted
    for _ in filling:
        pass
    queue.work()
    book.says(PLANNER, PAGE)
    queue.work()
    book.reads(f"Do this: {PAGE}")
    queue.work()

    assert "agent:planner" in book.reads(f"Do this: {PAGE}")[0]
    assert evicted
    assert book.flow.store.bytes <= 400_000


def test_what_nobody_said_is_known_as_given_from_then_on():
    """A template that comes again around another page: its words were the user's, and are no agent's who repeats them."""
    counter, index = Counter(), TextIndex()
    match = Match(f"{PAGE} {OTHER}", "user")
    match.readers.add("critic")
    for _ in learn_steps(PLANNER, [OTHER], index):
        pass
    for _ in search_steps(index, [match], "critic", counter):
        pass
    [claim] = index.find(f"Look: {PAGE}")

    assert isinstance(claim.source, Given)
    assert (claim.source.origin, claim.source.readers) == ("user", {"critic"})
    assert [stretch.producer for stretch in match.stretches or ()] == [None, PLANNER]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(wild, min_size=1, max_size=4), dice=st.randoms(use_true_random=False))
def test_stretches_sum_to_one_and_origins_to_the_bill(texts: Sequence[str], dice: Random):
    """Whatever is quoted, in whatever form, by whomever it was said."""
    counter, index = Counter(), TextIndex()
    for number, text in enumerate([*texts, PAGE]):
        for _ in learn_steps(Producer("agent", f"a{number}"), [text], index):
            pass
    quotes = [dice.choice([text, json.dumps(text), text.upper()]) for text in [*texts, PAGE]]
    match = Match(" and ".join(dice.sample(quotes, len(quotes))), "user")
    for _ in search_steps(index, [match], "critic", counter):
        pass
    assert match.stretches is not None
    if match.stretches:
        assert sum(stretch.share for stretch in match.stretches) == pytest.approx(1)
        assert all(stretch.share > 0 for stretch in match.stretches)

    book = Book()
    for number, text in enumerate(texts):
        book.says(Producer("agent", f"a{number}"), text)
    bill = dice.randrange(1, 20_000)
    origins, _ = book.reads(*quotes, bill=bill)
    assert sum(origins.values()) == bill
