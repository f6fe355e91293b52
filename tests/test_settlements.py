"""A settlement replaces the figures of an event by an adjustment, whatever comes when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from finops import costs, rollup_checks
from finops.periods import Period
from finops.query import CostQuery
from ingest.settlements import waiting
from tests import figures, usage

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
AT = datetime(2026, 10, 13, 23, 59, 58, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices() -> None:
    figures.price_models()


def aborted(at: datetime = AT, **fields: Any) -> dict[str, Any]:
    """A call whose client went away: its output is a guess."""
    given = {"id": "call-1", "status": "aborted", "output_tokens": 10, "feature": "chat"}
    return usage.event(at, **{**given, "user": "ann", "latency_ms": 900, **fields})


def settlement(**fields: Any) -> dict[str, Any]:
    return {"id": "settled-1", "corrects": "call-1", "output_tokens": 500, **fields}


def totals(*metrics: str, **filters: Any) -> dict[str, Any]:
    query = CostQuery.from_params(
        {name: [value] for name, value in filters.items()}, now=NOW, zone=UTC_ZONE
    )
    names = metrics or ("requests", "output_tokens", "effective_cost")
    query = query.replace(period=Period(START, END), granularity="total", metrics=names)
    return dict(costs.run(query).totals)


def counted() -> list[dict[str, Any]]:
    """The rows whose figures count: neither reversals nor reversed."""
    stored = figures.stored()
    reversed_keys = {(row["reverses_key"], row["day"]) for row in stored}
    return [
        row
        for row in stored
        if row["reverses_key"] is None and (row["event_key"], row["day"]) not in reversed_keys
    ]


def held(*columns: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM settlement ORDER BY event_key")
        return cursor.fetchall()


def rows() -> list[tuple[Any, ...]]:
    """Weight and output of every stored row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, reverses_key IS NULL, text_output_tokens, started_at FROM usage_event"
            " ORDER BY text_output_tokens, event_id"
        )
        return cursor.fetchall()


def test_the_settled_figures_count_and_every_step_is_kept() -> None:
    usage.record([aborted()], now=NOW)
    before = totals()
    usage.store([settlement()], now=NOW)
    assert usage.settle(NOW).applied == 1
    assert rows() == [
        ("call-1", False, -10, AT),
        ("call-1", True, 10, AT),
        ("settled-1", True, 500, AT),
    ]
    after = totals()
    assert after["requests"] == before["requests"] == 1
    assert after["output_tokens"] == 500
    price = Decimal("0.0000025") * 4 * Decimal("0.875")
    assert after["effective_cost"] - before["effective_cost"] == 490 * price
    assert totals("requests", status="aborted") == {"requests": 1}
    for day in (13, 14):
        check = rollup_checks.check_day(datetime(2026, 10, day, tzinfo=UTC).date(), UTC_ZONE)
        assert check is None or check.matches


def test_what_the_settlement_does_not_say_is_as_in_the_event() -> None:
    usage.record(
        [aborted(input_tokens=1200, cache_read_input_tokens=1024, tags={"a": "1"})], now=NOW
    )
    usage.store([settlement(status="ok", feature="digest", tags={"b": "2"})], now=NOW)
    usage.settle(NOW)
    [row] = counted()
    assert (row["feature"], row["status"], row["user"]) == ("digest", "ok", "ann")
    assert (row["uncached_input_tokens"], row["cache_read_input_tokens"]) == (176, 1024)
    assert (row["text_output_tokens"], row["latency_ms"]) == (500, 900)
    assert totals("requests", feature="chat") == {"requests": 0}
    assert totals("requests", "errors", feature="digest", user="ann")["requests"] == 1


def test_only_the_input_or_the_provider_s_block_may_be_settled() -> None:
    usage.record([aborted(), aborted(id="call-2")], now=NOW)
    block = {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}
    usage.store(
        [
            {"id": "s-1", "corrects": "call-1", "input_tokens": 3},
            {"id": "s-2", "corrects": "call-2", "usage": block},
        ],
        now=NOW,
    )
    usage.settle(NOW)
    found = {row["event_id"]: row for row in counted()}
    assert (figures.input_tokens(found["s-1"]), figures.output_tokens(found["s-1"])) == (3, 10)
    assert (figures.input_tokens(found["s-2"]), figures.output_tokens(found["s-2"])) == (7, 8)


def test_a_settlement_waits_for_its_event_and_for_that_to_be_folded() -> None:
    usage.record([settlement(timestamp=AT.isoformat())], now=NOW)
    assert usage.settle(NOW).waiting == 1
    assert usage.settle(NOW).waiting == 0  # it is not tried at once again
    usage.store([aborted()], now=NOW)
    later = NOW + timedelta(seconds=10)
    with usage.as_ingest() as database:
        assert usage.apply(database, later).applied == 0
    assert usage.settle(later).applied == 0
    assert usage.settle(later + timedelta(seconds=10)).applied == 1
    assert totals()["output_tokens"] == 500


def test_one_that_finds_no_event_is_given_up_after_a_week() -> None:
    usage.record([settlement()], now=NOW)
    assert usage.settle(NOW + timedelta(days=6)).waiting == 1
    assert usage.settle(NOW + timedelta(days=8)).given_up == 1
    assert held("reason", "said") == [("no_such_event", None)]


def test_an_event_of_another_source_is_never_corrected() -> None:
    usage.record([aborted()], now=NOW)
    usage.record([settlement()], now=NOW, source="others")
    assert usage.settle(NOW).waiting == 1
    assert totals()["output_tokens"] == 10


def test_the_same_settlement_again_counts_once_also_within_a_body() -> None:
    usage.record([aborted(), settlement(), settlement()], now=NOW)
    usage.settle(NOW)
    usage.record([settlement(output_tokens=7)], now=NOW)
    usage.settle(NOW + timedelta(seconds=60))
    assert totals()["output_tokens"] == 500


@pytest.mark.parametrize("named", ["call-1", "settled-1"])
def test_a_later_settlement_replaces_the_former_whichever_it_names(named: str) -> None:
    usage.record([aborted(), settlement()], now=NOW)
    usage.settle(NOW)
    usage.record([settlement(id="settled-2", corrects=named, output_tokens=600)], now=NOW)
    assert usage.settle(NOW).applied == 1
    assert [row[:3] for row in rows()] == [
        ("settled-1", False, -500),
        ("call-1", False, -10),
        ("call-1", True, 10),
        ("settled-1", True, 500),
        ("settled-2", True, 600),
    ]
    assert totals()["output_tokens"] == 600


@pytest.mark.parametrize("together", [True, False])
def test_of_several_the_latest_made_counts_and_not_the_last_to_come(together: bool) -> None:
    first = settlement(timestamp="2026-10-14T10:00:00Z", status="error")
    second = settlement(id="settled-2", timestamp="2026-10-14T11:00:00Z", output_tokens=600)
    usage.record([aborted(), second], now=NOW)
    if not together:
        usage.settle(NOW)
    usage.record([first], now=NOW)
    usage.settle(NOW)
    assert totals("requests", "output_tokens", "errors") == {
        "requests": 1,
        "output_tokens": 600,
        "errors": 0,
    }
    assert len(rows()) == 5


def test_of_an_id_used_on_several_days_the_last_before_the_settlement_is_meant() -> None:
    days = [AT - timedelta(days=1), AT, AT + timedelta(days=1)]
    usage.record([aborted(day, output_tokens=n) for n, day in enumerate(days)], now=NOW)
    usage.record([settlement(timestamp=AT.isoformat())], now=NOW)
    usage.settle(NOW)
    assert sorted(row["text_output_tokens"] for row in counted()) == [0, 2, 500]


def test_a_request_of_an_id_that_is_taken_is_no_settlement() -> None:
    usage.record([aborted(), aborted(id="settled-1")], now=NOW)
    usage.record([settlement()], now=NOW)
    assert usage.settle(NOW).given_up == 1
    assert held("reason") == [("id_is_taken",)]


def test_settlements_that_name_each_other_wait() -> None:
    usage.record([settlement(id="a", corrects="b"), settlement(id="b", corrects="a")], now=NOW)
    assert usage.settle(NOW).waiting == 2


def test_what_was_not_priced_is_not_in_the_reversal_either() -> None:
    usage.record([aborted(model="mystery-model")], now=NOW)
    usage.record([settlement(model="gpt-4o")], now=NOW)
    usage.settle(NOW)
    found = totals("requests", "unpriced_requests", "effective_cost")
    assert (found["requests"], found["unpriced_requests"]) == (1, 0)
    assert found["effective_cost"] > 0


def test_latencies_are_those_of_the_settled_row() -> None:
    usage.record([aborted(latency_ms=900)], now=NOW)
    usage.record([settlement(latency_ms=90, team="cx")], now=NOW)
    usage.settle(NOW)
    assert totals("latency_p50")["latency_p50"] == pytest.approx(90, rel=0.02)
    assert totals("latency_p50", team="cx")["latency_p50"] == pytest.approx(90, rel=0.02)


def test_what_was_folded_into_overflow_keeps_its_prices() -> None:
    usage.record([aborted()], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE attribution SET model = '(overflow)'")
    before = totals()["effective_cost"]
    usage.record([settlement(output_tokens=10)], now=NOW)
    usage.settle(NOW)
    assert totals()["effective_cost"] == before


def test_the_settlements_of_a_dropped_day_are_forgotten() -> None:
    usage.record([aborted(), settlement()], now=NOW)
    usage.settle(NOW)
    with usage.as_ingest() as database:
        database.execute("UPDATE settlement SET day = '2020-01-01'")
        waiting.forget_old(database, NOW)
    assert held("reason") == []
