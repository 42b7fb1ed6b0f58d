"""The sums, the accounts, the matrix and the lives of messages, each figure worked out on paper."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel.ledger.run import DEAREST
from token_otel.otel import flows
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import LinkRecord, SpanRecord
from token_otel.report import Report, build
from token_otel.report.accounts import Account
from token_otel.report.calls import CUT_AT, OTHER
from token_otel.report.messages import Message


def account(report: Report, name: str) -> Account:
    [found] = [account for account in report.accounts if account.name == name]
    return found


def message(report: Report, named: str) -> Message:
    """The message of a span, by its `traceid:spanid`, or that of `role>reader`."""
    names = {":".join(each.producer) if each.producer else f"{each.origin}>{','.join(each.readers)}": each for each in report.messages}
    return names[named]


def cells(report: Report) -> dict[tuple[str, str], tuple[int, int]]:
    """The matrix in tokens and millionths of a USD."""
    return {key: (cell.tokens, int(cell.cost_usd * 1_000_000)) for key, cell in report.matrix.cells.items()}


def test_arrays_are_cut_where_the_writers_cut_them():
    """What may be incomplete is known by its length."""
    assert (CUT_AT, CUT_AT, OTHER) == (flows.TOP, DEAREST, flows.OTHER)


def test_totals_are_sums_over_the_model_calls(team: Any):
    """Tokens and money come from the calls alone, to the last digit."""
    totals = team.report.totals

    assert totals.calls == 6
    # a1 + b1 + b2 + a2 + d1 + a3
    assert totals.input == 100 + 80 + 300 + 220 + 220 + 500 == 1420
    assert totals.output == 20 + 10 + 100 + 30 + 200 + 50 == 410
    assert totals.cache_read == 50 + 220
    assert totals.input_usd == Decimal("0.000200") + Decimal("0.000160") + Decimal("0.000510") + 2 * Decimal("0.000440") + Decimal(
        "0.000604"
    )
    assert totals.output_usd == Decimal("0.0041")
    assert totals.cost_usd == Decimal("0.006454")
    # new are 100, 80, 220, 120, 220 and 280
    assert (totals.traced, totals.reread) == (1420, 1420 - 1020)


def test_money_is_summed_as_it_was_written(spans: Any):
    """Ten times 0.1 is 1, which it is not in doubles."""
    for i in range(10):
        spans.call(f"a{i}", None, "a", reads={"user": (1, 0)}, output=(1, 100_000))

    assert spans.report.totals.cost_usd == Decimal(1)


def test_an_agents_own_account_has_its_own_calls(team: Any):
    """Each call is charged to one agent."""
    own = {each.name: (each.own.calls, each.own.input, each.own.output, each.own.cost_usd) for each in team.report.accounts}

    assert own == {
        "team": (0, 0, 0, Decimal()),
        # a1, a2, a3: 100 + 220 + 500, 20 + 30 + 50, 400 + 740 + 1104 millionths
        "supervisor": (3, 820, 100, Decimal("0.002244")),
        # b1, b2: 80 + 300, 10 + 100, 260 + 1510
        "researcher": (2, 380, 110, Decimal("0.001770")),
        # d1: 440 + 2000
        "writer": (1, 220, 200, Decimal("0.002440")),
    }
    assert sum(cost for *_, cost in own.values()) == team.report.totals.cost_usd


def test_a_subtree_adds_the_agents_beneath_and_not_those_beside(team: Any):
    """The researcher ran beneath the supervisor's tool; the writer got a hand-off and runs beside it."""
    subtree = {each.name: (each.depth, each.subtree.calls, each.subtree.input, each.subtree.cost_usd) for each in team.report.accounts}

    assert subtree == {
        "team": (0, 6, 1420, Decimal("0.006454")),
        # 820 + 380 tokens, 2244 + 1770 millionths
        "supervisor": (1, 5, 1200, Decimal("0.004014")),
        "researcher": (2, 2, 380, Decimal("0.001770")),
        "writer": (1, 1, 220, Decimal("0.002440")),
    }
    assert [each.kind for each in team.report.accounts] == ["workflow", "agent", "agent", "agent"]
    assert [each.runs for each in team.report.accounts] == [2, 2, 1, 1]


def test_the_share_that_was_read_before(team: Any):
    """Of the supervisor's 820 tokens 100 were re-read in its second call and 220 in its third."""
    own = account(team.report, "supervisor").own

    assert (own.reread, own.reread_share) == (320, 320 / 820)
    assert account(team.report, "team").own.reread_share is None


def test_an_agent_beneath_itself_counts_each_call_once(spans: Any):
    """Recursion adds nothing to a subtree."""
    spans.agent("1", None, "a")
    spans.agent("2", "1", "b", at=1)
    spans.agent("3", "2", "a", at=2)
    spans.call("c", "3", "a", at=3, reads={"user": (10, 20)}, output=(1, 10))

    assert {each.name: (each.depth, each.own.calls, each.subtree.calls) for each in spans.report.accounts} == {
        "a": (0, 1, 1),
        "b": (1, 0, 1),
    }


def test_a_call_without_an_agent_has_an_account(spans: Any):
    """A bare call is nobody's, which is how the flow names it too."""
    spans.call("c", None, None, reads={"self": (10, 20)}, output=(1, 10))

    assert [(each.name, each.runs, each.own.calls) for each in spans.report.accounts] == [("agent", 0, 1)]
    assert list(spans.report.matrix.cells) == [("agent:agent", "agent")]


def test_the_matrix_says_who_read_whom(team: Any):
    """`self` is the agent that reads; the cells are tokens and millionths of a USD."""
    assert cells(team.report) == {
        ("system", "supervisor"): (60 + 60 + 60, 120 + 120 + 12),
        ("user", "supervisor"): (40 + 40 + 50, 80 + 80 + 28),
        ("agent:supervisor", "supervisor"): (20 + 50, 40 + 64),
        ("agent:researcher", "supervisor"): (100 + 100, 200 + 20),
        ("agent:writer", "supervisor"): (200, 400),
        ("unexplained", "supervisor"): (40, 80),
        ("system", "researcher"): (50 + 50, 100 + 10),
        ("agent:supervisor", "researcher"): (30 + 30, 60 + 60),
        ("tool:web", "researcher"): (210, 420),
        ("agent:researcher", "researcher"): (10, 20),
        ("system", "writer"): (30, 60),
        ("user", "writer"): (40, 80),
        ("agent:supervisor", "writer"): (50, 100),
        ("agent:researcher", "writer"): (100, 200),
    }
    assert team.report.matrix.consumers == ("supervisor", "researcher", "writer")
    assert team.report.matrix.producers[:3] == ("agent:researcher", "system", "tool:web")


def test_the_matrix_sums_to_the_bill(team: Any):
    """Rows, columns and all of it."""
    matrix, totals = team.report.matrix, team.report.totals

    assert (matrix.total().tokens, matrix.total().cost_usd) == (totals.input, totals.input_usd)
    for name in matrix.consumers:
        assert matrix.total(consumers=[name]).tokens == account(team.report, name).own.input
    assert sum(matrix.total(producers=[name]).tokens for name in matrix.producers) == totals.input


def test_input_whose_origin_was_not_looked_for_is_a_row(spans: Any):
    """Without a flow, and where its arrays do not sum to the bill, the matrix still does."""
    spans.call("a", None, "a", reads={"user": (10, 20)}, output=(1, 10))
    spans.call("b", None, "a", attributes={sc.INPUT_TOKENS: 7, sc.COST_INPUT: 0.5, sc.COST_TOTAL: 0.5})
    spans.call("c", None, "a", reads={"user": (10, 20)}, output=(1, 10), attributes={sc.INPUT_TOKENS: 12})

    assert cells(spans.report) == {("user", "a"): (20, 40), ("untraced", "a"): (9, 500_000)}
    assert spans.report.totals.input == 10 + 7 + 12


def test_tokens_without_a_price_are_counted(spans: Any):
    """A cell says how many of its tokens are in no sum of money; a local model's are free of charge."""
    flow = {sc.INPUT_TOKENS: 10, sc.FLOW_ORIGINS: ("user",), sc.FLOW_TOKENS: (10,)}
    spans.call("a", None, "a", attributes={**flow, sc.COST_STATUS: "unpriced"})
    spans.call("b", None, "b", attributes={**flow, sc.COST_STATUS: "local"})

    assert [cell.unpriced for cell in spans.report.matrix.cells.values()] == [10, 0]
    assert (spans.report.totals.unpriced, spans.report.totals.local) == (1, 1)


def test_the_life_of_a_message(team: Any):
    """The researcher's answer is put out once, read first by two agents, and once more from the cache."""
    answer = message(team.report, team.ref("b2"))

    assert (answer.origin, answer.output_tokens, answer.output_usd) == ("agent:researcher", 100, Decimal("0.001"))
    assert (answer.first_tokens, answer.reads, answer.rereads) == (100, 3, 1)
    # a2 + d1 + a3
    assert (answer.tokens, answer.cost_usd) == (100 + 100 + 100, Decimal("0.00042"))
    assert (answer.readers, answer.at_least, answer.unpriced) == (("supervisor", "writer"), False, 0)


def test_a_tools_result_is_put_out_for_nothing(team: Any):
    """What a tool returns costs when it is read."""
    result = message(team.report, team.ref("c1"))

    assert (result.origin, result.output_tokens, result.output_usd) == ("tool:web", None, None)
    assert (result.reads, result.rereads, result.tokens, result.cost_usd) == (1, 0, 210, Decimal("0.00042"))


def test_a_role_is_a_message_to_each_reader(team: Any):
    """Each agent has a system prompt of its own; unexplained tokens are no message."""
    prompt = message(team.report, "system>supervisor")

    assert (prompt.producer, prompt.first_tokens, prompt.reads, prompt.rereads) == (None, 60, 3, 2)
    assert (prompt.tokens, prompt.cost_usd) == (180, Decimal("0.000252"))
    assert not [each for each in team.report.messages if each.origin == "unexplained"]


def test_the_dearest_come_first(team: Any):
    """By money, then by tokens; together they are the bill, but for what is unexplained."""
    messages = team.report.messages

    assert [":".join(each.producer or ()) or each.origin for each in messages[:4]] == [
        team.ref("b2"),  # 420 millionths, 300 tokens
        team.ref("c1"),  # 420, 210
        team.ref("d1"),  # 400
        "system",  # 252
    ]
    assert sum(each.tokens for each in messages) == 1420 - 40
    assert sum(each.cost_usd for each in messages) == team.report.totals.input_usd - Decimal("0.00008")


def test_a_text_is_reread_when_its_first_reading_call_is_over(spans: Any):
    """The call that ends first read it first, however they started."""
    spans.tool("t", None, "web")
    spans.call("a", None, "a", at=1, ends=9, reads={"tool:web": (5, 10)}, of={spans.ref("t"): (5, 10)}, output=(1, 1))
    spans.call("b", None, "a", at=2, ends=8, reads={"tool:web": (6, 12)}, of={spans.ref("t"): (6, 12)}, output=(1, 1))
    found = message(spans.report, spans.ref("t"))

    assert (found.first_tokens, found.reads, found.rereads, found.tokens) == (6, 2, 1, 11)


def test_what_was_cut_is_at_least_that(spans: Any):
    """A call names its 16 largest producers: it may have read smaller texts of its conversation, and no larger one."""
    ref = spans.ref
    spans.tool("f0", None, "big")
    spans.tool("f1", None, "small", at=1)
    spans.tool("f2", None, "later", at=50)
    spans.agent("1", None, "a")
    sixteen = {ref(f"{i:x}", "9"): (20, 40) for i in range(16)}
    spans.call("c1", "1", "a", at=10, reads={"self": (320, 640), "tool:small": (15, 30), "system": (5, 10)}, of=sixteen, output=(1, 1))
    three = {ref("f0"): (900, 1800), ref("f1"): (15, 30), ref("f2"): (15, 30)}
    reads = {"tool:big": (900, 1800), "tool:small": (15, 30), "tool:later": (15, 30), "system": (5, 10)}
    spans.call("c2", "1", "a", at=60, reads=reads, of=three, output=(1, 1))
    spans.call("c3", "1", "a", at=61, reads={"tool:gone": (7, 14)}, output=(1, 1))
    report = spans.report

    assert message(report, ref("f1")).at_least
    assert not message(report, ref("f0")).at_least  # would have been named
    assert not message(report, ref("f2")).at_least  # was not there yet
    assert not message(report, ref("0", "9")).at_least  # is named
    assert not message(report, "system>a").at_least  # a role is no span
    assert message(report, "tool:gone>a").at_least  # of which spans the first call read is not known
    assert sum(each.tokens for each in report.messages) == 16 * 20 + 900 + 15 + 15 + 5 + 5 + 7


@pytest.mark.parametrize(("entries", "hidden"), [(3, False), (16, True)])
def test_what_an_agent_lists_is_not_hidden(spans: Any, entries: int, hidden: bool):
    """Its own span tells what its call was too full to name: all of it if there are fewer than 16 entries."""
    ref = spans.ref
    spans.tool("f1", None, "listed")
    spans.tool("f2", None, "unlisted")
    read = {ref("f1"): (15, 30), ref("f2"): (15, 30)}
    spans.call("d", None, "b", at=1, reads={"tool:listed": (15, 30), "tool:unlisted": (15, 30), "user": (1, 2)}, of=read, output=(1, 1))
    labels = (ref("f1"), *[ref(f"{i:x}", "9") for i in range(entries - 1)])
    spans.agent("1", None, "a", attributes={sc.AGENT_MESSAGE_PRODUCERS: labels, sc.AGENT_MESSAGE_TOKENS: (1,)})
    sixteen = {ref(f"{i:x}", "9"): (20, 40) for i in range(16)}
    spans.call("c", "1", "a", at=10, reads={"self": (320, 640), "tool:x": (9, 18)}, of=sixteen, output=(1, 1))

    assert {":".join(each.producer or ()) for each in spans.report.messages if each.at_least} == ({ref("f2")} if hidden else set())


def test_sixteen_that_are_all_are_not_cut(spans: Any):
    """16 producers that explain every token leave nothing out."""
    sixteen = {spans.ref(f"{i:x}", "9"): (2, 4) for i in range(16)}
    spans.call("c", None, "a", reads={"self": (32, 64)}, of=sixteen, output=(1, 1))

    assert not any(each.at_least for each in spans.report.messages)


def test_origins_that_were_cut_leave_every_row_at_least(spans: Any):
    """The 17th origin is among `other`: a row of the matrix, and no message, but perhaps more of one."""
    spans.call("c", None, "a", reads={"user": (30, 60), "other": (5, 10)}, output=(1, 1))
    spans.call("d", None, "a", at=1, reads={"user": (30, 60), "system": (5, 10), "media": (90, 180)}, output=(1, 1))
    report = spans.report

    assert report.matrix.cut
    assert cells(report)["other", "a"] == (5, 10)
    assert {each.origin: each.at_least for each in report.messages} == {"user": False, "system": True, "media": False}


def test_an_agents_span_knows_more_than_its_calls(spans: Any):
    """What its calls were too full to name stands on the agent's own span, exact over all its reads."""
    dearest: Any = {
        sc.AGENT_MESSAGE_PRODUCERS: (spans.ref("t"), "self", "system", "unexplained"),
        sc.AGENT_MESSAGE_READS: (3, 2, 1, 1),
        sc.AGENT_MESSAGE_TOKENS: (900, 40, 5, 1),
        sc.AGENT_MESSAGE_COST: (0.0018, 0.00008, 0.00001, 0.1),
    }
    spans.agent("1", None, "a", attributes=dearest)
    spans.tool("t", "1", "web")
    spans.call("c", "1", "a", at=1, reads={"tool:web": (300, 600), "system": (5, 10)}, of={spans.ref("t"): (300, 600)}, output=(1, 1))
    report = spans.report

    web = message(report, spans.ref("t"))
    assert (web.reads, web.tokens, web.cost_usd, web.first_tokens) == (3, 900, Decimal("0.0018"), 300)
    own = message(report, "agent:a>a")
    assert (own.reads, own.tokens, own.cost_usd, own.first_tokens) == (2, 40, Decimal("0.00008"), None)
    assert message(report, "system>a").tokens == 5
    assert not any(each.origin == "unexplained" for each in report.messages)


def test_a_producer_in_another_file_is_named_by_its_readers_link(spans: Any):
    """The link says whose text it is; without one it is a text of nobody we know."""
    spans.call(
        "c",
        None,
        "a",
        reads={"agent:b": (5, 10), "self": (3, 6), "tool:x": (4, 8)},
        of={spans.ref("e", "9"): (5, 10), spans.ref("f", "9"): (3, 6)},
        output=(1, 1),
        links=[LinkRecord(f"{9:0<32}", f"{'e':0<16}", {sc.LINK_TYPE: sc.INFORMED_BY, sc.LINK_ORIGIN: "agent:b"})],
    )
    report = spans.report

    assert message(report, spans.ref("e", "9")).origin == "agent:b"
    assert message(report, spans.ref("f", "9")).origin is None
    # Whose the rest is cannot be told while a producer is unknown.
    assert len(report.messages) == 2


def test_a_producer_that_is_no_span_is_passed_over(spans: Any):
    """A label that names no span leaves its tokens with their origin."""
    spans.call("c", None, "a", reads={"self": (5, 10)}, of={"somebody": (5, 10)}, output=(1, 1))

    assert message(spans.report, "agent:a>a").tokens == 5


def test_what_no_span_is_named_for_is_told_apart(spans: Any):
    """A producer that was not sampled leaves its tokens with its name."""
    spans.tool("t", None, "x")
    spans.add("d", None, "retrieval", {sc.DATA_SOURCE_ID: "wiki"})
    spans.call(
        "c",
        None,
        "a",
        reads={"tool:x": (10, 20), "document": (6, 12)},
        of={spans.ref("t"): (7, 14), spans.ref("d"): (6, 12)},
        output=(1, 1),
    )
    report = spans.report

    assert message(report, spans.ref("d")).origin == "document"
    rest = message(report, "tool:x>a")
    assert (rest.producer, rest.tokens, rest.cost_usd) == (None, 3, Decimal("0.000006"))


@pytest.mark.parametrize(
    ("attributes", "counted"),
    [
        ({sc.USAGE_STATUS: "unreported"}, {"unreported": 1}),
        ({sc.ESTIMATED_INPUT: 12, sc.ESTIMATED_OUTPUT: 3}, {"unreported": 1, "guessed_input": 12, "guessed_output": 3}),
        ({sc.INPUT_TOKENS: 5, sc.COST_STATUS: "unpriced"}, {"unpriced": 1, "input": 5}),
        ({sc.INPUT_TOKENS: 5, sc.COST_STATUS: "partial", sc.COST_INPUT: 0.5}, {"unpriced": 1, "input": 5, "input_usd": Decimal("0.5")}),
        ({sc.INPUT_TOKENS: 5, sc.USAGE_STATUS: "estimated", sc.COST_TOTAL: 0.5}, {"estimated": 1, "input": 5, "cost_usd": Decimal("0.5")}),
        ({sc.INPUT_TOKENS: 5, sc.COST_STATUS: "local"}, {"local": 1, "input": 5}),
        ({sc.RUN_STATUS: "cancelled", sc.OUTPUT_TOKENS: 5, sc.COST_TOTAL: 0.5}, {"cancelled": 1, "output": 5, "cost_usd": Decimal("0.5")}),
        ({sc.RUN_STATUS: "error", sc.ERROR_TYPE: "RateLimitError"}, {"errors": 1}),
        ({sc.INPUT_TOKENS: 5, sc.CACHE_CREATION_TOKENS: 4, sc.COST_STATUS: "local"}, {"local": 1, "input": 5, "cache_write": 4}),
        ({sc.INPUT_TOKENS: 5, sc.CACHE_READ_TOKENS: 4}, {"unpriced": 1, "input": 5, "cache_read": 4, "caching_unknown": 1}),
        ({sc.INPUT_TOKENS: 5, sc.INPUT_REREAD: 3}, {"unpriced": 1, "input": 5, "traced": 5, "reread": 3, "unsplit": 5}),
    ],
)  # fmt: skip
def test_what_is_not_known_is_counted(spans: Any, attributes: Any, counted: Any):
    """Unreported is not 0, unpriced is not free, a refused attempt costs nothing."""
    spans.call("c", None, "a", attributes=attributes)
    totals = spans.report.totals

    assert {name: value for name in totals.__slots__ if (value := getattr(totals, name))} == {"calls": 1, **counted}


def test_an_answer_from_the_frameworks_cache_is_no_call(spans: Any):
    """It cost nothing, and says what it saved."""
    spans.call("c", None, "a", attributes={sc.LOCAL_CACHE: True, sc.COST_TOTAL: 0.0, sc.SAVED_INPUT: 9, sc.SAVED_COST: 0.25})
    totals = spans.report.totals

    assert (totals.calls, totals.input, totals.cached, totals.saved_usd, totals.complete) == (0, 0, 1, Decimal("0.25"), True)


def test_a_late_bill_belongs_to_the_first_span(spans: Any):
    """A call whose span had to be closed is one call, reported after all."""
    spans.call("c", None, "a", attributes={sc.RUN_STATUS: "cancelled"})
    continues = [LinkRecord(f"{1:0<32}", f"{'c':0<16}", {sc.LINK_TYPE: sc.CONTINUES})]
    spans.call(
        "d", None, "a", at=5, links=continues, attributes={sc.LATE: True, sc.INPUT_TOKENS: 5, sc.OUTPUT_TOKENS: 2, sc.COST_TOTAL: 0.5}
    )
    totals = spans.report.totals

    assert (totals.calls, totals.input, totals.unreported, totals.cancelled) == (1, 5, 0, 1)
    assert spans.report.links == {"CONTINUES": 1}


def test_calls_that_are_missing_are_counted(spans: Any):
    """An agent counts 3 calls as its own and 1 is here: the sums are short by 2."""
    spans.agent("1", None, "a", attributes={sc.rollup("own", "calls"): 3})
    spans.call("c", "1", "a", reads={"user": (10, 20)}, output=(1, 10))

    assert spans.report.unseen_calls == 2


def test_traces_are_trees_in_the_order_of_their_starts(team: Any):
    """Parents come before their children, siblings by their start, with what was spent at and beneath each."""
    first, second = team.report.traces

    assert [(node.depth, node.kind, node.name, node.totals.input) for node in first.nodes] == [
        (0, "workflow", "team", 100 + 80 + 300 + 220 + 220),
        (1, "agent", "supervisor", 100 + 80 + 300 + 220),
        (2, "chat", "m-1", 100),
        (2, "tool", "ask_researcher", 80 + 300),
        (3, "agent", "researcher", 80 + 300),
        (4, "chat", "m-1", 80),
        (4, "tool", "web", 0),
        (4, "chat", "m-1", 300),
        (2, "chat", "m-1", 220),
        (1, "agent", "writer", 220),
        (2, "chat", "m-1", 220),
    ]
    assert (first.totals.calls, second.totals.calls) == (5, 1)
    assert (first.conversations, first.duration_s, first.nodes[0].duration_s) == (("c7",), 0.1, 0.1)
    assert ([each.id for each in team.report.conversations], team.report.links) == (["c7"], {"INFORMED_BY": 2})


def test_spans_of_others_keep_the_ancestry(spans: Any):
    """What another instrumentation wrote is passed over, and its tokens are not ours."""
    spans.agent("1", "f", "a")
    spans.add("2", "1", "POST", {sc.INPUT_TOKENS: 99}, scope="http")
    spans.add("3", "2", "chat", {sc.INPUT_TOKENS: 99}, scope="openai")
    spans.call("c", "3", "a", at=1, reads={"user": (10, 20)}, output=(1, 10))
    spans.add("4", None, "GET", scope="http", trace="2")
    report = spans.report

    assert [(node.depth, node.kind) for trace in report.traces for node in trace.nodes] == [(0, "agent"), (1, "chat")]
    assert (report.totals.input, report.foreign_spans, report.spans) == (10, 3, 2)


def test_a_span_that_comes_twice_counts_once(team: Any):
    """Files overlap, and exporters send again."""
    assert build([*team.records, *team.records]) == team.report


def test_a_circle_of_parents_is_cut(spans: Any):
    """A damaged file shows each of its spans once all the same."""
    spans.agent("1", "3", "a")
    spans.agent("2", "1", "b", at=1)
    spans.add("3", "2", "chat", at=2)
    spans.add("4", "5", "GET", at=3, scope="http")
    spans.add("5", "4", "GET", at=3, scope="http")
    spans.call("c", "5", "c", at=4, reads={"user": (10, 20)}, output=(1, 10))
    spans.call("d", "d", "c", at=5, reads={"user": (10, 20)}, output=(1, 10))

    assert [(node.span_id[0], node.depth) for trace in spans.report.traces for node in trace.nodes] == [
        ("c", 0),
        ("d", 0),
        ("1", 0),
        ("2", 1),
        ("3", 2),
    ]


def test_a_thousand_levels_are_no_deeper_than_one(spans: Any):
    """Depth is a number, not a recursion."""
    for i in range(1, 3000):
        spans.add(f"{i:04x}", f"{i - 1:04x}", "step", at=i)

    assert spans.report.traces[0].nodes[-1].depth == 2998


WRONG = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=3).map(tuple),
)
NAMES = [value for name, value in vars(sc).items() if name.isupper() and isinstance(value, str)]


SPAN = st.tuples(
    st.sampled_from(("chat", "invoke_agent", "execute_tool", "retrieval")),
    st.integers(0, 5),
    st.dictionaries(st.sampled_from(NAMES), WRONG, max_size=8),
)


@given(st.lists(SPAN, max_size=6))
def test_no_attribute_of_the_wrong_type_breaks_it(drawn: Any):
    """Anything may stand in a file, circles too: what is not as it should be counts as absent, and the sums hold."""
    spans = [
        SpanRecord(
            trace_id=f"{1:032x}",
            span_id=f"{number:016x}",
            parent_id=f"{parent:016x}",
            name="",
            kind=0,
            start_ns=0,
            end_ns=0,
            status="unset",
            attributes={**found, sc.OPERATION_NAME: operation},
            links=(),
            resource={},
            scope=sc.SCOPE,
        )
        for number, (operation, parent, found) in enumerate(drawn)
    ]
    report = build(spans)

    assert report.spans == len(spans)
    assert report.matrix.total().tokens == report.totals.input
    assert sum(each.own.input for each in report.accounts) == report.totals.input
