"""Runs, agents, tools, hand-offs, agents as tools, guardrails: what lies beneath what, and whose tokens are whose."""

# The SDK leaves its own types partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelSettings,
    RunConfig,
    Runner,
    function_tool,
    input_guardrail,
    trace,
)
from agents.usage import Usage
from opentelemetry import trace as otel
from tests.openai_agents.bench import CHAT, DOORS, RESPONSES, SPANS, Answer, ToolCall, ask, bench, calls, flow, soundings

ASK = "How deep is the river at mile seven hundred, and does it depend on the season?"
FOUND = "At mile seven hundred it is eleven feet deep in spring, and seven in late summer."
SAY = "A barge that draws nine feet passes in spring alone; by late summer it has to wait for rain."
BOTH = pytest.mark.parametrize("api", [RESPONSES, CHAT])
HOW = pytest.mark.parametrize("how", [SPANS, DOORS])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@BOTH
@HOW
def test_tools_answer_their_own_calls(api: str, how: str):
    """Several calls of one tool at once: each run has the id of the call it answers, and is linked to the model that asked."""
    several = [ToolCall("soundings", {"mile": mile}, f"call_{mile}") for mile in (100, 200, 300)]
    with bench([Answer(tool_calls=several), Answer(FOUND)], api=api, how=how) as b:
        b.run(b.agent(tools=[soundings]), ASK)

        b.check()
        assert b.tree == [
            "invoke_workflow",
            "  invoke_agent scout",
            "    chat gpt-5-mini",
            *["    execute_tool soundings"] * 3,
            "    chat gpt-5-mini",
        ]
        assert [tool["gen_ai.tool.call.id"] for tool in b.named("execute_tool")] == ["call_100", "call_200", "call_300"]
        assert all(len(span.links) == 1 for span in b.spans if span.name == "execute_tool soundings")
        assert set(flow(b.chats[1])) - {"tools", "unexplained"} == {"system", "user", "self", "tool:soundings"}


@BOTH
@HOW
@STREAM
def test_a_handoff_leads_to_a_sibling(api: str, how: str, stream: bool):
    """The one who takes over is no part of the one who leaves, and reads what that one and its tools have said."""
    answers = {
        "gpt-5-mini": [calls("soundings", mile=700), calls("transfer_to_pilot")],
        "gpt-5": [Answer(SAY)],
    }
    with bench(answers, api=api, how=how) as b:
        pilot = b.agent("pilot", "gpt-5")
        b.run(
            b.agent(tools=[soundings], handoffs=[pilot]),
            ASK,
            stream=stream,
            run_config=RunConfig(model_settings=ModelSettings(include_usage=True)),
        )

        b.check()
        assert b.tree == [
            "invoke_workflow",
            "  invoke_agent scout",
            "    chat gpt-5-mini",
            "    execute_tool soundings",
            "    chat gpt-5-mini",
            "  invoke_agent pilot",
            "    chat gpt-5",
        ]
        assert b.named("invoke_agent scout")[0]["token_otel.agent.handoffs"] == ("pilot",)
        last = b.chats[-1]
        assert last["gen_ai.agent.name"] == "pilot"
        assert set(flow(last)) == {"system", "user", "agent:scout", "tool:soundings", "tool:transfer_to_pilot"}


@BOTH
@HOW
def test_an_agent_as_a_tool_lies_beneath_it(api: str, how: str):
    """What it says is its own in the caller's next prompt, and its tokens are in the caller's subtree alone."""
    answers = {"gpt-5": [calls("ask_scout", "call_ask", input=ASK), Answer(SAY)], "gpt-5-mini": [Answer(FOUND)]}
    with bench(answers, api=api, how=how) as b:
        scout = b.agent().as_tool("ask_scout", "Ask the scout.")
        b.run(b.agent("pilot", "gpt-5", tools=[scout]), "May we pass?")

        b.check()
        assert b.tree == [
            "invoke_workflow",
            "  invoke_agent pilot",
            "    chat gpt-5",
            "    execute_tool ask_scout",
            "      invoke_agent scout",
            "        chat gpt-5-mini",
            "    chat gpt-5",
        ]
        first, beneath, last = b.chats
        assert set(flow(beneath)) == {"system", "agent:pilot"}
        assert flow(last)["agent:scout"] > 0
        assert first["gen_ai.agent.name"] == last["gen_ai.agent.name"] == "pilot"


@BOTH
@HOW
def test_runs_without_tasks_and_turns_are_the_same(api: str, how: str):
    """The SDK can leave those spans out; they had no spans of ours."""
    answers = {"gpt-5": [calls("ask_scout", input=ASK), Answer(SAY)], "gpt-5-mini": [Answer(FOUND)]}
    with bench(answers, api=api, how=how) as b:
        scout, spare = b.agent(), RunConfig(tracing={"include_task_and_turn_spans": False})
        tool = scout.as_tool("ask_scout", "Ask the scout.", run_config=spare)
        b.run(b.agent("pilot", "gpt-5", tools=[tool]), "May we pass?", run_config=spare if how == SPANS else None)

        b.check()
        assert [chat["gen_ai.agent.name"] for chat in b.chats] == ["pilot", "scout", "pilot"]


def test_a_silent_call_without_a_turn_is_billed_by_the_turn_above():
    """The sum of the turn above holds it too; of two there, nobody can tell which has used what."""
    testing = pytest.importorskip("agents.testing", reason="this release has no scripted model")
    spare = RunConfig(tracing={"include_task_and_turn_spans": False})
    step = testing.ModelStep(output=[testing.assistant_message(FOUND)], usage=Usage(requests=1, input_tokens=60, output_tokens=6))
    silent = Agent(name="clerk", model=testing.ScriptedModel([step] * 3, emit_traces=True))
    ask_clerk = ToolCall("ask_clerk", {"input": ASK})
    with bench({"gpt-5": [Answer(tool_calls=[ask_clerk]), Answer(tool_calls=[ask_clerk] * 2), Answer(SAY)]}) as b:
        tool = silent.as_tool("ask_clerk", "Ask the clerk.", run_config=spare)
        b.run(b.agent("pilot", "gpt-5", tools=[tool]), "May we pass?")

        clerk = [chat for chat in b.chats if chat["gen_ai.agent.name"] == "clerk"]
        assert [chat.get("gen_ai.usage.input_tokens") for chat in clerk] == [60, None, None]
        own = [chat["gen_ai.usage.input_tokens"] for chat in b.chats if chat["gen_ai.agent.name"] == "pilot"]
        assert own == [bill.input for bill in b.bills]


@HOW
def test_agents_as_tools_may_run_at_once(how: str):
    """Two of them beneath one agent, at the same time: each call is beneath its own."""
    answers = {
        "gpt-5": [
            Answer(tool_calls=[ToolCall("ask_scout", {"input": ASK}), ToolCall("ask_clerk", {"input": "Is the lock open?"})]),
            Answer(SAY),
        ],
        "gpt-5-mini": [Answer(FOUND, delay_s=0.1)],
        "gpt-4o-mini": [Answer("The lock is open from dawn to dusk.", delay_s=0.05)],
    }
    with bench(answers, how=how) as b:
        scout, clerk = b.agent(), b.agent("clerk", "gpt-4o-mini")
        tools = [scout.as_tool("ask_scout", "Ask the scout."), clerk.as_tool("ask_clerk", "Ask the clerk.")]
        b.run(b.agent("pilot", "gpt-5", tools=tools), "May we pass?")

        b.check()
        assert {chat["gen_ai.request.model"]: chat["gen_ai.agent.name"] for chat in b.chats} == {
            "gpt-5": "pilot",
            "gpt-5-mini": "scout",
            "gpt-4o-mini": "clerk",
        }
        assert {"agent:scout", "agent:clerk"} <= set(flow(b.chats[-1]))


@HOW
def test_runs_at_once_do_not_mix(how: str):
    """Ten runs in one loop: ten traces, each with its own call."""
    with bench([Answer(FOUND, delay_s=0.02)] * 10, how=how) as b:

        async def main() -> None:
            await asyncio.gather(*(ask(b.agent(f"scout {number}"), ASK) for number in range(10)))

        b.wait(main)

        b.check()
        traces = {span.context.trace_id: span.context for span in b.spans if span.context is not None}
        assert len(traces) == 10
        assert {chat["gen_ai.agent.name"] for chat in b.chats} == {f"scout {number}" for number in range(10)}


@HOW
def test_spans_of_ones_own_nest(how: str):
    """What a tool traces itself lies beneath the tool, in a thread or not; after it, the caller's span is current again."""
    with bench([Answer(tool_calls=[ToolCall("plumb", {}), ToolCall("sound", {})]), Answer(FOUND)], how=how) as b:
        tracer = otel.get_tracer("mine", tracer_provider=b.provider)

        @function_tool
        def plumb() -> str:
            """Plumb the depth."""
            with tracer.start_as_current_span("lead line"):
                return "eleven feet"

        @function_tool
        async def sound() -> str:
            """Sound the depth."""
            with tracer.start_as_current_span("echo"):
                await asyncio.sleep(0)
                return "seven feet"

        async def main() -> None:
            with tracer.start_as_current_span("my program") as mine:
                await ask(b.agent(tools=[plumb, sound]), ASK)
                assert otel.get_current_span() is mine

        b.wait(main)

        b.check()
        assert b.tree == [
            "my program",
            "  invoke_workflow",
            "    invoke_agent scout",
            "      chat gpt-5-mini",
            "      execute_tool plumb",
            "        lead line",
            "      execute_tool sound",
            "        echo",
            "      chat gpt-5-mini",
        ]


@HOW
def test_a_guardrail_is_a_step(how: str):
    """It has no span; the agent that it asks lies beneath the run, and is billed."""
    answers = {"gpt-5-mini": [Answer(FOUND, delay_s=0.2)], "gpt-4o-mini": [Answer("fine")]}
    with bench(answers, how=how) as b:
        judge = b.agent("judge", "gpt-4o-mini")

        @input_guardrail
        async def polite(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
            await Runner.run(judge, given, context=context.context)
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

        b.run(b.agent(input_guardrails=[polite]), ASK)

        b.check()
        assert sorted(b.tree) == sorted(
            ["invoke_workflow", "  invoke_agent scout", "    invoke_agent judge", "      chat gpt-4o-mini", "    chat gpt-5-mini"]
        )


@HOW
def test_a_guardrail_that_trips_cancels_the_call(how: str):
    """The model that ran beside it is cancelled, unreported; the run has failed with the tripwire's class."""
    with bench([Answer(FOUND, delay_s=5)], how=how) as b:

        @input_guardrail
        async def strict(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
            await asyncio.sleep(0.2)
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

        with pytest.raises(InputGuardrailTripwireTriggered):
            b.run(b.agent(input_guardrails=[strict]), ASK)

        [chat] = b.chats
        assert (chat["token_otel.run.status"], chat["token_otel.usage.status"]) == ("cancelled", "unreported")
        [workflow] = b.named("invoke_workflow")
        assert (workflow["token_otel.run.status"], workflow["error.type"]) == ("error", "agents.exceptions.InputGuardrailTripwireTriggered")


@BOTH
@HOW
def test_a_tool_that_fails_is_an_error_and_the_run_is_not(api: str, how: str):
    """The SDK tells the model what went wrong; the tool's span has no more than that something did."""
    with bench([calls("fail"), Answer(FOUND)], api=api, how=how) as b:

        @function_tool
        def fail() -> str:
            """Fail."""
            raise ValueError("the lead line broke")

        b.run(b.agent(tools=[fail]), ASK)

        b.check()
        [tool] = b.named("execute_tool")
        assert (tool["token_otel.run.status"], tool["error.type"]) == ("error", "_OTHER")
        assert b.named("invoke_workflow")[0]["token_otel.run.status"] == "ok"
        assert flow(b.chats[1])["tool:fail"] > 0


@HOW
def test_a_tool_that_ends_the_run_has_the_class_of_its_own_error(how: str):
    """The SDK wraps it; what it wraps is what happened."""
    with bench([calls("fail")], how=how) as b:

        @function_tool(failure_error_function=None)
        def fail() -> str:
            """Fail."""
            raise ValueError("the lead line broke")

        with pytest.raises(Exception, match="lead line"):
            b.run(b.agent(tools=[fail]), ASK)

        b.check()
        assert {b.named(name)[0]["error.type"] for name in ("execute_tool", "invoke_agent", "invoke_workflow")} == {"ValueError"}
        assert "lead line" not in str([span.to_json() for span in b.spans])


@HOW
@STREAM
def test_too_many_turns_are_an_error_of_the_agent(how: str, stream: bool):
    """The last call is billed; the run has failed."""
    with bench([calls("soundings", mile=1)] * 2, how=how) as b:
        with pytest.raises(MaxTurnsExceeded):
            b.run(b.agent(tools=[soundings]), ASK, stream=stream, max_turns=2)

        b.check()
        assert b.named("invoke_agent")[0]["token_otel.run.status"] == "error"


@HOW
def test_a_trace_of_ones_own_holds_several_runs(how: str):
    """It is one workflow, under its name, one conversation, with the metadata that are wanted; a second of its id is another."""
    with bench([Answer(FOUND)] * 3, how=how, metadata=("tenant",)) as b:

        async def main() -> None:
            for _ in range(2):
                with trace("survey", trace_id="trace_" + 32 * "1", group_id="river", metadata={"tenant": "a", "secret": "b"}):
                    await ask(b.agent(), ASK)
            with trace("survey", group_id="river"):
                await ask(b.agent(), ASK)

        b.wait(main)

        b.check()
        assert b.tree == ["invoke_workflow survey", "  invoke_agent scout", "    chat gpt-5-mini"] * 3
        assert {chat["gen_ai.conversation.id"] for chat in b.chats} == {"river"}
        workflow = b.named("invoke_workflow")[0]
        assert (workflow["tenant"], "secret" in workflow) == ("a", False)


@pytest.mark.parametrize("spans", [True, False], ids=["span", "no span"])
@STREAM
def test_a_model_that_says_nothing_on_its_span_is_billed_by_its_turn(spans: bool, stream: bool):
    """A model of one's own: its tokens are what the turn's sum holds beyond all other calls; what lies beneath is not taken for it."""
    testing = pytest.importorskip("agents.testing", reason="this release has no scripted model")
    usage = [Usage(requests=1, input_tokens=60, output_tokens=6), Usage(requests=1, input_tokens=90, output_tokens=9)]
    steps = [
        testing.ModelStep(output=[testing.function_call("ask_scout", {"input": ASK}, call_id="call_1")], usage=usage[0]),
        testing.ModelStep(output=[testing.assistant_message(SAY)], usage=usage[1]),
    ]
    with bench([Answer(FOUND)]) as b:
        pilot = Agent(
            name="pilot", model=testing.ScriptedModel(steps, emit_traces=spans), tools=[b.agent().as_tool("ask_scout", "Ask the scout.")]
        )
        b.run(pilot, "May we pass?", stream=stream)

        [bill] = b.bills
        own = [
            (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"])
            for chat in b.chats
            if chat["gen_ai.agent.name"] == "pilot"
        ]
        assert own == [(60, 6), (90, 9)]
        [scout] = [chat for chat in b.chats if chat["gen_ai.agent.name"] == "scout"]
        assert scout["gen_ai.usage.input_tokens"] == bill.input
        assert b.named("invoke_workflow")[0]["token_otel.agent.subtree.input_tokens"] == 60 + 90 + bill.input
