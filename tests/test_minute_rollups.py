"""Minutes of the last two days say what the events say, by team, feature and model."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from finops import rebuilds, rollups
from finops.models import Price
from tests import figures, operating, usage

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
KEPT = NOW - timedelta(hours=48)
METRICS = ("requests", "errors", "input_tokens", "output_tokens", "cache_read_input_tokens")


def sums(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    costs = (
        sum((each[name] or 0 for each in events), Decimal(0))
        for name in ("list_cost", "effective_cost")
    )
    unpriced = [each for each in events if each["effective_cost"] is None]
    counted = (figures.metric(name, events) for name in METRICS)
    return (figures.metric("requests", unpriced), *counted, *costs)


def wanted() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for each in figures.stored():
        if each["started_at"] >= KEPT:
            minute = each["started_at"].replace(second=0, microsecond=0)
            groups[minute, each["team"], each["feature"], each["model"]].append(each)
    return {key: sums(events) for key, events in groups.items()}


def held() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT minute, team, feature, model, unpriced_requests, {", ".join(METRICS)},
                list_cost, effective_cost
            FROM rollup_minute
            JOIN attribution ON attribution.id = rollup_minute.key_id
            """
        )
        rows = cursor.fetchall()
    return {row[:4]: row[4:] for row in rows if any(row[4:])}


@given(
    seed=st.integers(0, 2**32),
    batches=st.lists(st.integers(0, 25), min_size=1, max_size=3),
    price=st.decimals(0, "0.001", places=12),
)
@settings(max_examples=6)
def test_minutes_equal_the_sums_of_random_events_and_follow_any_rating(
    seed: int, batches: list[int], price: Decimal
) -> None:
    with transaction.atomic():
        figures.price_models()
        for number, count in enumerate(batches):
            events = figures.random_events(seed + number, count, KEPT - timedelta(hours=6), NOW)
            usage.record(events, now=NOW, zone=ZONE)
        assert held() == wanted()
        usage.store(figures.random_events(seed + 9, 10, KEPT, NOW), now=NOW)
        for model in ("gpt-4o", "mystery-model"):
            Price.objects.create(
                kind="contract", provider="openai", source="tests", model=model,
                uncached_input_price=price, text_output_price=price,
            )  # fmt: skip
        operating.rerate(KEPT - timedelta(hours=9), NOW - timedelta(hours=3), ZONE)
        rollups.fold_waiting(NOW, ZONE)
        assert held() == wanted()
        transaction.set_rollback(True)


def test_a_day_rebuilt_and_everything_folded_anew_leave_minutes_as_they_are() -> None:
    usage.record(figures.random_events(3, 40, KEPT, NOW), now=NOW, zone=ZONE)
    operating.rebuild(KEPT, NOW, ZONE)
    assert held() == wanted()
    rebuilds.forget_all(NOW, ZONE)
    assert not held()
    rollups.fold_waiting(NOW, ZONE)
    assert held() == wanted()


def test_minutes_go_after_two_days_and_free_their_keys() -> None:
    usage.record([usage.event(NOW - timedelta(hours=1))], now=NOW)
    rollups.forget_minutes(NOW + timedelta(hours=40))
    assert held()
    rollups.forget_minutes(NOW + timedelta(hours=50))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM rollup_minute), (SELECT count(*) FROM minute_key)"
        )
        assert cursor.fetchone() == (0, 0)


def test_past_their_limit_new_keys_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "MINUTE_KEYS", 3)
    at = NOW - timedelta(minutes=5)
    usage.record([usage.event(at, feature=f"first-{n}") for n in range(3)], now=NOW)
    usage.record([usage.event(at, feature=f"then-{n}") for n in range(4)], now=NOW)
    usage.record([usage.event(at, feature="first-1", region="eu")], now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key_id = 0, sum(requests) FROM rollup_minute GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [(False, 4), (True, 4)]


def test_what_is_older_than_minutes_are_kept_is_in_none() -> None:
    usage.record([usage.event(KEPT - timedelta(minutes=1))], now=NOW)
    assert not held()
