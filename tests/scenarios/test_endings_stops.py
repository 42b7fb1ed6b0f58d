"""The program is stopped in a tool or in a callback; a retriever ends as a tool does."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import ToolException
from tests.scenarios.endings import ASKED, WATCHED, Ending, QuietError, broken, calls, ending, pilot
from tests.scenarios.scenes import QUESTION


@WATCHED
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_tool_stops_the_program(instrumented: bool, error: type[BaseException]):
    """Nobody has failed: tool and agent are cancelled."""
    with ending(calls("fail"), instrumented=instrumented) as b, pytest.raises(error):
        pilot(b, broken(error)).invoke(ASKED, b.config)
    assert b.statuses == [("chat gpt-5-mini", "ok"), ("execute_tool fail", "cancelled"), ("invoke_agent pilot", "cancelled")]


class Stopper(BaseCallbackHandler):
    """A callback of the user's that stops the program when it is told of one thing."""

    run_inline = True
    raise_error = True

    def __init__(self, hook: str, error: type[BaseException]) -> None:
        def stop(*_: Any, **__: Any) -> None:
            raise error

        setattr(self, hook, stop)


HOOKS = ["on_chain_start", "on_chat_model_start", "on_llm_new_token", "on_llm_end", "on_tool_start", "on_tool_end", "on_chain_end"]


@pytest.mark.parametrize(("error", "ours_first"), [(KeyboardInterrupt, True), (SystemExit, False)])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_stops_the_program(hook: str, error: type[BaseException], ours_first: bool):
    """Wherever it strikes, before us or after us, each span that began ends once, and none is an error."""
    with ending(calls("fail")) as b:
        callbacks: list[Any] = [b.handler, Stopper(hook, error)]
        model = b.gpt("gpt-5-mini", streaming=True)
        agent: Any = create_agent(model, [broken(lambda: ToolException("No."), handle_tool_error=True)], name="pilot")
        with pytest.raises(error):
            agent.invoke(ASKED, {"callbacks": callbacks if ours_first else callbacks[::-1]})
        b.balanced = False
    assert {status for _, status in b.statuses} <= {"ok", "cancelled"}


class Library(BaseRetriever):
    """A retriever that ends as it is told."""

    error: Any = None  # what makes its exception; without it, it waits for ever

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        raise self.error()

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        await asyncio.Event().wait()
        return []


@pytest.mark.parametrize(("error", "status"), [(QuietError, "error"), (KeyboardInterrupt, "cancelled")])
def test_a_retriever_fails_or_stops_the_program(error: type[BaseException], status: str):
    """As a tool does."""
    with ending(failed=["retrieval Library"] if status == "error" else []) as b, pytest.raises(error):
        Library(error=error).invoke(QUESTION, b.config)
    assert b.statuses == [("retrieval Library", status)]


def test_a_retriever_is_cancelled():
    """LangChain tells nobody."""

    async def cut(b: Ending) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Library().ainvoke(QUESTION, b.config)

    with ending() as b:
        b.run(lambda: cut(b))
    assert b.statuses == [("retrieval Library", "cancelled")]
