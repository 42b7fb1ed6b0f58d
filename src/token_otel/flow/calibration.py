"""`Calibration`: from tokens counted here to tokens billed there, per model, learnt from its bills.

A bill is `factor x counted + hidden`: another vendor's tokenizer makes the factor, and what the provider adds unseen
(a tool preamble, a default system prompt) is a constant, not a ratio. Scaling the visible parts up to the bill would
charge the provider's own text to the user. Source of the starting values: a least-squares fit over real bills.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What is assumed of a family of models before its first bill; deviations are one standard deviation.

    Attributes:
        factor: Billed tokens per o200k token of text.
        message_tokens: Framing of one message, in o200k tokens.
        hidden: Tokens that the provider adds to a call with tools (`hidden_tools`) or without (`hidden_plain`).
        tool_factor: o200k tokens billed per o200k token of a tool schema's compact JSON.
    """

    factor: float = 1.0
    factor_deviation: float = 0.25
    message_tokens: float = 4.0
    hidden_plain: float = 3.0
    hidden_plain_deviation: float = 8.0
    hidden_tools: float = 20.0
    hidden_tools_deviation: float = 40.0
    tool_factor: float = 1.0


_FAMILIES: tuple[tuple[re.Pattern[str], Family], ...] = (
    (
        re.compile(r"gpt-4|chatgpt|gpt-3|o[134]\b|o\d-"),
        Family(factor_deviation=0.04, hidden_tools=9, hidden_tools_deviation=15, tool_factor=0.8),
    ),
    (re.compile(r"gpt-\d|codex"), Family(factor_deviation=0.04, hidden_tools=20, hidden_tools_deviation=40, tool_factor=0.84)),
    (
        re.compile(r"claude-(opus-4-[7-9]|(opus|sonnet|haiku|fable|mythos)-[5-9])"),
        Family(factor=1.65, factor_deviation=0.2, message_tokens=4, hidden_tools=480, hidden_tools_deviation=120, tool_factor=1.1),
    ),
    (
        re.compile(r"claude"),
        Family(factor=1.22, factor_deviation=0.15, message_tokens=6, hidden_tools=400, hidden_tools_deviation=120, tool_factor=1.1),
    ),
    (re.compile(r"gemini"), Family(factor=1.12, factor_deviation=0.1, message_tokens=1, hidden_plain=0, hidden_tools=16, tool_factor=0.5)),
    (re.compile(r"mistral|ministral|codestral"), Family(factor=1.08, factor_deviation=0.1, message_tokens=1, hidden_plain=20)),
    (re.compile(r"deepseek"), Family(factor=1.07, factor_deviation=0.1)),
    (re.compile(r"qwen"), Family(factor=1.05, factor_deviation=0.1)),
)
_UNKNOWN = Family()

BILL_DEVIATION = 0.02
BILL_DEVIATION_TOKENS = 6.0
BAND = 4.0  # standard deviations; beyond them a bill is explained by something that we do not see


def family_of(model: str) -> Family:
    """Return what is assumed of `model` before its first bill."""
    name = model.lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(name)), _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a bill is made of, in billed tokens.

    Attributes:
        factor: Billed tokens per counted token.
        hidden: What the provider added unseen.
        unexplained: What neither explains; 0 inside the band.
    """

    factor: float
    hidden: float
    unexplained: float


class Calibration:
    """What is known of one model, with tools or without: a factor and a constant, refined by each bill (a Kalman filter)."""

    def __init__(self, family: Family, *, tools: bool) -> None:
        self.factor = family.factor
        self.hidden: float = family.hidden_tools if tools else family.hidden_plain
        self._var_factor = family.factor_deviation**2
        self._var_hidden = (family.hidden_tools_deviation if tools else family.hidden_plain_deviation) ** 2
        self._covariance: float = 0.0

    def expect(self, counted: float) -> float:
        """Return the bill to expect for `counted` o200k tokens."""
        return self.factor * counted + self.hidden

    def explain(self, counted: float, billed: int) -> Estimate:
        """Split `billed` into what the counted text costs, what is hidden and what is unexplained; learn from it inside the band."""
        residual = billed - self.expect(counted)
        noise = (BILL_DEVIATION * billed + BILL_DEVIATION_TOKENS) ** 2
        to_factor = self._var_factor * counted + self._covariance
        to_hidden = self._covariance * counted + self._var_hidden
        variance = max(noise, to_factor * counted + to_hidden + noise)
        if abs(residual) > BAND * sqrt(variance):
            # A bill far below what is expected has no room for what is hidden.
            hidden = min(self.hidden, billed - self.factor * counted)
            return Estimate(self.factor, max(0.0, hidden), max(0.0, residual))
        gain_factor, gain_hidden = to_factor / variance, to_hidden / variance
        self.factor = max(0.05, self.factor + gain_factor * residual)
        self.hidden += gain_hidden * residual
        # In floats a variance that shrinks a millionfold may end up below 0.
        self._var_factor = max(0.0, self._var_factor - gain_factor * to_factor)
        self._var_hidden = max(0.0, self._var_hidden - gain_hidden * to_hidden)
        self._covariance -= gain_factor * to_hidden
        return Estimate(self.factor, max(0.0, self.hidden), 0.0)
