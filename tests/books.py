"""Prices for tests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from token_otel.prices import Rates, Tariff


class FlatBook:
    """Prices for tests: one flat, one dearer above 200,000 tokens, one without a price for output, one with many digits."""

    RATES = Rates(
        input=Decimal(3),
        output=Decimal(15),
        cache_read=Decimal("0.3"),
        cache_write_5m=Decimal("3.75"),
        cache_write_1h=Decimal(6),
        audio_input=Decimal(7),
        request_usd=Decimal("0.001"),
    )
    DIGITS = Rates(
        input=Decimal("0.3333333333333333333333333333"),
        output=Decimal("1.0000000000000000000000000007"),
        cache_read=Decimal("0.0333333333333333333"),
        cache_write_5m=Decimal("0.41666666666666666666667"),
        cache_write_1h=Decimal("0.6666666666666666666666666667"),
        audio_input=Decimal("3.141592653589793238462643383"),
    )

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff of the three."""
        steps = {
            "cheap": ((0, self.RATES),),
            "tiered": ((0, Rates(input=Decimal(1), output=Decimal(2))), (200_000, Rates(input=Decimal(2), output=Decimal(4)))),
            "half-priced": ((0, Rates(input=Decimal("0.123456789"))),),
            "many-digits": ((0, self.DIGITS), (200_000, replace(self.DIGITS, input=Decimal("0.7777777777777777777777777777")))),
        }
        return Tariff(steps=steps[model], source="test", version="1", model=model) if model in steps else None
