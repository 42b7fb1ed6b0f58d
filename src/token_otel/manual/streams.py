"""`Stream` and `AsyncStream`: a provider's stream as it is, watched: first chunk, usage so far, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from token_otel.events import Status
from token_otel.manual.chunks import Gathered
from token_otel.manual.outcome import verdict
from token_otel.manual.responses import Answer
from token_otel.recorder import Recorder
from token_otel.usage import Usage

C = TypeVar("C")


class Call(Protocol):
    """A model call, as far as its stream tells it what came of it."""

    @property
    def recorder(self) -> Recorder:
        """Where failures of ours go."""
        ...

    def chunk(self) -> None:
        """Report the first chunk."""
        ...

    def seen(self, usage: Usage, model: str | None) -> None:
        """Report usage so far."""
        ...

    def answered(self, answer: Answer, status: Status = "ok", error_type: str | None = None, *, dropped: bool = False) -> None:
        """Report the end."""
        ...


class Watched:
    """What is gathered of a stream; all else that the stream has is found on it too.

    Attributes:
        begun: Whether a chunk has come.
        over: Whether it has ended, well or badly.
    """

    def __init__(self, chunks: Any, call: Call) -> None:
        self.begun = False
        self.over = False
        self._chunks = chunks
        self._call = call
        self._gathered = Gathered()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_chunks" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._chunks, name)

    def see(self, chunk: object) -> None:
        """Take from a chunk what it says."""
        if not self.begun:
            self.begun = True
            self._call.chunk()
        try:
            usage = self._gathered.add(chunk)
        except Exception as error:
            self._call.recorder.failed(error)
            return
        if usage:
            self._call.seen(usage, self._gathered.model)

    def stop(self, error: BaseException | None, *, dropped: bool = False) -> None:
        """End the call: with what has come, and if the stream was broken off, as a bill that may not be the whole."""
        if self.over:
            return
        self.over = True
        try:
            answer = self._gathered.answer(whole=error is None)
        except Exception as failure:
            self._call.recorder.failed(failure)
            answer = Answer()
        self._call.answered(answer, *verdict(error), dropped=dropped)

    def __del__(self) -> None:
        # In a destructor no lock may be taken.
        if self.__dict__.get("over") is False:
            self.stop(GeneratorExit(), dropped=True)


class Stream(Watched, Generic[C]):
    """A stream that is gone through by `for`."""

    def __init__(self, chunks: Iterable[C], call: Call) -> None:
        super().__init__(chunks, call)
        self._iterator: Iterator[C] | None = None

    def __iter__(self) -> Iterator[C]:
        return self

    def __next__(self) -> C:
        try:
            if self._iterator is None:
                self._iterator = iter(self._chunks)
            chunk = next(self._iterator)
        except StopIteration:
            self.stop(None)
            raise
        except BaseException as error:
            self.stop(error)
            raise
        self.see(chunk)
        return chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream itself; a call that has not ended is broken off."""
        close: Any = getattr(self._chunks, "close", None)
        if callable(close):
            close()
        self.stop(GeneratorExit())


class AsyncStream(Watched, Generic[C]):
    """A stream that is gone through by `async for`."""

    def __init__(self, chunks: AsyncIterable[C], call: Call) -> None:
        super().__init__(chunks, call)
        self._iterator: AsyncIterator[C] | None = None

    def __aiter__(self) -> AsyncIterator[C]:
        return self

    async def __anext__(self) -> C:
        try:
            if self._iterator is None:
                self._iterator = aiter(self._chunks)
            chunk = await anext(self._iterator)
        except StopAsyncIteration:
            self.stop(None)
            raise
        except BaseException as error:
            self.stop(error)
            raise
        self.see(chunk)
        return chunk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def close(self) -> None:
        """Close the stream itself; a call that has not ended is broken off."""
        close: Any = getattr(self._chunks, "aclose", None) or getattr(self._chunks, "close", None)
        if callable(close):
            closing: Any = close()
            if hasattr(closing, "__await__"):
                await closing
        self.stop(GeneratorExit())

    async def aclose(self) -> None:
        """Close it, as an async generator is closed."""
        await self.close()
