"""`SCENARIOS`: what a program does in each of the plan, the same for every contender: its texts come from seeds."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from itertools import count
from random import Random
from typing import Any

from bench.corpus.texts import write
from bench.load.models import Reply, Scripted, answer
from bench.load.plan import STEPS, TURNS
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.tools import tool
from langgraph_supervisor import create_supervisor

LETTERS = 6.3  # of a word, with what stands around it

Work = Callable[[], object]
Prepare = Callable[[int], Work]
"""Makes the texts of so many runs, and returns the work."""

_seeds = count()


def text_of(size: int, seed: object = None) -> str:
    """Return prose of so many bytes, never the same twice unless a seed is given."""
    return write("prose", int(size / LETTERS) + 20, Random(str(seed if seed is not None else next(_seeds))))[:size]


def _call(name: str, **arguments: str) -> ToolCall:
    return ToolCall(name=name, args=arguments, id=f"call_{next(_seeds):024}", type="tool_call")


@cache
def _plain() -> Scripted:
    """A model that answers one of twenty texts of 300 bytes."""
    texts = [text_of(300, f"answer {number}") for number in range(20)]
    return Scripted(reply=lambda messages: answer(texts[len(messages) % 20], sum(len(str(each.content)) for each in messages) // 4))


def _thread(name: str) -> Any:
    return {"metadata": {"thread_id": f"{name}-{next(_seeds)}"}}


def _invoke(size: int, *, same: bool = False, thread: bool = False) -> Prepare:
    def prepare(runs: int) -> Work:
        texts = [text_of(size, "same")] * runs if same else [text_of(size) for _ in range(runs)]
        model = _plain()
        config = _thread("documents") if thread else None

        def work() -> None:
            for text in texts:
                model.invoke([HumanMessage(text)], config)

        return work

    return prepare


_loop: asyncio.AbstractEventLoop | None = None


def _wait_for(work: Awaitable[object]) -> None:
    global _loop
    _loop = _loop or asyncio.new_event_loop()
    _loop.run_until_complete(work)


def _ainvoke(runs: int) -> Work:
    texts = [text_of(1_000) for _ in range(runs)]

    async def work() -> None:
        for text in texts:
            await _plain().ainvoke([HumanMessage(text)])

    return lambda: _wait_for(work())


def _stream(runs: int) -> Work:
    texts = [text_of(1_000) for _ in range(runs)]

    def work() -> None:
        for text in texts:
            for _ in _plain().stream([HumanMessage(text)]):
                pass

    return work


def _conversation(runs: int) -> Work:
    """A chat of 100 turns: question and answer of 300 bytes each, and the whole of it is read again at each turn."""
    questions = [[text_of(300) for _ in range(TURNS)] for _ in range(runs)]
    answers = iter([text_of(300) for _ in range(TURNS * runs)])
    model = Scripted(reply=lambda messages: answer(next(answers), 75 * len(messages)))

    def work() -> None:
        for asked in questions:
            config = _thread("chat")
            history: list[BaseMessage] = []
            for question in asked:
                history.append(HumanMessage(question))
                history.append(model.invoke(history, config))

    return work


def _agent(runs: int) -> Work:
    """An agent that looks something up 49 times, each time 300 bytes, and then answers."""
    found = iter([text_of(300) for _ in range(STEPS * runs)])

    @tool
    def look_up(subject: str) -> str:
        """Look a subject up in the encyclopedia, and return the paragraph about it."""
        return next(found)

    def reply(messages: Sequence[BaseMessage]) -> AIMessage:
        steps = sum(isinstance(each, ToolMessage) for each in messages)
        calls = [_call("look_up", subject=f"subject number {steps}")] if steps < STEPS - 1 else []
        return answer("" if calls else "That is all there is to know.", 100 + 75 * len(messages), calls=calls)

    agent: Any = create_agent(Scripted(reply=reply), [look_up], system_prompt="You look things up.", name="librarian")
    questions = [text_of(300) for _ in range(runs)]

    def work() -> None:
        for question in questions:
            config = {"recursion_limit": 4 * STEPS, "configurable": {"thread_id": f"agent-{next(_seeds)}"}}
            agent.invoke({"messages": [HumanMessage(question)]}, config)

    return work


def _team(runs: int) -> Work:
    """A supervisor (three calls) hands work to a researcher (two calls, one search of 2 KB) and to a writer (one call)."""
    found = iter([text_of(2_000) for _ in range(runs)])
    notes = iter([text_of(1_000) for _ in range(2 * runs)])

    @tool
    def search(query: str) -> str:
        """Search the library for a query, and return the best page."""
        return next(found)

    def supervisor(messages: Sequence[BaseMessage]) -> AIMessage:
        said = [each for each in messages if isinstance(each, AIMessage)]
        handed = sum(call["name"] in ("transfer_to_researcher", "transfer_to_writer") for each in said for call in each.tool_calls)
        calls = [_call(f"transfer_to_{('researcher', 'writer')[handed]}")] if handed < 2 else []
        return answer("" if calls else "The text is ready.", 300 + 75 * len(messages), calls=calls)

    def researcher(messages: Sequence[BaseMessage]) -> AIMessage:
        calls = [] if isinstance(messages[-1], ToolMessage) and messages[-1].name == "search" else [_call("search", query="rivers")]
        return answer("" if calls else next(notes), 400 + 75 * len(messages), calls=calls)

    def writer(messages: Sequence[BaseMessage]) -> AIMessage:
        return answer(next(notes), 500 + 75 * len(messages))

    def member(name: str, reply: Reply, *tools: Any) -> Any:
        return create_agent(Scripted(reply=reply), [*tools], system_prompt=f"You are the {name}.", name=name)

    members = [member("researcher", researcher, search), member("writer", writer)]
    team: Any = create_supervisor(members, model=Scripted(reply=supervisor), prompt="You lead the team.").compile(name="team")
    questions = [text_of(300) for _ in range(runs)]

    def work() -> None:
        for question in questions:
            team.invoke({"messages": [HumanMessage(question)]}, {"configurable": {"thread_id": f"team-{next(_seeds)}"}})

    return work


def small_conversations(runs: int) -> Work:
    """Conversations of ten turns, for what is left of each in memory."""

    def work() -> None:
        for _ in range(runs):
            config = _thread("small")
            history: list[BaseMessage] = [SystemMessage("You are brief.")]
            model = Scripted(reply=lambda messages: answer(text_of(300), 75 * len(messages)))
            for _ in range(10):
                history.append(HumanMessage(text_of(300)))
                history.append(model.invoke(history, config))

    return work


SCENARIOS: dict[str, Prepare] = {
    "invoke": _invoke(1_000),
    "invoke-same": _invoke(1_000, same=True),
    "100k": _invoke(100_000),
    "100k-same": _invoke(100_000, same=True),
    "100k-thread": _invoke(100_000, thread=True),
    "ainvoke": _ainvoke,
    "stream": _stream,
    "agent": _agent,
    "conversation": _conversation,
    "team": _team,
}
