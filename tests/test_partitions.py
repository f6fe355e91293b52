"""Day partitions are made when needed and dropped by retention."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from ingest_server import Door, event, result

from finops.conninfo import conninfo
from ingest import partitions

OLD = date(2001, 2, 3)
Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(db: None, database: Connection) -> Iterator[Connection]:
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        yield connection
        drop_expired(connection, OLD + timedelta(days=1000), 1)
        connection.execute("DELETE FROM setting")


def drop_expired(connection: Connection, today: date, retention_days: int) -> list[date]:
    """Drop all that is expired; the days that are gone then."""
    days = partitions.expired(connection, today, retention_days)
    return [day for day in days if partitions.drop(connection, day)]


def indexes(connection: Connection, table: str) -> int:
    row = connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = %s", [table])
    count: int = row.fetchall()[0][0]
    return count


def test_a_partition_has_the_indexes_of_the_table(connection: Connection) -> None:
    partitions.make(connection, [OLD])
    assert OLD in partitions.existing(connection)
    assert indexes(connection, "usage_event_2001_02_03") == indexes(connection, "usage_event") > 2


def test_making_a_partition_again_changes_nothing(connection: Connection) -> None:
    partitions.make(connection, [OLD, OLD])
    before = partitions.existing(connection)
    partitions.make(connection, [OLD])
    assert partitions.existing(connection) == before


def test_the_planner_knows_that_a_day_is_all_of_its_partition(connection: Connection) -> None:
    partitions.make(connection, [OLD])
    connection.execute(
        """
        INSERT INTO usage_event (event_key, started_at, batch_id, day, attribution_id, user_id,
            uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,
            cache_creation_1h_input_tokens, input_audio_tokens, text_output_tokens,
            reasoning_output_tokens, output_audio_tokens, normalised, event_id)
        SELECT gen_random_uuid(), '2001-02-03 12:00+00', 1, '2001-02-03', 1, 0,
            0, 0, 0, 0, 0, 0, 0, 0, false, number
        FROM generate_series(1, 1000) AS number
        """
    )
    connection.execute("ANALYZE usage_event_2001_02_03")
    [(plan,)] = connection.execute(
        "EXPLAIN (FORMAT JSON) SELECT FROM usage_event WHERE day BETWEEN '2001-02-03' AND %s",
        [OLD + timedelta(days=1)],
    ).fetchall()
    assert plan[0]["Plan"]["Plan Rows"] >= 900


def test_two_processes_may_make_the_same_partitions_at_once(connection: Connection) -> None:
    days = [OLD + timedelta(days=offset) for offset in range(5)]
    failures: list[Exception] = []

    def make() -> None:
        try:
            with psycopg.connect(conninfo(), autocommit=True) as own:
                partitions.make(own, days)
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(days) <= partitions.existing(connection)


def test_days_ahead_have_their_partitions(connection: Connection) -> None:
    partitions.make_ahead(connection, OLD)
    ahead = {OLD + timedelta(days=offset) for offset in range(-1, 4)}
    assert ahead <= partitions.existing(connection)


def test_retention_drops_whole_days_before_it(connection: Connection) -> None:
    days = [OLD + timedelta(days=offset) for offset in range(4)]
    partitions.make(connection, days)
    dropped = drop_expired(connection, days[3], retention_days=1)
    assert dropped == days[:2]
    assert partitions.existing(connection) & set(days) == set(days[2:])
    assert drop_expired(connection, days[3], retention_days=1) == []


def test_daily_maintenance_makes_ahead_and_drops(connection: Connection) -> None:
    partitions.make(connection, [OLD])
    today = OLD + timedelta(days=500)
    expired = partitions.maintain(conninfo(), today, retention_days=400)
    assert OLD in expired
    assert all(partitions.drop(connection, day) for day in expired)
    assert today + timedelta(days=3) in partitions.existing(connection)
    assert partitions.maintain(conninfo(), today, retention_days=400) == []


def test_an_interrupted_drop_is_finished_by_the_next(connection: Connection) -> None:
    partitions.make(connection, [OLD])
    connection.execute("ALTER TABLE usage_event DETACH PARTITION usage_event_2001_02_03")
    assert drop_expired(connection, OLD + timedelta(days=9), 1) == [OLD]
    assert indexes(connection, "usage_event_2001_02_03") == 0


def test_retention_keeps_days_that_are_not_folded_yet(connection: Connection) -> None:
    days = [OLD + timedelta(days=offset) for offset in range(3)]
    partitions.make(connection, days)
    connection.execute(
        """
        INSERT INTO ingest_batch (key_id, source, format, received_at, committed_at, accepted,
            duplicates, first_started_at, last_started_at)
        VALUES (1, 'unfolded', 'json', now(), now(), 1, 0, %(at)s, %(at)s)
        """,
        {"at": datetime(2001, 2, 4, tzinfo=UTC)},
    )
    today = OLD + timedelta(days=100)
    try:
        assert drop_expired(connection, today, 1) == days[:1]
    finally:
        connection.execute("DELETE FROM ingest_batch WHERE source = 'unfolded'")
    assert drop_expired(connection, today, 1) == days[1:]


def test_an_event_of_any_day_within_retention_finds_its_partition(door: Door) -> None:
    moment = datetime.now(UTC) - timedelta(days=250)
    assert result(door.post(event(timestamp=moment.isoformat())))["accepted"] == 1
    assert door.row()["day"] == moment.date()


def test_a_partition_that_vanished_is_made_again(door: Door) -> None:
    moment = datetime.now(UTC) - timedelta(days=260)
    post = lambda: result(door.post(event(timestamp=moment.isoformat())))  # noqa: E731
    assert post()["accepted"] == 1
    door.database.execute(f"DROP TABLE usage_event_{moment:%Y_%m_%d}")  # type: ignore[arg-type]
    assert post()["accepted"] == 1
    assert len(door.rows()) == 1
