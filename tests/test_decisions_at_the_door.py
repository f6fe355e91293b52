"""What the Settings desk decides on limits and retention acts at the door without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from ingest_server import Door, event, result
from psycopg.types.json import Jsonb

from finops.conninfo import conninfo
from ingest import partitions
from ingest.cardinality import DEFAULT_LIMITS, OVERFLOW
from ingest.decisions import DEFAULTS, LIMITS, RETENTION


def decide(door: Door, name: str, value: object) -> None:
    """As the desk's row, but committed; ingest reads it at once instead of a second later."""
    door.database.execute(
        "INSERT INTO setting VALUES (%s, %s, now())"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, Jsonb(value)],
    )
    door.application.configuration.reload()


@pytest.fixture
def deciding(door: Door) -> Iterator[Door]:
    door.database.execute("TRUNCATE attribution, usage_event, ingest_batch")
    yield door
    door.database.execute("DELETE FROM setting")
    door.application.configuration.reload()
    assert door.application.configuration.decisions == DEFAULTS


def features(door: Door) -> set[str]:
    return {row["feature"] for row in door.rows()}


def send(door: Door, *names: str) -> None:
    assert result(door.post([event(feature=name) for name in names]))["accepted"] == len(names)


def test_limits_act_on_new_values_without_a_restart(deciding: Door) -> None:
    send(deciding, *"abcd")
    decide(deciding, LIMITS, {"feature": 2})
    send(deciding, "a", "d", "e")
    assert features(deciding) == {*"abcd", OVERFLOW}
    decide(deciding, LIMITS, {"feature": 5})
    send(deciding, "e")
    send(deciding, "f")
    assert features(deciding) == {*"abcde", OVERFLOW}


def test_limits_of_users_and_combinations_act_too(deciding: Door) -> None:
    register = deciding.application.register
    decide(deciding, LIMITS, {"user": 1, "combinations": 1, "tag": 1})
    assert register._users_limit == register.cardinality._combinations_limit == 1
    assert register.cardinality._tag_values_limit == 1
    decide(deciding, LIMITS, {})
    assert register._users_limit == DEFAULT_LIMITS["user"]


def test_a_shorter_retention_is_obeyed_at_the_door(deciding: Door) -> None:
    old = event(timestamp=(datetime.now(UTC) - timedelta(days=30)).isoformat())
    decide(deciding, RETENTION, 10)
    [refused] = result(deciding.post([old]))["rejected"]
    assert refused["reason"] == "timestamp_too_old"
    decide(deciding, RETENTION, 4_000)  # more than the environment allows
    assert result(deciding.post([old]))["accepted"] == 1
    older = event(timestamp=(datetime.now(UTC) - timedelta(days=500)).isoformat())
    assert result(deciding.post([older]))["rejected"]


def test_days_that_were_dropped_stay_closed_however_long_the_retention_is_then(
    deciding: Door,
) -> None:
    today = datetime.now(UTC).date()
    last_dropped, first_kept = event(), event()
    last_dropped["timestamp"] = f"{today - timedelta(days=21)}T23:59:59Z"
    first_kept["timestamp"] = f"{today - timedelta(days=20)}T00:00:00Z"
    assert result(deciding.post([last_dropped]))["accepted"] == 1
    deciding.database.execute("UPDATE ingest_batch SET folded_at = now()")
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        for day in partitions.expired(connection, today, retention_days=20):
            assert partitions.drop(connection, day)
    deciding.application.configuration.reload()
    answer = result(deciding.post([last_dropped, first_kept]))
    assert answer["accepted"] == 1
    [refused] = answer["rejected"]
    assert refused["reason"] == "timestamp_too_old"
    assert "dropped" in refused["detail"]
    decide(deciding, RETENTION, 100)
    assert result(deciding.post([last_dropped]))["rejected"]
