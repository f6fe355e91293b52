"""The single model calls behind any figure, each with its rating trace."""

from __future__ import annotations

from finops.requests.costliest import can_be_sorted, costliest
from finops.requests.listing import page
from finops.requests.pulses import MOST_REQUESTS, Pulse, read_pulses
from finops.requests.results import PriceVersion, RatingTrace, RequestPage, UsageRequest
from finops.requests.settlings import Settling, counting, settling_of
from finops.requests.streaming import stream
from finops.requests.traces import get

__all__ = [
    "MOST_REQUESTS",
    "PriceVersion",
    "Pulse",
    "RatingTrace",
    "RequestPage",
    "Settling",
    "UsageRequest",
    "can_be_sorted",
    "costliest",
    "counting",
    "get",
    "page",
    "read_pulses",
    "settling_of",
    "stream",
]
