"""Plain graphs whose nodes write one agent's words into another's prompt: the words stay with whoever said them."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
import json
import operator
import textwrap
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, get_buffer_string
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel
from tests.scenarios.bench import Bench, bench, check_balance, check_calls
from tests.scenarios.quotes import check_call, producers, span_id
from tests.scenarios.scenes import flow, place
from tests.words import DRAFT, NOTES, PLAN, QUESTION, VERDICT, sentences

from token_otel.testing.loopback import Answer
from token_otel.testing.loopback.openai_prompt import count

TEMPLATE = ChatPromptTemplate.from_messages(
    [("system", "You write pages for skippers. Keep to this plan:\n\n{plan}"), ("user", "The question was: {question}\nWrite the page.")]
)


class Desk(TypedDict, total=False):
    """What the nodes of a graph pass on."""

    plan: str
    notes: str
    draft: str
    verdict: str
    extra: Any


def desk(*nodes: tuple[str, Callable[[Desk], Any]], state: Any = Desk) -> Any:
    """A graph of these nodes, one after the other."""
    graph: Any = StateGraph(state)
    before = START
    for name, node in nodes:
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    return graph.compile(name="desk")


def asks(model: Any, key: str, write: Callable[[Desk], Any]) -> Callable[[Desk], Any]:
    """A node that puts the answer to a prompt, made of the state, into the state."""
    return lambda state: {key: str(model.invoke(write(state)).text)}


def relay(b: Bench, write: Callable[[str], Any]) -> None:
    """A planner plans, and a writer reads what a node makes of it."""
    planner = asks(b.gpt("gpt-5"), "plan", lambda state: [HumanMessage(QUESTION)])
    writer = asks(b.gpt("gpt-5-mini"), "draft", lambda state: write(state["plan"]))  # pyright: ignore[reportTypedDictNotRequiredAccess]
    desk(("planner", planner), ("writer", writer)).invoke({}, b.config)
    check_balance(b)
    check_calls(b)


FORMS: dict[str, tuple[Callable[[str], Any], Callable[[str], list[str]]]] = {
    # How a node writes the plan into a prompt, and how the planner's words stand there; marks between its lines count as part of it.
    "f-string": (lambda plan: [HumanMessage(f"Plan: {plan}\n\nDo it, and answer with the page alone.")], lambda plan: [plan]),
    "a bare string": (lambda plan: f"Plan: {plan}\n\nDo it, and answer with the page alone.", lambda plan: [plan]),
    "template": (lambda plan: TEMPLATE.invoke({"plan": plan, "question": QUESTION}), lambda plan: [plan]),
    "json": (
        lambda plan: [("user", "State of the work:\n" + json.dumps({"step": 2, "plan": plan, "done": False}))],
        lambda plan: [json.dumps(plan)[1:-1]],
    ),
    "json, indented": (
        lambda plan: [("system", "Go on from this state."), ("user", json.dumps({"plan": plan.split("\n"), "step": 2}, indent=2))],
        lambda plan: ['",\n    "'.join(plan.splitlines())],
    ),
    "repr": (
        lambda plan: [HumanMessage(f"Your state is { ({'plan': plan, 'step': 2}) }. Write the page.")],
        lambda plan: [repr(plan)[1:-1]],
    ),
    "bullets": (
        lambda plan: [("user", "Steps:\n" + "\n".join("  * " + line for line in plan.splitlines()))],
        lambda plan: ["\n  * ".join(plan.splitlines())],
    ),
    "quoted": (
        lambda plan: [("user", f"The planner wrote:\n\n{textwrap.indent(plan, '> ')}\n\nDo so.")],
        lambda plan: ["\n> ".join(plan.splitlines())],
    ),
    "truncated": (lambda plan: [("user", f"The plan, in short: {plan[:180]}...\nWrite the page.")], lambda plan: [plan[:180]]),
    "content blocks": (
        lambda plan: [HumanMessage([{"type": "text", "text": "This is the plan."}, {"type": "text", "text": plan}])],
        lambda plan: [plan],
    ),
    "as somebody else's": (
        lambda plan: [("user", "Go on."), ("assistant", f"Thought: {plan}\nAction: write"), ("user", "Yes?")],
        lambda plan: [plan],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_in_the_writers_prompt_is_the_planners(form: str):
    """In whatever way the node of a graph has written it there; the rest stays with its role."""
    write, stands = FORMS[form]
    with bench({"gpt-5": [Answer(PLAN)], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        relay(b, write)
        check_call(b, 0, "planner", {})
        check_call(b, 1, "writer", {"agent:planner": stands(PLAN)})


def test_a_plan_is_the_planners_for_claude_too():
    """Another encoding, another bill: the plan has the same part in it."""
    with bench({"gpt-5": [Answer(PLAN)]}, {"claude-haiku-4-5": [Answer(DRAFT)]}) as b:
        planner = asks(b.gpt("gpt-5"), "plan", lambda state: [HumanMessage(QUESTION)])
        writer = asks(b.claude("claude-haiku-4-5"), "draft", lambda state: [HumanMessage(f"Plan:\n{state.get('plan')}\n\nDo it.")])
        desk(("planner", planner), ("writer", writer)).invoke({}, b.config)
        check_balance(b)
        check_call(b, 1, "writer", {"agent:planner": [PLAN]}, share=0.08)


def test_an_async_stream_is_the_same():
    """`astream`, with models that stream."""

    async def run(graph: Any, b: Bench) -> None:
        async for _ in graph.astream({}, b.config, stream_mode="messages"):
            pass

    with bench({"gpt-5": [Answer(PLAN)], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        models = {"plan": b.gpt("gpt-5", streaming=True), "draft": b.gpt("gpt-5-mini", streaming=True)}

        async def plan(state: Desk) -> Desk:
            return {"plan": (await models["plan"].ainvoke(QUESTION)).text}

        async def write(state: Desk) -> Desk:
            return {"draft": (await models["draft"].ainvoke(f"Plan: {state.get('plan')}\n\nDo it.")).text}

        asyncio.run(run(desk(("planner", plan), ("writer", write)), b))
        check_balance(b)
        check_call(b, 1, "writer", {"agent:planner": [PLAN]})


def test_a_draft_and_its_critique_in_one_prompt():
    """The writer revises: its own draft is its own, the critique is the critic's, what frames them is the user's."""
    with bench({"gpt-5": [Answer(DRAFT), Answer(NOTES)], "gpt-5-mini": [Answer(VERDICT)]}) as b:
        writer, critic = b.gpt("gpt-5"), b.gpt("gpt-5-mini")

        def write(state: Desk) -> Any:
            if "verdict" not in state:
                return [HumanMessage(QUESTION)]
            return [HumanMessage(f"Your draft:\n{state.get('draft')}\n\nThe critic says:\n{state['verdict']}\n\nRevise it.")]

        graph: Any = StateGraph(Desk)
        graph.add_node("writer", asks(writer, "draft", write))
        graph.add_node("critic", asks(critic, "verdict", lambda state: [HumanMessage(f"Judge this page:\n```\n{state.get('draft')}\n```")]))
        graph.add_edge(START, "writer")
        graph.add_conditional_edges("writer", lambda state: "__end__" if "verdict" in state else "critic", ["critic", "__end__"])
        graph.add_edge("critic", "writer")
        graph.compile(name="desk").invoke({}, b.config)
        check_balance(b)
        check_call(b, 1, "critic", {"agent:writer": [DRAFT]})
        check_call(b, 2, "writer", {"self": [DRAFT], "agent:critic": [VERDICT]})


def test_a_transcript_of_the_messages_so_far():
    """`get_buffer_string` makes one text of all messages: each turn in it is its speaker's."""
    with bench({"gpt-5": [Answer(PLAN)], "gpt-5-mini": [Answer(NOTES)], "gpt-4.1-mini": [Answer(DRAFT)]}) as b:

        def transcript(state: Desk) -> Any:
            said = [HumanMessage(QUESTION), AIMessage(state.get("plan", "")), AIMessage(state.get("notes", ""))]
            return [("system", "Write the page that was asked for."), ("user", get_buffer_string(said))]

        planner = asks(b.gpt("gpt-5"), "plan", lambda state: [HumanMessage(QUESTION)])
        researcher = asks(b.gpt("gpt-5-mini"), "notes", lambda state: [HumanMessage("What do you know of the locks?")])
        writer = asks(b.gpt("gpt-4.1-mini"), "draft", transcript)
        desk(("planner", planner), ("researcher", researcher), ("writer", writer)).invoke({}, b.config)
        check_balance(b)
        check_call(b, 2, "writer", {"agent:planner": [PLAN], "agent:researcher": [NOTES]})


class Fan(TypedDict):
    """State of the fan-out."""

    notes: Annotated[list[str], operator.add]
    answer: str


def test_a_fan_in_tells_one_mapper_from_another():
    """Three mappers of one name say three things; in one prompt of the reducer's each is linked and counted by itself."""
    said = {"north": PLAN, "middle": NOTES, "south": DRAFT}

    def answer(request: Any) -> Answer:
        return Answer(next(text for reach, text in said.items() if reach in request.last_text))

    with bench({"gpt-5-mini": answer, "gpt-5": [Answer(VERDICT)]}) as b:
        mapper, reducer = b.gpt("gpt-5-mini"), b.gpt("gpt-5")

        def reduce(state: Fan) -> dict[str, str]:
            headed = "\n\n".join(f"### Report number {number}\n{note}" for number, note in enumerate(state["notes"], 1))
            return {"answer": str(reducer.invoke([HumanMessage(f"Sum these reports up.\n\n{headed}")]).text)}

        graph: Any = StateGraph(Fan)
        graph.add_node("mapper", lambda state: {"notes": [str(mapper.invoke(f"Describe the {state['reach']} reach.").text)]})
        graph.add_node("reducer", reduce)
        graph.add_conditional_edges(START, lambda state: [Send("mapper", {"reach": reach}) for reach in said], ["mapper"])
        graph.add_edge("mapper", "reducer")
        graph.compile(name="survey").invoke({"notes": [], "answer": ""}, b.config)
        check_balance(b)
        reduced = check_call(b, 3, "reducer", {"agent:mapper": list(said.values())})
        mapped = [span for span in b.spans if span.name == "chat gpt-5-mini"]
        assert {place(link.context) for link in reduced.links} == {place(span.context) for span in mapped}
        assert sorted(producers(reduced)) == sorted(span_id(span) for span in mapped)
        # Each report has 65 to 75 tokens, and the frame of the message is 4 more.
        truth = sorted(count(text) for text in said.values())
        assert all(abs(ours - true) <= 8 for ours, true in zip(sorted(producers(reduced).values()), truth, strict=True))


class Outline(BaseModel):
    """An outline of a page."""

    title: str
    opening: str
    warning: str


def test_a_structured_answer_written_out_is_its_agents():
    """A planner answers with JSON; a node writes its fields into the next prompt, each beneath a label."""
    outline = Outline(title="The river in winter", opening=sentences(DRAFT)[0], warning=sentences(NOTES)[2])
    with bench({"gpt-5": [Answer(outline.model_dump_json())], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        planner = b.gpt("gpt-5").with_structured_output(Outline, method="json_schema")
        writer = b.gpt("gpt-5-mini")

        def write(state: Desk) -> Desk:
            made: Any = state.get("extra")
            text = f"Begin the page like this: {made.opening}\nPut this warning in a box of its own: {made.warning}\nUse no adjectives."
            return {"draft": writer.invoke([HumanMessage(text)]).text}

        desk(("planner", lambda state: {"extra": planner.invoke(QUESTION)}), ("writer", write)).invoke({}, b.config)
        check_balance(b)
        check_call(b, 1, "writer", {"agent:planner": [outline.opening, outline.warning]})


def test_a_thread_knows_nothing_of_another():
    """The plan was made in one thread; a user who pastes it into another wrote all of it there."""
    with bench({"gpt-5": [Answer(PLAN)], "gpt-5-mini": [Answer(DRAFT)]}) as b:
        desk(("planner", asks(b.gpt("gpt-5"), "plan", lambda state: QUESTION))).invoke({}, b.thread("one"))
        desk(("writer", asks(b.gpt("gpt-5-mini"), "draft", lambda state: f"My plan:\n{PLAN}\n\nDo it."))).invoke({}, b.thread("two"))
        check_balance(b)
        span = check_call(b, 1, "writer", {})
        assert set(flow(span)) == {"user"}
        assert not span.links
