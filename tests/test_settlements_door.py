"""Settlements through the door of a running server, and by two processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from ingest_server import Door, event, result, until

from finops.conninfo import conninfo
from ingest.attribution import Register
from ingest.corrections import Said
from ingest.facts import event_key
from ingest.settlements import chains
from ingest.settlements.applying import apply_due
from ingest.settlements.chains import ONE_DAY, Due

SOON = timedelta(minutes=1)


def fold(door: Door) -> None:
    """As the worker does, which is not here: settlements wait for it."""
    door.database.execute("UPDATE ingest_batch SET folded_at = now() WHERE folded_at IS NULL")


def settled(door: Door) -> list[tuple[int, bool]]:
    """Output tokens of every row and whether it is a reversal, once something was settled."""

    def rows() -> list[dict[str, Any]]:
        fold(door)
        return door.rows()

    found = until(lambda: next((r for r in [rows()] if any(e["reverses_key"] for e in r)), None))
    return sorted((row["text_output_tokens"], row["reverses_key"] is not None) for row in found)


@pytest.mark.parametrize("together", [True, False], ids=["one body", "two bodies"])
def test_a_settlement_is_acknowledged_and_applied(door: Door, together: bool) -> None:
    call = event(status="aborted")
    settlement = {"id": "s-1", "corrects": call["id"], "output_tokens": 70}
    if together:
        assert result(door.post([settlement, call])) == answer(accepted=2)
    else:
        assert result(door.post(settlement)) == answer(accepted=1)
        assert result(door.post(call)) == answer(accepted=1)
    assert settled(door) == [(-20, True), (20, False), (70, False)]
    assert result(door.post(settlement)) == answer(duplicates=1)
    # One for each body, the repeated one too, and one for what the settlement changed.
    changes = sorted((batch["accepted"], batch["reversals"]) for batch in door.batches())
    assert changes == [(0, 0)] * (1 if together else 2) + [(1, 0), (1, 1)]
    metrics = door.http.get("/metrics").text
    assert 'farthing_ingest_events_total{outcome="settlement",reason=""}' in metrics
    assert "farthing_ingest_waiting_settlements" in metrics


def answer(accepted: int = 0, duplicates: int = 0) -> dict[str, Any]:
    return {"accepted": accepted, "duplicates": duplicates, "rejected": []}


def test_a_cloud_event_corrects_one_of_its_own_source(door: Door) -> None:
    def envelope(id: str, **data: Any) -> dict[str, Any]:
        head = {"specversion": "1.0", "type": "llm.usage.v1", "source": "/bot", "id": id}
        return {**head, "data": {"model": "gpt-4o", "input_tokens": 1, **data}}

    response = door.http.post(
        "/api/v1/ingest/cloudevents",
        json=[envelope("a", output_tokens=5), envelope("b", corrects="a", output_tokens=6)],
        headers={
            "authorization": f"Bearer {door.key}",
            "content-type": "application/cloudevents-batch+json",
        },
    )
    assert result(response)["accepted"] == 2
    assert settled(door) == [(-5, True), (5, False), (6, False)]


@pytest.mark.parametrize(
    ("fields", "reason", "told"),
    [
        ({"corrects": "s-9"}, "corrects_itself", "corrects:"),
        ({"corrects": ""}, "missing_id", "corrects:"),
        ({"corrects": 7}, "wrong_type", "corrects:"),
        ({"corrects": "x" * 201}, "too_long", "corrects:"),
        ({"corrects": "x", "model": ""}, "empty_model", "model:"),
        ({"corrects": "x", "output_tokens": -1}, "negative_tokens", "output_tokens:"),
        ({"corrects": "x", "reasoning_output_tokens": 1}, "token_parts_exceed_whole", "output"),
        ({"corrects": "x", "timestamp": "2026-10-01T00:00:00"}, "naive_timestamp", "timestamp:"),
        ({"corrects": "x", "timestamp": "2001-01-01T00:00:00Z"}, "timestamp_too_old", "timestamp:"),
        ({"corrects": "x", "reported_cost": -1}, "negative_number", "reported_cost:"),
        ({"corrects": "x", "gpu_seconds": "0E+5000000000"}, "out_of_range", "gpu_seconds:"),
    ],
)
def test_what_a_settlement_may_not_say_is_refused_by_name(
    door: Door, fields: dict[str, Any], reason: str, told: str
) -> None:
    body = [{"id": "s-9", **fields}, {"id": "s-1", "corrects": "some-call", "unheard": 1}]
    said = result(door.post(body))
    [refused] = said["rejected"]
    assert (said["accepted"], refused["index"], refused["reason"]) == (1, 0, reason)
    assert refused["detail"].startswith(told)
    assert said["unknown_field_names"] == ["unheard"]


def test_null_corrects_nothing(door: Door) -> None:
    assert result(door.post(event(corrects=None)))["accepted"] == 1
    assert door.row()["corrects_key"] is None


def test_a_user_is_named_in_what_waits_as_in_events(door: Door) -> None:
    assert result(door.post({"id": "s-1", "corrects": "later", "user": "ann"}))["accepted"] == 1
    [row] = door.database.execute(
        "SELECT said FROM settlement WHERE source = %s", [door.source]
    ).fetchall()
    assert row["said"] == {"event_id": "s-1", "user": "ann"}


def test_many_settlements_of_an_event_at_once_leave_one_in_force(door: Door) -> None:
    call = event()
    result(door.post(call))

    def send(number: int) -> None:
        body = {"id": f"s-{number}", "corrects": call["id"], "output_tokens": number}
        result(door.post(body))

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(send, range(100, 112)))

    def settle(_: int) -> None:
        with psycopg.connect(conninfo(), autocommit=True) as connection:
            for _ in range(3):
                apply_due(connection, Register(), None, frozenset(), datetime.now(UTC) + SOON)

    fold(door)
    with ThreadPoolExecutor(2) as settlers:
        list(settlers.map(settle, range(2)))
    until(lambda: waiting(door) == 0)
    rows = door.rows()
    assert len(rows) == 25
    assert sum(-1 if row["reverses_key"] else 1 for row in rows) == 1
    [in_force] = door.database.execute(
        "SELECT event_key FROM settlement WHERE in_force AND source = %s", [door.source]
    ).fetchall()
    left = sum(row["text_output_tokens"] for row in rows)
    [counted] = [row for row in rows if row["event_key"] == in_force["event_key"]]
    assert counted["text_output_tokens"] == left


def waiting(door: Door) -> int:
    fold(door)
    return door.database.execute(
        "SELECT count(*) AS n FROM settlement WHERE next_try_at IS NOT NULL AND source = %s",
        [door.source],
    ).fetchall()[0]["n"]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
def test_the_day_is_utc_s_whatever_the_zone_of_the_database(door: Door, zone: str) -> None:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * ONE_DAY
    for hours in (-2, 0.5):
        called_at = day + timedelta(hours=hours)
        assert result(door.post(event(id="same", timestamp=called_at.isoformat())))["accepted"] == 1
    fold(door)
    corrected = UUID(bytes=event_key(door.source, "same"))
    with psycopg.connect(conninfo(), options=f"-c timezone={zone}", autocommit=True) as connection:
        [[made_at]] = connection.execute(
            "SELECT %s::timestamptz", [day + timedelta(hours=1)]
        ).fetchall()
        due = Due(UUID(int=1), corrected, 1, door.source, "json", made_at, made_at, 1, Said("s"))
        found = chains.roots(connection, [due], made_at)
    assert found == {due.key: (corrected, day.date())}
