"""How runs end, and where control goes: exceptions, interrupts and LangGraph's `Command`s."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from token_otel.events import Status, ended_by

_OTHER = "_OTHER"  # semconv's word for an error whose class is not known
_NOWHERE = {"__end__", "tools"}
# A node's name, of at most four words: a program may pass on what a model answered, and that may be a sentence.
_NAME = re.compile(r"(?=.{1,64}\Z)[\w./&-]+(?: [\w./&-]+){0,3}")


def verdict(error: BaseException) -> tuple[Status, str | None]:
    """Return the status with which an exception ends a run, and its class if it is an error.

    LangGraph moves control by exceptions: those that bubble up are no errors, and an interrupt only pauses. One whose class
    cannot even be asked what it is ends its run all the same.
    """
    try:
        return _verdict(error)
    except Exception:
        return "error", _OTHER


def _verdict(error: BaseException) -> tuple[Status, str | None]:
    family = {parent.__name__ for parent in type(error).__mro__ if parent.__module__ == "langgraph.errors"}
    if "GraphInterrupt" in family:
        return "interrupted", None
    if "GraphBubbleUp" in family:
        return "ok", None
    return ended_by(error)


def interrupted(outputs: object) -> bool:
    """Tell whether a graph returned because it waits for somebody."""
    return isinstance(outputs, Mapping) and bool(cast("Mapping[str, object]", outputs).get("__interrupt__"))


def goes_to(output: object, *, beyond: bool) -> list[str]:
    """Return the nodes to which a `Command`, or one among several, passes control: beyond its graph, or within it."""
    found: list[str] = []
    for command in cast("Iterable[object]", output) if isinstance(output, list | tuple) else (output,):
        if type(command).__name__ == "Command" and (getattr(command, "graph", None) is not None) is beyond:
            goto: Any = getattr(command, "goto", ())
            targets = cast("Iterable[object]", goto) if isinstance(goto, list | tuple) else (goto,)
            names = [getattr(target, "node", target) for target in targets]
            found += [name for name in names if isinstance(name, str) and name not in _NOWHERE and _NAME.fullmatch(name)]
    return found


def left_for(error: BaseException) -> list[str]:
    """Return the nodes to which a `ParentCommand` passes control."""
    try:
        return goes_to(list(error.args), beyond=True) if type(error).__name__ == "ParentCommand" else []
    except Exception:
        return []
