"""Rating again changes the rollups by exactly what it changes the events, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from finops import ledger, rollups
from finops.models import Price
from tests import figures, operating, usage
from tests.rollup_sums import assert_equal_events, held, held_everywhere, settle

UTC_ZONE = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
MODELS = ("gpt-4o", "gpt-4o-mini", "mystery-model")

pytestmark = pytest.mark.django_db

unit_prices = st.none() | st.decimals(0, "0.001", places=12)
contracts = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "uncached_input_price": unit_prices,
        "text_output_price": unit_prices,
        "discount_percent": st.none() | st.decimals("0.1", 90, places=3),
    }
)


def add_price(model: str, **terms: Any) -> Price:
    line = {"kind": "contract", "provider": "openai", "model": model}
    return ledger.add(line | terms, author="ada", zone=UTC)


def rerate(start: datetime, end: datetime, zone: ZoneInfo = UTC_ZONE, **options: Any) -> Any:
    return operating.rerate(start, end, zone, **options)


@given(
    seed=st.integers(0, 2**32),
    zone=st.sampled_from([UTC_ZONE, KOLKATA, NEW_YORK]),
    terms=st.lists(contracts, min_size=1, max_size=3),
    minutes=st.lists(st.integers(0, 3200), min_size=2, max_size=2, unique=True).map(sorted),
    only_unpriced=st.booleans(),
    is_priced=st.booleans(),
)
@settings(max_examples=30)
def test_rollups_follow_any_ratings_of_any_span_to_the_last_digit(
    seed: int,
    zone: ZoneInfo,
    terms: list[dict[str, Any]],
    minutes: list[int],
    only_unpriced: bool,
    is_priced: bool,
) -> None:
    with transaction.atomic():
        if is_priced:
            figures.price_models()
        end = START + timedelta(days=2, hours=5)
        usage.record(figures.random_events(seed, 30, START, end), now=NOW, zone=zone)
        settle()
        usage.store(figures.random_events(seed + 1, 10, START, end), now=NOW)
        for each in terms:
            Price.objects.create(kind="contract", provider="openai", source="tests", **each)
        first, last = (START + timedelta(minutes=after) for after in minutes)
        rerate(first, last, zone, only_unpriced=only_unpriced)
        assert_equal_events(zone)
        # What was not folded yet is folded with its new costs.
        rollups.fold_waiting(NOW, zone)
        assert_equal_events(zone)
        transaction.set_rollback(True)


def test_only_the_hours_and_attributions_that_changed_are_written() -> None:
    figures.price_models()
    usage.record(figures.random_events(1, 200, START, START + timedelta(days=1)), now=NOW)
    settle()
    before, versions = held_everywhere(), written()
    add_price("gpt-4o", uncached_input_price="0.000009")
    hour = START + timedelta(hours=7)

    done = rerate(hour, hour + timedelta(hours=1))

    after = held_everywhere()
    of_model = {event["attribution_id"] for event in figures.stored() if event["model"] == "gpt-4o"}
    changed = {
        key for key, row in after["rollup_hour"].items() if before["rollup_hour"][key] != row
    }
    assert changed
    assert {key[0] for key in changed} == {hour}
    assert {key[1] for key in changed} <= of_model
    assert written() - versions <= 3 * done.total.changed
    assert after["rollup_user_total"] == before["rollup_user_total"]
    assert_equal_events(UTC_ZONE)


def written() -> int:
    """How many versions of rows of the rollups there have been."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sum(pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_inserted(oid)
                + pg_stat_get_xact_tuples_deleted(oid))
            FROM pg_class WHERE relname IN ('rollup_hour', 'rollup_day', 'rollup_user_day')
            """
        )
        [(count,)] = cursor.fetchall()
    return int(count)


def test_tokens_and_latencies_stay_as_they_are() -> None:
    usage.record(figures.random_events(2, 80, START, NOW), now=NOW)
    before = unpriceable()
    add_price("*", uncached_input_price="0.000009", text_output_price="0.00002")
    assert rerate(START, NOW).total.changed > 0
    assert unpriceable() == before


def unpriceable() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT requests, errors, input_tokens, output_tokens, latency_count, latency_sum_ms,
                latency_histogram, ttft_histogram
            FROM rollup_hour ORDER BY hour, attribution_id
            """
        )
        return [(*row[:6], bytes(row[6]), bytes(row[7])) for row in cursor.fetchall()]


def test_another_line_with_the_same_price_writes_no_rollup() -> None:
    first = add_price("gpt-4o", uncached_input_price="0.000001", text_output_price="0.000002")
    usage.record([usage.event(START, model="gpt-4o")], now=NOW)
    settle()
    ledger.supersede(first.pk, NOW)
    add_price("gpt-4o", uncached_input_price="0.000001", text_output_price="0.000002")
    versions = written()
    assert rerate(START, NOW).total.changed == 1
    assert written() == versions
    assert rollups.settle(NOW + timedelta(days=1)) == []


def test_users_are_totalled_again_at_once() -> None:
    usage.record([usage.event(START, user="ann", model="mystery-model")], now=NOW)
    settle()
    add_price("mystery-model", uncached_input_price="0.001", text_output_price="0")
    rerate(START, NOW)
    assert rollups.settle(NOW - timedelta(days=1)) == [START.date()]
    assert {row[-1] for row in held("rollup_user_total").values()} == {Decimal(1)}


def test_a_day_that_is_being_folded_settles_when_that_is_quiet() -> None:
    usage.record([usage.event(START, user="ann", model="mystery-model")], now=NOW)
    add_price("mystery-model", uncached_input_price="0.001", text_output_price="0")
    rerate(START, NOW)
    assert rollups.settle(NOW + timedelta(seconds=5)) == []
    assert rollups.settle(NOW + timedelta(seconds=30)) == [START.date()]
