"""`TOKEN_OTEL_ESTIMATE=on`, end to end: our estimate takes the place of a report that never came, flow and cost included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from tests.scenarios.bench import attributes, bench

from token_otel.testing.loopback import Answer, Bill

QUESTION = "How deep is the river at the second bridge, and how fast does it run there in spring?"
TEXT = "The river is seven metres deep at the second bridge. " * 12


def streamed(*, estimate: bool, chunks: int | None = None) -> tuple[Mapping[str, Any], list[Bill]]:
    """The attributes of a stream that reports nothing, given up after so many chunks, and what was billed by then."""
    with bench({"gpt-5-mini": [Answer(TEXT)]}, estimate=estimate) as b:
        stream: Any = b.gpt("gpt-5-mini", stream_usage=False).stream([HumanMessage(QUESTION)], b.config)
        for number, _ in enumerate(stream, start=1):
            if number == chunks:
                stream.close()
                break
        [span] = b.spans
        return attributes(span), b.bills


def test_an_estimate_takes_the_place_of_the_report():
    """As near as a token to what the provider billed, and marked as ours."""
    values, [bill] = streamed(estimate=True)

    assert values["token_otel.usage.status"] == "estimated"
    assert values["gen_ai.usage.input_tokens"] == pytest.approx(bill.input, abs=1)
    assert values["gen_ai.usage.output_tokens"] == bill.output
    assert sum(values["token_otel.flow.tokens"]) == values["gen_ai.usage.input_tokens"]
    assert values["token_otel.cost.status"] == "priced"
    assert values["token_otel.cost.total_usd"] == pytest.approx(
        values["token_otel.cost.input_usd"] + values["token_otel.cost.output_usd"], rel=1e-9
    )


def test_without_it_an_estimate_stands_apart():
    """No usage, no cost, no flow: a backend would take them for facts."""
    values, [bill] = streamed(estimate=False)

    assert values["token_otel.usage.status"] == "unreported"
    assert values["token_otel.estimated.input_tokens"] == pytest.approx(bill.input, abs=1)
    assert values["token_otel.estimated.output_tokens"] == bill.output
    assert not [name for name in values if name.startswith(("gen_ai.usage.", "token_otel.flow."))]


def test_a_stream_that_was_given_up_is_estimated_by_what_was_seen():
    """LangChain hands over what had come by then: twenty of many chunks."""
    whole, _ = streamed(estimate=True)
    values, _ = streamed(estimate=True, chunks=20)

    assert (values["token_otel.run.status"], values["token_otel.usage.status"]) == ("cancelled", "estimated")
    assert values["gen_ai.usage.input_tokens"] == whole["gen_ai.usage.input_tokens"]
    assert 0 < values["gen_ai.usage.output_tokens"] < whole["gen_ai.usage.output_tokens"]
