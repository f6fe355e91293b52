"""Anomalies: series are read from rollups and judged by finops.detection; what is found is kept,
told once, shown with what else it is seen in, and learned from."""

from __future__ import annotations

from finops.anomalies.feedback import NotPossible
from finops.anomalies.forgetting import forget
from finops.anomalies.listing import Search, count, open_now, page, visible, watched, within
from finops.anomalies.turns import Memory, Report, judge

__all__ = [
    "Memory",
    "NotPossible",
    "Report",
    "Search",
    "count",
    "forget",
    "judge",
    "open_now",
    "page",
    "visible",
    "watched",
    "within",
]
