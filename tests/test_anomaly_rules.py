"""Rules of anomalies: which one leads, what a departure costs, how bad it is, what a plan is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from finops.anomalies import planning, severities
from finops.anomalies.incidents import Member, leads
from finops.anomalies.measures import Metric, Step, impact, summed, together
from finops.anomalies.planning import Plan
from finops.anomalies.series import Key
from finops.anomalies.severities import Thresholds
from finops.models import Anomaly

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")


def member(number: int, money: int | None, expected: int, **filters: str) -> Member:
    return Member(
        number, Key.of(filters), Metric.COST, "minute", NOW, NOW + HOUR, 1, Decimal(expected),
        None if money is None else Decimal(money),
    )  # fmt: skip


def test_the_narrowest_that_explains_most_leads_all_others_of_an_incident() -> None:
    found = leads(
        [
            member(1, 100, 1000),
            member(2, 98, 300, feature="answers"),
            member(3, 97, 500, model="gpt-4o"),
            member(4, 96, 150, feature="answers", team="cx"),
            member(5, 90, 400, team="cx"),
            member(6, 40, 90, feature="answers", model="gpt-4o"),
        ]
    )
    assert found == {1: 4, 2: 4, 3: 4, 5: 4, 6: 4}


def test_two_incidents_at_once_are_two() -> None:
    found = leads(
        [
            member(1, 160, 1000),
            member(2, 100, 300, feature="answers"),
            member(3, 60, 300, feature="banners"),
        ]
    )
    assert found == {1: 2}


def test_what_begins_at_another_time_is_another_incident() -> None:
    later = Member(
        2, Key.of({"feature": "x"}), Metric.COST, "minute", NOW + HOUR, NOW + 2 * HOUR, 1,
        Decimal(1), Decimal(9),
    )  # fmt: skip
    assert leads([member(1, 10, 100), later]) == {}


def test_other_metrics_of_the_same_usage_belong_to_its_cost() -> None:
    requests = Member(
        2, Key.of({"feature": "answers"}), Metric.REQUESTS, "minute", NOW, NOW + HOUR, 1,
        Decimal(5), Decimal(500),
    )  # fmt: skip
    assert leads([member(1, 100, 10, feature="answers"), requests]) == {2: 1}


STEP = Step(
    requests=100, errors=10, tokens=50_000, input_tokens=40_000, cached_tokens=10_000,
    cost=Decimal(5),
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "actual", "expected", "money"),
    [
        (Metric.COST, "5", "2", "3"),
        (Metric.REQUESTS, "100", "40", "3"),
        (Metric.TOKENS, "500", "400", "1"),
        (Metric.UNIT_PRICE, "100", "50", "2.5"),
        (Metric.CACHE_SHARE, "0.25", "0.75", "1"),
        (Metric.ERROR_SHARE, "0.10", "0.02", "0.4"),
        (Metric.LATENCY, "900", "300", None),
    ],
)
def test_what_a_departure_costs(
    metric: Metric, actual: str, expected: str, money: str | None
) -> None:
    found = impact(metric, STEP, Decimal(actual), Decimal(expected))
    assert found == (None if money is None else Decimal(money))


def test_usage_without_a_price_has_no_known_impact() -> None:
    unpriced = Step(requests=9, unpriced_requests=9, tokens=900, unpriced_tokens=900)
    assert impact(Metric.REQUESTS, unpriced, Decimal(9), Decimal(1)) is None
    assert impact(Metric.TOKENS, unpriced, Decimal(9), Decimal(1)) is None
    assert together(Metric.COST, [unpriced], [1.0]) is None


def test_several_steps_are_sums_or_the_ratio_over_all_of_them() -> None:
    steps = [Step(requests=10, tokens=100), Step(requests=30, tokens=900)]
    assert together(Metric.REQUESTS, steps, [5.0, None]) == (Decimal(10), Decimal(5))
    assert together(Metric.TOKENS, steps, [10.0, 10.0]) == (Decimal(25), Decimal(10))
    assert summed(steps).tokens == 1000


def anomaly(impact_: str | None, surprise: float = 2.0, **more: Any) -> Anomaly:
    return Anomaly(
        started_at=NOW, ended_at=NOW + HOUR, direction=1, surprise=surprise, actual=Decimal(3),
        expected=Decimal(1), impact=None if impact_ is None else Decimal(impact_), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("held", "severity"),
    [
        (anomaly("0.3"), "info"),
        (anomaly("0.5"), "warning"),
        (anomaly("0.3", surprise=4), "warning"),
        (anomaly("30"), "critical"),
        (anomaly("30", closed_at=NOW), "warning"),
        (anomaly("-3000"), "warning"),
        (anomaly(None, surprise=2), "info"),
        (anomaly(None, surprise=4), "warning"),
    ],
)
def test_severity_is_money_at_stake_times_surprise(held: Anomaly, severity: str) -> None:
    assert severities.severity_of(held, Thresholds()) == severity


def test_a_plan_concerns_all_that_its_usage_is_a_part_of() -> None:
    plan = Plan(NOW, NOW + HOUR, {"feature": ["answers", "digest"]})
    assert plan.concerns(Key())
    assert plan.concerns(Key.of({"team": "cx"}))
    assert plan.concerns(Key.of({"feature": "digest"}))
    assert not plan.concerns(Key.of({"feature": "banners"}))
    assert plan.holds(Key.of({"feature": "answers", "model": "m"}))
    assert not plan.holds(Key())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x\0"}, "name"),
        ({"start": "tomorrow"}, "start"),
        ({"end": "2026-10-01"}, "end"),
        ({"end": "2099-10-01"}, "end"),
        ({"filters": {"colour": ["red"]}}, "filters"),
        ({"filters": {"team": []}}, "filters"),
        ({"filters": ["team"]}, "filters"),
        ({"factor": "much"}, "factor"),
        ({"factor": True}, "factor"),
        ({"factor": "Infinity"}, "factor"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(given: dict[str, Any], field: str) -> None:
    right = {"name": "launch", "start": "2026-10-02", "end": "2026-10-03"}
    with pytest.raises(ValidationError) as error:
        planning.read(right | given, UTC_ZONE)
    assert list(error.value.message_dict) == [field]


def test_series_are_named_by_what_they_keep() -> None:
    assert Key().name == ""
    assert Key().title == "all usage"
    key = Key.of({"model": "m", "feature": 'say "hé"'})
    assert key.name == '{"feature":"say \\"hé\\"","model":"m"}'
    assert key.title == 'feature say "hé", model m'
    assert Key().holds(key)
    assert not key.holds(Key())
