"""`Scope`: what surrounds a piece of the program, carried by a context variable into the tasks it starts."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import TypeAlias

from token_otel.bills.bill import Bill
from token_otel.events import Attribute, Attributes
from token_otel.ledger import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What surrounds a piece of the program.

    Attributes:
        bills: Those that are open, the outermost first.
        tags: What the user wants to see on every span.
        conversation_id: Of what begins here and belongs to no other conversation.
        runs: The blocks that it stands in, the outermost first: a recorder, and the id of its run.
        outer: What surrounds this.
    """

    bills: tuple[Bill, ...] = ()
    tags: Attributes = field(default_factory=dict[str, Attribute])
    conversation_id: str | None = None
    runs: tuple[tuple[object, str], ...] = ()
    outer: Scope | None = field(default=None, repr=False, compare=False)

    @property
    def recorder(self) -> object | None:
        """The recorder of the innermost block."""
        return self.runs[-1][0] if self.runs else None

    def run_of(self, recorder: object) -> str | None:
        """Return the innermost run of a recorder."""
        return next((run_id for whose, run_id in reversed(self.runs) if whose is recorder), None)

    def around(self, run: Run) -> None:
        """Put a run that starts here on these bills, beside those of its parent, and under these tags."""
        if self.bills and self.bills != run.bills:
            run.bills = tuple(dict.fromkeys((*run.bills, *self.bills)))
        if self.tags:
            run.tags = {**run.tags, **self.tags}


NOWHERE = Scope()

Put: TypeAlias = tuple[Token[Scope], Scope]

_scope: ContextVar[Scope] = ContextVar("token_otel_scope", default=NOWHERE)


def current() -> Scope:
    """Return what surrounds the caller."""
    return _scope.get()


def put(
    *,
    bill: Bill | None = None,
    tags: Mapping[str, Attribute] | None = None,
    conversation_id: str | None = None,
    run: tuple[object, str] | None = None,
) -> Put:
    """Surround what follows with something more, until `take_back`."""
    around = _scope.get()
    inner = Scope(
        bills=around.bills if bill is None else (*around.bills, bill),
        tags={**around.tags, **tags} if tags else around.tags,
        conversation_id=around.conversation_id if conversation_id is None else conversation_id,
        runs=around.runs if run is None else (*around.runs, run),
        outer=around,
    )
    return _scope.set(inner), inner


def take_back(put: Put) -> bool | None:
    """Take back what was put around, and what was put around inside it.

    Returns:
        Whether it was around; `None` if this is not where it was put: a generator that somebody else closes is elsewhere.
    """
    token, inner = put
    now = _scope.get()
    try:
        _scope.reset(token)
    except ValueError:
        return None
    around: Scope | None = now
    while around is not None and around is not inner:
        around = around.outer
    if around is None:
        _scope.set(now)  # whoever was left before this has taken it back
    return around is inner
