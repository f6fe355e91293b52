"""The single model calls behind any figure, each with its rating trace."""

from __future__ import annotations

from finops.requests.costliest import can_be_sorted, costliest
from finops.requests.listing import page
from finops.requests.results import PriceVersion, RatingTrace, RequestPage, UsageRequest
from finops.requests.settlings import Settling, counting, settling_of
from finops.requests.traces import get

__all__ = [
    "PriceVersion",
    "RatingTrace",
    "RequestPage",
    "Settling",
    "UsageRequest",
    "can_be_sorted",
    "costliest",
    "counting",
    "get",
    "page",
    "settling_of",
]
