"""Erasing and hashing while a real ingest process takes events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from finops import erasures, ingest_process, name_hashing, rollups
from finops.conninfo import conninfo
from finops.models import NameHashing
from ingest import app
from ingest.user_names import hashed
from tests.fact_tables import forget_facts
from tests.ingest_server import Door, event, result, serve, until
from tests.test_erasures import dump, sums

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nothing_left")]
NAME = "zoe@example.org"
HASH = hashed(settings.USER_HASH_KEY, NAME)


@pytest.fixture(scope="module")
def ingest_app(database: psycopg.Connection[dict[str, Any]]) -> app.App:
    return app.create(dsn=conninfo(), user_hash_key=settings.USER_HASH_KEY)


@pytest.fixture
def nothing_left(door: Door) -> Iterator[None]:
    """Facts are not models, so the flush after a transactional test leaves them."""
    yield
    forget_facts()
    door.application.register.forget()


def fold() -> None:
    rollups.fold_waiting(timezone.now(), settings.REPORTING_ZONE)


def naming(door: Door, state: str) -> None:
    """Wait until the process knows."""
    NameHashing.objects.update(state=state)
    until(lambda: door.application.register.naming.state == state)


def test_an_event_sent_again_after_the_erasure_counts_once(door: Door) -> None:
    sent = event(id=f"{NAME}-1", user=NAME, session=f"{NAME}/7", feature=f"of {NAME}")
    assert result(door.post([sent, event(user="bob")]))["accepted"] == 2
    fold()
    before = sums()
    old = door.rows()[1]["user_id"]
    erasures.begin(NAME, "ada", timezone.now())
    until(lambda: not door.application.register.attribution_ids)
    fold()
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert NAME not in dump()
    again = result(door.post(sent))
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    fold()
    assert sums() == before
    later = result(door.post(event(user=NAME, feature=f"of {NAME}")))
    assert later["accepted"] == 1
    by_name = {row["user_name"]: row for row in door.rows()}
    assert by_name[erasure.label]["user_id"] == old != by_name[NAME]["user_id"]
    assert by_name[NAME]["feature"] == f"of {NAME}"


def test_late_events_of_the_new_user_are_left_by_the_search(door: Door) -> None:
    door.post(event(user=NAME, session=NAME))
    fold()
    erasures.begin(NAME, "ada", timezone.now())
    until(lambda: not door.application.register.attribution_ids)
    door.post(event(user=NAME, session=f"new {NAME}"))
    fold()
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert {row["session"] for row in door.rows()} == {erasure.label, f"new {NAME}"}
    assert any("new user" in note for note in erasure.notes)


def test_names_are_hashed_at_the_door_and_a_person_stays_one_user(door: Door) -> None:
    door.post(event(user=NAME))
    [old] = {row["user_id"] for row in door.rows()}
    now = timezone.now()
    name_hashing.turn_on("ada", now)
    naming(door, "announced")
    door.post([event(user=NAME), event(user="bob")])
    naming(door, "converting")
    NameHashing.objects.update(converting_since=now)
    door.post([event(user=NAME), event(user="bob"), event(user="eve")])
    assert name_hashing.convert(now + timedelta(seconds=1)) == 2
    door.post([event(user=NAME), event(user="eve")])
    name_hashing.convert(now + 2 * name_hashing.SETTLED)
    until(lambda: door.application.register.naming.state == "on")
    door.post([event(user=NAME), event(user="new")])
    by_name = {row["user_name"]: row["user_id"] for row in door.rows()}
    assert by_name[HASH] == old
    assert set(by_name) == {
        hashed(settings.USER_HASH_KEY, name) for name in (NAME, "bob", "eve", "new")
    }
    assert len([row for row in door.rows() if row["user_id"] == old]) == 5
    assert NAME not in dump()


def test_a_process_with_another_key_takes_nothing_and_says_so(door: Door) -> None:
    name_hashing.turn_on("ada", timezone.now())
    with serve(app.create(dsn=conninfo(), user_hash_key="another")) as url:
        answer = door.http.post(
            f"{url}/api/v1/events",
            json=event(user=NAME),
            headers={"authorization": f"Bearer {door.key}"},
        )
    assert answer.status_code == 503
    assert "FARTHING_USER_HASH_KEY" in answer.text
    assert answer.headers["retry-after"]
    assert door.rows() == []


def test_a_process_with_another_key_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest_process.refuse_wrong_key(conninfo())
    name_hashing.turn_on("ada", timezone.now())
    ingest_process.refuse_wrong_key(conninfo())
    monkeypatch.setattr(settings, "USER_HASH_KEY", "another")
    with pytest.raises(SystemExit, match="FARTHING_USER_HASH_KEY"):
        ingest_process.refuse_wrong_key(conninfo())
