"""What is kept in: texts by their owner's wish, errors of our own, and everything where the SDK traces nothing."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import pytest
from agents import ModelSettings, RunConfig, function_tool, set_tracing_disabled
from tests.openai_agents.bench import CHAT, DOORS, RESPONSES, SPANS, Answer, ToolCall, bench, calls, flow, soundings

from token_otel_openai_agents.door import UNSEEN
from token_otel_openai_agents.models import DARK

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
FOUND = "At mile seven hundred it is eleven feet deep in spring, and seven in late summer."
BOTH = pytest.mark.parametrize("api", [RESPONSES, CHAT])
HOW = pytest.mark.parametrize("how", [SPANS, DOORS])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@BOTH
@STREAM
def test_without_texts_there_are_tokens_and_costs(api: str, stream: bool, caplog: pytest.LogCaptureFixture):
    """The flow is known by ids alone: tools answer their calls, inputs are unexplained; and it is said, once."""
    dark = RunConfig(trace_include_sensitive_data=False, model_settings=ModelSettings(include_usage=True))
    with bench([calls("soundings", "call_1", mile=700), Answer(FOUND)], api=api) as b:
        b.run(b.agent(tools=[soundings]), ASK, stream=stream, run_config=dark)

        b.check()
        assert [set(flow(chat)) for chat in b.chats] == [{"unexplained"}] * 2
        assert [tool["gen_ai.tool.call.id"] for tool in b.named("execute_tool")] == ["call_1"]
        assert caplog.messages.count(DARK) == 1


@BOTH
@STREAM
def test_without_texts_a_processor_alone_sees_tokens(api: str, stream: bool, caplog: pytest.LogCaptureFixture):
    """Responses do not even tell it their model: unpriced, which is not free."""
    dark = RunConfig(trace_include_sensitive_data=False, model_settings=ModelSettings(include_usage=True))
    with bench([Answer(FOUND)], api=api, how=SPANS) as b:
        b.run(b.agent(), ASK, stream=stream, run_config=dark)

        [chat], [bill] = b.chats, b.bills
        assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (bill.input, bill.output)
        assert chat["token_otel.cost.status"] == ("priced" if api == CHAT else "unpriced")
        assert caplog.messages.count(DARK) == 1


@HOW
def test_where_tracing_is_off_it_is_said_once(how: str, caplog: pytest.LogCaptureFixture):
    """Nothing is seen, and the program is told why."""
    set_tracing_disabled(True)
    try:
        with bench([Answer(FOUND)] * 2, how=how) as b:
            for _ in range(2):
                b.run(b.agent(), ASK)

            assert b.spans == ()
            assert caplog.messages == [UNSEEN]
    finally:
        set_tracing_disabled(False)


@STREAM
def test_where_one_run_is_not_traced_it_is_said_once(stream: bool, caplog: pytest.LogCaptureFixture):
    """`RunConfig(tracing_disabled=True)` is seen at the models' doors."""
    with bench([Answer(FOUND)] * 2) as b:
        for _ in range(2):
            b.run(b.agent(), ASK, stream=stream, run_config=RunConfig(tracing_disabled=True))

        assert b.spans == ()
        assert caplog.messages == [UNSEEN]


@BOTH
@HOW
@STREAM
def test_no_text_leaves_the_process(api: str, how: str, stream: bool, caplog: pytest.LogCaptureFixture):
    """Neither instructions, questions, answers, arguments, results, nor what errors say."""
    canaries = [f"canary{number}" for number in range(7)]
    system, user, argument, result, said, broke, described = canaries

    @function_tool
    def look(q: str) -> str:
        """canary6"""
        return result

    @function_tool
    def fail() -> str:
        """Fail."""
        raise ValueError(broke)

    answers = [Answer(tool_calls=[ToolCall("look", {"q": argument}), ToolCall("fail", {})]), Answer(said)]
    with bench(answers, api=api, how=how) as b:
        usage = RunConfig(model_settings=ModelSettings(include_usage=True))
        b.run(b.agent(instructions=system, tools=[look, fail]), user, stream=stream, run_config=usage)

        b.check()
        exported = str([span.to_json() for span in b.spans])
        ours = str([record.getMessage() for record in caplog.records if record.name.startswith("token_otel")])
        assert [canary for canary in canaries if canary in exported + ours] == []
        assert described == "canary6"
