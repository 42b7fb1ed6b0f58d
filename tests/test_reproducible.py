"""A conversation's numbers come from its tape of events alone: played again, it says the same."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bench.billed.talk import world
from tests.telling import told

from token_otel.events import Event

START_NS = 1_790_000_000_000_000_000
PROGRAM = Path(__file__).with_name("telling.py")


@pytest.fixture(scope="module", params=("OpenAI Chat Completions", "OpenAI Responses", "Anthropic Messages"))
def tape(request: pytest.FixtureRequest) -> list[Event]:
    """What real clients have told of two random conversations, each event with its time."""
    with world(request.param, Random("reproducible")) as made:
        made.converse(1)
        made.converse(2)
    return [event if event.at_ns else replace(event, at_ns=START_NS + number) for number, event in enumerate(made.tape)]


@pytest.fixture(scope="module")
def first(tape: list[Event]) -> list[Any]:
    """What the first recorder says of it."""
    return told(tape)


def test_a_tape_says_the_same_in_each_recorder(tape: list[Event], first: list[Any]):
    """Nothing depends on what a recorder has heard before, or on the clock."""
    again = told(tape)

    assert len(first) > 5
    assert again == first


def test_a_tape_that_was_stored_says_the_same(tape: list[Event], first: list[Any]):
    """Events are plain data: nothing of them is lost on disk, though texts that were one object are several."""
    stored = [pickle.loads(pickle.dumps(event)) for event in tape]

    assert stored == tape
    assert told(stored) == first


def test_a_tape_says_the_same_in_another_process(tape: list[Event], first: list[Any], tmp_path: Path):
    """Hashes of texts differ from process to process; what is said does not."""
    file = tmp_path / "tape"
    file.write_bytes(pickle.dumps(tape))
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"

    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, str(PROGRAM), str(file)], env=environment, capture_output=True, check=True, text=True)

    assert json.loads(done.stdout) == first
