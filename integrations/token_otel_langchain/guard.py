"""`guarded`: a callback that keeps its own failures from LangChain, which would log what the error says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from token_otel import BudgetExceeded

if TYPE_CHECKING:
    from token_otel_langchain.handler import TokenOtelHandler

_Handler = TypeVar("_Handler", bound="TokenOtelHandler")
_Given = ParamSpec("_Given")


def guarded(callback: Callable[Concatenate[_Handler, _Given], None]) -> Callable[Concatenate[_Handler, _Given], None]:
    """Hand what a callback raises to the recorder, as a failure of ours: an error's text may quote the prompt that it met.

    What passes is that a budget is spent: the program has asked for it.
    """

    @wraps(callback)
    def call(handler: Any, /, *args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            callback(handler, *args, **kwargs)
        except BudgetExceeded:
            raise
        except Exception as error:
            handler.recorder.failed(error)

    return call
