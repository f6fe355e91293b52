"""What pages call the dimensions, metrics and periods that queries know by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

METRICS = {
    "effective_cost": "Effective cost",
    "list_cost": "List cost",
    "billed_cost": "Billed cost",
    "requests": "Requests",
    "errors": "Errors",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "cache_read_input_tokens": "Cache-read tokens",
    "users": "Users",
    "cost_per_request": "Cost per request",
    "cost_per_user": "Cost per user",
    "cost_per_million_tokens": "Cost per 1M tokens",
    "latency_p50": "Latency, median",
    "latency_p95": "Latency, p95",
    "latency_p99": "Latency, p99",
    "ttft_p95": "Time to first token, p95",
    "unpriced_requests": "Unpriced requests",
    "unpriced_tokens": "Unpriced tokens",
}
# Whose buckets and groups add up to the total: those can be stacked and have shares.
ADDITIVE = frozenset(METRICS) - {
    "users",
    "cost_per_request",
    "cost_per_user",
    "cost_per_million_tokens",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "ttft_p95",
}
# More of these is not worse, so their growth is no warning.
NEUTRAL = frozenset(
    {"requests", "input_tokens", "output_tokens", "cache_read_input_tokens", "users"}
)
PERIODS = {
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "mtd": "Month to date",
    "last_month": "Last month",
    "12m": "12 months",
    "fqtd": "Fiscal quarter",
    "fytd": "Fiscal year",
}
SPANS = {"h": "hour", "d": "day", "m": "month"}
GRANULARITIES = {
    "hour": "per hour",
    "day": "per day",
    "week": "per week",
    "month": "per month",
    "total": "in total",
}
# The parts of a price; "" is what no line of the ledger is for.
BUCKETS = {
    "uncached_input": "Input, uncached",
    "cache_read_input": "Input, read from cache",
    "cache_creation_5m_input": "Input, written to cache for 5 min",
    "cache_creation_1h_input": "Input, written to cache for 1 h",
    "input_audio": "Input, audio",
    "text_output": "Output, text",
    "reasoning_output": "Output, reasoning",
    "output_audio": "Output, audio",
    "request": "Request",
    "gpu_second": "GPU time",
}
# From the owner of a cost to its cause: breadcrumbs follow this order and drilling goes down it.
DRILL_PATH = ("cost_center", "team", "feature", "model", "operation", "user")


def dimension(name: str) -> str:
    """Cost center, Team, Tag release."""
    if name.startswith("tag:"):
        return f"Tag {name.removeprefix('tag:')}"
    return name.replace("_", " ").capitalize()


def dimensions(names: tuple[str, ...]) -> str:
    """team and model, in running text."""
    words = [dimension(name) for name in names]
    return " and ".join(w if w.startswith("Tag ") else w.lower() for w in words)


def period(label: str) -> str:
    """What a named period is called: "7 days", "Month to date"; the name itself for a month."""
    if label in PERIODS:
        return PERIODS[label]
    if match := re.fullmatch(r"(\d+)([hdm])", label):
        count = int(match[1])
        return f"{count} {SPANS[match[2]]}{'s' if count > 1 else ''}"
    return label


def buckets(names: Iterable[str]) -> str:
    """Input, uncached; Output, text."""
    return "; ".join(BUCKETS[name] for name in names)


def lacking(counts: Iterable[tuple[str, str]]) -> str:
    """Which buckets have no price, each with the number of requests that used it; "" stands for
    requests that no line is for."""
    return "; ".join(_lack(bucket, requests) for bucket, requests in counts)


def _lack(bucket: str, requests: str) -> str:
    number = f"{requests} request" if requests == "1" else f"{requests} requests"
    if not bucket:
        return f"{number} that no line is for"
    unsent = " that was not reported" if bucket == "gpu_second" else ""
    return f"{BUCKETS[bucket]}{unsent} ({number})"
