"""The processor beside others, twice, switched off, and told what it cannot read."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from agents import Runner, SQLiteSession, add_trace_processor, set_trace_processors
from agents.models.openai_responses import OpenAIResponsesModel
from agents.tracing import Span, Trace, TracingProcessor, custom_span, generation_span, trace
from tests.openai_agents.bench import CHAT, DOORS, RESPONSES, SPANS, Answer, bench, calls, soundings

from token_otel.events import AgentStarted, Ended, Handoff, ModelEnded, ModelStarted, StepStarted, ToolStarted
from token_otel.testing import Tape
from token_otel_openai_agents import TokenOtelProcessor
from token_otel_openai_agents.door import UNSEEN
from token_otel_openai_agents.instrumentation import Integration

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
FOUND = "At mile seven hundred it is eleven feet deep in spring, and seven in late summer."


class Other(TracingProcessor):
    """Somebody else's processor."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_trace_start(self, trace: Trace) -> None:
        self.seen.append("trace")

    def on_trace_end(self, trace: Trace) -> None:
        self.seen.append("end")

    def on_span_start(self, span: Span[Any]) -> None:
        self.seen.append(span.span_data.type)

    def on_span_end(self, span: Span[Any]) -> None:
        pass

    def shutdown(self) -> None:
        pass

    def force_flush(self) -> None:
        pass


def test_other_processors_stay():
    """What was there before sees what it saw before."""
    with bench([Answer(FOUND)]) as b:
        other = Other()
        set_trace_processors([other])
        again = Integration()
        again.instrument(b.recorder)
        b.run(b.agent(), ASK)
        again.uninstrument()

        b.check()
        assert other.seen == ["trace", "task", "agent", "turn", "response", "end"]


@pytest.mark.parametrize("api", [RESPONSES, CHAT])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_two_processors_of_one_recorder_report_once(api: str, stream: bool):
    """A processor beside `instrument()`: one posting."""
    from agents import ModelSettings, RunConfig

    with bench([calls("soundings", mile=1), Answer(FOUND)], api=api) as b:
        add_trace_processor(TokenOtelProcessor(recorder=b.recorder))
        b.run(b.agent(tools=[soundings]), ASK, stream=stream, run_config=RunConfig(model_settings=ModelSettings(include_usage=True)))

        b.check()
        assert len(b.spans) == 5


def test_a_processor_of_another_recorder_has_books_of_its_own():
    """Each recorder sees every call, one by the door and one by its span."""
    with bench([Answer(FOUND)]) as b:
        tape = Tape()
        add_trace_processor(TokenOtelProcessor(recorder=_recorder(tape)))
        b.run(b.agent(), ASK)

        b.check()
        assert [type(event) for event in tape.events if isinstance(event, ModelStarted | ModelEnded)] == [ModelStarted, ModelEnded]


def test_switched_off_nothing_is_reported():
    """The models and the runner are what they were; switched on again, runs are seen again."""
    before = vars(OpenAIResponsesModel)["get_response"], vars(Runner)["run"]
    with bench([Answer(FOUND)] * 2) as b:
        integration = Integration()
        integration.instrument(b.recorder)
        integration.uninstrument()
        set_trace_processors([])
        b.run(b.agent(), ASK)
        assert b.spans == ()
        again = Integration()
        again.instrument(b.recorder)
        b.run(b.agent(), ASK)
        again.uninstrument()

        assert len(b.chats) == 1
    assert (vars(OpenAIResponsesModel)["get_response"], vars(Runner)["run"]) == before


def test_whose_processor_was_replaced_is_told(caplog: pytest.LogCaptureFixture):
    """`set_trace_processors()` drops ours; the models' doors see calls without a span, and say so once."""
    with bench([Answer(FOUND)] * 2) as b:
        set_trace_processors([Other()])
        for _ in range(2):
            b.run(b.agent(), ASK)

        assert b.spans == ()
        assert caplog.messages == [UNSEEN]


def test_spans_of_ones_own_are_translated():
    """A generation that the program traces itself is a call, a custom span a step."""
    with bench([], how=SPANS) as b:
        with trace("mine"), custom_span("step"):
            usage = {"input_tokens": 12, "output_tokens": 3}
            with generation_span(
                input=[{"role": "user", "content": ASK}], output=[{"role": "assistant", "content": FOUND}], model="gpt-5-mini", usage=usage
            ):
                pass

        [chat] = b.chats
        assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (12, 3)
        assert b.tree == ["invoke_workflow mine", "  chat gpt-5-mini"]


@pytest.mark.parametrize("how", [SPANS, DOORS])
def test_what_cannot_be_read_costs_itself_alone(how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """A span of another release, or a failure of ours, reaches neither the run nor its bill, and is logged without its text."""

    def broken(self: object, given: object) -> Any:
        raise RuntimeError(ASK)

    with bench([Answer(FOUND)], how=how, raise_errors=False) as b:
        monkeypatch.setattr("token_otel_openai_agents.items.Items.read", broken)
        b.run(b.agent(), ASK)

        [chat], [bill] = b.chats, b.bills
        assert chat["gen_ai.usage.input_tokens"] == bill.input
        assert [ASK in message for message in caplog.messages if message.startswith("token-otel failed")] == [False]


@pytest.mark.parametrize("how", [SPANS, DOORS])
def test_a_run_after_an_error_is_no_error(how: str):
    """An exception that the caller is handling is none of the run's."""
    with bench([calls("soundings", mile=1), Answer(FOUND)], how=how) as b:
        try:
            raise ValueError("something else")
        except ValueError:
            b.run(b.agent(tools=[soundings]), ASK)

        b.check()
        assert b.statuses == {"ok"}


def test_a_session_that_will_not_say_its_id_breaks_nothing():
    """One that lies at the provider has none before its first use."""

    class Nameless(SQLiteSession):
        asked = 0

        def __getattribute__(self, name: str) -> Any:
            if name == "session_id" and type(self).asked == 0:
                type(self).asked += 1
                raise ValueError("not used yet")
            return super().__getattribute__(name)

    with bench([Answer(FOUND)]) as b:
        session = Nameless("river")
        b.run(b.agent(), ASK, session=session)
        session.close()

        b.check()
        assert Nameless.asked == 1


@pytest.mark.parametrize("api", [RESPONSES, CHAT])
def test_a_failure_of_ours_at_the_door_reaches_nobody(api: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """The stream is read to its end, and the answer is the model's."""

    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError(ASK)

    with bench([Answer(FOUND)], api=api, raise_errors=False) as b:
        monkeypatch.setattr("token_otel_openai_agents.door.FirstChunk", broken)
        monkeypatch.setattr("token_otel_openai_agents.door.of", broken)
        result = b.run(b.agent(), ASK, stream=True)

        assert result.final_output == FOUND
        assert len(b.chats) == 1
        assert ASK not in str(caplog.messages)


def test_a_run_on_tape():
    """What the adapter says of a hand-off, in order: steps keep the ancestry, a call is told whole."""
    tape = Tape()
    with bench({"gpt-5-mini": [calls("transfer_to_pilot", "call_1")], "gpt-5": [Answer(FOUND)]}, how=SPANS) as b:
        set_trace_processors([TokenOtelProcessor(recorder=_recorder(tape))])
        b.run(b.agent(handoffs=[b.agent("pilot", "gpt-5")]), ASK)

    assert _told(tape) == [
        "workflow None",
        "step",
        "agent scout",
        "step",
        "model gpt-5-mini: tools transfer_to_pilot, system, user",
        "answer: tool_call transfer_to_pilot",
        "step",
        "scout -> pilot",
        "agent pilot",
        "step",
        "model gpt-5: system, user, tool_call transfer_to_pilot, tool_result transfer_to_pilot",
        "answer: assistant",
    ]
    starts = [event.run_id for event in tape.events if isinstance(event, AgentStarted | ModelStarted | StepStarted | ToolStarted)]
    ends = [event.run_id for event in tape.events if isinstance(event, Ended | ModelEnded)]
    assert sorted(starts) == sorted(ends)


def _recorder(tape: Tape) -> Any:
    return tape


def _told(tape: Tape) -> list[str]:
    names = {event.run_id: event.name for event in tape.events if isinstance(event, AgentStarted)}
    lines: list[str] = []
    for event in tape.events:
        match event:
            case AgentStarted():
                lines.append(f"{event.kind} {event.name}")
            case StepStarted():
                lines.append("step")
            case ModelStarted():
                lines.append(f"model {event.model}: {_parts(event.prompt)}")
            case ModelEnded():
                lines.append(f"answer: {_parts(event.output)}")
            case Handoff():
                lines.append(f"{names[event.run_id]} -> {event.to_agent}")
            case _:
                pass
    return lines


def _parts(parts: Any) -> str:
    return ", ".join(f"{part.kind} {part.name}" if part.name else part.kind for part in parts)
