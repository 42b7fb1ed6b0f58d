"""`Calibration`: from tokens counted here to tokens billed there, per model, learnt from its bills.

A bill is `factor x counted + hidden`: another vendor's tokenizer makes the factor, and what the provider adds unseen
(a tool preamble, a default system prompt) is a constant, not a ratio. Scaling the visible parts up to the bill would
charge the provider's own text to the user. What is assumed before the first bill stands in `families`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from token_otel.flow.families import Family

BILL_DEVIATION_TOKENS = 6.0
BAND = 4.0  # standard deviations; beyond them a bill is explained by something that we do not see


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
    """What is known of one model, with tools or without: a factor and a constant, refined by each bill (a Kalman filter).

    Args:
        family: What is assumed before the first bill.
        tools: Whether it is told tools.
        functions: Whether it is told them as Chat Completions does.
    """

    def __init__(self, family: Family, *, tools: bool, functions: bool = False) -> None:
        self.factor = family.factor
        self.hidden: float = family.hidden_tools if tools else family.hidden_plain
        if functions and family.hidden_functions is not None:
            self.hidden = family.hidden_functions
        self._var_factor = family.factor_deviation**2
        self._var_hidden = (family.hidden_tools_deviation if tools else family.hidden_plain_deviation) ** 2
        self._covariance: float = 0.0
        self._bill_deviation = family.bill_deviation

    def expect(self, counted: float) -> float:
        """Return the bill to expect for `counted` o200k tokens."""
        return self.factor * counted + self.hidden

    def explain(self, counted: float, billed: int) -> Estimate:
        """Split `billed` into what the counted text costs, what is hidden and what is unexplained; learn from it inside the band."""
        residual = billed - self.expect(counted)
        noise = (self._bill_deviation * billed + BILL_DEVIATION_TOKENS) ** 2
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
