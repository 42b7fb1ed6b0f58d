"""Every provider's words for what a call used: one row for each format and each trap."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.langchain_rows import BROKEN, LANGCHAIN
from tests.wire.openai_rows import CHAT, OPENAI
from tests.wire.provider_rows import OTHERS
from tests.wire.row import Row

from token_otel import Usage, wire

ROWS = [*CHAT, *OPENAI, *OTHERS, *LANGCHAIN, *BROKEN]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_reads(row: Row):
    """The figures are the providers' documented examples, or made by hand."""
    assert row.read(row.raw) == row.usage


@pytest.mark.parametrize("row", [row for row in ROWS if row.detected], ids=lambda row: row.name)
def test_detects_the_format_by_its_names(row: Row):
    """Where nobody says which provider it was."""
    assert wire.detect(row.raw) == row.usage


def test_detects_nothing_in_other_mappings():
    """A mapping without counts is no report."""
    assert wire.detect({"total_tokens": 0}) is None


def test_every_row_says_where_it_is_written():
    """A convention without a source is a rumour."""
    assert all(row.source.startswith("https://") for row in ROWS if row not in BROKEN)


@pytest.mark.parametrize(
    ("details", "tier"),
    [({"flex": 10, "flex_cache_read": 4}, "flex"), ({"priority_cache_read": 4}, "priority"), ({"cache_read": 4}, None)],
)
def test_the_service_tier_is_a_prefix(details: dict[str, int], tier: str | None):
    """LangChain keeps no other trace of it."""
    assert wire.service_tier({"input_token_details": details}) == tier


@pytest.mark.parametrize(
    ("raw", "usd"),
    [
        ({"cost": 0.00014}, "0.00014"),
        ({"cost": 0}, "0"),
        # With a key of the user's own, OpenRouter's charge and the provider's: 0.0001 + 0.002.
        ({"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}, "0.0021"),
        ({"cost": 0.002, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.002}}, "0.002"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0"),
        ({"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}}, "0.006"),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "0.1"}, None),
        ({"cost": float("nan")}, None),
        ({}, None),
    ],
)
def test_a_cost_that_the_provider_says_itself(raw: dict[str, Any], usd: str | None):
    """OpenRouter says its own charge, Perplexity a total among its parts."""
    assert wire.reported_cost(raw) == (None if usd is None else Decimal(usd))


_NAMES = sorted({name for row in ROWS for name in row.raw} | {"cached_tokens", "reasoning_tokens", "cache_read", "type", "modality"})
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10_000) | st.floats(allow_nan=True) | st.text(max_size=3) | st.just("compaction"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=12))
def test_nothing_raises(raw: dict[str, Any]):
    """Whatever a provider sends, every function reads what it can."""
    for read in {row.read for row in ROWS}:
        assert isinstance(read(raw), Usage)
    wire.detect(raw)
    wire.service_tier(raw)
    wire.reported_cost(raw)


def test_what_no_call_can_have_used_is_no_count():
    """A counter that left 64 bits could not be exported any more."""
    assert wire.ollama({"prompt_eval_count": 10**40, "eval_count": 1e300}) == Usage()
    assert wire.ollama({"prompt_eval_count": 10**12, "eval_count": 0}) == Usage(input=10**12, output=0)


def test_not_even_keys_that_are_no_text_and_numbers_too_long_to_write_out_raise():
    """JSON can hold the one, a framework's dict the other."""
    endless = 10**5000

    assert wire.service_tier({"input_token_details": {None: 1, "flex": 2}}) == "flex"
    assert wire.reported_cost({"cost": endless}) is None
    assert wire.gemini({"promptTokenCount": 1, "promptTokensDetails": [{"modality": endless, "tokenCount": 1}]}) == Usage(input=1)


def test_a_part_that_exceeds_its_total_is_cut_down_and_said():
    """50 of 10 cannot have been cached: 10 are kept, and the usage says that it was adjusted."""
    raw = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 50}}

    assert wire.openai_chat(raw) == Usage(input=10, output=5, cache_read=10)
    assert wire.openai_chat(raw).adjusted
    assert not wire.openai_chat(raw | {"prompt_tokens": 50}).adjusted
