"""LangChain's callbacks, called with what no release of it has sent yet, or what a model made up."""

from __future__ import annotations

import logging
import math
import os
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from tests.hostile import SECRET, THINGS, nested, nested_blocks, numbers
from tests.tapes import Bench, bench

from token_otel.otel import semconv as sc
from token_otel_langchain import TokenOtelHandler

EXAMPLES = settings(max_examples=math.ceil(int(os.environ.get("TOKEN_OTEL_EXAMPLES") or 5000) / 100))
USAGE: Any = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
DEEP = [nested_blocks(10_000)]


def changed(message: BaseMessage, **fields: Any) -> Any:
    """A message with fields that pydantic would refuse, or without them."""
    inner: dict[str, Any] = vars(message)
    for name, value in fields.items():
        inner[name] = value
        if value is None:
            del inner[name]
    return message


def result(message: Any, **fields: Any) -> Any:
    generation = ChatGeneration(message=AIMessage(content="x"))
    vars(generation).update(message=message)
    made = LLMResult(generations=[[generation]])
    vars(made).update(fields)
    return made


def told(handler: TokenOtelHandler, messages: Any, answer: Any, **about: Any) -> None:
    run_id = uuid4()
    handler.on_chat_model_start({"name": "ChatTest"}, messages, run_id=run_id, **about)
    handler.on_llm_end(answer, run_id=run_id)


def plain() -> Any:
    return result(AIMessage(content="It does.", usage_metadata=USAGE))


@pytest.fixture(name="made")
def _made() -> Bench:
    return bench(raise_errors=False)


@pytest.mark.parametrize(
    "messages",
    [
        [[HumanMessage("hello"), changed(HumanMessage("x"), content=DEEP)]],
        [[changed(HumanMessage("x"), content=nested(10_000))]],
        [[changed(HumanMessage("x"), content=None)]],
        [[changed(AIMessage("x"), tool_calls=None)]],
        [[changed(AIMessage("x"), tool_calls=[{"nom": "search"}])]],
        [[changed(ToolMessage("x", tool_call_id="c"), tool_call_id=None)]],
        [[{"role": "user", "content": "a dict"}, "a text", None]],
        [None],
        None,
        7,
    ],
)
def test_a_prompt_that_cannot_be_read_costs_the_flow_alone(made: Bench, messages: Any):
    """The call, its bill and its model are known all the same."""
    told(TokenOtelHandler(recorder=made.recorder), messages, plain(), invocation_params={"model": "cheap"})

    values = dict(made.span("chat cheap").attributes or {})
    assert values[sc.INPUT_TOKENS] == 10
    assert values[sc.COST_STATUS] == "priced"


@pytest.mark.parametrize(
    "answer",
    [
        result(changed(AIMessage(content="It does."), content=DEEP, usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), response_metadata=None, usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), response_metadata=["a", "list"], usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), tool_calls=None, invalid_tool_calls=None, usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), additional_kwargs=None, usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), id=None, usage_metadata=USAGE)),
        result(changed(AIMessage(content="It does."), content=None, usage_metadata=USAGE)),
        result(AIMessage(content="It does.", usage_metadata=USAGE), llm_output=["a", "list"]),
        result(
            changed(AIMessage(content="It does."), usage_metadata=None),
            llm_output={"token_usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}},
        ),
    ],
)
def test_an_answer_with_a_field_renamed_keeps_its_bill(made: Bench, answer: Any):
    """What can be read of it is read."""
    told(TokenOtelHandler(recorder=made.recorder), [[HumanMessage("Does it?")]], answer, invocation_params={"model": "cheap"})

    values = dict(made.span("chat cheap").attributes or {})
    assert (values[sc.INPUT_TOKENS], values[sc.OUTPUT_TOKENS]) == (10, 2)
    assert values[sc.RUN_STATUS] == "ok"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        result(None),
        result(changed(AIMessage(content="It does."), usage_metadata=None)),
        result(changed(AIMessage(content="It does."), usage_metadata="ten")),
        result(changed(AIMessage(content="It does."), usage_metadata={"input_tokens": "10", "output_tokens": math.nan})),
        result(changed(AIMessage(content="It does."), usage_metadata={"input_tokens": -1, "output_tokens": -1})),
        result(AIMessage(content="It does."), generations=[]),
        result(AIMessage(content="It does."), generations=None),
        result(AIMessage(content="It does."), generations=[[object()]]),
    ],
)
def test_an_answer_without_a_bill_is_unreported(made: Bench, answer: Any):
    """It has ended, and nothing is made up."""
    told(TokenOtelHandler(recorder=made.recorder), [[HumanMessage("Does it?")]], answer, invocation_params={"model": "cheap"})

    values = dict(made.span("chat cheap").attributes or {})
    assert sc.INPUT_TOKENS not in values
    assert (values[sc.USAGE_STATUS], values[sc.RUN_STATUS]) == ("unreported", "ok")


@pytest.mark.parametrize(
    "about",
    [
        {"metadata": None, "tags": None, "name": None},
        {"metadata": ["a", "list"]},
        {"metadata": {"thread_id": nested(10_000), "ls_provider": ["openai"], "langgraph_checkpoint_ns": 7, "lc_agent_name": 3}},
        {"tags": [7, None, "retry:attempt:many"]},
        {"tags": 7},
        {"invocation_params": ["a", "list"]},
        {"options": "x", "unknown": "news", "invocation_params": {"tools": [nested_blocks(10_000), None, 7], "stop": 7}},
        {"parent_run_id": "not a uuid"},
    ],
)
def test_what_is_told_beside_a_call_cannot_cost_it(made: Bench, about: Any):
    """Metadata, tags, parameters and keywords of a release to come."""
    told(TokenOtelHandler(recorder=made.recorder), [[HumanMessage("Does it?")]], plain(), **about)

    [values] = [dict(span.attributes or {}) for span in made.spans if span.name.startswith("chat")]
    assert values[sc.INPUT_TOKENS] == 10


class Unspeakable(Exception):
    """Does not even say what it is."""

    @property
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise RuntimeError(SECRET)


@pytest.mark.parametrize("kind", ["llm", "tool", "chain", "retriever"])
def test_an_error_that_does_not_say_what_it_is_ends_its_run(made: Bench, kind: str):
    """As an error of a class that is not known."""
    handler, run_id = TokenOtelHandler(recorder=made.recorder), uuid4()
    starts: dict[str, Any] = {"llm": handler.on_llm_start, "tool": handler.on_tool_start, "retriever": handler.on_retriever_start}
    inside = uuid4() if kind == "chain" else run_id
    if kind == "chain":
        handler.on_chain_start({"name": "chain"}, {}, run_id=run_id)
        handler.on_llm_start({"name": "LLM"}, ["x"], run_id=inside, parent_run_id=run_id)
        handler.on_llm_error(Unspeakable(), run_id=inside)
    else:
        starts[kind]({"name": kind}, ["x"] if kind == "llm" else "x", run_id=run_id)
    getattr(handler, f"on_{kind}_error")(Unspeakable(), run_id=run_id)

    assert made.recorder.open_runs == 0
    assert {str((span.attributes or {}).get(sc.ERROR_TYPE)) for span in made.spans} == {"_OTHER"}


class Vandal:
    """Calls the callbacks, in any order, with things where there should be others."""

    def __init__(self, handler: TokenOtelHandler) -> None:
        self._handler = handler
        self._ids = [UUID(int=number) for number in range(1, 7)]

    def call(self, number: int) -> None:
        dice = Random(number)
        handler, run_id = self._handler, dice.choice(self._ids)

        def some(*sound: Any) -> Any:
            return dice.choice(THINGS) if dice.random() < 0.4 else dice.choice(sound)

        about: dict[str, Any] = {"run_id": run_id if dice.random() < 0.95 else dice.choice(THINGS)}
        if dice.random() < 0.5:
            about |= {"parent_run_id": some(None, *self._ids), "metadata": some(None, {}), "tags": some(None, []), "name": some("x")}
        if dice.random() < 0.3:
            about |= {"invocation_params": some({}, {"model": "cheap"}), "options": some({}), "tool_call_id": some("c"), "strange": 1}
        message = changed(AIMessage("x"), **{dice.choice(["content", "tool_calls", "usage_metadata", "id"]): dice.choice(THINGS)})
        error = some(ValueError(SECRET), KeyboardInterrupt())
        made = result(some(message), **({} if dice.random() < 0.5 else {dice.choice(["generations", "llm_output"]): dice.choice(THINGS)}))
        calls: list[tuple[str, tuple[Any, ...]]] = [
            ("on_chain_start", (some(None, {"name": "LangGraph"}), some({}))),
            ("on_chain_end", (some({}),)),
            ("on_chain_error", (error,)),
            ("on_chat_model_start", (some(None, {}), some([[message]], [[some(message)]]))),
            ("on_llm_start", (some(None, {}), some(["x"]))),
            ("on_llm_new_token", (some("x"),)),
            ("on_stream_event", (some({"event": "x", "usage": some(None, USAGE)}),)),
            ("on_llm_end", (some(made),)),
            ("on_llm_error", (error,)),
            ("on_tool_start", (some(None, {"name": "search"}), some("x"))),
            ("on_tool_end", (some("x", ToolMessage("x", tool_call_id="c")),)),
            ("on_tool_error", (error,)),
            ("on_retriever_start", (some(None, {}), some("x"))),
            ("on_retriever_end", (some([]),)),
            ("on_retriever_error", (error,)),
        ]
        name, arguments = dice.choice(calls)
        if name == "on_llm_new_token":
            about["chunk"] = some(made, Generation(text="x"))
        getattr(handler, name)(*arguments, **about)


@given(numbers)
@EXAMPLES
def test_no_callback_raises_and_every_span_ends(drawn: list[int]):
    """Whatever it is called with, and however often."""
    made = bench(raise_errors=False)
    vandal = Vandal(TokenOtelHandler(recorder=made.recorder))
    logging.disable(logging.CRITICAL)
    try:
        for number in drawn:
            vandal.call(number)
        made.recorder.settle()
    finally:
        logging.disable(logging.NOTSET)

    assert made.recorder.open_runs == 0
    assert made.counting.started == made.counting.ended == dict.fromkeys(made.counting.started, 1)
