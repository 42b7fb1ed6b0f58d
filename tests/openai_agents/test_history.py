"""What lies at the provider, or in a session: a call that names it is known by all that it reads."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from agents import SQLiteSession
from tests.openai_agents.bench import CHAT, DOORS, RESPONSES, SPANS, Answer, ask, bench, calls, flow, soundings

from token_otel.events import Part
from token_otel_openai_agents.history import CHARACTERS, History
from token_otel_openai_agents.history import RESPONSES as MOST

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
FOUND = "At mile seven hundred it is eleven feet deep in spring, and seven in late summer."
SAY = "A barge that draws nine feet passes in spring alone; by late summer it has to wait for rain."
NEXT = "Is that enough for a barge that draws nine feet?"
HOW = pytest.mark.parametrize("how", [SPANS, DOORS])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@HOW
@STREAM
def test_a_previous_response_is_known_by_its_prompt(how: str, stream: bool):
    """The client sends the new question alone; the call reads all that was said before, each word by whoever said it."""
    with bench([calls("soundings", mile=700), Answer(FOUND, reasoning_tokens=64), Answer(SAY)], how=how) as b:
        agent = b.agent(tools=[soundings])

        async def main() -> None:
            first = await ask(agent, ASK, stream=stream)
            await ask(agent, NEXT, stream=stream, previous_response_id=first.last_response_id)

        b.wait(main)

        b.check()
        last = b.chats[-1]
        assert last["gen_ai.request.previous_response.id"] == b.bills[1].response_id
        assert set(flow(last)) == {"tools", "system", "user", "self", "tool:soundings"}
        assert flow(last)["user"] > flow(b.chats[0])["user"]
        assert last["token_otel.input.reread_tokens"] > last["token_otel.input.new_tokens"]


@HOW
def test_a_response_that_the_process_has_not_seen_is_unexplained(how: str):
    """What lies behind it is billed, and nobody's."""
    rules = " ".join(f"Rule {number}: give way to any raft upstream of mile {number * 3}." for number in range(60))
    with bench([Answer(FOUND), Answer(SAY)], how=how) as b:

        async def main() -> None:
            client: Any = getattr(b.model(), "_client")  # noqa: B009 - whoever asked first was another process
            unseen = await client.responses.create(model="gpt-5-mini", input=rules)
            await ask(b.agent(), NEXT, previous_response_id=unseen.id)

        b.wait(main)

        [chat] = b.chats
        unseen, seen = b.bills
        assert chat["gen_ai.usage.input_tokens"] == seen.input
        assert flow(chat)["unexplained"] == pytest.approx(unseen.input + unseen.output, rel=0.1)


@HOW
@STREAM
def test_a_conversation_at_the_provider_is_known_by_its_calls(how: str, stream: bool):
    """Each call names the conversation and sends what is new alone."""
    with bench([calls("soundings", mile=700), Answer(FOUND), Answer(SAY)], how=how) as b:
        agent = b.agent(tools=[soundings])

        async def main() -> None:
            for given in (ASK, NEXT):
                await ask(agent, given, stream=stream, conversation_id="conv_river")

        b.wait(main)

        b.check()
        last = b.chats[-1]
        assert set(flow(last)) == {"tools", "system", "user", "self", "tool:soundings"}
        assert last["token_otel.input.reread_tokens"] > last["token_otel.input.new_tokens"]
        assert last.get("gen_ai.conversation.id") == ("conv_river" if how == DOORS else None)


@HOW
def test_each_turn_may_name_the_one_before(how: str):
    """`auto_previous_response_id` sends a tool's result alone."""
    with bench([calls("soundings", mile=700), Answer(FOUND)], how=how) as b:
        b.run(b.agent(tools=[soundings]), ASK, auto_previous_response_id=True)

        b.check()
        assert set(flow(b.chats[1])) == {"tools", "system", "user", "self", "tool:soundings"}


@pytest.mark.parametrize("api", [RESPONSES, CHAT])
@STREAM
def test_a_session_is_a_conversation(api: str, stream: bool):
    """`instrument()` sees its id, so that what was said in one run keeps its producer in the next."""
    with bench([calls("soundings", mile=700), Answer(FOUND), Answer(SAY)], api=api) as b:
        session = SQLiteSession("river")

        async def main() -> None:
            from agents import ModelSettings, RunConfig

            agent = b.agent(tools=[soundings])
            for given in (ASK, NEXT):
                await ask(
                    agent, given, stream=stream, session=session, run_config=RunConfig(model_settings=ModelSettings(include_usage=True))
                )

        b.wait(main)
        session.close()

        b.check()
        assert {chat["gen_ai.conversation.id"] for chat in b.chats} == {"river"}
        assert set(flow(b.chats[-1])) == {"tools", "system", "user", "self", "tool:soundings"}


def test_a_session_is_known_by_its_ids_on_spans_alone():
    """The ids of Responses are unique: a run without a conversation that reads them continues it."""
    with bench([calls("soundings", mile=700), Answer(FOUND), Answer(SAY)], how=SPANS) as b:
        session = SQLiteSession("river")

        async def main() -> None:
            agent = b.agent(tools=[soundings])
            for given in (ASK, NEXT):
                await ask(agent, given, session=session)

        b.wait(main)
        session.close()

        b.check()
        assert {"self", "tool:soundings"} <= set(flow(b.chats[-1]))


def _said(text: str) -> tuple[Part, ...]:
    return (Part(kind="assistant", text=text),)


def test_a_conversation_is_known_by_its_name():
    """What a conversation at the provider holds is what its last call read and said."""
    history = History()
    history.keep(_said("one"), "resp_1", "conv_1")
    history.keep(_said("two"), "resp_2", "conv_1")

    assert history.before(None, "conv_1") == _said("two")
    assert history.before("resp_1", None) == _said("one")
    assert history.before("resp_0", None) == ()


def test_a_history_stays_within_its_bounds():
    """The oldest goes first, by number and by size; the newest stays."""
    history = History()
    for number in range(MOST + 1):
        history.keep(_said(f"{number}"), f"resp_{number}")

    assert history.before("resp_0") == ()
    assert history.before("resp_1") == _said("1")
    history.keep(_said("x" * (CHARACTERS + 1)), "resp_long")
    assert history.before(f"resp_{MOST}") == ()
    assert history.before("resp_long") != ()
