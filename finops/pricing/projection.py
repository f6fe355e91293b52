"""What a month of requests costs, of which a share is answered from the response cache.

a request  = cached share × cost of a cached request + (1 − cached share) × cost of any other
a month    = that × requests per day × days
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from finops.pricing.formula import EXACT

DAYS = 30


@dataclass(frozen=True, slots=True)
class Load:
    """Requests as they are expected. `cached_percent` of them (0 to 100) never reach the model."""

    requests_per_day: int
    input_tokens: int
    output_tokens: int
    cached_percent: Decimal = Decimal(0)
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Projection:
    """USD, exact to the last digit."""

    request_cost: Decimal
    cost_per_request: Decimal
    daily_cost: Decimal
    cached_cost: Decimal
    model_cost: Decimal
    monthly_cost: Decimal


def token_cost(load: Load, input_price: Decimal, output_price: Decimal) -> Decimal:
    """One request at prices in USD per single token."""
    with localcontext(EXACT):
        return load.input_tokens * input_price + load.output_tokens * output_price


def project(load: Load, request_cost: Decimal, cached_request_cost: Decimal) -> Projection:
    """A month of this load, where a request to the model costs `request_cost`."""
    with localcontext(EXACT):
        cached_share = load.cached_percent * Decimal("0.01")
        cached = cached_share * cached_request_cost
        reaching = (1 - cached_share) * request_cost
        requests = load.requests_per_day * load.days
        return Projection(
            request_cost=request_cost,
            cost_per_request=cached + reaching,
            daily_cost=(cached + reaching) * load.requests_per_day,
            cached_cost=cached * requests,
            model_cost=reaching * requests,
            monthly_cost=(cached + reaching) * requests,
        )
