"""`Child`: a contender's process, seen from outside; `in_turn`: rounds in which each of several is asked once."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.load.contenders import Contender
from bench.load.environments import ROOT, python_of

# What would make a contender, or LangChain itself, do something else.
_FOREIGN = ("OTEL_", "TOKEN_OTEL_", "LANGCHAIN_", "LANGSMITH_", "TRACELOOP_", "OPENINFERENCE_", "PYTHON")


class Child:
    """Stays alive from one question to the next."""

    def __init__(self, contender: Contender, folder: Path, *, with_metrics: bool) -> None:
        options = ["--metrics"] if with_metrics else []
        command = [str(python_of(contender.environment, folder)), "-m", "bench.load.child", contender.name, *options]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(contender),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, *question: object) -> dict[str, Any]:
        """Return what it says; `error` in it if it could not."""
        pipes = self._process.stdin, self._process.stdout
        if pipes[0] is None or pipes[1] is None:
            return {"error": "it has no pipes"}
        try:
            pipes[0].write(json.dumps(question) + "\n")
            pipes[0].flush()
            line = pipes[1].readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"error": f"its process ended with {self._process.wait()}"}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def environment(contender: Contender) -> dict[str, str]:
    """Return the variables of a contender's process: nobody else's switches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # Hashes decide the order of sets, and the order what runs.
    return {**kept, **contender.variables, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}


def in_turn(children: Mapping[str, Child], rounds: int, *question: object) -> Iterator[dict[str, dict[str, Any]]]:
    """Ask each child the same, `rounds` times; who is first changes from round to round."""
    names = [*children]
    for number in range(rounds):
        first = number % len(names)
        answers = {name: children[name].ask(*question) for name in names[first:] + names[:first]}
        yield {name: answers[name] for name in names}


def started(contender: Contender, folder: Path) -> dict[str, Any]:
    """Return what a fresh process of a contender says of its start."""
    command = [str(python_of(contender.environment, folder)), "-m", "bench.load.start", contender.name]
    done = subprocess.run(command, cwd=ROOT, env=environment(contender), capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": (done.stderr.strip() or "it failed").splitlines()[-1][:200]}
