"""`guarded`: a hook that keeps its own failures from the SDK, which would log what the error says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from token_otel_openai_agents.processor import TokenOtelProcessor

_Processor = TypeVar("_Processor", bound="TokenOtelProcessor")
_Given = ParamSpec("_Given")


def guarded(hook: Callable[Concatenate[_Processor, _Given], None]) -> Callable[Concatenate[_Processor, _Given], None]:
    """Hand what a hook raises to the recorder, as a failure of ours: an error's text may quote the prompt that it met."""

    @wraps(hook)
    def call(processor: Any, /, *args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            hook(processor, *args, **kwargs)
        except Exception as error:
            processor.recorder.failed(error)

    return call
