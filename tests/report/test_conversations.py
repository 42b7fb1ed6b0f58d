"""How contexts grow, how often words are read, and what nobody reads."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest

from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import LinkRecord
from token_otel.report import Report, show
from token_otel.report.velocity import Velocity


def unread(report: Report) -> list[tuple[str, str, int | None]]:
    return [(each.span[1].rstrip("0"), each.kind, each.tokens) for each in report.unread]


def test_a_context_grows_call_by_call(team: Any):
    """The supervisor reads 100, 220 and 500: each call by role, and from its first to its largest what made it grow."""
    [conversation] = team.report.conversations
    supervisor = conversation.contexts[0]

    assert (conversation.id, [each.agent for each in conversation.contexts]) == ("c7", ["supervisor", "researcher", "writer"])
    assert [turn.roles for turn in supervisor.turns] == [
        {"system": 60, "user": 40},
        {"agents": 100, "system": 60, "user": 40, "self": 20},
        {"agents": 300, "system": 60, "user": 50, "self": 50, "unexplained": 40},
    ]
    assert (supervisor.first, supervisor.peak, supervisor.last) == (100, 500, 500)
    assert supervisor.grew == {"agents": 300, "self": 50, "unexplained": 40, "user": 10}
    assert sum(supervisor.grew.values()) == 500 - 100


def test_roles_are_whole_where_the_arrays_were_cut(spans: Any):
    """The scalars on the span name every role."""
    roles = {sc.INPUT_BY_ROLE["system"]: 5, sc.INPUT_BY_ROLE["agents"]: 30}
    spans.call("c", None, "a", reads={"agent:b": (20, 40), "other": (15, 30)}, output=(1, 1), attributes=roles)

    assert spans.report.conversations[0].contexts[0].turns[0].roles == {"system": 5, "agents": 30}


def test_new_and_reread_are_apart(team: Any):
    """In tokens and USD, for each agent, each conversation and all: together they are the input."""
    [conversation] = team.report.conversations
    totals = team.report.totals

    assert totals.new + totals.reread == totals.input == 1420
    assert totals.new_usd + totals.reread_usd == totals.input_usd
    # 70 in the researcher's second call, 200 and 44 in the supervisor's
    assert int(totals.reread_usd * 1_000_000) == 70 + 200 + 44
    assert conversation.totals == totals


def test_velocity_is_reads_per_token(team: Any):
    """The researcher puts out 110 tokens, of which 310 are read; the web tool's 210 are read once."""
    velocities = team.report.velocities

    assert velocities["agent:researcher"] == Velocity(produced=110, read=310, reads_per_token=310 / 110)
    assert velocities["tool:web"] == Velocity(produced=210, read=210, reads_per_token=1.0)
    # 100 + 110 + 200 by agents, 210 by the tool; 180, 310, 200 and 210 read: system prompts and users are in neither number.
    assert team.report.velocity == Velocity(produced=620, read=900, reads_per_token=900 / 620)


def test_what_was_never_produced_here_has_no_velocity(spans: Any):
    """Its reads are known, what was put out is not."""
    spans.call("c", None, "a", reads={"agent:b": (20, 40)}, output=(1, 1))

    assert spans.report.velocities["agent:b"].reads_per_token is None


def test_a_last_answer_is_its_users(team: Any):
    """All others of the team were read."""
    assert unread(team.report) == [("a3", "final", 50)]


def test_an_answer_that_nobody_reads_is_unread(spans: Any):
    """One branch of a fan-out is dropped; the last answer goes to the user; a broken-off call is nobody's last answer."""
    spans.agent("1", None, "team", workflow=True)
    spans.call("a", "1", "a", at=1, reads={"user": (5, 10)}, output=(30, 300))
    spans.call("b", "1", "b", at=2, reads={"user": (5, 10)}, output=(40, 400))
    spans.call("c", "1", "c", at=3, reads={"agent:a": (30, 60)}, of={spans.ref("a"): (30, 60)}, output=(20, 200))
    spans.call("d", None, "d", trace="2", reads={"user": (5, 10)}, output=(7, 70), attributes={sc.RUN_STATUS: "cancelled"})

    assert unread(spans.report) == [("b", "unread", 40), ("c", "final", 20), ("d", "unread", 7)]


def test_what_a_tool_has_run_on_was_of_use(spans: Any):
    """A call whose arguments no model reads again; the result that nobody reads is unread, its size unknown."""
    caused = LinkRecord(f"{1:0<32}", f"{'a':0<16}", {sc.LINK_TYPE: sc.CAUSED_BY_GENERATION})
    spans.agent("1", None, "agent")
    spans.call("a", "1", "agent", at=1, reads={"user": (5, 10)}, output=(30, 300))
    spans.tool("e", "1", "web", at=2, links=[caused])
    spans.call("c", "1", "agent", at=3, reads={"user": (5, 10)}, output=(20, 200))

    assert unread(spans.report) == [("c", "final", 20), ("e", "unread", None)]


def test_a_tool_that_agents_answer_puts_out_nothing_itself(spans: Any):
    """Its result is the agent's, which was read."""
    spans.agent("1", None, "boss")
    spans.tool("e", "1", "ask", at=1)
    spans.agent("2", "e", "helper", at=2)
    spans.call("a", "2", "helper", at=3, reads={"user": (5, 10)}, output=(30, 300))
    spans.call("c", "1", "boss", at=5, reads={"agent:helper": (30, 60)}, of={spans.ref("a"): (30, 60)}, output=(20, 200))

    assert unread(spans.report) == [("c", "final", 20)]


@pytest.mark.parametrize(("tokens", "hidden"), [(15, True), (900, False)])
def test_what_a_span_had_no_room_for_is_not_called_unread(spans: Any, tokens: int, hidden: bool):
    """A call names its 16 largest producers: it may have read a smaller one."""
    spans.call("a", None, "b", reads={"user": (5, 10)}, output=(tokens, 300))
    spans.agent("1", None, "x", at=5)
    sixteen = {spans.ref(f"{number:x}", "9"): (20, 40) for number in range(16)}
    spans.call("c", "1", "x", at=10, reads={"self": (320, 640), "agent:b": (15, 30)}, of=sixteen, output=(1, 1))

    assert [each for each in unread(spans.report) if each[0] == "a"] == ([] if hidden else [("a", "final", tokens)])


def test_the_table_of_what_nobody_read(spans: Any):
    """The five dearest, the others together, and their sum; final answers stand in the total."""
    pytest.importorskip("rich")
    from rich.console import Console

    spans.agent("1", None, "team", workflow=True)
    for number in range(1, 9):
        spans.call(f"a{number}", "1", f"agent-{number}", at=number, reads={"user": (5, 10)}, output=(number * 10, number * 100))
    out = io.StringIO()
    show(spans.report, Console(file=out, width=100), only=["unread", "total"])
    lines = [line.split() for line in out.getvalue().splitlines() if line.strip()]

    assert lines[4] == ["agent-7", "answer", "a7000000,", "trace", "1", "70", "$0.000700"]
    # 70 + 60 + 50 + 40 + 30 are named, 20 + 10 are not; 80 went to the user
    assert lines[9:11] == [["2", "more", "30", "$0.000300"], ["all", "280", "$0.002800"]]
    assert "80 in 1 final answer, read by their user" in out.getvalue()
    assert "280 in 7 outputs, read by nobody here" in out.getvalue()


def _printed(report: Report, table: str) -> str:
    pytest.importorskip("rich")
    from rich.console import Console

    out = io.StringIO()
    show(report, Console(file=out, width=100), only=[table])
    return out.getvalue()


def _loop(spans: Any, conversation: str, at: int) -> None:
    """Three calls of a plain loop: the results of its tool have no id by which their span could be named."""
    results = (0, 500, 900)
    for number, new in enumerate((20, 500, 400)):
        reads = {"user": (20, 20), **({"tool:web": (results[number], results[number])} if number else {})}
        said = {sc.CONVERSATION_ID: conversation, sc.FLOW_NEW: (0, new) if number else (new,)}
        name = f"{conversation}{number}"
        spans.call(name, None, "bot", at=at + 4 * number, reads=reads, output=(10, 100), attributes=said, new=new)
    spans.add(f"{conversation}f", None, "execute_tool", {sc.TOOL_NAME: "web", sc.CONVERSATION_ID: conversation}, at=at + 2)


def test_results_without_an_id_are_put_out_in_each_conversation(spans: Any):
    _loop(spans, "a", at=0)
    _loop(spans, "b", at=100)

    report = spans.report
    assert report.velocities["tool:web"] == Velocity(produced=1800, read=2800, reads_per_token=2800 / 1800)
    assert [each.velocity for each in report.conversations] == [Velocity(produced=930, read=1400, reads_per_token=1400 / 930)] * 2
    [web] = [message for message in report.messages if message.origin == "tool:web"]
    assert web.new_in == {"a": 900, "b": 900}
    assert (web.new_tokens, web.face_usd) == (1800, Decimal("0.0018"))
    row = next(line for line in _printed(spans.report, "messages").splitlines() if line.startswith("tool web to bot"))
    assert row.split()[4] == "1,800"  # beside the price of as many
    # they were read in both
    assert not [each for each in report.unread if each.origin == "tool:web"]


def test_what_was_paid_at_first_stays_known_beside_what_has_no_price(spans: Any):
    told = {sc.FLOW_NEW: (60,)}
    spans.call("1", None, "a", reads={"system": (60, 120)}, output=(1, 1), attributes=told)
    unpriced = {sc.INPUT_TOKENS: 60, sc.OUTPUT_TOKENS: 1, sc.FLOW_ORIGINS: ("system",), sc.FLOW_TOKENS: (60,), sc.FLOW_NEW: (0,)}
    spans.call("2", None, "a", at=4, attributes=unpriced)

    [prompt] = spans.report.messages
    assert (prompt.new_usd, prompt.reread_usd, prompt.unpriced) == (Decimal("0.00012"), 0, 60)


def test_the_parts_of_the_cost_are_all_of_it(spans: Any):
    """Of one call it is not known what re-reading cost, of another not what it has read."""
    spans.call("1", None, "a", reads={"system": (60, 120)}, output=(1, 1), new=60)
    spans.call("2", None, "a", at=4, reads={"system": (60, 120)}, output=(1, 1), new=0, again=120)
    spans.call("3", None, "a", at=8, reads={"system": (60, 120)}, output=(1, 1), new=0)
    untraced = {sc.INPUT_TOKENS: 50, sc.COST_INPUT: 0.0001, sc.COST_TOTAL: 0.0001}
    spans.call("4", None, "a", at=12, attributes=untraced)

    parts = "$0.000120 to read, $0.000120 to re-read, $0.000220 for input not told apart, $0.000003 to put out"
    assert parts in _printed(spans.report, "total")
    assert "cost    $0.000463\n" in _printed(spans.report, "total")


def test_what_nobody_looked_for_is_not_called_unread(spans: Any):
    """With the flow switched off no span says what was read: only the last answer has no later reader."""
    told = {sc.INPUT_TOKENS: 50, sc.OUTPUT_TOKENS: 10}
    spans.agent("1", None, "a", ends=20)
    for number in range(3):
        spans.call(f"a{number}", "1", "a", at=4 * number, attributes=told)
    spans.add("f", "1", "execute_tool", {sc.TOOL_NAME: "web", sc.CONVERSATION_ID: "c7"}, at=2, ends=3)

    assert unread(spans.report) == [("a2", "final", 10)]
