"""The histograms of days that have settled, made as short as they get: charts read months of them.

A fold only appends to a histogram, and compacts it now and then, as each event costs something
there. Whoever calls this holds the lock on folding.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

from finops.histograms import compacted
from finops.sql import statement


def compact(cursor: CursorWrapper, days: Sequence[date]) -> None:
    """One entry for each bin in the histograms of these days."""
    with Cursor(connection.connection) as binary:
        rows = binary.execute(
            statement("day_histograms"), {"days": list(days)}, binary=True
        ).fetchall()
    short = [
        (day, attribution_id, compacted(latency), compacted(ttft))
        for day, attribution_id, latency, ttft in rows
    ]
    shorter = [
        fresh
        for fresh, (_, _, latency, ttft) in zip(short, rows, strict=True)
        if len(fresh[2]) + len(fresh[3]) < len(latency) + len(ttft)
    ]
    if not shorter:
        return
    names = ("days", "attribution_ids", "latency_histograms", "ttft_histograms")
    columns = (list(column) for column in zip(*shorter, strict=True))
    cursor.execute(statement("shorten_histograms"), dict(zip(names, columns, strict=True)))
