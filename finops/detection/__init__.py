"""Finds what is out of order in a series of equal steps of time, at the scale of its step.

Pure and without state: numbers in, anomalies out. `judge` is the door.
"""

from __future__ import annotations

from finops.detection.judging import judge
from finops.detection.series import (
    DRIFT,
    DROP,
    SHIFT,
    SPIKE,
    Episode,
    Expectation,
    Incident,
    Judgement,
    Series,
)

__all__ = [
    "DRIFT",
    "DROP",
    "SHIFT",
    "SPIKE",
    "Episode",
    "Expectation",
    "Incident",
    "Judgement",
    "Series",
    "judge",
]
