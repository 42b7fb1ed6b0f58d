"""Functions of every kind whose calls are runs: plain, async, generators and async generators."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_otel.manual.blocks import Block


def decorated(again: Callable[[], Block], function: Any) -> Any:
    """Return a function each of whose calls is a block.

    What a generator yields is the caller's to work on: between its steps, what runs does not belong to it.
    """
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        stepped: Callable[..., Any] = _stepped_async if inspect.isasyncgenfunction(function) else _stepped
        return wraps(function)(lambda *args, **kwargs: stepped(again(), function(*args, **kwargs)))

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        with again() as block:
            result = await function(*args, **kwargs)
            block.returned(result)
            return result

    def call(*args: Any, **kwargs: Any) -> Any:
        with again() as block:
            result = function(*args, **kwargs)
            block.returned(result)
            return result

    return wraps(function)(call_async if inspect.iscoroutinefunction(function) else call)


def _stepped(block: Block, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    block.open()
    go: Callable[[Any], Any] = steps.send
    given: Any = None
    error: BaseException | None = None
    try:
        while True:
            block.go_in()
            try:
                item = go(given)
            except StopIteration as stop:
                return stop.value
            finally:
                block.go_out()
            try:
                go, given = steps.send, (yield item)
            except GeneratorExit:
                block.go_in()
                try:
                    steps.close()
                finally:
                    block.go_out()
                raise
            except BaseException as thrown:
                go, given = steps.throw, thrown
    except BaseException as stopped:
        error = stopped
        raise
    finally:
        block.leave(error)


async def _stepped_async(block: Block, steps: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    block.open()
    go: Callable[[Any], Any] = steps.asend
    given: Any = None
    error: BaseException | None = None
    try:
        while True:
            block.go_in()
            try:
                item = await go(given)
            except StopAsyncIteration:
                return
            finally:
                block.go_out()
            try:
                go, given = steps.asend, (yield item)
            except GeneratorExit:
                block.go_in()
                try:
                    await steps.aclose()
                finally:
                    block.go_out()
                raise
            except BaseException as thrown:
                go, given = steps.athrow, thrown
    except BaseException as stopped:
        error = stopped
        raise
    finally:
        block.leave(error)
