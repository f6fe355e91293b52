"""The columnar engines that questions are put to as well: DuckDB, and ClickHouse's engine (chDB).

Both hold the raw rows of the same events in tables of their own, as sparing as they go: text with a
dictionary, costs as short decimals, rows by time. chDB is large and not part of the development
packages; without it (`make bench` installs it) its column is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg

try:
    from chdb.session import Session
except ImportError:
    Session = None

Rows = list[tuple[Any, ...]]
# One row: one event with what the questions need.
EVENTS = """
    COPY (
        SELECT to_char(event.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
               coalesce(nullif(attribution.feature, ''), 'Unattributed'),
               coalesce(nullif(attribution.team, ''), 'Unattributed'),
               coalesce(nullif(attribution.model, ''), 'Unattributed'),
               coalesce(nullif(end_user.name, ''), 'Unattributed'),
               event.effective_cost, event.latency_ms
        FROM usage_event AS event
        JOIN attribution ON attribution.id = event.attribution_id
        JOIN end_user ON end_user.id = event.user_id
        WHERE event.started_at >= '{start}' AND event.started_at < '{end}'
          AND event.day >= '{start}' AND event.day < '{end}'
    ) TO STDOUT (FORMAT CSV)
"""
SCALE = """
    SELECT coalesce(max(scale(effective_cost)), 0), coalesce(max(effective_cost), 0)
    FROM usage_event
"""


class Peer(Protocol):
    """An engine with the table `events`."""

    name: str
    # p95 as people ask for it, and exactly as PostgreSQL's percentile_cont.
    p95: str
    exact_p95: str

    def ask(self, sql: str) -> Rows: ...

    def close(self) -> None: ...


class Duck:
    name = "duckdb"
    p95 = exact_p95 = "quantile_cont(latency_ms, 0.95)"

    def __init__(self, directory: Path, csv: Path, cost: str) -> None:
        path = directory / "events.duckdb"
        path.unlink(missing_ok=True)
        self._connection = duckdb.connect(str(path))
        self._connection.execute(
            f"""
            CREATE TABLE events AS
            FROM read_csv(?, header = false, columns = {{
                'started_at': 'TIMESTAMP', 'feature': 'VARCHAR', 'team': 'VARCHAR',
                'model': 'VARCHAR', 'user_name': 'VARCHAR', 'cost': 'DECIMAL({cost})',
                'latency_ms': 'FLOAT'
            }}) ORDER BY started_at
            """,
            [str(csv)],
        )

    def ask(self, sql: str) -> Rows:
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        self._connection.close()


class ClickHouse:
    name = "chdb"
    # Of a sample, which is what ClickHouse's quantile is.
    p95 = "quantile(0.95)(latency_ms)"
    exact_p95 = "quantileExactInclusive(0.95)(latency_ms)"
    COLUMNS = (
        "started_at DateTime64(6, 'UTC'), feature LowCardinality(String), "
        "team LowCardinality(String), model LowCardinality(String), user_name String, "
        "cost Nullable(Decimal({cost})), latency_ms Nullable(Float32)"
    )

    def __init__(self, directory: Path, csv: Path, cost: str) -> None:
        self._session = Session(str(directory / "events.chdb"))
        columns = self.COLUMNS.format(cost=cost)
        for sql in (
            "CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic",
            "USE bench",
            "DROP TABLE IF EXISTS events SYNC",
            f"CREATE TABLE events ({columns}) ENGINE = MergeTree ORDER BY started_at",
            "INSERT INTO events SELECT * FROM "
            f"file('{csv}', 'CSV', '{columns.replace(chr(39), chr(92) + chr(39))}')",
            "OPTIMIZE TABLE events FINAL",
        ):
            self._session.query(sql)

    def ask(self, sql: str) -> Rows:
        """Values as text, None for NULL."""
        text = self._session.query(sql, "TabSeparated").data()
        return [
            tuple(None if value == "\\N" else value for value in line.split("\t"))
            for line in text.splitlines()
        ]

    def close(self) -> None:
        self._session.close()


def loaded(
    connection: psycopg.Connection[Any], directory: Path, start: str, end: str
) -> Sequence[Peer]:
    """The engines that are installed, with the events of the UTC days [start, end)."""
    csv = directory / "events.csv"
    query = EVENTS.format(start=start, end=end)
    with csv.open("wb") as file, connection.cursor() as cursor, cursor.copy(query) as copy:
        for data in copy:
            file.write(data)
    csv.chmod(0o644)
    row = connection.execute(SCALE).fetchone()
    assert row
    cost = decimal_type(*row)
    kinds: list[Any] = [Duck] if Session is None else [Duck, ClickHouse]
    engines = [kind(directory, csv, cost) for kind in kinds]
    csv.unlink()
    return engines


def decimal_type(scale: int, largest: Decimal) -> str:
    """Precision and scale of a decimal that holds every cost; of 8 bytes if that is enough."""
    digits = len(str(int(largest))) + scale
    return f"{18 if digits <= 18 else 38}, {scale}"
