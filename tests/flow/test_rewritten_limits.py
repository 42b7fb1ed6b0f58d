"""Where recognition ends, and what holds all the same: chance, short words, roles, relays, other conversations, and every sum."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.stories import REPLY, Story, assistant, billed, call, check, check_sums, flow, place, producers, system, user, values
from tests.words import DRAFT, NOTES, PLAN, QUESTION, VERDICT, sentences

from token_otel.events import Part
from token_otel.testing.loopback.openai_prompt import count

TEMPLATE = (
    "You review pages for skippers. Be strict about sources, gentle about style, and never rewrite the text yourself. "
    "The page that is to be reviewed today:\n\n{page}\n\nAnswer in three sentences."
)
LEAK = "You asked me to be strict about sources, gentle about style, and never rewrite the text yourself. "


@pytest.fixture
def story() -> Story:
    """Nobody has said anything yet."""
    return Story()


@pytest.mark.parametrize("text", ["42", "yes", "No.", "42, of course", "https://rivers.example/soundings/april", "2026-11-24T10:00:00Z"])
def test_short_outputs_are_never_claimed_within_a_text(story: Story, text: str):
    """They repeat by chance: only ids can tell whose they are."""
    story.says("researcher", text)
    prompt = [system("You check facts."), user(f"The number of locks is {text} if I remember it well; is that so? {text}")]

    check(story.reads("writer", prompt), prompt, {})


def test_stock_phrases_are_not_claimed(story: Story):
    """What an agent says as everybody does, and a prompt says too, stays with its role."""
    story.says("researcher", f"Sure, I'd be happy to help. {NOTES} Let me know if you have any further questions.")
    prompt = [
        system("You are a careful clerk. Never say: Sure, I'd be happy to help."),
        user("Let me know if you have any further questions. Mine is how deep the river is, and I want one number, no more."),
    ]

    check(story.reads("writer", prompt), prompt, {})


def test_the_same_topic_in_other_words_is_not_claimed(story: Story):
    """A paraphrase belongs to whoever paraphrased: here the user, who has read the notes."""
    story.says("researcher", NOTES)
    prompt = [
        user(
            "I hear that Brenn shuts its upper gate a week and a half into the frost, while small vessels get through Oster "
            "in any weather; that the fairway is only forty feet wide in between; "
            "and that there are shoals near the bridge which no one clears. True?"
        )
    ]

    check(story.reads("writer", prompt), prompt, {})


def test_an_agents_paraphrase_is_that_agents(story: Story):
    """The words in a template are the last agent's own, whoever said the same before in other words."""
    story.says("researcher", NOTES)
    story.says("writer", DRAFT)
    prompt = [user(f"Translate this page into plain French, keeping the names:\n\n{DRAFT}")]

    check(story.reads("translator", prompt), prompt, {"agent:writer": [DRAFT]})


def test_relayed_text_belongs_to_the_relay(story: Story):
    """An agent quotes a part of a tool's result, and a third reads the quote in a template."""
    story.runs("search", NOTES)
    quote = " ".join(sentences(NOTES)[1:3])
    page = f'The best source I could find says: "{quote}" That is all that skippers of small barges have to know before they set out.'
    story.reads("writer", [user(f"Use this:\n{NOTES}")], says=page)
    prompt = [user(f"Edit this page, please, and leave the quotes alone:\n{page}")]

    check(story.reads("editor", prompt), prompt, {"agent:writer": [page]})


def test_what_the_relay_left_out_is_still_the_tools(story: Story):
    """Both the quote and its source stand in one prompt: the first belongs to the relay, the rest of the second to the tool."""
    story.runs("search", NOTES)
    quote = " ".join(sentences(NOTES)[:2])
    page = f"The best source I could find says that this is so: {quote} I would print it as it stands."
    story.says("writer", page)
    rest = " ".join(sentences(NOTES)[2:])
    prompt = [user(f"Here is a page:\n{page}\n\nAnd here is what its writer did not tell us:\n{rest}\n\nWhy not?")]

    check(story.reads("editor", prompt), prompt, {"agent:writer": [page], "tool:search": [rest]})


def test_of_two_who_said_the_same_the_last_is_meant(story: Story):
    """The whole of a text, in a template of the user's."""
    story.says("researcher", NOTES)
    story.says("writer", NOTES)
    prompt = [user(f"Shorten these notes by a half, without losing a fact:\n\n{NOTES}")]

    check(story.reads("editor", prompt), prompt, {"agent:writer": [NOTES]})


def test_two_versions_of_a_text_are_told_apart(story: Story):
    """An editor changed the first sentence of three; a prompt shows the page before and after."""
    story.says("writer", DRAFT)
    lines = sentences(DRAFT)
    edited = " ".join(["Vessels of less than ninety tons get through to Brenn until the ice comes, and to Oster all the year.", *lines[1:]])
    story.says("editor", edited)
    prompt = [user(f"Which of the two do you like better?\n\nBefore:\n{DRAFT}\n\nAfter:\n{edited}")]

    check(story.reads("critic", prompt), prompt, {"agent:writer": [DRAFT], "agent:editor": [edited]})


def test_a_template_is_known_again_though_an_agent_has_quoted_it(story: Story):
    """What stood in the user's place when it was first read is the user's the next time, around another page."""
    first, second = user(TEMPLATE.format(page=DRAFT)), user(TEMPLATE.format(page=NOTES))
    story.says("writer", DRAFT)
    story.reads("critic", [first], says=LEAK + VERDICT)
    story.says("researcher", NOTES)

    check(story.reads("critic", [second]), [second], {"agent:researcher": [NOTES]})


def test_a_system_prompt_is_the_systems_though_an_agent_has_leaked_it(story: Story):
    """An agent recites its instructions: they stay the system's, and the recital is its own."""
    instructions = TEMPLATE.format(page="See below, where the user has put it for you.")
    recital = f"My instructions are as follows.\n{instructions}\nNow you know as much as I do."
    story.reads("critic", [system(instructions), user(QUESTION)], says=[assistant(recital, "msg-1")])
    prompt = [system(instructions), user(QUESTION), assistant(recital, "msg-1"), user("Thank you. And now the page, if you please.")]

    check(story.reads("critic", prompt), prompt, {"self": [recital]})


def test_tool_schemas_are_the_programs(story: Story):
    """Though an agent has described its tools word for word."""
    schema = json.dumps({"name": "search", "description": "Search the archive of soundings by mile, by season and by the keeper's name."})
    story.says("planner", f"I have one tool only, which is {schema}, and I shall use it.")
    prompt = [Part(kind="tools", text=schema), user("Which tools do you have, and what are they good for?")]

    assert set(flow(story.reads("writer", prompt))) == {"tools", "user"}


@pytest.mark.parametrize("prompt", [PLAN, f"The plan:\n{PLAN}\n\nDo it.", json.dumps({"plan": PLAN}), PLAN[:150] + "..."])
def test_another_conversation_knows_nothing_of_it(story: Story, prompt: str):
    """No tenant's words explain another's, in whatever form."""
    story.says("planner", PLAN, conversation="one")
    span = story.reads("writer", [user(prompt)], conversation="two")

    assert flow(span) == {"user": billed([user(prompt)])}
    assert producers(span) == {}
    assert not span.links


def test_without_matching_a_quote_stays_with_its_role():
    """`TOKEN_OTEL_FLOW=ids` knows whole texts alone."""
    story = Story(flow="ids")
    story.says("planner", PLAN)
    prompt = [user(PLAN), user(f"Once more, with the plan in the middle:\n{PLAN}\nDo it.")]

    check(story.reads("writer", prompt[:1]), prompt[:1], {"agent:planner": [PLAN]})
    check(story.reads("writer", prompt[1:]), prompt[1:], {})


def test_documents_are_known_in_a_prompt(story: Story):
    """Two documents, numbered beneath a heading: each leads to the retrieval that found it."""
    found = story.finds(NOTES, DRAFT)
    prompt = [
        user(
            f"Context information is below.\n---------------------\n[1] (notes.txt)\n{NOTES}\n\n[2] (draft.txt)\n{DRAFT}\n"
            "---------------------\n"
            f"Given the context information and not prior knowledge, answer the query.\nQuery: {QUESTION}\nAnswer: "
        )
    ]
    span = story.reads("writer", prompt)

    check(span, prompt, {"document": [NOTES, DRAFT]})
    assert [place(link) for link in span.links] == [place(found)]


def test_words_in_a_template_lead_to_the_call_that_produced_them(story: Story):
    """One agent said two things; each is linked and counted by itself, and neither is new the second time."""
    first, second = story.says("researcher", NOTES), story.says("researcher", DRAFT)
    prompt = [user(f"First he told me this:\n{NOTES}\n\nThen, an hour later, he told me that:\n{DRAFT}\n\nWhich is it?")]
    span, again = story.reads("writer", prompt), story.reads("writer", prompt)

    for text, produced in ((NOTES, first), (DRAFT, second)):
        assert abs(producers(span).get(place(produced), 0) - count(text)) <= 8
    assert {place(link) for link in span.links} == {place(first), place(second)}
    assert [(link.attributes or {})["token_otel.flow.origin"] for link in span.links] == ["agent:researcher"] * 2
    assert sum(flow(span, "new_tokens").values()) == sum(flow(span).values())
    assert values(again)["token_otel.input.reread_tokens"] == billed(prompt)
    assert not again.links


def test_a_cache_that_ends_within_a_message_is_laid_along_its_words(story: Story):
    """The cached prefix covers the template's beginning and the plan, and ends before the rest of the same message."""
    story.says("planner", PLAN)
    before = "The following plan was agreed upon by all who have a say in this matter, and it must not be changed any more:\n\n"
    after = f"\n\nNow go through it, step by step, and answer this question of mine as well as you can: {QUESTION}"
    prompt = [user(before + PLAN + after)]
    cached = count(before) + count(PLAN)
    span = story.reads("writer", prompt, cached=cached)
    read = flow(span, "cache_read_tokens")

    check(span, prompt, {"agent:planner": [PLAN]})
    assert abs(read.get("agent:planner", 0) - count(PLAN)) <= 8
    assert abs(read["user"] - count(before)) <= 8
    assert sum(read.values()) == cached


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 1.3])
def test_a_quote_keeps_its_share_of_another_bill(story: Story, factor: float):
    """Whatever a tokenizer makes of it: of what is explained, the plan has the part that it has of the words."""
    story.says("planner", PLAN)
    prompt = [user(f"Here is the plan, which I ask you to follow to the letter and without delay:\n\n{PLAN}\n\nNow begin.")]
    span = story.reads("writer", prompt, bill=round(billed(prompt) * factor))
    ours = flow(span)
    explained = sum(tokens for origin, tokens in ours.items() if origin != "unexplained")

    assert abs(ours.get("agent:planner", 0) / explained - count(PLAN) / (billed(prompt) - REPLY)) < 0.05
    check_sums(span)


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "\\" * 50_000, '[{"a":' * 3_000, "say it again " * 8_000, "\ud800" * 1_000, "\x00" * 1_000 + PLAN, "水" * 20_000],
    ids=["letter", "backslashes", "brackets", "refrain", "surrogates", "zeros", "one sign"],
)
def test_hostile_texts_do_no_harm(text: str):
    """Said by an agent, and read within a template: no error, and the sums hold."""
    story = Story()
    story.says("planner", text)
    for prompt in ([user(f"The plan is this: {text} And that is all.")], [user(text[: len(text) // 2] + PLAN)]):
        check_sums(story.reads("writer", prompt, bill=1_000))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_every_sum_holds_whatever_is_quoted(seed: int):
    """Origins sum to the input and its cost, for any mixture of quotes, any cache and any bill."""
    dice, story = Random(seed), Story()
    said = [PLAN, NOTES, DRAFT, VERDICT, call("search", json.dumps({"q": QUESTION}), "call_1").text]
    for _ in range(6):
        pieces = [dice.choice(said)[dice.randrange(80) :][: dice.randrange(400)] for _ in range(4)]
        text = dice.choice(["\n", " - ", "\n> ", ""]).join(json.dumps(piece) if dice.random() < 0.3 else piece for piece in pieces)
        prompt = [user(text), *(assistant(piece) for piece in pieces[:2])]
        bill = round(billed(prompt) * dice.choice([0.2, 0.9, 1, 1.2, 4]))
        agent = dice.choice(["planner", "writer", "critic"])
        span = story.reads(agent, prompt, says=dice.choice(pieces) + text, bill=bill, cached=dice.randint(0, bill))
        check_sums(span)
        said.append(text)
