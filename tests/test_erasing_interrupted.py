"""An erasure goes on where it was, and the audit log opens for nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from finops import audit, erasures
from finops.conninfo import conninfo
from finops.erasures import mentions
from finops.locks import Lock
from finops.models import AuditRecord, Erasure
from tests import usage
from tests.test_erasures import dump, sums

pytestmark = pytest.mark.django_db
NAME = "zoe@example.org"


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def traces(at: datetime) -> None:
    usage.record(
        [
            usage.event(at - timedelta(days=number), user=user, session=f"{NAME}-{number}")
            for user in (NAME, "bob")
            for number in range(3)
        ],
        now=timezone.now(),
    )


@pytest.mark.usefixtures("traces")
def test_an_erasure_that_was_stopped_anywhere_ends_as_if_it_was_not() -> None:
    before = sums()
    erasures.begin(NAME, "ada", timezone.now())
    later = timezone.now() + erasures.SETTLED
    stops = 0
    while not Erasure.objects.get().finished_at:
        time = iter((True, False))
        erasures.proceed(later, lambda time=time: next(time))  # type: ignore[misc]
        stops += 1
    erasure = Erasure.objects.get()
    assert stops == len(erasure.steps) > 10
    assert NAME not in dump()
    assert sums() == before
    assert erasure.changed == {"end_user": 1, "usage_event": 6}
    assert erasure.sums_before == erasure.sums_after
    assert erasure.sums_after["events"]["requests"] == "3"


@pytest.mark.usefixtures("traces")
def test_a_step_that_was_killed_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    erasures.begin(NAME, "ada", timezone.now())
    later = timezone.now() + erasures.SETTLED
    counted = []

    def killed(*_: object) -> None:
        counted.append(1)
        if len(counted) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("finops.erasures.days._count", killed)
        with pytest.raises(KeyboardInterrupt):
            erasures.proceed(later)
    [erasure] = erasures.proceed(later)
    assert NAME not in dump()
    assert erasure.changed == {"end_user": 1, "usage_event": 6}
    assert erasure.sums_before == erasure.sums_after
    assert erasure.sums_after["events"]["requests"] == "3"


def test_events_that_are_not_folded_yet_are_waited_for(at: datetime) -> None:
    usage.store([usage.event(at, user=NAME, session=NAME)], now=timezone.now())
    erasures.begin(NAME, "ada", timezone.now())
    assert erasures.proceed(timezone.now() + timedelta(minutes=5)) == []
    assert Erasure.objects.get().began_at is None


@pytest.mark.usefixtures("traces")
def test_an_erasure_leaves_events_alone_while_they_are_rated_again() -> None:
    erasures.begin(NAME, "ada", timezone.now())
    later = timezone.now() + erasures.SETTLED
    with psycopg.connect(conninfo()) as rating:
        rating.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.RERATING.value])
        assert erasures.proceed(later) == []
        assert NAME in dump()
    [erasure] = erasures.proceed(later)
    assert erasure.changed == {"end_user": 1, "usage_event": 6}
    assert NAME not in dump()


def refused(**changes: object) -> bool:
    try:
        with transaction.atomic():
            AuditRecord.objects.filter(action="note").update(**changes)
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


@pytest.mark.usefixtures("traces")
def test_only_the_name_may_change_in_a_record_and_only_while_it_is_erased(at: datetime) -> None:
    audit.record("note", f"of {NAME}", at=at, by="ada", after={"who": NAME, "x": 1}, reason="x")
    assert refused(subject=f"of {NAME}", reason="y")
    assert refused(subject="of nobody")
    erasure = erasures.begin(NAME, "ada", timezone.now())
    whole = {"subject": f"of {erasure.label}", "after": {"who": erasure.label, "x": 1}}
    assert refused(subject=whole["subject"])
    assert refused(**whole, reason="y")
    assert refused(**whole, actor="bob")
    assert refused(**whole, at=timezone.now())
    assert refused(**{**whole, "after": {"who": erasure.label, "x": 2}})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditRecord.objects.all().delete()
    Erasure.objects.update(is_everywhere=False)
    assert refused(**whole)
    Erasure.objects.update(is_everywhere=True)
    assert not refused(**whole)
    audit.record("note", f"of {NAME}", at=at, by="ada")
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert refused(subject=f"of {erasure.label}")
    assert NAME not in dump()


def test_two_rows_that_would_become_one_stay_and_are_told(at: datetime) -> None:
    usage.record([usage.event(at, user="zoe"), usage.event(at, user="Zoe")], now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO team (name, cost_center) VALUES ('zoe', ''), ('ZOE', 'Zoe')")
    erasures.begin("zoe", "ada", timezone.now())
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert erasure.changed["team"] == 1
    assert erasure.remaining["team.name"] == 1
    assert erasure.remaining["end_user.name"] == 1  # Zoe, who is another user


def test_portions_hold_everything_once() -> None:
    assert [*mentions.portions(range(5), 2)] == [[0, 1], [2, 3], [4]]
