"""`Models`: the calls of models, from what was asked and answered to their events."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from token_otel import Usage
from token_otel.events import ModelEnded, ModelStarted, Part, Status
from token_otel_openai_agents.calls import Answered, Asked, reported
from token_otel_openai_agents.items import Items, output_parts, plain, schema_parts
from token_otel_openai_agents.runs import Run, Runs, names_of

if TYPE_CHECKING:
    from token_otel import Recorder

T = TypeVar("T")

DARK = (
    "trace_include_sensitive_data is off: tokens are right, and costs where the model is told (token_otel.instrument() sees it), but "
    "who produced what a call reads is known by ids alone, so that its input is `unexplained`"
)


class Models:
    """Reports the calls of models."""

    def __init__(self, recorder: Recorder, runs: Runs) -> None:
        self._recorder = recorder
        self._runs = runs

    def started(self, run: Run, asked: Asked, orphan_of: str | None = None) -> None:
        """Report that a model is asked; what cannot be read of it costs itself, never the run or its bill."""
        head, messages = self.read(((), ()), self._prompt, asked)
        run.read = messages
        turn = run.turn
        request = dict(asked.request)
        if asked.previous:
            request["previous_response.id"] = asked.previous
        self._recorder.record(
            ModelStarted(
                run_id=run.run_id,
                parent_id=run.parent.run_id if run.parent is not None else orphan_of,
                at_ns=run.at_ns,
                model=asked.model,
                provider=asked.provider,
                prompt=head + messages,
                attempt=1 + (turn.attempts if turn is not None else 0),
                request=request,
            )
        )

    def ended(
        self, run: Run, asked: Asked, answered: Answered, status: Status, error_type: str | None = None, *, dark: bool = False
    ) -> None:
        """Report what a model has answered. A call that has reported nothing waits for its turn, which has a sum.

        Args:
            run: The call.
            asked: What was asked.
            answered: What came back.
            status: How it ended; whoever leaves a stream after its end has had all of it.
            error_type: The class of its error.
            dark: The trace is not to have texts: the ids of the calls that the model makes are all that is read.
        """
        output = self.read((), self._output, answered)
        agent, turn = run.within("agent"), run.turn
        if agent is not None:
            agent.asked = names_of(output)
        if dark:
            output = ()
            self._runs.say(DARK)
        elif output:
            self._runs.history.keep(run.read + output, answered.response_id, asked.conversation)
        left_after_its_end = status == "cancelled" and answered.usage is not None
        end = ModelEnded(
            run_id=run.run_id,
            at_ns=time.time_ns(),
            status="ok" if left_after_its_end else status,
            error_type=error_type,
            usage=answered.usage,
            output=output,
            model=answered.model,
            response_id=answered.response_id,
            finish_reasons=answered.finish_reasons,
            service_tier=answered.service_tier,
        )
        if turn is not None:
            turn.calls += 1
            turn.attempts += status == "error"
        sums = run.within("turn")
        if end.usage is None and status == "ok" and sums is not None:
            sums.unsaid.append(end)
            return
        self._report(run, end)

    def turned(self, turn: Run, usage: object) -> None:
        """Report the call of a turn that had reported nothing: what the turn's sum holds beyond the others is its own.

        Some models have no span at all: the call is then as long as the turn.
        """
        ends, turn.unsaid = turn.unsaid, []
        left = _less(_sum_of(usage), turn.spent)
        if not turn.calls and not ends and left is not None:
            run = Run(f"{turn.run_id}/model", "model", turn, turn.at_ns)
            self.started(run, Asked(provider=None))
            self._report(turn, ModelEnded(run_id=run.run_id, usage=left))
        alone = len(ends) == 1 and turn.calls  # else its model's own call has no span, and part of the sum
        for end in ends:
            self._report(turn, replace(end, usage=left if alone else None))

    def _report(self, run: Run, end: ModelEnded) -> None:
        if end.usage is not None:
            for above in (run, *run.above()):
                if above.role == "turn":
                    above.spent.append(end.usage)
        self._recorder.record(end)

    def _prompt(self, asked: Asked) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """Return what is sent anew with each call, and the messages: those that the provider kept, and those that are sent."""
        items = Items(self._runs.seals)
        head = schema_parts(asked.schemas)
        if isinstance(asked.instructions, str):
            head += (Part(kind="system", text=asked.instructions),) if asked.instructions else ()
        else:
            head += items.read(asked.instructions)
        kept = self._runs.history.before(asked.previous, asked.conversation)
        items.follow(kept)
        return head, kept + items.read(asked.given)

    def _output(self, answered: Answered) -> tuple[Part, ...]:
        parts = Items(self._runs.seals).read(answered.output)
        return output_parts(parts, answered.usage.reasoning if answered.usage is not None else None, self._runs.seals)

    def read(self, otherwise: T, read: Callable[..., T], *args: Any) -> T:
        """Return what is read of what the SDK tells, or `otherwise`."""
        try:
            return read(*args)
        except Exception as error:
            self._recorder.failed(error)
            return otherwise


def _sum_of(usage: object) -> Usage | None:
    """Read the sum of a turn, which has names of its own."""
    told = plain(usage)
    return reported({**told, "input_tokens_details": {"cached_tokens": told.get("cached_input_tokens")}})


def _less(whole: Usage | None, parts: list[Usage]) -> Usage | None:
    """Return what a sum holds beyond its known parts."""
    if whole is None:
        return None
    left = Usage(
        input=max(0, (whole.input or 0) - sum(part.input or 0 for part in parts)),
        output=max(0, (whole.output or 0) - sum(part.output or 0 for part in parts)),
    )
    cached = max(0, (whole.cache_read or 0) - sum(part.cache_read or 0 for part in parts))
    return replace(left, cache_read=min(cached, left.input or 0)) if cached else left if left.input or left.output else None
