"""`Calibration`: from tokens counted here to tokens billed there, per model, learnt from its bills.

A bill is `factor x counted + hidden`: another vendor's tokenizer makes the factor, another one for schemas, which are told in a
form of the provider's own, and for other alphabets; what the provider adds unseen (a tool preamble, a default system prompt) is a constant,
not a ratio. Scaling the visible parts up to the bill would
charge the provider's own text to the user. What is assumed before the first bill stands in `families`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from token_otel.flow.families import Family

BILL_DEVIATION_TOKENS = 6.0
LEAST_FACTOR = 0.05
LEAST_MORE = -0.9  # a token weighs something
BAND = 4.0  # standard deviations; beyond them a bill is explained by something that we do not see


class Counted(NamedTuple):
    """What a prompt counts, in o200k tokens.

    Attributes:
        total: All of it.
        tools: Of it, tool schemas.
        foreign: Of it, text in other alphabets than the Latin one.
    """

    total: float
    tools: float = 0.0
    foreign: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a bill is made of, in billed tokens.

    Attributes:
        factor: Billed tokens per counted token.
        tools: How much more a token of a schema weighs than one of text, as a share; `foreign` likewise of another alphabet.
        hidden: What the provider added unseen.
        unexplained: What neither explains; 0 inside the band.
    """

    factor: float
    tools: float
    foreign: float
    hidden: float
    unexplained: float


class Calibration:
    """What is known of one model, with tools or without: three factors and a constant, refined by each bill (a Kalman filter).

    Args:
        family: What is assumed before the first bill.
        tools: Whether it is told tools.
        functions: Whether it is told them as Chat Completions does.
    """

    def __init__(self, family: Family, *, tools: bool, functions: bool = False) -> None:
        hidden: float = family.hidden_tools if tools else family.hidden_plain
        if functions and family.hidden_functions is not None:
            hidden = family.hidden_functions
        # The factor of all, what schemas and other alphabets have more, and the constant.
        self._state = [family.factor, 0.0, 0.0, hidden]
        hidden_deviation = family.hidden_tools_deviation if tools else family.hidden_plain_deviation
        deviations = (family.factor_deviation, family.tools_deviation, family.foreign_deviation, hidden_deviation)
        self._covariance = [[deviation**2 if i == j else 0.0 for j in range(4)] for i, deviation in enumerate(deviations)]
        self._bill_deviation = family.bill_deviation

    @property
    def factor(self) -> float:
        """Billed tokens per counted token of text."""
        return self._state[0]

    @property
    def hidden(self) -> float:
        """Billed tokens that the provider adds unseen."""
        return self._state[3]

    def expect(self, counted: Counted) -> float:
        """Return the bill to expect."""
        factor, tools, foreign, hidden = self._state
        return factor * counted.total + tools * counted.tools + foreign * counted.foreign + hidden

    def explain(self, counted: Counted, billed: int) -> Estimate:
        """Split `billed` into what the counted text costs, what is hidden and what is unexplained; learn from it inside the band."""
        residual = billed - self.expect(counted)
        noise = (self._bill_deviation * billed + BILL_DEVIATION_TOKENS) ** 2
        total, tools, foreign = counted
        # Of text alone, as most prompts are, two of the four terms are 0.
        if tools or foreign:
            towards = [a * total + b * tools + c * foreign + d for a, b, c, d in self._covariance]
        else:
            towards = [row[0] * total + row[3] for row in self._covariance]
        variance = max(noise, towards[0] * total + towards[1] * tools + towards[2] * foreign + towards[3] + noise)
        if abs(residual) > BAND * sqrt(variance):
            # A bill far below what is expected has no room for what is hidden.
            return self._estimate(min(self.hidden, residual + self.hidden), max(0.0, residual))
        state = self._state
        first, second, third, fourth = towards
        for i, (toward, row) in enumerate(zip(towards, self._covariance, strict=True)):
            if not toward:
                continue
            gain = toward / variance
            state[i] += gain * residual
            row[0] -= gain * first
            row[1] -= gain * second
            row[2] -= gain * third
            row[3] -= gain * fourth
            # In floats a variance that shrinks a millionfold may end up below 0.
            if row[i] < 0.0:
                row[i] = 0.0
        if state[0] < LEAST_FACTOR:
            state[0] = LEAST_FACTOR
        return self._estimate(self._state[3], 0.0)

    def _estimate(self, hidden: float, unexplained: float) -> Estimate:
        factor, tools, foreign, _ = self._state
        return Estimate(factor, max(LEAST_MORE, tools / factor), max(LEAST_MORE, foreign / factor), max(0.0, hidden), unexplained)
