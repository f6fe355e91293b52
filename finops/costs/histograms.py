"""Percentiles of latency histograms: runs of 6-byte entries, bin and count, merged end to end."""

from __future__ import annotations

import math

import numpy as np

# As latency_bin in finops/sql/rollup_schema.sql: bin b holds exp(0.029 b) ms, give or take 1.46 %.
BIN_WIDTH = 0.029
ENTRY = np.dtype([("bin", ">i2"), ("count", ">i4")])


def percentile(histogram: bytes, fraction: float) -> float | None:
    """Milliseconds, interpolated between neighbours as SQL's percentile_cont; None if empty."""
    entries = np.frombuffer(histogram, dtype=ENTRY)
    if not len(entries):
        return None
    lowest = int(entries["bin"].min())
    # The weights are floats, exact up to 2^53.
    upto = np.cumsum(np.bincount(entries["bin"].astype(np.int64) - lowest, entries["count"]))
    position = fraction * (float(upto[-1]) - 1)
    below, above = (
        math.exp(BIN_WIDTH * (lowest + int(np.searchsorted(upto, at, side="right"))))
        for at in (math.floor(position), math.ceil(position))
    )
    return below + (above - below) * (position - math.floor(position))
