"""Days with settlements are rebuilt, rated and folded again, and hold what their events say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from finops import costs, operations, rollups
from finops.models import Price
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, operating, usage
from tests.rollup_sums import assert_equal_events

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("UTC")
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
TODAY = NOW.replace(hour=0, minute=0)
START = TODAY - timedelta(days=2)


@pytest.fixture(autouse=True)
def prices() -> None:
    figures.price_models()


def record_settled() -> None:
    calls = [
        usage.event(
            START + timedelta(hours=hour),
            id=f"e{hour}",
            user="ann" if hour % 2 else "bob",
            status="aborted" if hour % 3 == 0 else "error",
            model="mystery-model" if hour % 5 == 0 else "gpt-4o",
        )
        for hour in range(12)
    ]
    usage.record(calls, now=TODAY, zone=ZONE)
    settled = [
        {"id": f"c{hour}", "corrects": f"e{hour}", "output_tokens": 999, "status": "ok"}
        for hour in range(0, 12, 3)
    ]
    settled += [{"id": f"m{hour}", "corrects": f"e{hour}", "model": "gpt-4o"} for hour in (5, 10)]
    usage.store(settled, now=TODAY)
    assert usage.settle(TODAY + timedelta(seconds=1), zone=ZONE).applied == 6


def test_settled_days_are_rebuilt_and_rated_again_exactly() -> None:
    record_settled()
    assert_equal_events(ZONE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rollup_hour SET requests = requests + 1")
        cursor.execute("DELETE FROM rollup_day")
        cursor.execute("UPDATE rollup_user_day SET effective_cost = effective_cost + 1")
    rebuilt = operating.rebuild(START, TODAY, ZONE, trust_events=True)
    assert operating.finished(rebuilt).state == "done"
    assert_equal_events(ZONE)
    Price.objects.filter(kind="contract").update(discount_percent=Decimal(50))
    operating.rerate(START, TODAY, ZONE)
    assert_equal_events(ZONE)


def test_a_refold_takes_nothing_back_that_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, live = NOW - timedelta(days=3), NOW - timedelta(minutes=5)
    usage.record([usage.event(old, id="old", user="ann", feature="f")], now=NOW, zone=ZONE)
    usage.record([usage.event(live, id="live", user="bob", feature="g")], now=NOW, zone=ZONE)
    changes = {"old": {"user": "bob"}, "live": {"output_tokens": 9}}
    usage.store(
        [{"id": f"c-{id}", "corrects": id, **said} for id, said in changes.items()], now=NOW
    )
    assert usage.settle(NOW + timedelta(seconds=1), zone=ZONE).applied == 2
    monkeypatch.setattr(rollups, "CHUNK_EVENTS", 1)
    operations.ask_refold(ZONE, now=NOW, by="tests")
    given = {"group_by": ["feature"], "metrics": ["effective_cost,requests,users"]}
    query = CostQuery.from_params(given, now=NOW, zone=ZONE)
    query = query.replace(period=Period(TODAY - timedelta(days=4), TODAY + timedelta(days=1)))
    folded = True
    while folded:
        folded = rollups.fold_chunk(NOW, ZONE).batches > 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(min(requests), 0) FROM rollup_user_day")
            assert cursor.fetchone()[0] >= 0
        costs.run(query)
    assert_equal_events(ZONE)
