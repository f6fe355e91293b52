"""Costs: every figure by its definition, every total the sum of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops import costs, rollups
from finops.costs import CostRow
from finops.models import Team
from finops.periods import Period, bucket_day, start_of_day
from finops.query import DIMENSIONS, METRIC_KINDS, METRICS, CostQuery
from tests import figures, usage

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
ADDITIVE = (
    "effective_cost",
    "list_cost",
    "billed_cost",
    "requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "unpriced_requests",
    "unpriced_tokens",
)

pytestmark = pytest.mark.django_db


def record_usage(zone: ZoneInfo = UTC_ZONE, count: int = 300) -> None:
    figures.price_models()
    Team.objects.create(name="cx", cost_center="support")
    usage.record(figures.random_events(20, count, START, END), now=NOW, zone=zone)


def query(zone: ZoneInfo = UTC_ZONE, **changes: Any) -> CostQuery:
    plain = CostQuery.from_params({}, now=NOW, zone=zone)
    return plain.replace(**{"period": Period(START, END), **changes})


def assert_value(metric: str, value: Any, wanted: Any) -> None:
    if wanted is None:
        assert value is None, metric
    elif METRIC_KINDS[metric] == "milliseconds":
        assert value == pytest.approx(wanted, rel=0.02), metric
    elif metric.startswith("cost_per"):
        assert abs(value - wanted) <= abs(wanted) * Decimal("1e-15"), metric
    else:
        assert value == wanted, metric


def assert_rows(
    rows: Iterable[CostRow], groups: dict[tuple[Any, ...], list[Any]], metrics: tuple[str, ...]
) -> None:
    found = {(row.start, *row.keys): row.values for row in rows}
    assert found.keys() == groups.keys()
    for key, events in groups.items():
        for metric in metrics:
            assert_value(metric, found[key][metric], figures.metric(metric, events))


def bucket(at: datetime, granularity: str, zone: ZoneInfo) -> datetime | None:
    local = at.astimezone(zone)
    if granularity == "hour":
        return at - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
    if granularity == "total":
        return None
    return start_of_day(bucket_day(local.date(), granularity), zone)


def grouped(
    events: Iterable[dict[str, Any]], asked: CostQuery
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for event in events:
        start = bucket(event["started_at"], asked.granularity, asked.zone)
        key = (start, *(figures.label(event, name) for name in asked.group_by))
        groups.setdefault(key, []).append(event)
    return groups


def within(period: Period) -> list[dict[str, Any]]:
    return [e for e in figures.stored() if period.start <= e["started_at"] < period.end]


@pytest.mark.parametrize("granularity", ["total", "hour", "day", "week", "month"])
def test_every_metric_follows_its_definition(granularity: str) -> None:
    record_usage()
    asked = query(granularity=granularity, group_by=("feature", "team"), metrics=METRICS)
    if granularity == "hour":
        short = Period(START, START + timedelta(hours=48))
        asked = asked.replace(period=short)
    result = costs.run(asked)
    assert_rows(result.rows, grouped(within(asked.period), asked), METRICS)
    for metric in METRICS:
        wanted = figures.metric(metric, within(asked.period))
        assert_value(metric, result.totals[metric], wanted)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_rows_of_any_dimension_add_up_to_the_total(dimension: str) -> None:
    record_usage()
    result = costs.run(query(group_by=(dimension,), metrics=ADDITIVE))
    assert result.totals["requests"] == 300
    for metric in ADDITIVE:
        assert sum(row.values[metric] or 0 for row in result.rows) == result.totals[metric]


@given(
    start=st.integers(0, 3 * 1440 - 2),
    minutes=st.integers(1, 3 * 1440),
    granularity=st.sampled_from(["total", "day", "week", "hour"]),
    group_by=st.sampled_from([(), ("model",), ("user",), ("user", "team"), ("cost_center",)]),
    zone=st.just(KOLKATA),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_periods_with_ragged_ends_count_just_their_events(
    kolkata_usage: None,
    start: int,
    minutes: int,
    granularity: str,
    group_by: tuple[str, ...],
    zone: ZoneInfo,
) -> None:
    first = START + timedelta(minutes=start)
    if granularity == "hour":
        minutes = min(minutes, 48 * 60)
    period = Period(first, first + timedelta(minutes=minutes))
    metrics = (*ADDITIVE, "users", "cost_per_user")
    asked = query(zone, period=period, granularity=granularity, group_by=group_by, metrics=metrics)
    result = costs.run(asked)
    assert_rows(result.rows, grouped(within(period), asked), metrics)


@pytest.fixture
def kolkata_usage(db: None) -> None:
    """With one of its days not settled, so that both kinds of users' grains are read."""
    record_usage(KOLKATA)
    rollups.settle(LATER)
    usage.record([usage.event(START + timedelta(days=1, hours=3))], now=NOW, zone=KOLKATA)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("granularity", ["total", "day"])
def test_the_groups_beyond_the_limit_are_other(metric: str, granularity: str) -> None:
    record_usage()
    asked = query(group_by=("feature", "model"), metrics=(metric,), granularity=granularity)
    whole = costs.run(asked.replace(granularity="total")).rows
    named = {row.keys for row in whole[:5]}
    result = costs.run(asked.replace(limit=5))
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for (start, *keys), events in grouped(within(asked.period), asked).items():
        key = (start, *(keys if tuple(keys) in named else ("Other", "Other")))
        groups.setdefault(key, []).extend(events)
    assert_rows(result.rows, groups, (metric,))
    assert {row.is_other for row in result.rows if row.keys[0] == "Other"} == {True}


def test_the_largest_users_come_first_and_the_rest_is_other() -> None:
    record_usage()
    for _ in range(2):
        result = costs.run(query(group_by=("user",), granularity="total", limit=2))
        by_cost = sorted(
            grouped(figures.stored(), result.query).items(),
            key=lambda group: -figures.metric("effective_cost", group[1]),
        )
        assert [row.keys for row in result.rows] == [
            *(key[1:] for key, _ in by_cost[:2]),
            ("Other",),
        ]
        total = sum(row.values["effective_cost"] or 0 for row in result.rows)
        assert total == result.totals["effective_cost"]
        rollups.settle(LATER)  # and once more from the totals of settled days


def test_filters_keep_and_exclude() -> None:
    record_usage()
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"feature": "chat"}, lambda e: e["feature"] == "chat"),
        ({"feature": "Unattributed"}, lambda e: e["feature"] == ""),
        ({"cost_center": "support"}, lambda e: e["team"] == "cx"),
        ({"cost_center": "Unattributed"}, lambda e: e["team"] != "cx"),
        ({"user": "ann"}, lambda e: e["user"] == "ann"),
        ({"user": "Unattributed"}, lambda e: e["user"] == ""),
        ({"user": "nobody"}, lambda e: False),
        (
            {"status": "error", "user": "bob"},
            lambda e: (e["status"], e["user"]) == ("error", "bob"),
        ),
    ]
    for filters, keep in cases:
        asked = query(granularity="total", metrics=ADDITIVE)
        excluded = asked
        for dimension, value in filters.items():
            asked = asked.with_filter(dimension, value)
        kept = [event for event in figures.stored() if keep(event)]
        assert costs.run(asked).totals["requests"] == len(kept), filters
        assert costs.run(asked).totals["effective_cost"] == figures.metric("effective_cost", kept)
        if len(filters) == 1:
            excluded = excluded.with_filter(dimension, value, exclude=True)
            assert costs.run(excluded).totals["requests"] == 300 - len(kept), filters


def test_activated_tags_are_dimensions() -> None:
    usage.record([usage.event(START, feature="a"), usage.event(START, feature="b")], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE attribution SET tags = '{\"customer\": \"acme\"}' WHERE feature = 'a'"
        )
    result = costs.run(query(group_by=("tag:customer",), granularity="total"))
    assert {row.keys[0]: row.values["requests"] for row in result.rows} == {
        "acme": 1,
        "Unattributed": 1,
    }
    kept = query(granularity="total").with_filter("tag:customer", "acme")
    assert costs.run(kept).totals["requests"] == 1


def test_the_period_before_is_a_second_query_of_the_same_groups() -> None:
    record_usage()
    asked = query(
        period=Period(START + timedelta(days=2), END),
        group_by=("feature",),
        granularity="total",
        limit=1,
        compare=True,
    )
    result = costs.run(asked)
    before = result.previous
    assert before
    assert before.query.period == Period(START + timedelta(days=1), START + timedelta(days=2))
    assert [row.keys for row in before.rows] == [row.keys for row in result.rows]
    assert before.totals == costs.run(before.query).totals


def test_unknown_costs_are_null_and_counted() -> None:
    figures.price_models()
    usage.record(
        [
            usage.event(START, model="mystery-model", feature="new"),
            usage.event(START, model="gpt-4o", feature="old"),
        ],
        now=NOW,
    )
    result = costs.run(query(group_by=("feature",), granularity="total"))
    values = {row.keys[0]: row.values["effective_cost"] for row in result.rows}
    assert values == {"new": None, "old": result.totals["effective_cost"]}
    assert result.coverage == costs.Coverage(priced_requests=1, unpriced_requests=1)


def test_a_period_without_usage_has_no_rows_and_no_cost() -> None:
    result = costs.run(query(group_by=("team",), metrics=METRICS))
    assert result.rows == []
    assert result.totals["effective_cost"] == 0
    assert result.totals["latency_p95"] is None
    assert result.freshness == costs.Freshness(None, 0)


def test_events_that_wait_to_be_folded_are_pending_and_in_no_figure() -> None:
    record_usage()
    usage.store(figures.random_events(21, 10, START, END), now=NOW)
    for asked in (query(), query(period=Period(START + timedelta(minutes=1), END))):
        result = costs.run(asked)
        assert result.freshness.pending_events == 10
        assert result.totals["requests"] == len(within(asked.period))


def test_hours_of_users_are_only_kept_for_two_days() -> None:
    with pytest.raises(ValueError, match="granularity: users are kept per day"):
        costs.run(query(group_by=("user",), granularity="hour"))
    with pytest.raises(ValueError, match="metrics: latency_p95 is not kept per user"):
        costs.run(query(group_by=("user",), metrics=("latency_p95",)))


@pytest.mark.django_db(transaction=True)
def test_an_answer_sees_one_moment(administrator: object) -> None:
    with costs.snapshot() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation')")
        assert cursor.fetchall() == [("repeatable read",)]
        with pytest.raises(Exception, match="read-only"):
            cursor.execute("DELETE FROM rollup_day")
