"""`Client`: one program's conversations, whose calls end in every way there is."""

# LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any
from uuid import uuid4

from bench.endurance.books import Tally
from bench.load.models import Scripted, answer
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk

LENGTHS = (2,) * 60 + (10,) * 25 + (40,) * 12 + (200,) * 2 + (500,)  # messages of a conversation, of a hundred
WORDS = ("keeper", "gate", "upper", "frost", "winter", "thaw", "march", "river", "never", "closes", "opens", "before", "after", "days")
FAILS, CANCELS, BREAKS, VANISHES = 0.05, 0.10, 0.15, 0.20  # of all calls, one after the other
CHUNKS = 4


class Refused(Exception):
    """The provider's error."""


class Told(Scripted):
    """Writes what it delivers into a tally of its own; a stream tells its input with the first chunk, its output with the last."""

    tally: Any
    fails: bool = False
    hangs: bool = False

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        if self.fails:
            raise Refused
        result: Any = super()._generate(messages, stop, run_manager, **kwargs)
        self.tally.billed(result.generations[0].message.usage_metadata)
        return result

    async def _agenerate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        await asyncio.sleep(3600 if self.hangs else 0)
        return self._generate(messages)

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for number in range(CHUNKS):
            yield self._chunk(number, len(messages))

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for number in range(CHUNKS):
            await asyncio.sleep(0)
            yield self._chunk(number, len(messages))

    def _chunk(self, number: int, length: int) -> ChatGenerationChunk:
        usage: Any = {"input_tokens": 300 * length if number == 0 else 0, "output_tokens": 7, "total_tokens": 0}
        usage["total_tokens"] = usage["input_tokens"] + 7
        self.tally.billed(usage)
        about = {"model_name": "gpt-5-2025-08-07", "finish_reason": "stop"} if number == CHUNKS - 1 else {}
        return ChatGenerationChunk(message=AIMessageChunk(content="word ", usage_metadata=usage, response_metadata=about))


class Client:
    """Goes on with one conversation at a time, by one call each time."""

    def __init__(self, number: int, tally: Tally, handler: Any) -> None:
        self._rng = Random(number)
        self._number = number
        self._tally = tally
        self._handler = handler

        def reply(messages: Any) -> Any:
            return answer(self._text(20), 300 * len(messages))

        self._model = Told(reply=reply, tally=tally)
        self._failing = Told(reply=reply, tally=tally, fails=True)
        self._hanging = Told(reply=reply, tally=tally, hangs=True)
        self._history: list[BaseMessage] = []
        self._most = 0
        self._begun = 0

    def call(self) -> None:
        """Make one call in this thread."""
        how, config = self._next()
        if how == "fails":
            self._refused(config)
        elif how in ("cancels", "breaks"):
            stream: Any = self._model.stream(self._history, config)
            for _ in range(1 if how == "cancels" else 2):
                next(stream)
            stream.close()
        elif how == "vanishes":
            self._vanish(config)
        elif how == "streams":
            for _ in self._model.stream(self._history, config):
                pass
        else:
            self._history.append(self._model.invoke(self._history, config))

    async def acall(self) -> None:
        """Make one call in this task."""
        how, config = self._next()
        if how == "fails":
            self._refused(config)
        elif how == "cancels":
            task = asyncio.ensure_future(self._hanging.ainvoke(self._history, config))
            await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        elif how == "breaks":
            stream: Any = self._model.astream(self._history, config)
            await anext(stream)
            await stream.aclose()
        elif how == "vanishes":
            self._vanish(config)
        elif how == "streams":
            async for _ in self._model.astream(self._history, config):
                pass
        else:
            self._history.append(await self._model.ainvoke(self._history, config))

    def _next(self) -> tuple[str, Any]:
        if len(self._history) >= self._most:
            # It begins full grown: what grows to 500 messages one by one costs no other call than that.
            self._most = self._rng.choice(LENGTHS)
            self._history = [HumanMessage(self._text(12)) for _ in range(max(0, self._most - 10))]
            self._begun += 1
        self._history.append(HumanMessage(self._text(12)))
        dice = self._rng.random()
        names = ((FAILS, "fails"), (CANCELS, "cancels"), (BREAKS, "breaks"), (VANISHES, "vanishes"), (0.4, "streams"))
        how = next((name for bound, name in names if dice < bound), "ends")
        self._tally.called(how)
        return how, {"callbacks": [self._handler], "metadata": {"thread_id": f"{self._number}-{self._begun}"}}

    def _refused(self, config: Any) -> None:
        try:
            self._failing.invoke(self._history, config)
        except Refused:
            return

    def _vanish(self, config: Any) -> None:
        """Start a call that nobody ever ends, as where a framework forgets it."""
        about: Any = {"metadata": config["metadata"] | {"ls_provider": "openai", "ls_model_name": "gpt-5"}}
        self._handler.on_chat_model_start({}, [self._history], run_id=uuid4(), name="gone", **about)

    def _text(self, words: int) -> str:
        return " ".join(self._rng.choices(WORDS, k=words)) + f" {self._rng.random()}"
