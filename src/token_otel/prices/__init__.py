"""What a call costs: rates, the books that find them, and the arithmetic of a bill."""

from token_otel.prices.book import LayeredBook, PriceBook
from token_otel.prices.cost import Cost, CostStatus, cost_of
from token_otel.prices.rates import Rates, Tariff

__all__ = ["Cost", "CostStatus", "LayeredBook", "PriceBook", "Rates", "Tariff", "cost_of"]
