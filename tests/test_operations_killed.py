"""kill -9 in the middle of re-rating, rebuilding and dropping: who goes on ends as if nobody was
killed, and what comes in meanwhile counts once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from finops import rebuilds, rollups, tasks
from finops.conninfo import conninfo
from finops.models import Operation, Price, RatingRun
from tests import figures, operating, usage
from tests.fact_tables import forget_facts
from tests.rollup_sums import assert_equal_events, held

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = settings.REPORTING_ZONE
DAYS = 6
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - timedelta(days=DAYS)
SPAN = ("--start", f"{START:%Y-%m-%d}", "--end", f"{TODAY:%Y-%m-%d}")


@pytest.fixture(autouse=True)
def month() -> Iterator[None]:
    """Some days of priced usage, whose prices have changed since."""
    forget_facts()
    figures.price_models()
    record(1, 300)
    Price.objects.filter(kind="contract").update(discount_percent=Decimal(50))
    yield
    forget_facts()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM setting")


def record(seed: int, count: int) -> None:
    store(seed, count)
    # The server may not have noticed yet that somebody who held the lock on folding was killed.
    until(lambda: not rollups.fold_waiting(TODAY, ZONE).busy)


def store(seed: int, count: int) -> None:
    with transaction.atomic():  # outside of one, a connection that has grown old is closed
        usage.store(figures.random_events(seed, count, START, TODAY), now=TODAY)


def spoil() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rollup_hour SET requests = 1, latency_histogram = ''")
        cursor.execute("DELETE FROM rollup_day")
        cursor.execute("UPDATE rollup_user_day SET effective_cost = effective_cost + 1")


def begin(name: str, *options: str) -> int:
    """The command in a process of its own; its number."""
    child = os.fork()
    if child:
        return child
    try:
        _kept, connection.connection = connection.connection, None
        call_command(name, *options)
    finally:
        os._exit(0)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waits_for_the_fold() -> bool:
    """Whether somebody stands in the middle of a step, before the rollups change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
            " AND NOT granted",
            [rollups.FOLD_LOCK],
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("name", ["rerate", "rebuild_rollups"])
def test_a_command_killed_in_the_middle_of_a_day_is_gone_on_with(
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = (*SPAN, "--apply") if name == "rerate" else (*SPAN, "--trust-events")
    if name == "rebuild_rollups":
        spoil()
    operating_before = held("rollup_hour")
    with psycopg.connect(conninfo()) as folding:
        folding.execute("SELECT pg_advisory_xact_lock(%s)", [rollups.FOLD_LOCK])
        killed = begin(name, *options)
        try:
            until(waits_for_the_fold)
        finally:
            os.kill(killed, signal.SIGKILL)
            os.waitpid(killed, 0)
    operation = Operation.objects.get()
    assert (operation.done, operation.state) == (0, "running")
    assert held("rollup_hour") == operating_before
    # The worker takes it up, for two days; then somebody asks for the same again.
    until(lambda: operating.steps(2) == [] and Operation.objects.get().done >= 2)
    done = Operation.objects.get().done
    record(2, 30)
    call_command(name, *options)
    out, err = capsys.readouterr()
    # A rebuild is done once more by who asks for it: what is wrong may be in a day that is done.
    assert Operation.objects.count() == (1 if name == "rerate" else 2)
    operation = Operation.objects.latest("pk")
    for each in Operation.objects.all():
        assert (each.done, each.total, each.state) == (DAYS, DAYS, "done")
    assert (f"{done} of {DAYS} days" if name == "rerate" else "not begun yet") in err
    assert f"{DAYS} of {DAYS} days, 100 %" in err
    assert_equal_events(ZONE)
    if name == "rerate":
        assert "Written, with the rollups" in out
        run = RatingRun.objects.get()
        assert run.events_examined == operation.events >= 300
        assert run.finished_at is not None
    else:
        assert out.splitlines()[-1] == f"{TODAY - timedelta(days=1):%Y-%m-%d} rebuilt"


def test_events_that_come_while_a_day_is_rebuilt_count_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil()
    mend = rebuilds._mend
    seeds = iter(range(10, 30))

    def arrive_and_mend(*arguments: object) -> None:
        record(next(seeds), 20)
        store(next(seeds), 5)
        mend(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuilds, "_mend", arrive_and_mend)
    from_day, to_day = START, TODAY
    asked = operating.rebuild(from_day, to_day, ZONE, trust_events=True)
    seen = [asked.done]
    while not asked.finished_at:
        operating.steps(1)
        asked.refresh_from_db()
        seen.append(asked.done)
    assert seen == sorted(seen)
    assert asked.done == DAYS
    assert_equal_events(ZONE)
    rollups.fold_waiting(TODAY, ZONE)
    assert_equal_events(ZONE)


def test_old_days_are_dropped_one_by_one_and_a_reader_is_not_stood_before(
    settings: Settings,
) -> None:
    settings.EVENT_RETENTION_DAYS = 3
    figures_before = held("rollup_day")
    oldest = oldest_partition()  # other tests may have left some
    tasks.maintain_partitions()
    with psycopg.connect(conninfo()) as reader:
        reader.execute(f"SELECT count(*) FROM {oldest}")
        operating.steps(1)
        # The drop gave up, and others still read the day.
        with psycopg.connect(conninfo()) as other:
            other.execute("SET statement_timeout = '3s'")
            other.execute(f"SELECT count(*) FROM {oldest}")
    waiting = Operation.objects.get()
    assert (waiting.done, waiting.state) == (0, "running")
    assert waiting.total >= DAYS - 3
    operation = operating.finished(waiting)
    assert (operation.state, operation.done) == ("done", operation.total)
    assert partitions_before(TODAY - timedelta(days=3)) == 0
    assert held("rollup_day") == figures_before
    tasks.maintain_partitions()
    assert Operation.objects.count() == 1


def oldest_partition() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(relname::text) FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^usage_event_[0-9_]+$'"
        )
        [(name,)] = cursor.fetchall()
    return str(name)


def partitions_before(moment: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^usage_event_[0-9_]+$' AND relname < %s",
            [f"usage_event_{moment:%Y_%m_%d}"],
        )
        [(count,)] = cursor.fetchall()
    return int(count)
