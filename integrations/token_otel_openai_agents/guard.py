"""`guarded`: a hook that keeps its own failures from the SDK, which would log what the error says, and from the program."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from token_otel import Recorder


class _Reporting(Protocol):
    recorder: Recorder


_Hooked = TypeVar("_Hooked", bound=_Reporting)
_Given = ParamSpec("_Given")


def guarded(hook: Callable[Concatenate[_Hooked, _Given], None]) -> Callable[Concatenate[_Hooked, _Given], None]:
    """Hand what a hook raises to the recorder, as a failure of ours: an error's text may quote the prompt that it met."""

    @wraps(hook)
    def call(owner: Any, /, *args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            hook(owner, *args, **kwargs)
        except Exception as error:
            owner.recorder.failed(error)

    return call
