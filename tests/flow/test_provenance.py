"""Provenance: where each part of a prompt comes from, rule by rule, in their order."""

import json

import pytest

from token_otel.events import Media, Part, PartKind
from token_otel.flow.book import FlowBook
from token_otel.flow.producer import Producer, SpanRef
from token_otel.flow.provenance import Read

LONG = "The tokens flow between the agents."
OTHER = "Nobody has said these words before."
GLOBAL_ID = "msg_0123456789abcdef"

RESEARCHER = Producer("agent", "researcher", SpanRef("1" * 32, "1" * 16))
PLANNER = Producer("agent", "planner", SpanRef("2" * 32, "2" * 16))
SEARCH = Producer("tool", "search", SpanRef("3" * 32, "3" * 16))
LIBRARY = Producer("document", "library", SpanRef("4" * 32, "4" * 16))


@pytest.fixture
def flow() -> FlowBook:
    return FlowBook(1 << 20)


def read(flow: FlowBook, *parts: Part, reader: str = "planner", conversation: str = "c") -> list[Read]:
    return list(flow.read(parts, reader, conversation).reads)


def origins(flow: FlowBook, *parts: Part, reader: str = "planner", conversation: str = "c") -> list[str]:
    return [item.origin for item in read(flow, *parts, reader=reader, conversation=conversation)]


def test_a_message_id_with_its_content_names_the_producer(flow: FlowBook):
    """However short the text."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text="yes", message_id="m1")])

    assert origins(flow, Part(kind="assistant", text="yes", message_id="m1")) == ["agent:researcher"]
    assert read(flow, Part(kind="assistant", text="yes", message_id="m1"))[0].producer is RESEARCHER


def test_a_message_edited_under_its_id_is_new_text(flow: FlowBook):
    """An id counts only with the same content."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG, message_id="m1")])

    assert origins(flow, Part(kind="assistant", text=OTHER, message_id="m1")) == ["external"]


def test_a_message_id_wins_over_the_text(flow: FlowBook):
    """Two agents said the same; the id tells whose words these are."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG, message_id="m1")])
    flow.produced("c", SEARCH, [Part(kind="tool_result", text=LONG)])

    assert origins(flow, Part(kind="assistant", text=LONG, message_id="m1")) == ["agent:researcher"]


def test_a_tool_call_id_names_the_tool(flow: FlowBook):
    """However short the result."""
    flow.produced("c", SEARCH, [Part(kind="tool_result", text="42", call_id="call_0")])

    assert origins(flow, Part(kind="tool_result", text="42", call_id="call_0", name="renamed")) == ["tool:search"]


def test_a_result_changed_under_its_call_id_belongs_to_the_role(flow: FlowBook):
    """Somebody else wrote it."""
    flow.produced("c", SEARCH, [Part(kind="tool_result", text="42", call_id="call_0")])

    assert origins(flow, Part(kind="tool_result", text="43", call_id="call_0", name="search")) == ["tool:search"]
    assert read(flow, Part(kind="tool_result", text="43", call_id="call_0", name="search"))[0].producer is None


def test_an_answer_that_was_not_seen_is_known_by_its_call_id(flow: FlowBook):
    """Where an agent ran beneath the tool, it is the agent's."""
    flow.answered("c", "call_0", RESEARCHER)

    assert origins(flow, Part(kind="tool_result", text="anything", call_id="call_0", name="ask")) == ["agent:researcher"]


def test_a_tool_call_belongs_to_its_caller(flow: FlowBook):
    """And not to the tool that answered under the same id."""
    call = Part(kind="tool_call", text='search {"q": "x"}', call_id="call_0")
    flow.produced("c", PLANNER, [call])
    flow.produced("c", SEARCH, [Part(kind="tool_result", text="42", call_id="call_0")])

    assert origins(flow, call) == ["self"]
    assert origins(flow, call, reader="researcher") == ["agent:planner"]


def test_the_same_text_names_its_producer(flow: FlowBook):
    """In whatever role it comes back."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG)])

    kinds: list[PartKind] = ["system", "user", "assistant", "tool_result", "document"]
    assert origins(flow, *(Part(kind=kind, text=LONG) for kind in kinds)) == ["agent:researcher"] * 5


def test_tool_schemas_are_never_traced(flow: FlowBook):
    """They are the program's, whatever an agent may have quoted."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG)])

    assert origins(flow, Part(kind="tools", text=LONG)) == ["tools"]


def test_each_string_among_a_calls_arguments_is_the_callers(flow: FlowBook):
    """A sub-agent reads the words, not the JSON around them."""
    arguments = {"task": {"goal": LONG, "notes": [OTHER, 7, None]}}
    flow.produced("c", PLANNER, [Part(kind="tool_call", text=f"ask {json.dumps(arguments)}", call_id="call_0")])

    assert origins(flow, Part(kind="user", text=LONG), Part(kind="user", text=OTHER), reader="researcher") == ["agent:planner"] * 2
    assert origins(flow, Part(kind="user", text=json.dumps(arguments)), reader="researcher") == ["agent:planner"]


@pytest.mark.parametrize("arguments", ["", "{", "[" * 100_000, '"\\ud800', "1" * 10_000])
def test_arguments_that_are_not_json_do_no_harm(flow: FlowBook, arguments: str):
    """Models break off in the middle."""
    flow.produced("c", PLANNER, [Part(kind="tool_call", text=f"ask {arguments}", call_id="call_0")])

    assert origins(flow, Part(kind="tool_call", text=f"ask {arguments}", call_id="call_0")) == ["self"]


@pytest.mark.parametrize("text", ["yes", "42", "fifteen letters"])
def test_short_texts_are_never_matched_by_content(flow: FlowBook, text: str):
    """They repeat by chance."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=text)])

    assert origins(flow, Part(kind="user", text=text)) == ["user"]


@pytest.mark.parametrize(
    ("part", "origin"),
    [
        (Part(kind="system", text=LONG), "system"),
        (Part(kind="tools", text=LONG), "tools"),
        (Part(kind="user", text=LONG), "user"),
        (Part(kind="document", text=LONG), "document"),
        (Part(kind="media", media=Media(kind="image")), "media"),
        (Part(kind="tool_result", text=LONG, name="search"), "tool:search"),
        (Part(kind="tool_result", text=LONG), "tool"),
        (Part(kind="assistant", text=LONG), "external"),
        (Part(kind="tool_call", text=LONG), "external"),
        (Part(kind="reasoning", text=LONG), "external"),
    ],
)
def test_what_nobody_is_known_to_have_said_belongs_to_its_role(flow: FlowBook, part: Part, origin: str):
    """Assistant history that we never saw produced is external."""
    assert origins(flow, part) == [origin]


def test_self_is_the_same_agent_name(flow: FlowBook):
    """Any instance of it in the conversation."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG)])

    assert origins(flow, Part(kind="assistant", text=LONG), reader="researcher") == ["self"]
    assert origins(flow, Part(kind="assistant", text=LONG), reader="planner") == ["agent:researcher"]


def test_a_tool_is_never_self(flow: FlowBook):
    """Even if it is named after the agent that reads it."""
    flow.produced("c", Producer("tool", "planner"), [Part(kind="tool_result", text=LONG)])

    assert origins(flow, Part(kind="tool_result", text=LONG), reader="planner") == ["tool:planner"]


def test_a_retrievers_documents_are_documents(flow: FlowBook):
    """Its name is not shown."""
    flow.produced("c", LIBRARY, [Part(kind="document", text=LONG)])

    assert origins(flow, Part(kind="user", text=LONG)) == ["document"]


def test_the_last_who_said_it_owns_a_text(flow: FlowBook):
    """Relayed text belongs to the relay."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG)])
    flow.produced("c", SEARCH, [Part(kind="tool_result", text=LONG)])

    assert origins(flow, Part(kind="user", text=LONG)) == ["tool:search"]


@pytest.mark.parametrize(
    "part",
    [
        Part(kind="assistant", text=LONG),
        Part(kind="assistant", text=LONG, message_id="1"),
        Part(kind="tool_call", text=LONG, call_id="call_0"),
    ],
)
def test_another_conversation_knows_nothing_of_it(flow: FlowBook, part: Part):
    """No tenant's words explain another's: texts, tool call ids and short message ids repeat."""
    flow.produced("c", RESEARCHER, [part])

    assert origins(flow, part, conversation="d") == ["external"]


def test_a_globally_unique_message_id_is_known_everywhere(flow: FlowBook):
    """With the same content alone."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text="yes", message_id=GLOBAL_ID)])

    assert origins(flow, Part(kind="assistant", text="yes", message_id=GLOBAL_ID), conversation="d") == ["agent:researcher"]
    assert origins(flow, Part(kind="assistant", text="no", message_id=GLOBAL_ID), conversation="d") == ["external"]


def test_a_reader_of_such_a_message_continues_its_conversation(flow: FlowBook):
    """That is how a history handed over by hand finds home."""
    flow.produced("c", RESEARCHER, [Part(kind="assistant", text=LONG, message_id=GLOBAL_ID)])

    assert flow.store.home([Part(kind="user", text="hi"), Part(kind="assistant", text=LONG, message_id=GLOBAL_ID)]) == "c"
    assert flow.store.home([Part(kind="assistant", text=OTHER, message_id=GLOBAL_ID)]) is None


@pytest.mark.parametrize("message_id", ["m1", None])
def test_what_a_user_said_stays_the_users_when_an_agent_passes_it_on(flow: FlowBook, message_id: str | None):
    """A question quoted word for word in a tool call is still the user's in the next prompt."""
    question = Part(kind="user", text=LONG, message_id=message_id)
    assert origins(flow, question) == ["user"]
    flow.produced("c", PLANNER, [Part(kind="tool_call", text=f"ask {json.dumps({'q': LONG})}", call_id="call_1")])

    assert origins(flow, question) == ["user"]


def test_what_a_user_said_is_the_users_for_every_reader_of_that_message(flow: FlowBook):
    """And what was made of it, in a message of its own, is the words of the agent that asks."""
    read(flow, Part(kind="user", text=LONG, message_id="m1"))
    flow.produced("c", PLANNER, [Part(kind="tool_call", text=f"ask {json.dumps({'q': LONG})}", call_id="call_1")])

    assert origins(flow, Part(kind="user", text=LONG, message_id="m1"), reader="writer") == ["user"]
    assert origins(flow, Part(kind="user", text=LONG, message_id="m2"), reader="writer") == ["agent:planner"]


def test_a_tool_that_nobody_ran_is_named_only_by_a_name(flow: FlowBook):
    """What a model makes up in place of a name is its own words, which stay here."""
    assert origins(flow, Part(kind="tool_result", text=LONG, name="web.search-2")) == ["tool:web.search-2"]
    assert origins(flow, Part(kind="tool_result", text=LONG, name="delete the record of J. Doe")) == ["tool"]
