"""Limits per key: refused as a whole, welcome again when told, counted where people look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_server import Clock, Door, event, result, serve, until

from finops.conninfo import conninfo
from ingest import app
from ingest.limits import Allowance, Limited, Limits

clock = Clock()


@pytest.fixture(scope="module")
def ingest_app(database: psycopg.Connection[dict[str, Any]]) -> Iterator[app.App]:
    clock.now = datetime.now(UTC).timestamp()
    return app.create(dsn=conninfo(), clock=clock)


def limit(door: Door, per_minute: int | None = None, per_day: int | None = None) -> None:
    """Limits hold as soon as the configuration is loaded again, which is at most 5 s later."""
    door.database.execute(
        "UPDATE ingest_key SET events_per_minute = %s, events_per_day = %s WHERE service = %s",
        [per_minute, per_day, door.source],
    )
    door.application.configuration.reload()


def events(number: int) -> list[dict[str, Any]]:
    return [event() for _ in range(number)]


def is_too_many(response: httpx.Response) -> int:
    """The seconds after which to come again."""
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 429
    return int(response.headers["retry-after"])


def test_a_refused_request_is_taken_after_the_time_it_was_told(door: Door) -> None:
    limit(door, per_minute=10)
    assert result(door.post(events(8)))["accepted"] == 8
    again = events(5)
    wait = is_too_many(door.post(again))
    assert len(door.rows()) == 8
    assert wait == 18
    clock.now += wait - 1
    assert is_too_many(door.post(again)) == 1
    clock.now += 1
    assert result(door.post(again))["accepted"] == 5


def test_a_request_larger_than_the_limit_is_told_that_it_can_never_be_taken(door: Door) -> None:
    limit(door, per_minute=3)
    response = door.post(events(4))
    assert response.status_code == 413
    assert "3 events a minute, fewer than the 4 of this request" in response.json()["detail"]
    assert result(door.post(events(3)))["accepted"] == 3


def test_a_day_has_a_limit_of_its_own(door: Door) -> None:
    limit(door, per_minute=10, per_day=12)
    assert result(door.post(events(10)))["accepted"] == 10
    clock.now += 60
    wait = is_too_many(door.post(events(10)))
    assert 7000 * 8 < wait <= 7200 * 8
    clock.now += wait
    assert result(door.post(events(10)))["accepted"] == 10


def test_what_limits_refuse_is_counted_and_kept(door: Door) -> None:
    limit(door, per_minute=2)
    assert result(door.post(events(1)))["accepted"] == 1
    for number in (2, 3):
        assert door.post(events(number)).status_code in {413, 429}
    assert result(door.post(events(1)))["accepted"] == 1
    is_too_many(door.post(content=b"never read"))
    for _ in range(2):  # what is saved is not counted again
        door.application.configuration.save_use(datetime.now(UTC))
    saved = door.database.execute(
        """
        SELECT sum(requests)::int AS requests, sum(refused.events)::int AS events
        FROM ingest_key_refusal AS refused JOIN ingest_key ON ingest_key.id = key_id
        WHERE service = %s
        """,
        [door.source],
    ).fetchone()
    assert saved == {"requests": 3, "events": 5}
    assert 'farthing_ingest_limited_requests_total{span="minute"}' in door.http.get("/metrics").text


def test_old_refusals_are_forgotten(door: Door) -> None:
    limit(door, per_minute=1)
    now = datetime.now(UTC)
    for moment in (now - timedelta(days=3), now):
        door.post(events(2))
        door.application.configuration.save_use(moment)
    kept = door.database.execute(
        """
        SELECT count(*) AS hours FROM ingest_key_refusal JOIN ingest_key ON ingest_key.id = key_id
        WHERE service = %s
        """,
        [door.source],
    ).fetchone()
    assert kept == {"hours": 1}


def test_other_keys_are_not_limited(door: Door) -> None:
    limit(door, per_minute=1)
    other = door.new_key(door.source)
    for _ in range(3):
        assert result(door.post(events(5), authorization=f"Bearer {other}"))["accepted"] == 5


def test_a_new_limit_holds_within_five_seconds(door: Door) -> None:
    assert result(door.post(events(2)))["accepted"] == 2
    door.database.execute(
        "UPDATE ingest_key SET events_per_minute = 1 WHERE service = %s", [door.source]
    )
    until(lambda: door.post(events(2)).status_code == 413, seconds=5)
    door.database.execute(
        "UPDATE ingest_key SET events_per_minute = NULL WHERE service = %s", [door.source]
    )
    until(lambda: door.post(events(2)).status_code == 200, seconds=5)


def test_loading_the_configuration_again_gives_nothing_back(door: Door) -> None:
    limit(door, per_minute=5)
    assert result(door.post(events(5)))["accepted"] == 5
    door.application.configuration.reload()
    is_too_many(door.post(events(1)))


def test_a_key_stops_at_its_moment_without_anybody_telling(door: Door) -> None:
    door.database.execute(
        "UPDATE ingest_key SET stops_at = to_timestamp(%s) WHERE service = %s",
        [clock.now + 100, door.source],
    )
    door.application.configuration.reload()
    clock.now += 99
    assert result(door.post(events(1)))["accepted"] == 1
    clock.now += 1
    response = door.post(events(1))
    assert response.status_code == 403
    assert "has stopped" in response.json()["detail"]


def test_what_could_not_be_stored_costs_nothing(db: None, door: Door) -> None:
    """Its client is told to send it again, and that must not be refused for the first try."""
    application = app.create(dsn=conninfo(), clock=clock)
    limit(door, per_minute=5)
    with serve(application) as url, httpx.Client(base_url=url) as http:
        application.writer.close()
        headers = {"authorization": f"Bearer {door.key}"}
        statuses = [
            http.post("/api/v1/events", json=events(5), headers=headers).status_code
            for _ in range(3)
        ]
    assert statuses == [503] * 3


@given(
    most=st.integers(1, 10_000),
    asked=st.lists(st.tuples(st.floats(0, 200), st.integers(0, 12_000)), min_size=1, max_size=50),
)
def test_no_span_holds_more_than_a_full_bucket_and_its_refill(
    most: int, asked: list[tuple[float, int]]
) -> None:
    allowance = Allowance(Limits(events_per_minute=most))
    at = begun = 1_790_000_000.0
    taken = 0
    for pause, number in asked:
        at += pause
        try:
            allowance.take(number, at)
        except Limited as refusal:
            if refusal.status == 413:
                assert number > most
                continue
            at += int(refusal.headers["retry-after"])
            allowance.take(number, at)
        taken += number
        assert taken <= most + (at - begun + 0.01) * most / 60 + 1e-6


def test_a_clock_that_is_set_back_locks_no_key_out() -> None:
    allowance = Allowance(Limits(events_per_minute=10))
    allowance.take(10, 1_790_000_000.0)
    with pytest.raises(Limited) as refused:
        allowance.take(1, 1_789_000_000.0)
    assert int(refused.value.headers["retry-after"]) <= 60
