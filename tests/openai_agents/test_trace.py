"""A whole trace, attribute by attribute."""

from __future__ import annotations

from inline_snapshot import snapshot
from tests.openai_agents.bench import Answer, bench, calls

# What differs from run to run, or with the price list.
MOVING = (
    "gen_ai.response.id",
    "token_otel.message.ids",
    "token_otel.price.version",
    "token_otel.flow.producers",
    "token_otel.agent.messages.producers",
)


def test_a_handoff_attribute_by_attribute():
    """One who asks nobody hands over to one who answers."""
    answers = {"gpt-5-mini": [calls("transfer_to_pilot", "call_1")], "gpt-5": [Answer("Seven feet in late summer.", reasoning_tokens=64)]}
    with bench(answers) as b:
        b.run(b.agent(handoffs=[b.agent("pilot", "gpt-5")]), "How deep is the river at mile seven hundred?")

        b.check()
        spans = [(name, {key: value for key, value in values.items() if key not in MOVING}) for name, values in b.whole]
        assert spans == snapshot(
            [
                (
                    "invoke_workflow",
                    {
                        "gen_ai.operation.name": "invoke_workflow",
                        "token_otel.run.status": "ok",
                        "token_otel.agent.own.input_tokens": 0,
                        "token_otel.agent.own.output_tokens": 0,
                        "token_otel.agent.own.cost_usd": 0.0,
                        "token_otel.agent.own.calls": 0,
                        "token_otel.agent.own.reread_tokens": 0,
                        "token_otel.agent.subtree.input_tokens": 117,
                        "token_otel.agent.subtree.output_tokens": 75,
                        "token_otel.agent.subtree.cost_usd": 0.00078825,
                        "token_otel.agent.subtree.calls": 2,
                        "token_otel.agent.subtree.reread_tokens": 0,
                    },
                ),
                (
                    "invoke_agent scout",
                    {
                        "gen_ai.operation.name": "invoke_agent",
                        "gen_ai.agent.name": "scout",
                        "token_otel.run.status": "ok",
                        "token_otel.agent.own.input_tokens": 68,
                        "token_otel.agent.own.output_tokens": 5,
                        "token_otel.agent.own.cost_usd": 2.7e-05,
                        "token_otel.agent.own.calls": 1,
                        "token_otel.agent.own.reread_tokens": 0,
                        "token_otel.agent.subtree.input_tokens": 68,
                        "token_otel.agent.subtree.output_tokens": 5,
                        "token_otel.agent.subtree.cost_usd": 2.7e-05,
                        "token_otel.agent.subtree.calls": 1,
                        "token_otel.agent.subtree.reread_tokens": 0,
                        "token_otel.agent.handoffs": ("pilot",),
                        "token_otel.agent.messages.reads": (1, 1, 1),
                        "token_otel.agent.messages.tokens": (41, 14, 13),
                        "token_otel.agent.messages.cost_usd": (1.025e-05, 3.5e-06, 3.25e-06),
                    },
                ),
                (
                    "chat gpt-5-mini",
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5-mini",
                        "gen_ai.agent.name": "scout",
                        "token_otel.run.status": "ok",
                        "gen_ai.response.model": "gpt-5-mini",
                        "gen_ai.response.finish_reasons": ("tool_calls",),
                        "openai.response.service_tier": "default",
                        "token_otel.cost.status": "priced",
                        "token_otel.usage.status": "reported",
                        "gen_ai.usage.input_tokens": 68,
                        "gen_ai.usage.output_tokens": 5,
                        "gen_ai.usage.cache_read.input_tokens": 0,
                        "gen_ai.usage.reasoning.output_tokens": 0,
                        "token_otel.cost.input_usd": 1.7e-05,
                        "token_otel.cost.output_usd": 1e-05,
                        "token_otel.cost.total_usd": 2.7e-05,
                        "token_otel.cost.cache_read_usd": 0.0,
                        "token_otel.cost.reasoning_usd": 0.0,
                        "token_otel.price.source": "genai-prices",
                        "token_otel.price.model": "openai/gpt-5-mini",
                        "token_otel.input.tools_tokens": 41,
                        "token_otel.input.system_tokens": 13,
                        "token_otel.input.user_tokens": 14,
                        "token_otel.input.new_tokens": 68,
                        "token_otel.input.reread_tokens": 0,
                        "token_otel.flow.origins": ("tools", "user", "system"),
                        "token_otel.flow.tokens": (41, 14, 13),
                        "token_otel.flow.cache_read_tokens": (0, 0, 0),
                        "token_otel.flow.new_tokens": (41, 14, 13),
                        "token_otel.flow.cost_usd": (1.025e-05, 3.5e-06, 3.25e-06),
                        "token_otel.flow.method": "ids+text+pieces+o200k/1",
                        "token_otel.output.tool_call_tokens": 5,
                        "gen_ai.usage.cost": 2.7e-05,
                    },
                ),
                (
                    "invoke_agent pilot",
                    {
                        "gen_ai.operation.name": "invoke_agent",
                        "gen_ai.agent.name": "pilot",
                        "token_otel.run.status": "ok",
                        "token_otel.agent.own.input_tokens": 49,
                        "token_otel.agent.own.output_tokens": 70,
                        "token_otel.agent.own.cost_usd": 0.00076125,
                        "token_otel.agent.own.calls": 1,
                        "token_otel.agent.own.reread_tokens": 0,
                        "token_otel.agent.subtree.input_tokens": 49,
                        "token_otel.agent.subtree.output_tokens": 70,
                        "token_otel.agent.subtree.cost_usd": 0.00076125,
                        "token_otel.agent.subtree.calls": 1,
                        "token_otel.agent.subtree.reread_tokens": 0,
                        "token_otel.agent.messages.reads": (1, 1, 1, 1),
                        "token_otel.agent.messages.tokens": (13, 13, 12, 11),
                        "token_otel.agent.messages.cost_usd": (1.625e-05, 1.625e-05, 1.5e-05, 1.375e-05),
                    },
                ),
                (
                    "chat gpt-5",
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.agent.name": "pilot",
                        "token_otel.run.status": "ok",
                        "gen_ai.response.model": "gpt-5",
                        "gen_ai.response.finish_reasons": ("stop",),
                        "openai.response.service_tier": "default",
                        "token_otel.cost.status": "priced",
                        "token_otel.usage.status": "reported",
                        "gen_ai.usage.input_tokens": 49,
                        "gen_ai.usage.output_tokens": 70,
                        "gen_ai.usage.cache_read.input_tokens": 0,
                        "gen_ai.usage.reasoning.output_tokens": 64,
                        "token_otel.cost.input_usd": 6.125e-05,
                        "token_otel.cost.output_usd": 0.0007,
                        "token_otel.cost.total_usd": 0.00076125,
                        "token_otel.cost.cache_read_usd": 0.0,
                        "token_otel.cost.reasoning_usd": 0.00064,
                        "token_otel.price.source": "genai-prices",
                        "token_otel.price.model": "openai/gpt-5",
                        "token_otel.input.system_tokens": 11,
                        "token_otel.input.user_tokens": 12,
                        "token_otel.input.agents_tokens": 13,
                        "token_otel.input.tool_results_tokens": 13,
                        "token_otel.input.new_tokens": 49,
                        "token_otel.input.reread_tokens": 0,
                        "token_otel.flow.origins": ("agent:scout", "tool:transfer_to_pilot", "user", "system"),
                        "token_otel.flow.tokens": (13, 13, 12, 11),
                        "token_otel.flow.cache_read_tokens": (0, 0, 0, 0),
                        "token_otel.flow.new_tokens": (13, 13, 12, 11),
                        "token_otel.flow.cost_usd": (1.625e-05, 1.625e-05, 1.5e-05, 1.375e-05),
                        "token_otel.flow.producer_tokens": (13,),
                        "token_otel.flow.producer_cost_usd": (1.625e-05,),
                        "token_otel.flow.method": "ids+text+pieces+o200k/1",
                        "token_otel.output.text_tokens": 6,
                        "token_otel.output.reasoning_tokens": 64,
                        "gen_ai.usage.cost": 0.00076125,
                    },
                ),
            ]
        )
