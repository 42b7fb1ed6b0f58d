"""Events are data: they can be stored, replayed and compared."""

import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, Part, StepStarted, ToolStarted
from token_otel.testing import Tape
from token_otel.usage import Usage

CALL = ModelStarted(run_id="m", parent_id="a", model="gpt-5", prompt=(Part(kind="user", text="hi"),))


def test_an_event_cannot_be_changed():
    """What was recorded stays what it was."""
    with pytest.raises(FrozenInstanceError):
        CALL.model = "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_events_are_compared_by_what_they_say():
    """So that a test can state the tape it expects."""
    assert ModelStarted(run_id="m", parent_id="a", model="gpt-5", prompt=(Part(kind="user", text="hi"),)) == CALL
    assert ModelStarted(run_id="m", parent_id="a", model="gpt-5") != CALL


@pytest.mark.parametrize("event", [CALL, ModelEnded(run_id="m", usage=Usage(input=1)), Ended(run_id="a"), StepStarted(run_id="s")])
def test_an_event_survives_storage(event: object):
    """A bug report becomes a test."""
    assert pickle.loads(pickle.dumps(event)) == event


def test_events_hold_no_dict_of_their_own():
    """Two hundred messages are two hundred parts: each is slotted."""
    assert not hasattr(CALL.prompt[0], "__dict__")


def test_what_is_not_said_is_unknown():
    """Nothing is invented: no model, no time, no conversation."""
    start = ModelStarted(run_id="m", model=None)

    assert (start.model, start.at_ns, start.parent_id, start.conversation_id, start.prompt) == (None, None, None, None, ())


@pytest.mark.parametrize("kind", [AgentStarted, ToolStarted, ModelStarted, ModelEnded, Ended, Part])
def test_arguments_are_named(kind: type):
    """A field may be added without breaking an adapter."""
    assert all(field.kw_only for field in fields(kind))


def test_a_tape_plays_what_it_recorded():
    """In the same order, into whatever takes events."""
    first, second = Tape(), Tape()
    for event in (CALL, ModelEnded(run_id="m")):
        first.record(event)

    first.play(second)
    assert second.events == [CALL, ModelEnded(run_id="m")]
