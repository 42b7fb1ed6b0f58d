"""The proof of balance: whatever the combination, our books are the providers' bills, per call, per agent and per trace."""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from tests.scenarios.bench import Bench, attributes, bench, check_balance, check_calls, check_rollups

from token_otel.testing.loopback import Answer, ToolCall
from token_otel_langchain import TokenOtelHandler

LONG = " ".join(
    f"Rule {number}: a barge of class {number % 7} gives way to any raft upstream of mile {number * 3}." for number in range(120)
)
ASK = "Which rule holds at mile 33 of the river?"
SAY = "Rule 11 holds at mile 33: barges of class four give way there."


@tool
def rules() -> str:
    """Read the rules of the river."""
    return LONG


@dataclass(frozen=True)
class Provider:
    """A provider's model, and how its client is made."""

    name: str
    model: str
    options: dict[str, Any]

    def client(self, b: Bench, **options: Any) -> Any:
        """The real client, on the loopback."""
        make: Callable[..., Any] = b.claude if self.model.startswith("claude") else b.gpt
        return make(self.model, **self.options | options)

    def answers(self, *answers: Answer) -> dict[str, Any]:
        """The script, for `bench`."""
        return {("anthropic" if self.model.startswith("claude") else "openai"): {self.model: list(answers)}}


CHAT = Provider("chat", "gpt-5-mini", {})
RESPONSES = Provider("responses", "gpt-5-mini", {"use_responses_api": True})
CLAUDE = Provider("claude", "claude-haiku-4-5", {})
PROVIDERS = pytest.mark.parametrize("provider", [CHAT, RESPONSES, CLAUDE], ids=lambda provider: provider.name)
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def check(b: Bench) -> None:
    """All books at once."""
    check_balance(b)
    check_calls(b)
    check_rollups(b)


def say(runnable: Any, messages: list[Any], config: Any, *, stream: bool) -> None:
    """Run a model or an agent to its end."""
    if stream:
        list(runnable.stream(messages, config))
    else:
        runnable.invoke(messages, config)


@PROVIDERS
@STREAM
@pytest.mark.parametrize("reasoning", [0, 192], ids=["plain", "reasoning"])
def test_a_call(provider: Provider, stream: bool, reasoning: int):
    """One call, whole or streamed, with or without reasoning."""
    with bench(**provider.answers(Answer(SAY, reasoning_tokens=reasoning))) as b:
        say(provider.client(b), [HumanMessage(ASK)], b.config, stream=stream)
        check(b)


@PROVIDERS
@STREAM
def test_a_cache(provider: Provider, stream: bool):
    """A long prefix is written once, where that is billed, and read the second time."""
    block: Any = [{"type": "text", "text": LONG, **({"cache_control": {"type": "ephemeral"}} if provider is CLAUDE else {})}]
    with bench(**provider.answers(Answer(SAY), Answer(SAY))) as b:
        for question in (ASK, "And at mile 36?"):
            say(provider.client(b), [SystemMessage(content=block), HumanMessage(question)], b.config, stream=stream)
        check(b)
        assert sum(bill.cache_read for bill in b.bills) > 1024


@PROVIDERS
@STREAM
def test_a_tool_loop(provider: Provider, stream: bool):
    """An agent with a tool: two calls, one account."""
    with bench(**provider.answers(Answer(tool_calls=[ToolCall("rules")]), Answer(SAY))) as b:
        agent: Any = create_agent(provider.client(b), [rules], name="pilot")
        message: Any = {"messages": [HumanMessage(ASK)]}
        say(agent, message, b.config | ({"configurable": {}}), stream=stream)
        check(b)


def test_many_choices():
    """n = 2: the input is billed once, the output twice."""
    with bench({"gpt-4o-mini": [Answer(SAY)]}) as b:
        b.gpt("gpt-4o-mini", n=2).generate([[HumanMessage(ASK)]], callbacks=[b.handler])
        check(b)


@PROVIDERS
def test_a_retry(provider: Provider):
    """A rate limit costs nothing; the second attempt is billed once."""
    with bench(**provider.answers(Answer(error=429), Answer(SAY))) as b:
        provider.client(b).with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke([HumanMessage(ASK)], b.config)
        check(b)
        assert [(span.name.split()[0], attributes(span).get("token_otel.attempt", 1)) for span in b.spans] == [
            ("chat", 1),
            ("chat", 2),
            ("invoke_workflow", 1),
        ]


@PROVIDERS
def test_a_refusal(provider: Provider):
    """A call that is refused for good is an error without tokens or cost."""
    with bench(**provider.answers(Answer(error=500))) as b:
        with pytest.raises(Exception, match="500"):
            provider.client(b).invoke([HumanMessage(ASK)], b.config)
        check(b)


def test_a_fallback_is_priced_by_its_own_model():
    """The first provider fails, the second answers: each attempt by its own model."""
    with bench({"gpt-5": [Answer(error=500)]}, {"claude-haiku-4-5": [Answer(SAY)]}) as b:
        b.gpt("gpt-5").with_fallbacks([b.claude("claude-haiku-4-5")]).invoke([HumanMessage(ASK)], b.config)
        check(b)
        assert {attributes(span)["gen_ai.request.model"] for span in b.spans} == {"gpt-5", "claude-haiku-4-5"}


@pytest.fixture
def local_cache() -> Iterator[None]:
    """LangChain's own cache, for one test."""
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


@PROVIDERS
@pytest.mark.usefixtures("local_cache")
def test_a_local_cache_hit_is_no_call(provider: Provider):
    """The second answer comes from the framework's own cache: cost 0, no usage, and what it saved."""
    with bench(**provider.answers(Answer(SAY))) as b:
        for _ in range(2):
            provider.client(b).invoke([HumanMessage(ASK)], b.config)
        first, second = (attributes(span) for span in b.spans)
        [bill] = b.bills
        assert first["gen_ai.usage.input_tokens"] == bill.input
        assert "gen_ai.usage.input_tokens" not in second
        assert (second["token_otel.cache.local"], second["token_otel.cost.status"], second["token_otel.cost.total_usd"]) == (
            True,
            "cached",
            0.0,
        )
        assert second["token_otel.saved.input_tokens"] == bill.input
        assert second["token_otel.saved.cost_usd"] == float(bill.cost_usd or 0)


@PROVIDERS
def test_two_handlers_are_one_account(provider: Provider):
    """A second handler on the same run, and one more at the model, add nothing."""
    with bench(**provider.answers(Answer(SAY))) as b:
        other = TokenOtelHandler(recorder=b.handler.recorder)
        client = provider.client(b, callbacks=[other])
        client.invoke([HumanMessage(ASK)], {"callbacks": [b.handler, TokenOtelHandler(recorder=b.handler.recorder)]})
        check(b)
        assert len(b.spans) == 1


@PROVIDERS
def test_a_shared_model_object(provider: Provider):
    """Three agents on one model object: each has its own account, and together they are the bill."""
    with bench(**provider.answers(*[Answer(f"{SAY} ({name})") for name in ("one", "two", "three")])) as b:
        client = provider.client(b)
        for name in ("one", "two", "three"):
            create_agent(client, [], name=name).invoke({"messages": [HumanMessage(ASK)]}, b.config)
        check(b)
        own = {
            attributes(span)["gen_ai.agent.name"]: attributes(span)["token_otel.agent.own.calls"]
            for span in b.spans
            if span.name.startswith("invoke_agent")
        }
        assert own == {"one": 1, "two": 1, "three": 1}


@PROVIDERS
def test_an_agent_beneath_an_agent_on_one_model(provider: Provider):
    """Two agents on one model, one called by the other: own and subtree apart."""
    answers = (Answer(tool_calls=[ToolCall("ask", {"question": ASK})]), Answer(SAY), Answer("So it is rule 11, as the pilot says."))
    with bench(**provider.answers(*answers)) as b:
        pilot: Any = create_agent(provider.client(b), [], name="pilot")

        @tool
        def ask(question: str) -> str:
            """Ask the pilot."""
            return pilot.invoke({"messages": [HumanMessage(question)]})["messages"][-1].text

        create_agent(provider.client(b), [ask], name="captain").invoke({"messages": [HumanMessage(ASK)]}, b.config)
        check(b)
        calls = {
            attributes(span)["gen_ai.agent.name"]: (
                attributes(span)["token_otel.agent.own.calls"],
                attributes(span)["token_otel.agent.subtree.calls"],
            )
            for span in b.spans
            if span.name.startswith("invoke_agent")
        }
        assert calls == {"captain": (2, 3), "pilot": (1, 1)}


@pytest.mark.parametrize("provider", [CHAT, RESPONSES], ids=lambda provider: provider.name)
def test_flex_is_priced_by_the_tier_of_the_response(provider: Provider):
    """The tier that the response names decides the price, not the one that was asked for."""
    with bench(**provider.answers(Answer(SAY, service_tier="flex"))) as b:
        provider.client(b).invoke([HumanMessage(ASK)], b.config)
        check(b)
