"""What PostgreSQL itself does with the same rows: the limits that ingest is measured against."""

from __future__ import annotations

import time
from typing import Any

import psycopg

ROWS_PER_COMMIT = 5_000

# The rows of the measured load, numbered, so that they can be handed back in portions.
NUMBER_ROWS = """
    CREATE UNLOGGED TABLE bench_rows AS
    SELECT row_number() OVER () AS number, * FROM usage_event LIMIT %s
"""
# The event table's columns and nothing else.
BARE = "CREATE TABLE bench_bare (LIKE usage_event)"
# The event table as it is: keys, indexes and a partition per day.
DEDUPLICATING = """
    CREATE TABLE bench_event (LIKE usage_event INCLUDING ALL) PARTITION BY RANGE (day)
"""
PARTITIONS = """
    SELECT format('CREATE TABLE bench_event_%s PARTITION OF bench_event '
                  'FOR VALUES FROM (%L) TO (%L)', to_char(day, 'YYYYMMDD'), day, day + 1)
    FROM (SELECT DISTINCT day FROM bench_rows) AS days
"""
STAGING = "CREATE TEMP TABLE bench_staging (LIKE usage_event) ON COMMIT DELETE ROWS"
MERGE = "INSERT INTO bench_event SELECT * FROM bench_staging ON CONFLICT DO NOTHING"
CLEAN = "DROP TABLE IF EXISTS bench_rows, bench_bare, bench_event, bench_staging"


def measure(connection: psycopg.Connection[Any], rows: int) -> dict[str, float]:
    """Rows per second of COPY alone and of COPY with deduplication, 5,000 rows a commit."""
    connection.execute(CLEAN)
    connection.execute(psycopg.sql.SQL(NUMBER_ROWS.replace("%s", str(int(rows)))))
    connection.execute("CREATE INDEX ON bench_rows (number)")
    portions = read_portions(connection)
    connection.execute(BARE)
    connection.execute(DEDUPLICATING)
    for (statement,) in connection.execute(PARTITIONS).fetchall():
        connection.execute(statement)
    connection.execute(STAGING)
    connection.execute("CHECKPOINT")
    copied = rows_per_second(connection, portions, "bench_bare", "")
    connection.execute("CHECKPOINT")
    merged = rows_per_second(connection, portions, "bench_staging", MERGE)
    connection.execute(CLEAN)
    return {"copy_rows_per_second": copied, "copy_dedup_rows_per_second": merged}


def read_portions(connection: psycopg.Connection[Any]) -> list[tuple[int, bytes]]:
    """The rows as binary COPY data, ROWS_PER_COMMIT at a time."""
    columns = ", ".join(
        name
        for (name,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'usage_event'::regclass "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    )
    counted = connection.execute("SELECT count(*) FROM bench_rows").fetchone()
    assert counted
    portions = []
    for first in range(1, counted[0] + 1, ROWS_PER_COMMIT):
        last = min(first + ROWS_PER_COMMIT - 1, counted[0])
        query = (
            f"COPY (SELECT {columns} FROM bench_rows WHERE number BETWEEN {first} AND {last}) "
            "TO STDOUT (FORMAT BINARY)"
        )
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            portions.append((last - first + 1, b"".join(copy)))
    return portions


def rows_per_second(
    connection: psycopg.Connection[Any], portions: list[tuple[int, bytes]], table: str, then: str
) -> float:
    begun = time.perf_counter()
    for _, data in portions:
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(data)
            if then:
                cursor.execute(then)
    return sum(count for count, _ in portions) / (time.perf_counter() - begun)
