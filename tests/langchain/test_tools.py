"""Tools that are sent deferred: their schemas are read from where a search brings them in."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from token_otel.events import ModelStarted
from token_otel.testing.loopback import Answer, LoopbackAnthropic, LoopbackOpenAI
from token_otel_langchain.messages import Memo

ASK = HumanMessage("What is the rate?")
PARAMETERS = {"type": "object", "properties": {"currency": {"type": "string"}}}
READY = {"name": "ready", "description": "Be ready.", "input_schema": {"type": "object"}}
SEARCH = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
RATE = {"name": "rate", "description": "Look it up.", "input_schema": PARAMETERS, "defer_loading": True}
RATE_TEXT = '{"name":"rate","description":"Look it up.","input_schema":{"type":"object","properties":{"currency":{"type":"string"}}}}'
FUNCTION = {"type": "function", "name": "rate", "description": "Look it up.", "parameters": PARAMETERS}
REFERENCE = {"type": "tool_reference", "tool_name": "rate"}
FOUND = {
    "type": "tool_search_tool_result",
    "tool_use_id": "s1",
    "content": {"type": "tool_search_tool_search_result", "tool_references": [REFERENCE]},
}


def brief(messages: list[AnyMessage], schemas: list[Any]) -> list[tuple[str, str]]:
    """Return kind and text of each part of a prompt; of a schema its name, and whether it is whole."""
    parts = Memo().prompt(messages, schemas)
    return [(part.kind, f"{part.name}: {part.text}" if part.kind == "tools" else part.text) for part in parts]


def test_a_deferred_tool_is_not_read():
    """At Anthropic nothing of it is seen before it is found."""
    parts = Memo().prompt([ASK], [READY, RATE, SEARCH])

    assert [part.name for part in parts if part.kind == "tools"] == ["ready", "tool_search_tool_bm25"]


@pytest.mark.parametrize(
    "answer",
    [
        AIMessage([FOUND]),
        ToolMessage([REFERENCE], tool_call_id="s1"),
        HumanMessage([{"type": "tool_result", "tool_use_id": "s1", "content": [REFERENCE]}]),
        AIMessage([{"type": "server_tool_result", "tool_call_id": "s1", "output": {"tool_references": [REFERENCE]}}]),
    ],
)
def test_a_reference_brings_its_schema_in(answer: AnyMessage):
    """Where the search was answered, whoever ran it, so that what is cached before it stays so."""
    assert brief([ASK, answer, HumanMessage("go on")], [RATE]) == [
        ("user", "What is the rate?"),
        ("tool_result", ""),
        ("tools", f"rate: {RATE_TEXT}"),
        ("user", "go on"),
    ]


def test_a_tool_that_is_found_twice_is_read_once():
    """The second reference says nothing new."""
    texts = [text for kind, text in brief([AIMessage([FOUND]), AIMessage([FOUND])], [RATE]) if kind == "tools"]

    assert texts == [f"rate: {RATE_TEXT}", "rate: "]


def test_what_is_found_stays_found_in_every_later_prompt():
    """The reference is in the history, and the history is flattened once."""
    memo = Memo()
    history: list[AnyMessage] = [ASK, AIMessage([FOUND], id="m1")]
    first = memo.prompt(history, [READY, RATE])
    later = memo.prompt([*history, HumanMessage("go on")], [READY, RATE])

    assert first == later[: len(first)]
    assert memo.prompt(history, [READY])[1:] == memo.prompt(history)


@pytest.mark.parametrize(
    ("schema", "announced"),
    [
        ({**FUNCTION, "defer_loading": True}, '{"type":"function","name":"rate","description":"Look it up."}'),
        (
            {"type": "function", "function": {key: FUNCTION[key] for key in ("name", "description", "parameters")}, "defer_loading": True},
            '{"type":"function","function":{"name":"rate","description":"Look it up."}}',
        ),
    ],
)
def test_of_a_deferred_function_name_and_description_are_read(schema: Any, announced: str):
    """OpenAI defers its parameters alone; LangChain tells it in either form."""
    assert brief([ASK], [schema]) == [("tools", f"rate: {announced}"), ("user", "What is the rate?")]


def test_a_namespace_is_read_without_what_it_defers():
    """Its own name and description, and the functions that are not deferred."""
    ready = {**FUNCTION, "name": "ready"}
    space = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [ready, {**FUNCTION, "defer_loading": True}]}
    [part] = Memo().prompt([], [space])

    assert part.name == "crm"
    assert '"name":"ready"' in part.text
    assert '"name":"rate"' not in part.text


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_search_output", "call_id": "s1", "execution": "server", "tools": [{**FUNCTION, "defer_loading": True}]},
        {"type": "server_tool_result", "tool_call_id": "s1", "output": {"tools": [FUNCTION]}, "extras": {"name": "tool_search"}},
    ],
)
def test_openai_s_answer_holds_the_schema_itself(block: Any):
    """As it came, and as LangChain rewrites it."""
    parts = Memo().prompt([AIMessage([block])], [{**FUNCTION, "defer_loading": True}])

    assert [(part.kind, part.name, "currency" in part.text) for part in parts] == [
        ("tools", "rate", False),
        ("tool_result", None, False),
        ("tools", "rate", True),
    ]


def test_a_search_is_a_call():
    """With its name and its query."""
    block = {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {"queries": ["rate"]}, "id": "s1"}

    assert brief([AIMessage([block])], []) == [("tool_call", 'tool_search {"queries":["rate"]}')]


@tool(extras={"defer_loading": True})
def rate(currency: str) -> str:
    """Look it up."""
    return currency


@tool
def ready() -> str:
    """Be ready."""
    return "ready"


def test_anthropic_s_client_sends_it_deferred(watch: Any):
    """As a tool says it in its `extras`."""
    anthropic = pytest.importorskip("langchain_anthropic")
    with LoopbackAnthropic({"claude-sonnet-5": [Answer("ok")]}) as server:
        model = anthropic.ChatAnthropic(model="claude-sonnet-5", base_url=server.base_url, api_key="x", max_retries=0)
        model.bind_tools([ready, rate, SEARCH]).invoke([ASK, AIMessage([FOUND]), HumanMessage("go on")], watch.config)

    [start] = watch.of(ModelStarted)
    assert [(part.kind, part.name) for part in start.prompt] == [
        ("tools", "ready"),
        ("tools", "tool_search_tool_bm25"),
        ("user", None),
        ("tool_result", None),
        ("tools", "rate"),
        ("user", None),
    ]
    assert "currency" in start.prompt[4].text


@pytest.mark.skipif(version("langchain-openai").startswith("1.1."), reason="it knows no search of tools")
def test_openai_s_client_sends_it_deferred(watch: Any):
    """Its name and description are read, its parameters are not."""
    openai = pytest.importorskip("langchain_openai")
    with LoopbackOpenAI({"gpt-5.4": [Answer("ok")]}) as server:
        model = openai.ChatOpenAI(model="gpt-5.4", base_url=server.base_url, api_key="x", max_retries=0, use_responses_api=True)
        model.bind_tools([rate, {"type": "tool_search"}]).invoke([ASK], watch.config)

    [start] = watch.of(ModelStarted)
    assert [(part.kind, part.name) for part in start.prompt] == [("tools", "rate"), ("tools", "tool_search"), ("user", None)]
    assert "Look it up." in start.prompt[0].text
    assert "currency" not in start.prompt[0].text


def test_the_toolbox_is_bounded():
    """A program that makes up tools costs no memory."""
    memo = Memo()
    for number in range(600):
        memo.prompt([], [{**READY, "name": f"tool_{number}"}])

    assert len(memo._toolbox._known) == 512  # pyright: ignore[reportPrivateUsage]
