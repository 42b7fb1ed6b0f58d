"""The ledger: who is charged, what closes when, and that nothing is booked twice."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from tests.tapes import FlatBook

from token_otel.events import (
    AgentStarted,
    Ended,
    FirstChunk,
    Handoff,
    ModelEnded,
    ModelStarted,
    Part,
    Start,
    Status,
    StepStarted,
    ToolStarted,
    UsageSeen,
)
from token_otel.flow.book import FlowBook
from token_otel.ledger import Closed, Ledger, Posting, Run
from token_otel.prices import Tariff
from token_otel.usage import Usage

SECOND_NS = 1_000_000_000
WORDS = "The tokens flow between the agents."


class Books:
    """A ledger, its runs by id, and what it has closed."""

    def __init__(self, *, flow: bool = False, estimate: bool = False, max_open: int = 100) -> None:
        self.flow = FlowBook(1 << 20) if flow else None
        self.ledger = Ledger(FlatBook(), self.flow, grace_ns=30 * SECOND_NS, estimate=estimate, max_open=max_open)
        self.closed: list[Closed] = []
        self.runs: dict[str, Run] = {}

    def start(self, *events: Start) -> None:
        for event in events:
            run = self.ledger.start(event)
            if run is not None:
                self.runs[event.run_id] = run

    def end(self, *run_ids: str, status: Status = "ok", at_ns: int = 0, output: tuple[Part, ...] = ()) -> list[str]:
        return [
            name
            for run_id in run_ids
            for name in self.keep(self.ledger.end(Ended(run_id=run_id, status=status, at_ns=at_ns, output=output)))
        ]

    def bill(
        self, run_id: str, usage: Usage | None, *, status: Status = "ok", output: tuple[Part, ...] = (), local_cache: bool = False
    ) -> list[str]:
        end = ModelEnded(run_id=run_id, usage=usage, status=status, output=output, local_cache=local_cache, at_ns=0)
        return self.keep(self.ledger.end(end))

    def call(self, run_id: str, parent_id: str | None, usage: Usage | None, *, text: str = "", status: Status = "ok") -> None:
        self.start(ModelStarted(run_id=run_id, parent_id=parent_id, model="cheap", at_ns=0))
        self.bill(run_id, usage, status=status, output=(Part(kind="assistant", text=text),) if text else ())

    def keep(self, closed: list[Closed]) -> list[str]:
        self.closed += closed
        return [item.run.event.run_id for item in closed]

    def postings(self, run_id: str) -> list[Posting]:
        return [item.posting for item in self.closed if item.run.event.run_id == run_id and item.posting is not None]


@pytest.fixture
def books() -> Books:
    return Books()


ROOT = AgentStarted(run_id="a", name="supervisor", at_ns=0)
SUB = AgentStarted(run_id="b", parent_id="a", name="researcher", at_ns=0)
TOOL = ToolStarted(run_id="t", parent_id="a", name="search", at_ns=0)
CALL = ModelStarted(run_id="m", parent_id="a", model="cheap", at_ns=0)
USAGE = Usage(input=1_000, output=100)  # 1,000 x $3 + 100 x $15 + $0.001 for the request = $0.0055


def test_charges_the_nearest_agent_and_only_it(books: Books):
    """A call under a nested agent is that agent's spending, and part of its caller's subtree."""
    books.start(ROOT, SUB)
    books.call("1", "b", USAGE)
    books.call("2", "a", USAGE)

    assert (books.runs["b"].own.calls, books.runs["b"].own.cost_usd) == (1, Decimal("0.0055"))
    assert (books.runs["a"].own.calls, books.runs["a"].own.cost_usd) == (1, Decimal("0.0055"))
    assert (books.runs["a"].subtree.calls, books.runs["a"].subtree.cost_usd) == (2, Decimal("0.011"))
    assert (books.runs["a"].subtree.input, books.runs["a"].subtree.output) == (2_000, 200)


def test_a_bare_model_in_a_tool_is_charged_to_the_caller(books: Books):
    """The tool spends nothing of its own."""
    books.start(ROOT, TOOL)
    books.call("1", "t", USAGE)

    assert books.runs["a"].own.calls == 1
    assert books.runs["t"].own.calls == 0


def test_steps_and_workflows_pass_on_what_is_spent(books: Books):
    """A step owns nothing; a workflow has roll-ups as an agent has."""
    books.start(
        AgentStarted(run_id="w", kind="workflow", name="pipeline"),
        StepStarted(run_id="s", parent_id="w"),
        AgentStarted(run_id="x", parent_id="s", name="writer"),
    )
    books.call("1", "x", USAGE)
    books.call("2", "s", USAGE)

    assert (books.runs["x"].own.calls, books.runs["w"].own.calls, books.runs["w"].subtree.calls) == (1, 1, 2)


def test_a_call_without_an_agent_is_charged_to_nobody(books: Books):
    """It is posted all the same."""
    books.call("1", None, USAGE)

    [posting] = books.postings("1")
    assert posting.cost.total_usd == Decimal("0.0055")


def test_what_is_spent_beneath_a_closed_agent_is_still_its_own(books: Books):
    """Fire and forget."""
    books.start(ROOT, CALL)
    books.end("a")
    books.bill("m", USAGE)

    assert books.runs["a"].own.calls == 1


def test_a_cancelled_run_takes_its_children_with_it_at_once(books: Books):
    """Children before their parents, each once; what they report later is a late end."""
    books.start(ROOT, TOOL, SUB, ModelStarted(run_id="m", parent_id="b", model="cheap", at_ns=0))

    assert books.end("a", status="cancelled") == ["m", "b", "t", "a"]
    assert [item.event.status for item in books.closed] == ["cancelled"] * 4
    assert books.ledger.open_runs == 0


@pytest.mark.parametrize("status", ["ok", "error", "interrupted"])
def test_children_of_any_other_end_get_a_grace(books: Books, status: Status):
    """30 seconds from their parent's end, and no more."""
    books.start(ROOT, CALL)
    books.end("a", status=status, at_ns=10 * SECOND_NS)

    assert books.keep(books.ledger.overdue(40 * SECOND_NS - 1)) == []
    assert books.keep(books.ledger.overdue(40 * SECOND_NS)) == ["m"]
    assert books.closed[-1].event.at_ns == 40 * SECOND_NS


def test_a_cancelled_run_takes_the_children_of_a_child_that_failed(books: Books):
    """A step that is over stands between them and hides nothing."""
    books.start(ROOT, StepStarted(run_id="s", parent_id="a"), ModelStarted(run_id="m", parent_id="s", model="cheap", at_ns=0))
    books.end("s", status="error")

    assert books.end("a", status="cancelled") == ["m", "a"]


def test_an_agent_says_how_many_calls_are_still_open(books: Books):
    """Those beneath a child that is over included."""
    books.start(ROOT, StepStarted(run_id="s", parent_id="a"), ModelStarted(run_id="m", parent_id="s", model="cheap"), CALL_2)
    books.end("s", status="error")
    books.end("a")

    assert books.closed[-1].open_calls == 2


CALL_2 = ModelStarted(run_id="m2", parent_id="a", model="cheap")


def test_the_grace_counts_from_the_first_parent_that_ended(books: Books):
    """One that ends later gives no new one."""
    books.start(ROOT, StepStarted(run_id="s", parent_id="a"), ModelStarted(run_id="m", parent_id="s", model="cheap", at_ns=0))
    books.end("s", at_ns=0)
    books.end("a", at_ns=20 * SECOND_NS)

    assert books.keep(books.ledger.overdue(30 * SECOND_NS)) == ["m"]


def test_a_deadline_far_away_holds_no_other_up(books: Books):
    """A parent that ended in another century, by its own clock."""
    books.start(
        ROOT, CALL, AgentStarted(run_id="c", name="other", at_ns=0), ModelStarted(run_id="n", parent_id="c", model="cheap", at_ns=0)
    )
    books.end("a", at_ns=1 << 62)
    books.end("c", at_ns=0)

    assert books.keep(books.ledger.overdue(30 * SECOND_NS)) == ["n"]


def test_what_starts_beneath_a_closed_run_has_its_grace_too(books: Books):
    """Counted from its own start."""
    books.start(ROOT)
    books.end("a", at_ns=0)
    books.start(ModelStarted(run_id="m", parent_id="a", model="cheap", at_ns=100 * SECOND_NS))

    assert books.keep(books.ledger.overdue(129 * SECOND_NS)) == []
    assert books.keep(books.ledger.overdue(130 * SECOND_NS)) == ["m"]


def test_without_the_grace_orphans_close_now(books: Books):
    """A flush gives none; runs whose parents are open stay open."""
    books.start(ROOT, CALL, AgentStarted(run_id="c", name="open", at_ns=0))
    books.end("a", at_ns=5)

    assert books.keep(books.ledger.overdue(7, grace=False)) == ["m"]
    assert books.closed[-1].event.at_ns == 7
    assert books.ledger.open_runs == 1


def test_a_call_that_is_cut_is_billed_with_what_was_seen(books: Books):
    """As cancelled, not as an error, and only partly known."""
    books.start(ROOT, CALL)
    books.ledger.usage_seen(UsageSeen(run_id="m", usage=Usage(input=500)))
    books.ledger.usage_seen(UsageSeen(run_id="m", usage=Usage(input=1_000, output=40)))
    books.end("a", status="cancelled")

    [posting] = books.postings("m")
    assert (posting.usage, posting.usage_status, posting.complete) == (Usage(input=1_000, output=40), "partial", False)
    assert books.runs["a"].own.incomplete == 1


def cut(books: Books, seen: Usage | None) -> None:
    books.start(ROOT, CALL)
    if seen is not None:
        books.ledger.usage_seen(UsageSeen(run_id="m", usage=seen))
    books.end("a", status="cancelled")


def test_a_late_end_books_only_what_the_first_lacked(books: Books):
    """At the price of the whole, with its fee paid once; it is no second call, and completes the first."""
    cut(books, Usage(input=1_000, output=40))
    books.bill("m", USAGE)

    first, rest = books.postings("m")
    assert rest.usage == Usage(output=60)
    assert (rest.cost.fees_usd, rest.cost.total_usd) == (0, Decimal("0.0009"))  # 60 x $15
    assert (first.cost.total_usd or 0) + (rest.cost.total_usd or 0) == Decimal("0.0055")
    assert (books.runs["a"].own.calls, books.runs["a"].own.incomplete, books.runs["a"].own.output) == (1, 0, 100)
    assert books.closed[-1].late


def test_a_late_end_after_nothing_was_seen_books_everything(books: Books):
    """Once: a second late end is a repetition."""
    cut(books, None)

    assert books.bill("m", USAGE) == ["m"]
    assert books.bill("m", USAGE) == []
    assert [posting.usage for posting in books.postings("m")] == [None, USAGE]
    assert (books.runs["a"].own.calls, books.runs["a"].own.cost_usd) == (1, Decimal("0.0055"))


@pytest.mark.parametrize("usage", [None, Usage(input=1_000, output=40), Usage(input=900), Usage()])
def test_a_late_end_with_nothing_more_books_nothing(books: Books, usage: Usage | None):
    """What was seen is not booked again."""
    cut(books, Usage(input=1_000, output=40))

    assert books.bill("m", usage) == []
    assert len(books.postings("m")) == 1


def test_the_answer_of_a_late_end_is_known_to_the_flow():
    """Even where it costs nothing more."""
    books = Books(flow=True)
    cut(books, Usage(input=1_000, output=40))
    books.bill("m", None, output=(Part(kind="assistant", text=WORDS),))
    assert books.flow is not None

    [item] = books.flow.read((Part(kind="user", text=WORDS),), "other", "run:a").reads
    assert item.origin == "agent:supervisor"


def test_a_late_end_pays_the_tier_of_the_whole_prompt(books: Books):
    """100,000 tokens were seen, 300,000 are billed: dearer above 200,000."""
    books.start(ROOT, ModelStarted(run_id="m", parent_id="a", model="tiered", at_ns=0))
    books.ledger.usage_seen(UsageSeen(run_id="m", usage=Usage(input=100_000, output=0)))
    books.end("a", status="cancelled")
    books.bill("m", Usage(input=300_000, output=0))

    # first 100,000 x $1; the whole 300,000 x $2
    assert [posting.cost.total_usd for posting in books.postings("m")] == [Decimal("0.1"), Decimal("0.5")]


def test_a_repeated_start_opens_nothing(books: Books):
    """Nor does one after its end."""
    books.start(CALL)
    assert books.ledger.start(CALL) is None
    books.bill("m", USAGE)
    assert books.ledger.start(CALL) is None

    assert books.ledger.open_runs == 0


def test_a_repeated_or_foreign_end_closes_nothing(books: Books):
    """Two handlers on one run."""
    books.call("1", None, USAGE)

    assert books.bill("1", USAGE) == []
    assert books.end("1", "nobody") == []
    assert len(books.postings("1")) == 1


def test_an_answer_from_the_local_cache_is_no_call(books: Books):
    """It has cost nothing, and is complete; what it saved is told."""
    books.start(ROOT, CALL)
    books.bill("m", USAGE, local_cache=True)

    [posting] = books.postings("m")
    assert posting.saved is not None
    assert (posting.usage, posting.cost.status, posting.cost.total_usd) == (None, "cached", None)
    assert (posting.saved.usage, posting.saved.cost.total_usd) == (USAGE, Decimal("0.0055"))
    assert (books.runs["a"].own.calls, books.runs["a"].own.incomplete, books.runs["a"].own.cost_usd) == (0, 0, 0)


def test_a_refused_attempt_has_cost_nothing(books: Books):
    """Each attempt is a call; one that failed without a bill leaves nothing unknown."""
    books.start(ROOT)
    books.call("1", "a", None, status="error")
    books.call("2", "a", USAGE)

    assert books.postings("1")[0].refused
    assert (books.runs["a"].own.calls, books.runs["a"].own.incomplete) == (2, 0)


def test_a_refused_attempt_has_read_nothing():
    """Its retry reads the prompt for the first time."""
    books = Books(flow=True)
    prompt = (Part(kind="user", text=WORDS),)
    attempts: list[tuple[str, Usage | None, Status]] = [("1", None, "error"), ("2", USAGE, "ok")]
    for run_id, usage, status in attempts:
        books.start(ModelStarted(run_id=run_id, parent_id=None, conversation_id="c", model="cheap", prompt=prompt))
        books.bill(run_id, usage, status=status)

    assert all(share.new for share in books.postings("2")[0].shares)


def test_a_cost_without_tokens_is_still_a_cost(books: Books):
    """The provider says what it charges, and nothing else: the total is known, the call is incomplete."""
    books.start(ROOT)
    books.start(ModelStarted(run_id="1", parent_id="a", model="cheap", at_ns=0))
    books.keep(books.ledger.end(ModelEnded(run_id="1", cost_usd=Decimal("0.02"), at_ns=0)))

    [posting] = books.postings("1")
    assert (posting.usage, posting.cost.total_usd, posting.cost.source) == (None, Decimal("0.02"), "provider")
    assert (books.runs["a"].own.cost_usd, books.runs["a"].own.incomplete) == (Decimal("0.02"), 1)


def test_an_unreported_call_is_incomplete(books: Books):
    """Neither its tokens nor its cost are known."""
    books.start(ROOT)
    books.call("1", "a", None)

    [posting] = books.postings("1")
    assert (posting.usage, posting.usage_status, posting.cost.status, posting.estimated) == (None, "unreported", "unpriced", None)
    assert books.runs["a"].own.incomplete == 1


@pytest.mark.parametrize(("estimate", "status", "usage"), [(False, "unreported", None), (True, "estimated", Usage(input=7, output=2))])
def test_an_estimate_takes_the_place_of_a_report_where_it_is_asked_to(estimate: bool, status: str, usage: Usage | None):
    """7 = 0 counted, 4 for the message and 3 hidden; 2 written."""
    books = Books(flow=True, estimate=estimate)
    books.start(ModelStarted(run_id="m", model="cheap", prompt=(Part(kind="user"),)))
    books.bill("m", None, output=(Part(kind="assistant", text="hello world"),))

    [posting] = books.postings("m")
    assert (posting.estimated, posting.usage_status, posting.usage) == ((7, 2), status, usage)


def test_the_model_that_answered_is_priced(books: Books):
    """Else the one the stream named, else the one that was asked."""
    for run_id, seen, answered in (("1", None, "tiered"), ("2", "tiered", None), ("3", None, None), ("4", None, "no-such-snapshot")):
        books.start(ModelStarted(run_id=run_id, model="cheap", at_ns=0))
        if seen:
            books.ledger.usage_seen(UsageSeen(run_id=run_id, usage=Usage(input=1), model=seen))
        books.keep(books.ledger.end(ModelEnded(run_id=run_id, usage=Usage(input=1_000_000, output=0), model=answered)))

    assert [books.postings(run_id)[0].cost.input_usd for run_id in "1234"] == [2, 2, 3, 3]
    assert [books.postings(run_id)[0].model for run_id in "1234"] == ["tiered", "tiered", "cheap", "no-such-snapshot"]


def test_the_oldest_run_goes_when_too_many_are_open():
    """With what is open beneath it."""
    books = Books(max_open=3)
    books.start(ROOT, CALL, AgentStarted(run_id="c", name="x"), AgentStarted(run_id="d", name="y"))

    assert books.keep(books.ledger.overdue(9)) == ["m", "a"]
    assert books.ledger.open_runs == 2


def test_settling_closes_everything_children_first(books: Books):
    """The process stops."""
    books.start(ROOT, TOOL, SUB, CALL)
    closed = books.keep(books.ledger.settle(9))

    assert sorted(closed) == ["a", "b", "m", "t"]
    assert closed[-1] == "a"
    assert {item.event.status for item in books.closed} == {"cancelled"}


def test_ten_thousand_runs_may_be_nested():
    """No recursion gives out."""
    books = Books(max_open=20_000)
    books.start(*(StepStarted(run_id=str(number), parent_id=str(number - 1)) for number in range(10_000)))

    assert books.end("0", status="cancelled") == [str(number) for number in reversed(range(10_000))]


@pytest.mark.parametrize(("run_id", "parent_id"), [("a", "a"), ("a", "b")])
def test_a_circle_of_parents_is_cut_where_it_closes(books: Books, run_id: str, parent_id: str):
    """A parent is a run that started before."""
    books.start(StepStarted(run_id=run_id, parent_id=parent_id), StepStarted(run_id="b", parent_id="a"))
    books.call("1", "b", USAGE)

    assert books.runs["a"].parent is None
    assert books.end("a", status="cancelled") == ["b", "a"]


def test_a_clock_that_runs_backwards_ends_a_run_when_it_began(books: Books):
    """No duration is negative; a first chunk comes no earlier either."""
    books.start(ModelStarted(run_id="m", model="cheap", at_ns=100))
    books.ledger.first_chunk(FirstChunk(run_id="m", at_ns=50))
    books.ledger.first_chunk(FirstChunk(run_id="m", at_ns=500))
    books.keep(books.ledger.end(ModelEnded(run_id="m", at_ns=40)))

    assert books.runs["m"].first_chunk_ns == 100
    assert books.closed[-1].event.at_ns == 100


def test_handoffs_stand_on_the_agent_that_hands_off(books: Books):
    """Whichever of its runs reports it."""
    books.start(ROOT, TOOL)
    books.ledger.handoff(Handoff(run_id="t", to_agent="writer"))
    books.ledger.handoff(Handoff(run_id="nobody", to_agent="writer"))

    assert books.runs["a"].handoffs == ["writer"]


def test_a_closed_run_keeps_no_prompt_alive():
    """Its words go with its end; a run that was cut keeps their sizes, for its real end."""
    books = Books(flow=True)
    prompt = (Part(kind="user", text=WORDS * 9),)
    books.start(ModelStarted(run_id="1", model="cheap", prompt=prompt), ModelStarted(run_id="2", model="cheap", prompt=prompt))
    books.bill("1", USAGE)
    books.keep(books.ledger.settle(9))

    one, two = (run.event for run in (books.runs["1"], books.runs["2"]))
    assert isinstance(one, ModelStarted)
    assert isinstance(two, ModelStarted)
    assert one.prompt == two.prompt == ()
    assert books.runs["1"].reading is None
    assert WORDS not in repr(books.runs["2"].reading)
    books.bill("2", USAGE)
    assert sum(share.tokens for share in books.postings("2")[-1].shares if share.origin == "user") > 50


def test_a_fork_leaves_open_runs_to_the_parent(books: Books):
    """They stay known as parents, and end in the process in which they began."""
    books.start(ROOT, CALL)
    books.ledger.forget_open()
    books.call("1", "a", USAGE)

    assert books.bill("m", USAGE) == []
    assert books.ledger.open_runs == 0
    assert books.runs["1"].parent is books.runs["a"]


class Broken(FlatBook):
    """A price book that fails."""

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> None:
        raise RuntimeError("broken")


def test_a_price_book_that_fails_costs_the_price_alone():
    """The tokens are booked; without anyone to tell, the error is raised."""
    told: list[Exception] = []
    ledger = Ledger(Broken(), None, on_error=told.append)
    ledger.start(CALL)
    [closed] = ledger.end(ModelEnded(run_id="m", usage=USAGE))
    strict = Ledger(Broken(), None)
    strict.start(CALL)

    assert closed.posting is not None
    assert (closed.posting.usage, closed.posting.usage_status, closed.posting.cost.status) == (USAGE, "reported", "unpriced")
    assert [str(error) for error in told] == ["broken"]
    with pytest.raises(RuntimeError, match="broken"):
        strict.end(ModelEnded(run_id="m", usage=USAGE))


def test_a_program_that_rounds_its_decimals_does_not_round_ours():
    """The context is the caller's; the books keep their own."""
    books = Books(flow=True)
    with localcontext() as context:
        context.prec = 3
        books.start(ROOT)
        books.call("1", "a", Usage(input=123_456, output=789))

    # 123,456 x $3 + 789 x $15 + $0.001
    assert books.postings("1")[0].cost.total_usd == Decimal("0.383203")
    assert books.runs["a"].own.cost_usd == Decimal("0.383203")


class Fickle(FlatBook):
    """A price book that fails from its second question on."""

    asked = 0

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError("broken")
        return super().find(provider=provider, model=model, at_ns=at_ns, service_tier=service_tier)


def test_a_late_end_whose_price_cannot_be_found_books_only_what_lacked():
    """A failure books no token twice."""
    ledger = Ledger(Fickle(), None, on_error=lambda _error: None)
    ledger.start(CALL)
    ledger.usage_seen(UsageSeen(run_id="m", usage=Usage(input=1_000, output=40)))
    ledger.settle(9)
    [closed] = ledger.end(ModelEnded(run_id="m", usage=USAGE))

    assert closed.posting is not None
    assert (closed.posting.usage, closed.posting.cost.status, closed.posting.usage_status) == (Usage(output=60), "unpriced", "reported")


def test_a_flow_that_fails_costs_the_flow_alone(monkeypatch: pytest.MonkeyPatch):
    """Runs open and close, and each failure is told."""
    books = Books(flow=True)
    assert books.flow is not None
    told: list[str] = []

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    for door in ("read", "split", "produced", "answered"):
        monkeypatch.setattr(books.flow, door, broken)
    books.ledger = Ledger(FlatBook(), books.flow, on_error=lambda error: told.append(str(error)))
    books.start(ROOT, ToolStarted(run_id="t", parent_id="a", name="search", call_id="call_0"), CALL)
    books.bill("m", USAGE, output=(Part(kind="assistant", text=WORDS),))
    books.end("t", "a", output=(Part(kind="tool_result", text=WORDS),))

    assert books.postings("m")[0].usage == USAGE
    assert (books.ledger.open_runs, books.runs["a"].own.cost_usd) == (0, Decimal("0.0055"))
    assert told == ["broken"] * 4  # reading the prompt, the answer, whose the tool's result is, the result
