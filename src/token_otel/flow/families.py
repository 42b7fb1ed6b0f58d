"""What is assumed of each family of models before its first bill.

Fitted over half of a thousand recorded calls; `bench/estimates.py` compares them with the other half. Where recorded texts were
too few or too short, a factor comes from the vendor's tokenizer, over prose and code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What is assumed of a family of models before its first bill; deviations are one standard deviation.

    Attributes:
        factor: Billed tokens per o200k token of text.
        bill_deviation: How far one bill may be from its factor, as a share of it: where the encoding is another than o200k, prose, code
            and Chinese each have a factor of their own, and no call tells them apart.
        tools_deviation: How far the factor of tool schemas may be from that of text.
        message_tokens: Framing of one message, in o200k tokens; likewise `call_tokens` of a tool call, or of what answers it.
        tool_factor: o200k tokens billed per o200k token of a tool schema's compact JSON, with `tool_tokens` more for each tool:
            where the provider writes schemas in another form than JSON, each of them is shorter by its braces and keywords.
        hidden_plain: Billed tokens that the provider adds unseen to a call without tools.
        hidden_tools: The same with tools, where their schemas are told flat, as in OpenAI's Responses.
        hidden_functions: The same where they are told as `function`, as in Chat Completions; `None` if that makes no difference.
    """

    factor: float = 1.0
    factor_deviation: float = 0.25
    bill_deviation: float = 0.05
    tools_deviation: float = 0.25
    message_tokens: float = 4.0
    call_tokens: float = 0.0
    tool_factor: float = 1.0
    tool_tokens: float = 0.0
    hidden_plain: float = 3.0
    hidden_plain_deviation: float = 8.0
    hidden_tools: float = 20.0
    hidden_tools_deviation: float = 40.0
    hidden_functions: float | None = None

    @property
    def foreign_deviation(self) -> float:
        """How far the factor of other alphabets may be from that of the Latin one: there encodings differ most."""
        return 0.0 if self.bill_deviation <= _O200K else 0.4


_O200K = 0.02  # whose encoding is the one that we count by
_GPT_4 = Family(
    factor_deviation=0.04,
    bill_deviation=_O200K,
    call_tokens=4,
    hidden_tools=20,
    hidden_tools_deviation=20,
    tool_factor=0.7,
    tool_tokens=-14,
)
_CLAUDE = Family(
    factor=1.1,
    factor_deviation=0.15,
    call_tokens=18,
    hidden_plain=2.3,
    hidden_tools=310,
    hidden_tools_deviation=120,
    tool_factor=1.35,
)
_LLAMA = Family(hidden_plain=27, hidden_plain_deviation=15)

# The first that is found in a model's name counts.
FAMILIES: tuple[tuple[re.Pattern[str], Family], ...] = (
    # Its chat format opens with a system message that nobody sent.
    (re.compile(r"gpt-oss"), Family(factor_deviation=0.05, bill_deviation=_O200K, call_tokens=4, hidden_plain=68, hidden_tools=92)),
    (re.compile(r"gpt-4|chatgpt|gpt-3"), _GPT_4),
    (re.compile(r"\bo[134]\b"), replace(_GPT_4, hidden_plain=2)),
    (
        re.compile(r"gpt-\d|codex|computer-use"),
        Family(
            factor_deviation=0.04,
            bill_deviation=_O200K,
            call_tokens=6,
            hidden_plain=2,
            hidden_tools=18,
            hidden_tools_deviation=80,
            hidden_functions=100,
            tool_factor=0.92,
            tool_tokens=-25,
        ),
    ),
    (
        re.compile(r"claude-(opus-4[-.][7-9]|(opus|sonnet|haiku|fable|mythos)-[5-9])"),
        replace(_CLAUDE, factor=1.4, factor_deviation=0.2, message_tokens=2, tool_factor=1.1, hidden_tools_deviation=150),
    ),
    # The same tokenizer as before, with a longer preamble of tools.
    (re.compile(r"claude-.*4[-.][56](?!\d)|claude-4\.[56]"), replace(_CLAUDE, hidden_tools=498)),
    (re.compile(r"claude"), _CLAUDE),
    (re.compile(r"gemini-[3-9]"), Family(factor_deviation=0.1, message_tokens=0, hidden_plain=0, hidden_tools=0, tool_factor=0.7)),
    (
        re.compile(r"gemini"),
        Family(factor=1.05, factor_deviation=0.1, message_tokens=0, call_tokens=8, hidden_plain=0, hidden_tools=1, tool_factor=0.87),
    ),
    # The longest preamble of all.
    (
        re.compile(r"\bnova"),
        Family(factor_deviation=0.15, message_tokens=0, hidden_plain=0, hidden_tools=858, hidden_tools_deviation=150),
    ),
    # As Groq serves it.
    (re.compile(r"llama-?4"), replace(_LLAMA, message_tokens=7, hidden_plain=3, hidden_tools=655, hidden_tools_deviation=250)),
    (re.compile(r"llama"), _LLAMA),
    (
        re.compile(r"mistral|ministral|magistral|codestral|devstral|pixtral"),
        Family(factor=1.12, factor_deviation=0.1, message_tokens=0),
    ),
    (re.compile(r"deepseek"), Family(factor=1.07, factor_deviation=0.1)),
    (re.compile(r"qwen"), Family(factor=1.05, factor_deviation=0.1)),
)
UNKNOWN = Family()


@lru_cache(maxsize=1024)
def family_of(model: str) -> Family:
    """Return what is assumed of `model` before its first bill."""
    name = model.lower()
    return next((family for pattern, family in FAMILIES if pattern.search(name)), UNKNOWN)
