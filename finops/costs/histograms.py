"""Percentiles of latency histograms: runs of 6-byte entries, bin and count, merged end to end."""

from __future__ import annotations

import numpy as np

# As latency_bin in finops/sql/rollup_schema.sql: bin b holds exp(0.029 b) ms, give or take 1.46 %.
BIN_WIDTH = 0.029
ENTRY = np.dtype([("bin", ">i2"), ("count", ">i4")])


def percentile(histogram: bytes, fraction: float) -> float | None:
    """Milliseconds, interpolated between neighbours as SQL's percentile_cont; None if empty."""
    entries = np.frombuffer(histogram, dtype=ENTRY)
    if not len(entries):
        return None
    entries = entries[np.argsort(entries["bin"])]
    upto = np.cumsum(entries["count"], dtype=np.int64)
    rank = fraction * (int(upto[-1]) - 1)
    below, above = (
        np.exp(BIN_WIDTH * float(entries["bin"][np.searchsorted(upto, at, side="right")]))
        for at in (np.floor(rank), np.ceil(rank))
    )
    return float(below + (above - below) * (rank - np.floor(rank)))
