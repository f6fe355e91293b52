"""What the Keys desk does to a key, as a service feels it that sends with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.test import Client
from ingest_server import Clock, Door, event, result, until

from finops.conninfo import conninfo
from ingest import app

pytestmark = [pytest.mark.django_db(transaction=True)]

KEY_TEXT = re.compile(r"\bfk_[A-Za-z0-9]{8}_[A-Za-z0-9]{40}\b")
clock = Clock()


@pytest.fixture(scope="module")
def ingest_app(database: psycopg.Connection[dict[str, Any]]) -> Iterator[app.App]:
    return app.create(dsn=conninfo(), clock=clock)


def shown(client: Client, address: str, **form: object) -> str:
    """The one key that the page shows which answers the form."""
    [text] = set(KEY_TEXT.findall(client.post(address, form).text))
    assert isinstance(text, str)
    return text


def prefix(key: str) -> str:
    return "_".join(key.split("_")[:2])


def send(door: Door, key: str, *events: dict[str, Any]) -> int:
    return door.post(list(events), authorization=f"Bearer {key}").status_code


def test_a_rotated_key_overlaps_counts_once_and_stops_by_itself(
    signed_in: Client, door: Door
) -> None:
    clock.now = datetime.now(UTC).timestamp()
    old = shown(signed_in, "/keys/new", service=door.source)
    same = event()
    assert send(door, old, same) == 200
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    new = shown(signed_in, f"/keys/{prefix(old)}/rotate", until=f"{ends:%Y-%m-%dT%H:%M:%S}")
    again = result(door.post([same, event()], authorization=f"Bearer {new}"))
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    door.application.configuration.reload()  # as every 1.5 s: learns when the old one stops
    clock.now = ends.timestamp() - 1
    assert (send(door, old, event()), send(door, new, event())) == (200, 200)
    clock.now = ends.timestamp()
    assert (send(door, old, event()), send(door, new, event())) == (403, 200)
    assert len(door.rows()) == 5
    assert "Replaced" not in signed_in.get("/keys").text  # to people it is still a week away


def test_a_key_revoked_on_the_desk_is_refused_within_five_seconds(
    signed_in: Client, door: Door
) -> None:
    clock.now = datetime.now(UTC).timestamp()
    key = shown(signed_in, "/keys/new", service=door.source)
    assert send(door, key, event()) == 200
    signed_in.post(f"/keys/{prefix(key)}/revoke")
    until(lambda: send(door, key, event()) == 403, seconds=5)


def test_a_limit_set_on_the_desk_holds_and_what_it_refuses_is_listed(
    signed_in: Client, door: Door
) -> None:
    clock.now = datetime.now(UTC).timestamp()
    key = shown(signed_in, "/keys/new", service=door.source)
    assert send(door, key, event(), event()) == 200
    signed_in.post(f"/keys/{prefix(key)}", {"events_per_minute": 1})
    until(lambda: send(door, key, event(), event()) == 413, seconds=5)
    door.application.configuration.save_use(datetime.now(UTC))
    assert '<span class="badge warn">1</span>' in signed_in.get("/keys").text
