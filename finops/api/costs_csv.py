"""The rows of a cost answer as CSV, and the name that the file is kept under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from finops.api.values import csv_value, instant
from finops.cells import text_cell
from finops.costs import CostResult, CostRow, pairs
from finops.labels import ADDITIVE
from finops.periods import whole_day
from finops.query import CostQuery

LONGEST_NAME = 150


def file_name(query: CostQuery, what: str = "costs") -> str:
    """costs-2026-10-by-feature-model.csv"""
    parts = [what, period_name(query)]
    if query.group_by:
        parts += ["by", *query.group_by]
    # Tags have names from outside.
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", "-".join(parts))
    return f"{plain[:LONGEST_NAME].rstrip('-')}.csv"


def period_name(query: CostQuery) -> str:
    """2026-10, 2026-10-07, 2026-10-01-to-2026-10-07, 2026-10-07T0900-to-2026-10-07T1200."""
    period, zone = query.period, query.zone
    first, end = whole_day(period.start, zone), whole_day(period.end, zone)
    if first and end:
        if first.day == 1 and end.day == 1 and end - first <= timedelta(days=31):
            return f"{first:%Y-%m}"
        last = end - timedelta(days=1)
        return f"{first}" if first == last else f"{first}-to-{last}"
    return "-to-".join(f"{at.astimezone(zone):%Y-%m-%dT%H%M}" for at in (period.start, period.end))


def header(query: CostQuery) -> list[str]:
    own = ["start", *query.group_by, *query.metrics]
    if not query.compare:
        return own
    return [*own, "previous_start", *(f"previous_{metric}" for metric in query.metrics)]


def csv_rows(result: CostResult) -> Iterator[list[str]]:
    """The rows of the JSON answer; where compared, each beside the row of the period before."""
    query = result.query
    if not result.previous:
        for row in result.rows:
            start = instant(row.start, query.zone) or ""
            yield [start, *map(text_cell, row.keys), *cells(row, query)]
        return
    for pair in pairs(result):
        yield [
            instant(pair.start, query.zone) or "",
            *map(text_cell, pair.keys),
            *cells(pair.row, query),
            instant(pair.previous_start, query.zone) or "",
            *cells(pair.previous_row, query),
        ]


def cells(row: CostRow | None, query: CostQuery) -> list[str]:
    """Without usage there is nothing to add, and no ratio or percentile."""
    if row is None:
        return ["0" if metric in ADDITIVE else "" for metric in query.metrics]
    return [csv_value(row.values[metric]) for metric in query.metrics]
