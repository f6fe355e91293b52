"""Operations that something gets in the way of: other prices, other retention, errors, locks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from desks import reader
from django.db import connection, transaction
from django.db.utils import OperationalError
from page_texts import text_of
from pytest_django import Settings

from finops import operations, rollups, tasks
from finops.models import AuditRecord, Operation, Price, RatingRun
from finops.operations import rating, work
from finops.operations.steps import Busy, Steps
from tests import figures, operating, usage
from tests.fact_tables import forget_facts
from tests.test_operations_killed import partitions_before

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = ZoneInfo("UTC")
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - timedelta(days=4)


@pytest.fixture(autouse=True)
def used() -> Iterator[None]:
    forget_facts()
    figures.price_models()
    with transaction.atomic():
        usage.store(figures.random_events(1, 60, START, TODAY), now=TODAY)
    rollups.fold_waiting(TODAY, ZONE)
    yield
    forget_facts()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM setting")


def rerate() -> Operation:
    return operations.ask_rerate(START, TODAY, ZONE, now=datetime.now(UTC), by="ada")


def shares() -> set[float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT round(sum(effective_cost) / sum(list_cost), 3) FROM usage_event"
            " WHERE list_cost > 0 GROUP BY day"
        )
        return {float(share) for (share,) in cursor.fetchall()}


def test_a_run_is_rated_by_one_ledger_and_begins_again_where_it_changes() -> None:
    operation = rerate()
    operating.steps(2)
    old = Price.objects.get(kind="contract")
    Price.objects.create(
        kind="contract", provider="*", model="*", discount_percent=50, source="new"
    )
    Price.objects.filter(pk=old.pk).update(superseded_at=datetime.now(UTC))
    assert rerate() == operation
    operating.finished(operation)
    assert shares() == {0.5}
    assert (operation.state, operation.done, operation.total) == ("done", 4, 4)
    assert "the price ledger changed when 2 of 4 days were done" in operation.message
    first, second = RatingRun.objects.order_by("pk")
    assert second.ledger_version > first.ledger_version
    assert f"Run #{second.pk} begins again." in first.error
    assert (second.pk, second.error) == (operation.terms["run"], "")


def test_a_rebuild_that_has_begun_is_done_again_where_it_is_asked_for_again() -> None:
    first = operating.rebuild(START, TODAY, ZONE)
    assert operating.rebuild(START, TODAY, ZONE) == first
    operating.steps(1)
    assert operating.rebuild(START, TODAY, ZONE) != first


def test_a_fold_anew_ends_beside_live_traffic_and_cannot_be_stopped() -> None:
    operation = operations.ask_refold(ZONE, now=datetime.now(UTC), by="ada")
    assert operation in operations.working_on(START, TODAY)
    with pytest.raises(operations.NotPossible, match="neither paused nor cancelled"):
        operations.pause(operation, by="ada", now=datetime.now(UTC))
    assert "Cancel" not in reader("administrator").get("/settings/operations").text
    for minute in range(4):
        with transaction.atomic():
            usage.store([usage.event(TODAY - timedelta(minutes=minute))], now=TODAY)
        operating.steps(1)
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("done", operation.total)


def test_retention_that_was_raised_keeps_what_is_left(settings: Settings) -> None:
    settings.EVENT_RETENTION_DAYS = 2
    tasks.maintain_partitions()
    operation = Operation.objects.get()
    assert AuditRecord.objects.get(action="retention.drop").after["days"] == 2
    operating.steps(1)
    operations.pause(operation, by="ada", now=datetime.now(UTC))
    tasks.maintain_partitions()
    operation.refresh_from_db()
    assert operation.state == "paused"
    operations.resume(operation, by="ada", now=datetime.now(UTC))
    kept = partitions_before(TODAY)
    settings.EVENT_RETENTION_DAYS = 400
    operating.finished(operation)
    assert partitions_before(TODAY) == kept
    assert (operation.done, operation.total) == (1, 1)


def test_cancelling_within_a_step_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = rerate()
    noted, said = threading.Event(), []
    note = rating.note

    def slow(*told: Any, **more: Any) -> None:
        noted.set()
        time.sleep(0.3)
        note(*told, **more)

    def cancel() -> None:
        noted.wait(10)
        operations.cancel(operation, by="ada", now=datetime.now(UTC))
        said.append("cancelled")
        connection.close()

    monkeypatch.setattr(rating, "note", slow)
    other = threading.Thread(target=cancel)
    other.start()
    operating.steps(1)
    other.join()
    operation.refresh_from_db()
    assert (said, operation.state) == (["cancelled"], "cancelled")


def test_what_fails_or_waits_holds_up_nobody_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Exception):
        sqlstate = "53100"

    def full(*told: Any) -> bool:
        raise OperationalError("DETAIL: of ada@example.com") from Full()

    def busy(*told: Any) -> bool:
        raise Busy

    failing, later = rerate(), operating.rebuild(START, TODAY, ZONE)
    steps = work.KINDS["rerate"]
    monkeypatch.setattr(work, "KINDS", {**work.KINDS, "rerate": Steps(rating.begin, busy)})
    operating.finished(later)
    failing.refresh_from_db()
    assert "It waits for other work" in failing.message
    monkeypatch.setattr(work, "KINDS", {**work.KINDS, "rerate": Steps(rating.begin, full)})
    operating.work()
    failing.refresh_from_db()
    assert failing.message == "The disk of the database is full. Tried again (1 of 30)."
    monkeypatch.setattr(work, "KINDS", {**work.KINDS, "rerate": steps})
    operating.steps(1)
    failing.refresh_from_db()
    assert (failing.message, failing.terms.get("tries")) == ("", None)
    monkeypatch.setattr(work, "KINDS", {**work.KINDS, "rerate": Steps(rating.begin, full)})
    operating.finished(failing)
    assert failing.state == "failed"
    assert "Given up after 30 tries" in failing.message
    page = text_of(reader("administrator").get("/settings/operations").text)
    assert "Given up after 30 tries" in page
    assert "ada@example.com" not in page
