"""An event counts once, whatever is retried, and an answer is only given for what is committed."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from ingest_server import Door, event, result, serve, until

from finops.conninfo import conninfo
from ingest import app
from ingest.costs import Tariff
from ingest.rating import Rate


def counts(response: httpx.Response) -> tuple[int, int]:
    answer = result(response)
    return answer["accepted"], answer["duplicates"]


def test_a_retried_event_counts_once(door: Door) -> None:
    events = [event(), event()]
    assert counts(door.post(events)) == (2, 0)
    assert counts(door.post(events)) == (0, 2)
    assert counts(door.post([*events, event()])) == (1, 2)
    assert len(door.rows()) == 3


def test_an_event_twice_in_a_body_counts_once(door: Door) -> None:
    twice = event()
    assert counts(door.post([twice, event(), twice])) == (2, 1)
    assert len(door.rows()) == 2


def test_the_first_telling_of_an_event_holds(door: Door) -> None:
    told = event(input_tokens=1)
    door.post([told, {**told, "input_tokens": 2}])
    door.post({**told, "input_tokens": 3})
    assert door.row()["uncached_input_tokens"] == 1


def test_the_same_id_on_another_utc_day_is_another_event(door: Door) -> None:
    today = datetime.now(UTC)
    same = event(timestamp=today.isoformat())
    yesterday = {**same, "timestamp": (today - timedelta(days=1)).isoformat()}
    assert counts(door.post([same, yesterday])) == (2, 0)
    assert counts(door.post([yesterday, same])) == (0, 2)


def test_the_same_id_at_another_time_of_the_day_is_the_same_event(door: Door) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    noon = midnight - timedelta(hours=12)
    same = event(timestamp=noon.isoformat())
    earlier = {**same, "timestamp": (noon - timedelta(hours=11)).isoformat()}
    assert counts(door.post([same])) == (1, 0)
    assert counts(door.post([earlier])) == (0, 1)


def test_the_same_events_from_many_connections_at_once_count_once(door: Door) -> None:
    events = [event() for _ in range(300)]
    shuffled = [random.Random(seed).sample(events, len(events)) for seed in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = [counts(response) for response in pool.map(door.post, shuffled)]
    assert sum(accepted for accepted, _ in answers) == 300
    assert sum(duplicates for _, duplicates in answers) == 15 * 300
    assert len(door.rows()) == 300
    assert sum(batch["accepted"] for batch in door.batches()) == 300
    assert sum(batch["duplicates"] for batch in door.batches()) == 15 * 300


def test_two_processes_share_one_table(door: Door) -> None:
    events = [event(user=f"u{number}", feature=f"f{number % 7}") for number in range(200)]
    with serve(app.create(dsn=conninfo())) as url, httpx.Client(base_url=url, timeout=30) as http:
        other = Door(url, door.database, door.application, http, door.source, door.key)
        doors = [door, other] * 6
        with ThreadPoolExecutor(12) as pool:
            answers = [counts(r) for r in pool.map(lambda each: each.post(events), doors)]
    assert sum(accepted for accepted, _ in answers) == 200
    assert len(door.rows()) == 200


def test_requests_that_wait_together_are_one_commit_with_a_batch_per_key(door: Door) -> None:
    other = door.new_key(f"{door.source}-other")
    with ThreadPoolExecutor(20) as pool:
        authorizations = [f"Bearer {key}" for key in (door.key, other)] * 10
        for response in pool.map(lambda a: door.post([event()], authorization=a), authorizations):
            assert counts(response) == (1, 0)
    batches = door.batches()
    assert sum(batch["accepted"] for batch in batches) == 10
    assert all(batch["committed_at"] >= batch["received_at"] for batch in batches)


class OnePrice:
    """A rate card of one ledger line, for one model."""

    version = 1

    def __init__(self, price_id: int) -> None:
        self._rate = Rate(price_id, None)

    def rates(self, *, model: str, **of: Any) -> OneRate:
        return OneRate(self._rate if model == "priced" else None)

    def tariff(self, rate: Rate) -> Tariff:
        prices = [Decimal("0.0000015"), *[None] * 4, Decimal("0.000002"), *[None] * 4]
        return Tariff(prices, prices)


class OneRate(NamedTuple):
    """The same rate at any time and for any size."""

    rate: Rate | None

    def at(self, at: datetime, input_tokens: int) -> Rate | None:
        return self.rate


def test_events_are_rated_as_they_are_stored(door: Door) -> None:
    [price] = door.database.execute(
        """
        INSERT INTO price (kind, provider, model, fleet, cache, service_tier, context_over,
            currency, source, author, note, superseded_by, uncached_input_price, text_output_price)
        VALUES ('catalog', 'p', 'priced', '', '', '', 0, 'USD', 'test', '', '', '', 0.0000015,
            0.000002)
        RETURNING id
        """
    ).fetchall()
    card = OnePrice(price["id"])
    rated = app.create(dsn=conninfo(), rate_card_loader=lambda version: None if version else card)
    with serve(rated) as url, httpx.Client(base_url=url, timeout=30) as http:
        own = Door(url, door.database, rated, http, door.source, door.key)
        own.post([event(id="a", model="priced"), event(id="b", model="unknown")])
    priced, unpriced = door.rows()
    assert priced["price_id"] == price["id"]
    assert priced["input_cost"] == Decimal("0.00015")
    assert priced["output_cost"] == Decimal("0.00004")
    assert priced["effective_cost"] == priced["list_cost"] == Decimal("0.00019")
    assert unpriced["price_id"] is None
    assert unpriced["effective_cost"] is None
    door.database.execute("DELETE FROM usage_event WHERE price_id = %s", [price["id"]])
    door.database.execute("DELETE FROM price WHERE id = %s", [price["id"]])


def assert_unavailable(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) >= 1


def test_without_a_database_the_answer_is_503_at_once_and_it_recovers(
    door: Door, elsewhere: tuple[str, Path]
) -> None:
    cut_conninfo, link = elsewhere
    host = link.readlink()
    link.unlink()
    with serve(app.create(dsn=cut_conninfo)) as url, httpx.Client(base_url=url, timeout=10) as http:
        cut = Door(url, door.database, door.application, http, door.source, door.key)
        assert http.get("/healthz").status_code == 200
        started = time.monotonic()
        assert_unavailable(cut.post([event()]))
        assert time.monotonic() - started < 2
        link.symlink_to(host)
        until(lambda: cut.post([event(id="same")]).status_code == 200)
    assert door.row()["event_id"] == "same"


def test_a_database_that_goes_away_loses_nothing_and_repeats_nothing(
    door: Door, elsewhere: tuple[str, Path]
) -> None:
    cut_conninfo, link = elsewhere
    host = link.readlink()
    with serve(app.create(dsn=cut_conninfo)) as url, httpx.Client(base_url=url, timeout=10) as http:
        cut = Door(url, door.database, door.application, http, door.source, door.key)
        until(lambda: cut.post([event(id="first")]).status_code == 200)
        link.unlink()
        terminate(door)
        until(lambda: cut.post([event(id="second")]).status_code == 503)
        link.symlink_to(host)
        until(lambda: cut.post([event(id="second")]).status_code == 200)
    assert [row["event_id"] for row in door.rows()] == ["first", "second"]


def terminate(door: Door) -> None:
    """End every connection of ingest processes to the test database."""
    door.database.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'farthing ingest%'
        """
    )


def test_connections_killed_under_load_lose_nothing_and_count_nothing_twice(door: Door) -> None:
    bodies = [[event() for _ in range(50)] for _ in range(60)]
    done = threading.Event()

    def kill() -> None:
        # So often and no more: a slow machine would get nothing done between two of them.
        for _ in range(40):
            if done.wait(0.05):
                return
            terminate(door)

    def send(body: list[dict[str, Any]]) -> None:
        until(lambda: door.post(body).status_code == 200, seconds=60)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, bodies))
    finally:
        done.set()
        killer.join()
    sent = {each["id"] for body in bodies for each in body}
    rows = door.rows()
    assert len(rows) == len(sent)
    assert {row["event_id"] for row in rows} == sent
    assert sum(batch["accepted"] for batch in door.batches()) == len(sent)


def test_a_lock_held_for_a_while_is_waited_out_and_holds_no_next_commit_up(door: Door) -> None:
    with psycopg.connect(conninfo()) as blocking, ThreadPoolExecutor(2) as pool:
        blocking.execute("LOCK TABLE usage_event IN ACCESS EXCLUSIVE MODE")
        waiting = []
        for number in (1, 2):
            waiting.append(pool.submit(door.post, [event()]))
            until(partial(_is_waiting, door, number))
        blocking.rollback()
        assert [counts(each.result()) for each in waiting] == [(1, 0), (1, 0)]


def _is_waiting(door: Door, connections: int = 1) -> bool:
    rows = door.database.execute(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'farthing ingest' "
        "AND wait_event_type = 'Lock' AND datname = current_database()"
    )
    return len(rows.fetchall()) >= connections


def test_more_than_can_be_written_is_refused_with_503_and_not_lost(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.writer.QUEUED_ROWS", 10)
    bodies = [[event() for _ in range(6)] for _ in range(12)]
    with psycopg.connect(conninfo()) as blocking, ThreadPoolExecutor(12) as pool:
        blocking.execute("LOCK TABLE usage_event IN ACCESS EXCLUSIVE MODE")
        waiting = [pool.submit(door.post, body) for body in bodies]
        refused = until(lambda: [w for w in waiting if w.done() and w.result().status_code == 503])
        assert_unavailable(refused[0].result())
        blocking.rollback()
    assert {w.result().status_code for w in waiting} == {200, 503}
    for body in bodies:
        assert sum(counts(door.post(body))) == 6
    assert len(door.rows()) == 12 * 6


def test_a_stopping_server_answers_what_it_took(door: Door) -> None:
    with (
        psycopg.connect(conninfo()) as blocking,
        ThreadPoolExecutor(1) as pool,
        httpx.Client(timeout=30) as http,
    ):
        with serve(app.create(dsn=conninfo())) as url:
            http.base_url = httpx.URL(url)
            own = Door(url, door.database, door.application, http, door.source, door.key)
            blocking.execute("LOCK TABLE usage_event IN ACCESS EXCLUSIVE MODE")
            waiting = pool.submit(own.post, [event()])
            until(lambda: _is_waiting(door))
            threading.Timer(0.3, blocking.rollback).start()
        assert counts(waiting.result()) == (1, 0)
    assert len(door.rows()) == 1
