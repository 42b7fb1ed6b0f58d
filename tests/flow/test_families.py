"""Families: what is assumed of a model before its first bill, by its name."""

import pytest

from token_otel.flow.calibration import Calibration
from token_otel.flow.families import Family, family_of


@pytest.mark.parametrize(
    ("model", "factor", "hidden_tools"),
    [
        ("gpt-4o-2024-08-06", 1.0, 20),
        ("openai/gpt-oss-120b", 1.0, 92),
        ("o3-mini", 1.0, 20),
        ("GPT-5", 1.0, 18),
        ("claude-opus-4-7", 1.4, 310),
        ("anthropic/claude-opus-4.8", 1.4, 310),
        ("claude-sonnet-5", 1.4, 310),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 1.1, 498),
        ("anthropic/claude-4.5-sonnet-20250929", 1.1, 498),
        ("claude-sonnet-4-20250514", 1.1, 310),
        ("claude-opus-4-1-20250805", 1.1, 310),
        ("claude-3-5-haiku-20241022", 1.1, 310),
        ("gemini-2.5-pro", 1.05, 1),
        ("gemini-3-flash-preview", 1.0, 0),
        ("us.amazon.nova-lite-v1:0", 1.0, 858),
        ("meta-llama/llama-4-scout-17b-16e-instruct", 1.0, 655),
        ("llama-3.3-70b-versatile", 1.0, 20),
        ("mistral-large", 1.12, 20),
        ("deepseek-chat", 1.07, 20),
        ("qwen3", 1.05, 20),
        ("", 1.0, 20),
        ("nobody-knows", 1.0, 20),
    ],
)
def test_a_family_is_known_by_its_name(model: str, factor: float, hidden_tools: float):
    """Whoever serves it, and however its version is written."""
    family = family_of(model)

    assert (family.factor, family.hidden_tools) == (factor, hidden_tools)


@pytest.mark.parametrize(
    ("tools", "functions", "hidden"),
    [(False, False, 2), (True, False, 18), (True, True, 100)],
)
def test_what_is_hidden_depends_on_how_tools_are_told(tools: bool, functions: bool, hidden: float):
    """The same model hides more under Chat Completions than under Responses."""
    assert Calibration(family_of("gpt-5"), tools=tools, functions=functions).hidden == hidden


def test_where_the_form_makes_no_difference_it_makes_none():
    """Claude behind a gateway that speaks Chat Completions."""
    assert Calibration(Family(hidden_tools=300), tools=True, functions=True).hidden == 300
