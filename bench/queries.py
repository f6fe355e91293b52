"""Questions asked of Farthing over HTTP and of DuckDB on the same rows; answers have to agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import psycopg

UNATTRIBUTED = "Unattributed"
# One row: one event with what the questions need.
EVENTS = """
    COPY (
        SELECT event.started_at AT TIME ZONE 'UTC', attribution.feature, attribution.team,
               attribution.model, attribution.environment, end_user.name,
               event.effective_cost, event.latency_ms
        FROM usage_event AS event
        JOIN attribution ON attribution.id = event.attribution_id
        JOIN end_user ON end_user.id = event.user_id
        WHERE event.started_at >= '{start}' AND event.started_at < '{end}'
    ) TO STDOUT (FORMAT CSV)
"""
TABLE = """
    CREATE TABLE events AS
    FROM read_csv(?, header = false, columns = {
        'started_at': 'TIMESTAMP', 'feature': 'VARCHAR', 'team': 'VARCHAR', 'model': 'VARCHAR',
        'environment': 'VARCHAR', 'user': 'VARCHAR', 'effective_cost': 'DECIMAL(38, 20)',
        'latency_ms': 'FLOAT'
    })
"""
COST_BY_DAY_AND_FEATURE = """
    SELECT started_at::DATE, coalesce(feature, 'Unattributed'), sum(effective_cost), count(*)
    FROM events
    WHERE {column} = ?
    GROUP BY ALL
"""
TOP_USERS = """
    SELECT coalesce("user", 'Unattributed'), sum(effective_cost) AS cost
    FROM events
    GROUP BY ALL
    ORDER BY cost DESC NULLS LAST
    LIMIT 20
"""
LATENCY_BY_FEATURE = """
    SELECT coalesce(feature, 'Unattributed'), quantile_cont(latency_ms, 0.95)
    FROM events
    WHERE latency_ms IS NOT NULL
    GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        p50, p95 = np.percentile(np.array(seconds) * 1000, (50, 95))
        return cls(round(float(p50), 1), round(float(p95), 1))


def timed(ask: Callable[[int], Any], times: int) -> tuple[Timing, Any]:
    """How long `ask` takes, after one unmeasured call, and its last answer."""
    answer, seconds = ask(0), []
    for number in range(times):
        begun = time.perf_counter()
        answer = ask(number)
        seconds.append(time.perf_counter() - begun)
    return Timing.of(seconds), answer


def columnar(
    connection: psycopg.Connection[Any], directory: Path, start: str, end: str
) -> duckdb.DuckDBPyConnection:
    """DuckDB's own table of the events of [start, end)."""
    path = directory / "events.csv"
    query = EVENTS.format(start=start, end=end)
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(query) as copy:
        for data in copy:
            file.write(data)
    duck = duckdb.connect(str(directory / "events.duckdb"))
    duck.execute(TABLE, [str(path)])
    path.unlink()
    return duck


class Disagreement(Exception):
    """Farthing and DuckDB answer the same question differently."""


def costs(http: httpx.Client, **params: str) -> dict[str, Any]:
    response = http.get("/api/v1/costs", params=params)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def agree(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise Disagreement(f"{what}: {str(ours)[:500]} here, {str(theirs)[:500]} in DuckDB")


def cost_by_day_and_feature(
    http: httpx.Client, duck: duckdb.DuckDBPyConnection, span: dict[str, str], times: int
) -> dict[str, Any]:
    """A chart with a filter, another one each time."""
    filters = [
        (column, value)
        for column in ("team", "environment", "model")
        for (value,) in duck.execute(
            f"SELECT {column} FROM events WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    ]

    def ask(number: int) -> dict[tuple[str, str], tuple[Decimal | None, int]]:
        column, value = filters[number % len(filters)]
        answer = costs(http, granularity="day", group_by="feature", **span, **{column: value})
        return {
            (row["start"][:10], row["feature"]): (money(row["effective_cost"]), row["requests"])
            for row in answer["rows"]
        }

    def ask_duck(number: int) -> dict[tuple[str, str], tuple[Decimal | None, int]]:
        column, value = filters[number % len(filters)]
        rows = duck.execute(COST_BY_DAY_AND_FEATURE.format(column=column), [value]).fetchall()
        return {(str(day), feature): (cost, count) for day, feature, cost, count in rows}

    for number in range(len(filters)):
        agree(f"cost by day and feature, {filters[number]}", ask(number), ask_duck(number))
    return {"farthing": timed(ask, times)[0], "duckdb": timed(ask_duck, times)[0]}


def top_users(
    http: httpx.Client, duck: duckdb.DuckDBPyConnection, span: dict[str, str], times: int
) -> dict[str, Any]:
    def ask(_: int) -> list[Decimal | None]:
        answer = costs(
            http,
            granularity="total",
            group_by="user",
            limit="20",
            metrics="effective_cost",
            **span,
        )
        rows = [row for row in answer["rows"] if row["user"] != "Other"]
        return [money(row["effective_cost"]) for row in rows]

    def ask_duck(_: int) -> list[Decimal | None]:
        return [cost for _, cost in duck.execute(TOP_USERS).fetchall()]

    ours, theirs = timed(ask, times), timed(ask_duck, times)
    agree("top users", ours[1], theirs[1])
    return {"farthing": ours[0], "duckdb": theirs[0]}


def latency_by_feature(
    http: httpx.Client, duck: duckdb.DuckDBPyConnection, span: dict[str, str], times: int
) -> dict[str, Any]:
    def ask(_: int) -> dict[str, float]:
        answer = costs(http, granularity="total", group_by="feature", metrics="latency_p95", **span)
        return {row["feature"]: row["latency_p95"] for row in answer["rows"]}

    def ask_duck(_: int) -> dict[str, float]:
        return dict(duck.execute(LATENCY_BY_FEATURE).fetchall())

    ours, theirs = timed(ask, times), timed(ask_duck, times)
    agree("features with a latency", set(ours[1]), set(theirs[1]))
    errors = [abs(ours[1][name] / exact - 1) for name, exact in theirs[1].items()]
    return {
        "farthing": ours[0],
        "duckdb": theirs[0],
        "largest_relative_error": round(max(errors), 5),
    }


def totals(http: httpx.Client, duck: duckdb.DuckDBPyConnection, span: dict[str, str]) -> None:
    """Every event is in the figures, to the last digit."""
    answer = costs(http, granularity="total", **span)["totals"]
    ours = (money(answer["effective_cost"]), answer["requests"])
    theirs = duck.execute("SELECT sum(effective_cost), count(*) FROM events").fetchone()
    agree("total", ours, theirs)


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
