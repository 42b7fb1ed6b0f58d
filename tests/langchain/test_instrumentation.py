"""`integration`: the whole process, and the boundary around tools."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, tool

from token_otel.events import Ended, ModelEnded, ModelStarted, ToolStarted
from token_otel_langchain import TokenOtelHandler, integration

ASK: Any = {"messages": [("user", "hello there")]}


class ActiveTape:
    """A tape that notes which run was active when."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.active: list[str] = []
        self.stack: list[str] = []

    def record(self, event: Any) -> None:
        self.events.append(event)

    def now_ns(self) -> None:
        return None

    def check_budget(self, parent_id: str | None = None) -> None: ...

    @contextmanager
    def activate(self, run_id: str) -> Iterator[None]:
        self.stack.append(run_id)
        self.active.append(run_id)
        try:
            yield
        finally:
            assert self.stack.pop() == run_id


@pytest.fixture
def tape() -> Iterator[Any]:
    tape: Any = ActiveTape()
    integration.instrument(tape)
    yield tape
    integration.uninstrument()


def of(tape: Any, kind: type[Any]) -> list[Any]:
    return [event for event in tape.events if isinstance(event, kind)]


def test_every_run_of_the_process_is_seen(tape: Any, scripted: Any):
    """Without a callback anywhere."""
    create_agent(scripted("hi"), [], name="alice").invoke(ASK)

    assert len(of(tape, ModelEnded)) == 1


def test_an_explicit_handler_beside_it_changes_nothing(tape: Any, scripted: Any):
    """The same recorder hears of each run once."""
    create_agent(scripted("hi"), [], name="alice").invoke(ASK, {"callbacks": [TokenOtelHandler(recorder=tape)]})

    assert [type(event).__name__ for event in tape.events] == ["AgentStarted", "ModelStarted", "ModelEnded", "Ended"]


def test_instrumenting_twice_changes_nothing(tape: Any, scripted: Any):
    """It is idempotent."""
    integration.instrument(tape)
    scripted("hi").invoke("hello")

    assert len(of(tape, ModelStarted)) == 1


def test_uninstrument_stops(scripted: Any):
    """The hook stays with LangChain, and says nothing; the tools are as they were."""
    tape: Any = ActiveTape()
    before = BaseTool.run, BaseTool.arun
    integration.instrument(tape)
    assert BaseTool.run is not before[0]
    integration.uninstrument()
    scripted("hi").invoke("hello")

    assert tape.events == []
    assert (BaseTool.run, BaseTool.arun) == before


def test_another_recorder_takes_over(scripted: Any):
    """After `uninstrument` a new recorder can be watched by."""
    first, second = ActiveTape(), ActiveTape()
    for each in (first, second):
        integration.instrument(each)  # pyright: ignore[reportArgumentType]
        scripted("hi").invoke("hello")
        integration.uninstrument()

    assert len(of(first, ModelEnded)) == len(of(second, ModelEnded)) == 1


def test_a_wrapper_that_came_in_between_stays(scripted: Any, monkeypatch: pytest.MonkeyPatch):
    """Another tool that wraps after us is not undone."""
    tape: Any = ActiveTape()
    original = BaseTool.run
    integration.instrument(tape)
    ours: Any = BaseTool.run

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        return ours(self, *args, **kwargs)

    BaseTool.run = theirs
    integration.uninstrument()
    try:
        assert BaseTool.run is theirs
    finally:
        BaseTool.run = ours
        integration.uninstrument()
    assert BaseTool.run is original


def test_the_users_own_work_in_a_tool_lies_within_it(tape: Any):
    """The tool's span is current while the tool runs, and only then."""
    seen: list[str] = []

    @tool
    def search(q: str) -> str:
        """Look something up."""
        seen.extend(tape.stack)
        return "found"

    search.invoke({"q": "x"})

    assert seen == [of(tape, ToolStarted)[0].run_id]
    assert tape.stack == []


def test_tools_within_tools_nest(tape: Any):
    """Each has a boundary of its own."""
    depths: list[int] = []

    @tool
    def inner(q: str) -> str:
        """Inner."""
        depths.append(len(tape.stack))
        return q

    @tool
    def outer(q: str) -> str:
        """Outer."""
        return inner.invoke({"q": q})

    outer.invoke({"q": "x"})

    assert depths == [2]
    assert [event.parent_id for event in of(tape, ToolStarted)] == [None, of(tape, ToolStarted)[0].run_id]


def test_async_tools_are_active_too(tape: Any):
    """In the task that runs them."""
    seen: list[str] = []

    @tool
    async def search(q: str) -> str:
        """Look something up."""
        seen.extend(tape.stack)
        return "found"

    asyncio.run(search.ainvoke({"q": "x"}))

    assert seen == [of(tape, ToolStarted)[0].run_id]
    assert tape.stack == []


def test_models_are_never_made_current(tape: Any, scripted: Any):
    """An async model starts and ends in different contexts."""
    scripted("hi").invoke("hello")

    assert tape.active == []


def test_a_bare_handler_makes_nothing_current(scripted: Any, call: Any):
    """Only `instrument()` puts boundaries around tools."""
    tape: Any = ActiveTape()

    @tool
    def search(q: str) -> str:
        """Look something up."""
        return "found"

    search.invoke({"q": "x"}, {"callbacks": [TokenOtelHandler(recorder=tape)]})

    assert len(of(tape, ToolStarted)) == 1
    assert tape.active == []


def test_a_tool_that_is_cut_off_by_a_timeout_still_ends(tape: Any):
    """LangChain reports neither an end nor an error for it."""

    @tool
    async def slow(q: str) -> str:
        """Sleep."""
        await asyncio.sleep(10)
        return q

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.ainvoke({"q": "x"}), 0.05)

    asyncio.run(main())

    assert [event.status for event in of(tape, Ended)] == ["cancelled"]
    assert tape.stack == []


def test_a_failed_tool_ends_once(tape: Any):
    """The boundary adds nothing to what LangChain has reported."""

    @tool
    def broken(q: str) -> str:
        """Break."""
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        broken.invoke({"q": "x"})

    assert [(event.status, event.error_type) for event in of(tape, Ended)] == [("error", "RuntimeError")]


def test_without_langchain_it_says_what_to_install():
    """One sentence, with the command."""
    code = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "try:\n    import token_otel_langchain\nexcept ImportError as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == 'token_otel_langchain needs langchain-core: pip install "token-otel[langchain]"'
