"""What one process read of another: back under the names of those who said it, as far as the ids on the spans go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from token_otel.otel import semconv as sc
from token_otel.report import Report

ID = "message-of-the-writer"


def said(spans: Any, span: str = "c", *, agent: str = "writer", ids: tuple[str, ...] = (ID,), process: str = "one", **more: Any) -> None:
    """A call of one process, whose answer has an id."""
    spans.call(span, None, agent, reads={"user": (10, 20)}, output=(50, 500), attributes={sc.MESSAGE_IDS: ids}, process=process, **more)


def heard(
    spans: Any, reads: Any, named: dict[str, int], *, agent: str = "editor", process: str = "two", at: int = 9, new: int = 0, **more: Any
) -> None:
    """A call of another process, which knows some of what it reads by its id alone."""
    names = {sc.FLOW_EXTERNAL_IDS: tuple(named), sc.FLOW_EXTERNAL_TOKENS: tuple(named.values())}
    spans.call(f"f{at}", None, agent, reads=reads, output=(1, 10), attributes=names, process=process, at=at, new=new, **more)


def column(report: Report, reader: str = "editor") -> dict[str, tuple[int, Decimal]]:
    """What one agent read, in tokens and millionths of a USD."""
    cells = report.matrix.cells
    return {producer: (cell.tokens, cell.cost_usd * 1_000_000) for (producer, consumer), cell in cells.items() if consumer == reader}


def test_words_from_elsewhere_are_whose_they_are(spans: Any):
    """Matrix, life and context are as if one process had run it all."""
    said(spans)
    heard(spans, {"external": (52, 104), "system": (8, 16)}, {ID: 52})
    report = spans.report
    [answer] = [message for message in report.messages if message.producer is not None]

    assert column(report) == {"agent:writer": (52, 104), "system": (8, 16)}
    assert (answer.origin, answer.reads, answer.tokens, answer.output_tokens) == ("agent:writer", 1, 52, 50)
    assert report.conversations[0].contexts[1].turns[0].roles == {"agents": 52, "system": 8}


def test_an_agents_own_words_from_elsewhere_are_its_own(spans: Any):
    """The same agent of the same conversation, in another process."""
    said(spans, agent="editor")
    heard(spans, {"external": (52, 104)}, {ID: 52})

    assert spans.report.conversations[0].contexts[0].turns[1].roles == {"self": 52}


def test_a_message_that_nobody_at_hand_has_said_stays_elsewhere(spans: Any):
    """Only the other part moves, with its part of the cost."""
    said(spans)
    heard(spans, {"external": (60, 120)}, {ID: 50, "unheard-of-message": 10})

    # 120 x 50 / 60
    assert column(spans.report) == {"agent:writer": (50, 100), "external": (10, 20)}


def test_what_was_said_first_was_cached(spans: Any):
    """100 of 150 at 0.20 from the cache, 50 at 2: the first message is the cheap one."""
    said(spans, "c1", agent="late", ids=("message-said-later",), at=2)
    said(spans, "c2", agent="early", ids=("message-said-first",), at=1)
    cached = {sc.FLOW_CACHE_READ: (100,), sc.CACHE_READ_TOKENS: 100, sc.COST_CACHE_READ: 20 / 1_000_000}
    names = {sc.FLOW_EXTERNAL_IDS: ("message-said-later", "message-said-first"), sc.FLOW_EXTERNAL_TOKENS: (60, 90)}
    spans.call("f", None, "editor", reads={"external": (150, 120)}, output=(1, 1), attributes={**names, **cached}, process="two", at=9)

    # 90 x 0.20; then 10 x 0.20 and 50 x 2
    assert column(spans.report) == {"agent:early": (90, 18), "agent:late": (60, 102)}
    assert spans.report.matrix.total().cache_read == 100


def test_a_text_read_in_another_process_is_reread(spans: Any):
    """What the reader's process took for new, the agent had read before."""
    said(spans)
    spans.call("e", None, "editor", reads={"agent:writer": (52, 104)}, of={spans.ref("c"): (52, 104)}, output=(1, 1), at=5, process="one")
    heard(spans, {"external": (52, 104)}, {ID: 52}, new=52, again=0)
    spans.records[-1].attributes[sc.FLOW_NEW] = (52,)
    totals = spans.report.totals

    assert (totals.reread, totals.reread_usd) == (52, Decimal("0.000104"))
    assert spans.report.matrix.cells["agent:writer", "editor"].new == 0


def test_words_that_were_changed_under_their_id_are_new_words(spans: Any):
    """The process that said them would know them: it has found others under their id."""
    said(spans, process="one")
    heard(spans, {"external": (52, 104)}, {ID: 52}, process="one")

    assert column(spans.report) == {"external": (52, 104)}


@pytest.mark.parametrize(("conversation", "producer"), [("c7", "agent:writer"), ("c8", "external")])
def test_short_ids_count_in_their_conversation(spans: Any, conversation: str, producer: str):
    """`1` is said everywhere."""
    said(spans, ids=("1",))
    names = {sc.FLOW_EXTERNAL_IDS: ("1",), sc.FLOW_EXTERNAL_TOKENS: (52,), sc.CONVERSATION_ID: conversation}
    spans.call("f", None, "editor", reads={"external": (52, 104)}, output=(1, 1), attributes=names, process="two", at=9)

    assert list(column(spans.report)) == [producer]


def test_a_tools_result_goes_by_its_call(spans: Any):
    """It stands under the tool's name already, and gets its span."""
    spans.add("e", None, "execute_tool", {sc.TOOL_NAME: "web", sc.TOOL_CALL_ID: "call-of-the-web-tool"}, process="one")
    heard(spans, {"tool:web": (52, 104), "external": (8, 16)}, {"call-of-the-web-tool": 52})
    results = [message for message in spans.report.messages if message.producer is not None]

    assert column(spans.report) == {"tool:web": (52, 104), "external": (8, 16)}
    assert [(each.origin, each.tokens) for each in results] == [("tool:web", 52)]


def test_more_messages_than_ids_are_at_least_that(spans: Any):
    """A span has ids for 16: a 17th may be any message that is no larger."""
    for number in range(17):
        said(spans, f"a{number:02}", agent=f"agent-{number:02}", ids=(f"message-number-{number:02}",))
    spans.call("e", None, "reader", reads={"agent:agent-16": (20, 40)}, of={spans.ref("a16"): (20, 40)}, output=(1, 1), at=5, process="one")
    heard(spans, {"external": (340, 680)}, {f"message-number-{number:02}": 20 for number in range(16)})
    report = spans.report

    assert report.matrix.externals_cut
    assert column(report)["external"] == (20, 40)
    assert {message.origin for message in report.messages if message.at_least} == {"agent:agent-16"}


def test_what_the_agents_span_calls_external_is_not_counted_again(spans: Any):
    """Its list names no producer for what its process did not see produced."""
    said(spans)
    spans.agent(
        "9",
        None,
        "editor",
        attributes={
            sc.AGENT_MESSAGE_PRODUCERS: ("external",),
            sc.AGENT_MESSAGE_READS: (1,),
            sc.AGENT_MESSAGE_TOKENS: (52,),
            sc.AGENT_MESSAGE_COST: (0.000104,),
        },
    )
    names = {sc.FLOW_EXTERNAL_IDS: (ID,), sc.FLOW_EXTERNAL_TOKENS: (52,)}
    spans.call("f", "9", "editor", reads={"external": (52, 104)}, output=(1, 1), attributes=names, process="two", at=9)

    assert not [message for message in spans.report.messages if message.origin == "external"]


def test_an_origin_that_is_named_twice_keeps_its_tokens(spans: Any):
    """No recorder writes that, but a file may hold it: the matrix is still the bill."""
    said(spans)
    names = {sc.FLOW_EXTERNAL_IDS: (ID,), sc.FLOW_EXTERNAL_TOKENS: (30,)}
    twice = {sc.FLOW_ORIGINS: ("external", "external"), sc.FLOW_TOKENS: (20, 12), sc.FLOW_COST: (0.00004, 0.000024)}
    spans.call("f", None, "editor", reads={"external": (32, 64)}, output=(1, 1), attributes={**names, **twice}, process="two", at=9)

    # 64 x 30 / 32
    assert column(spans.report) == {"agent:writer": (30, 60), "external": (2, 4)}
