"""Ingest keys: shown once, kept as digests, good at once and refused soon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import httpx
import psycopg
import pytest
from django.core.management import CommandError, call_command
from ingest_server import EVENTS, Door, event, result, serve, until
from psycopg.conninfo import make_conninfo

from finops.conninfo import conninfo
from finops.models import IngestKey
from ingest import app, keys


def status(door: Door, key: str) -> int:
    return door.post([event()], authorization=f"Bearer {key}").status_code


def test_a_key_says_which_it_is_and_hides_the_rest() -> None:
    key = keys.generate()
    assert key.text.startswith(f"{key.prefix}_")
    assert key.prefix.startswith("fk_")
    assert len(key.text.rpartition("_")[2]) >= 32
    assert key.digest == keys.digest_of(key.text)
    assert keys.generate().text != key.text


def test_a_new_key_works_at_once(door: Door) -> None:
    for number in range(5):
        assert status(door, door.new_key(f"{door.source}-{number}")) == 200


def test_a_revoked_key_stops_working_within_five_seconds(door: Door) -> None:
    assert status(door, door.key) == 200
    door.database.execute(
        "UPDATE ingest_key SET revoked_at = now() WHERE service = %s", [door.source]
    )
    until(lambda: status(door, door.key) == 403, seconds=5)


def test_a_deleted_key_is_unknown(door: Door) -> None:
    assert status(door, door.key) == 200
    door.database.execute("DELETE FROM ingest_key WHERE service = %s", [door.source])
    until(lambda: status(door, door.key) == 401, seconds=5)


def test_guessing_keys_does_not_keep_the_database_busy(door: Door) -> None:
    ring = keys.KeyRing()
    assert sum(ring.may_look_up() for _ in range(1000)) <= 2 * keys.LOOKUPS_PER_SECOND
    assert status(door, "fk_guess") == 401


def test_keys_of_one_service_write_to_one_source(door: Door) -> None:
    again = door.new_key(door.source)
    same = event()
    assert result(door.post([same]))["accepted"] == 1
    assert result(door.post([same], authorization=f"Bearer {again}"))["duplicates"] == 1


def test_keys_of_two_services_write_to_two_sources(door: Door) -> None:
    other = door.new_key(f"{door.source}-other")
    same = event()
    assert result(door.post([same]))["accepted"] == 1
    assert result(door.post([same], authorization=f"Bearer {other}"))["accepted"] == 1


def test_the_last_use_of_a_key_is_saved(
    door: Door, database: psycopg.Connection[dict[str, object]]
) -> None:
    assert status(door, door.key) == 200
    door.application.configuration.save_use(datetime.now(UTC))
    row = database.execute(
        "SELECT last_used_at FROM ingest_key WHERE service = %s", [door.source]
    ).fetchone()
    assert row
    assert row["last_used_at"] is not None


@pytest.mark.django_db
def test_the_command_prints_only_the_key() -> None:
    out = StringIO()
    call_command(
        "create_ingest_key", "gateway", "--team", "cx", "--environment", "prod", stdout=out
    )
    text = out.getvalue()
    assert text.count("\n") == 1
    key = IngestKey.objects.get(digest=keys.digest_of(text.strip()))
    assert (key.service, key.team, key.environment) == ("gateway", "cx", "prod")
    assert text.startswith(key.prefix)
    assert text.strip() not in str(IngestKey.objects.values_list())


def test_the_command_wants_a_name() -> None:
    with pytest.raises(CommandError):
        call_command("create_ingest_key", " ")


def test_a_new_key_works_while_others_are_guessed(door: Door) -> None:
    key = door.new_key(door.source)
    presented = [f"fk_guess{number}" for number in range(40)] + [key] * 20
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda each: status(door, each), presented))
    assert statuses == [401] * 40 + [200] * 20


def test_without_a_database_no_key_is_called_unknown(db: None, tmp_path: Path) -> None:
    away = make_conninfo(conninfo(), host=str(tmp_path))
    with serve(app.create(dsn=away)) as url, httpx.Client(base_url=url, timeout=30) as http:
        headers = {"authorization": "Bearer fk_perhaps_known"}
        with ThreadPoolExecutor(40) as pool:
            posts = [pool.submit(http.post, EVENTS, json=[], headers=headers) for _ in range(40)]
        assert {post.result().status_code for post in posts} == {503}


@pytest.mark.django_db
def test_a_key_is_refused_for_a_name_that_no_event_could_carry() -> None:
    with pytest.raises(CommandError, match="--team: write at most 200 characters"):
        call_command("create_ingest_key", "bot", "--team", "t" * 201)
