"""A month's FOCUS file as it is downloaded, and what holds of each."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

from django.db import connection
from django.test import Client

from finops.allocation import add_up
from tests.focus_rules import problems_of

COLUMNS = ("direct_cost", "shared_cost", "idle_cost", "adjustment")
D = Decimal
Row = dict[str, str]


def get(client: Client, path: str) -> str:
    before = len(connection.savepoint_ids)
    response: Any = client.get(f"/api/v1/allocations/{path}")
    assert response.status_code == 200, response.content
    # What is done after the view, as saving a session, writes: no snapshot is open yet.
    assert len(connection.savepoint_ids) == before
    return b"".join(response.streaming_content).decode()


def rows_of(text: str) -> list[Row]:
    return list(csv.DictReader(StringIO(text)))


def focus(client: Client, month: str) -> list[Row]:
    """The month's rows, which keep every rule."""
    rows = rows_of(get(client, f"{month}.focus.csv"))
    for row in rows:
        assert not problems_of(row), row
    return rows


def assert_sums(client: Client, month: str, rows: list[Row]) -> None:
    """Column by column, each cost center's rows come to what the allocation says."""
    lines = rows_of(get(client, f"{month}.csv"))
    for name in COLUMNS:
        own = [row for row in rows if row["x_AllocationColumn"] == name]
        for center in {line["cost_center"] for line in lines}:
            said = add_up(D(row["EffectiveCost"]) for row in own if row["x_CostCenter"] == center)
            asked = add_up(D(line[name]) for line in lines if line["cost_center"] == center)
            assert said == asked, (name, center)
    whole = add_up(D(line["total_cost"]) for line in lines)
    assert add_up(D(row["EffectiveCost"]) for row in rows) == whole
