"""Operations: one after the other, paused and cancelled on a page, told beside figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from desks import reader
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from page_texts import text_of

from finops import operations
from finops.conninfo import conninfo
from finops.locks import Lock
from finops.models import AuditRecord, Operation, RatingRun
from tests import figures, operating, usage
from tests.rollup_sums import assert_equal_events

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("UTC")
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - timedelta(days=4)
PAGE = "/settings/operations"
CANCELLED = (
    "Cancelled by ada. 1 of 4 days were done: these have the new prices, the rest of the period "
    "keeps the old ones."
)


@pytest.fixture(autouse=True)
def used() -> None:
    figures.price_models()
    usage.record(figures.random_events(1, 60, START, TODAY), now=TODAY, zone=ZONE)


def rerate(**options: object) -> Operation:
    now = datetime.now(UTC)
    return operations.ask_rerate(START, TODAY, ZONE, now=now, by="ada", **options)  # type: ignore[arg-type]


def rebuild() -> Operation:
    return operating.rebuild(START, TODAY, ZONE)


def state(operation: Operation) -> tuple[str, int]:
    operation.refresh_from_db()
    return operation.state, operation.done


def test_two_at_once_are_done_one_after_the_other() -> None:
    first, second = rebuild(), rerate()
    assert rebuild() == first
    assert rerate() == second
    assert RatingRun.objects.count() == 1
    seen = []
    while not second.finished_at:
        operating.steps(1)
        seen.append((state(first)[1], state(second)[1]))
    assert seen == sorted(seen)
    assert (3, 0) in seen
    assert (3, 1) not in seen
    assert (first.state, second.state) == ("done", "done")
    assert_equal_events(ZONE)


def test_whoever_else_is_at_it_is_left_alone() -> None:
    operation = rebuild()
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.OPERATIONS.value])
        assert operating.steps(3) == []
        assert state(operation) == ("waiting", 0)
    with psycopg.connect(conninfo()) as other:
        # Such as an erasure, which reads the events of a day.
        other.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.RERATING.value])
        assert operating.steps(3) == []
        assert state(operation) == ("running", 0)
    assert operating.finished(operation).done == 4


def test_what_is_refused_is_stopped_and_the_next_goes_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE usage_event_{START + timedelta(days=1):%Y_%m_%d}")
    first, second = rebuild(), rerate()
    operating.work()
    assert state(first) == ("failed", 1)
    assert "are dropped: their rollups cannot be made again" in first.message
    assert state(second)[0] == "done"
    with pytest.raises(CommandError, match="are dropped"):
        call_command("rebuild_rollups", start=f"{START:%Y-%m-%d}", end=f"{TODAY:%Y-%m-%d}")


def test_an_administrator_pauses_resumes_and_cancels_on_record(signed_in: Client) -> None:
    operation = rerate(reason="x")
    operating.steps(1)
    assert "1 of 4 days, 25 %" in text_of(signed_in.get(PAGE).text)
    for verb, after in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled")):
        url = f"{PAGE}/{operation.pk}/{verb}"
        if verb == "cancel":
            asked = text_of(signed_in.post(url).text)
            assert "1 of 4 days were done: these have the new prices, the rest" in asked
            assert state(operation)[0] == "waiting"
        answer = signed_in.post(url, {"confirmed": "yes"}, follow=True)
        assert answer.status_code == 200
        assert state(operation)[0] == after
        if verb == "pause":
            assert operating.steps(2) == []
            assert operation.done == 1
            assert "Resume" in answer.text
    run = RatingRun.objects.get()
    assert run.finished_at is not None
    assert run.error == operation.message == CANCELLED
    acts = AuditRecord.objects.filter(action__startswith="operation.").order_by("pk")
    assert [each.action.partition(".")[2] for each in acts] == ["pause", "resume", "cancel"]
    assert {each.actor for each in acts} == {"ada"}
    again = signed_in.post(f"{PAGE}/{operation.pk}/pause", follow=True)
    assert "It cannot pause: it has ended" in text_of(again.text)
    assert signed_in.post(f"{PAGE}/{operation.pk}/erase").status_code == 404
    page = text_of(signed_in.get(PAGE).text)
    assert "Nothing is being worked on" in page
    assert CANCELLED in page
    assert_equal_events(ZONE)


def test_finance_reads_and_changes_nothing() -> None:
    operation = rerate()
    finance = reader("finance")
    page = finance.get(PAGE).text
    assert "not begun yet" in text_of(page)
    assert "Pause" not in page
    assert finance.post(f"{PAGE}/{operation.pk}/pause").status_code == 403


def test_figures_of_days_that_are_worked_on_say_so(signed_in: Client) -> None:
    span = f"start={START:%Y-%m-%d}&end={TODAY:%Y-%m-%d}"
    before = f"start={START - timedelta(days=9):%Y-%m-%d}&end={START:%Y-%m-%d}"
    operation = rerate()
    assert signed_in.get(f"/api/v1/costs?{span}").json()["freshness"]["operations"] == []
    operating.steps(2)
    told = f"{START:%Y-%m-%d} to {TODAY - timedelta(days=1):%Y-%m-%d}: being rated again, 2 of 4"
    for page in ("/explore", "/requests"):
        assert told in text_of(signed_in.get(f"{page}?{span}").text)
        assert told not in text_of(signed_in.get(f"{page}?{before}").text)
    [working] = signed_in.get(f"/api/v1/costs?{span}").json()["freshness"]["operations"]
    assert (working["id"], working["kind"], working["done"]) == (operation.pk, "rerate", 2)
    [listed] = signed_in.get("/api/v1/operations").json()["operations"]
    assert listed["progress"].startswith("2 of 4 days, 50 %")
    metrics = signed_in.get("/metrics").text
    assert 'farthing_operations{kind="rerate",state="running"} 1.0' in metrics
    assert f'farthing_operation_done_ratio{{id="{operation.pk}",kind="rerate"}} 0.5' in metrics
    operating.finished(operation)
    assert signed_in.get(f"/api/v1/costs?{span}").json()["freshness"]["operations"] == []


def test_the_same_asked_again_resumes_what_was_paused() -> None:
    operation = rerate()
    operating.steps(1)
    operations.pause(operation, by="ada", now=datetime.now(UTC))
    assert rerate().state == "waiting"
    assert operating.finished(operation).done == 4
    assert rerate() != operation
