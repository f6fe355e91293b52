"""Rules of anomalies: which one leads, what a departure costs, how bad it is, what a plan is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from finops.anomalies import arrivals, planning, severities, wording
from finops.anomalies.incidents import Member, Used, leads
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
        number, Key.of(filters), Metric.COST, {"minute": NOW}, NOW, NOW + HOUR, 1,
        Decimal(expected), None if money is None else Decimal(money),
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


def test_what_no_request_is_of_both_of_is_no_part() -> None:
    both = [
        member(1, 100, 10, feature="answers", team="search"),
        member(2, 90, 10, model="gpt-4o-mini"),
    ]
    assert leads(both) == {2: 1}
    label = {"team": "search", "feature": "answers", "model": "gpt-4o"}
    other = {"team": "billing", "feature": "digest", "model": "gpt-4o-mini"}
    assert leads(both, Used([label, other])) == {}
    assert leads(both, Used([label | {"model": "gpt-4o-mini"}])) == {2: 1}


def test_two_incidents_at_once_are_two() -> None:
    found = leads(
        [
            member(1, 160, 1000),
            member(2, 100, 300, feature="answers"),
            member(3, 60, 300, feature="banners"),
        ]
    )
    assert found == {1: 2}


def test_parts_of_one_feature_that_rise_together_are_one_incident_of_that_feature() -> None:
    found = leads(
        [
            member(1, 160, 1000),
            member(2, 158, 300, feature="answers"),
            member(3, 118, 200, feature="answers", model="sonnet"),
            member(4, 40, 100, feature="answers", model="haiku"),
        ]
    )
    assert found == {1: 2, 3: 2, 4: 2}


def test_a_model_that_takes_the_place_of_another_is_one_incident() -> None:
    gone = replace(member(3, -30, 60, feature="copy", model="haiku"), direction=-1)
    found = leads(
        [
            member(1, 100, 1000),
            member(2, 130, 10, feature="copy", model="sonnet"),
            gone,
            replace(gone, number=4, key=Key.of({"model": "haiku"})),
        ]
    )
    assert found == {1: 2, 3: 2, 4: 2}


def test_what_is_seen_late_of_a_part_of_an_incident_is_no_other_one() -> None:
    late = replace(
        member(2, 40, 10, feature="answers", model="opus"), begins={"minute": NOW + 2 * HOUR},
        started_at=NOW + 2 * HOUR, ended_at=NOW + 4 * HOUR,
    )  # fmt: skip
    whole = replace(member(1, 120, 100, feature="answers"), ended_at=NOW + 4 * HOUR)
    assert leads([whole, late]) == {2: 1}
    beyond = replace(late, money=Decimal(80))
    assert leads([whole, beyond]) == {}


def test_what_a_wider_series_sees_with_days_before_is_mostly_the_narrow_one() -> None:
    wide = replace(
        member(1, 400, 300), begins={"hour": NOW - 72 * HOUR}, started_at=NOW - 72 * HOUR
    )
    narrow = member(2, 370, 10, feature="agent", model="opus")
    assert leads([wide, narrow]) == {1: 2}
    assert leads([replace(wide, money=Decimal(800)), narrow]) == {}


def test_what_a_cost_is_made_of_may_have_begun_to_change_before() -> None:
    price = replace(
        member(2, 120, 10, model="opus"), metric=Metric.UNIT_PRICE, begins={"day": NOW - 72 * HOUR},
        started_at=NOW - 72 * HOUR,
    )  # fmt: skip
    assert leads([member(1, 100, 10, feature="agent", model="opus"), price]) == {2: 1}
    dear = replace(price, money=Decimal(400))
    assert leads([member(1, 100, 10, feature="agent", model="opus"), dear]) == {}


def test_what_begins_at_another_time_is_another_incident() -> None:
    later = Member(
        2, Key.of({"feature": "x"}), Metric.COST, {"minute": NOW + HOUR}, NOW + HOUR,
        NOW + 2 * HOUR, 1, Decimal(1), Decimal(9),
    )  # fmt: skip
    assert leads([member(1, 10, 100), later]) == {}


def test_other_metrics_of_the_same_usage_belong_to_its_cost() -> None:
    requests = Member(
        2, Key.of({"feature": "answers"}), Metric.REQUESTS, {"minute": NOW}, NOW, NOW + HOUR, 1,
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


def anomaly(impact_: str | None, surprise: float = 2.0, hours: int = 1, **more: Any) -> Anomaly:
    return Anomaly(
        started_at=NOW, ended_at=NOW + hours * HOUR, direction=1, surprise=surprise, scale="minute",
        actual=Decimal(3), expected=Decimal(1),
        impact=None if impact_ is None else Decimal(impact_), **more,
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
        (anomaly(None, surprise=4), "info"),
        (anomaly(None, surprise=4, hours=2), "warning"),
    ],
)
def test_severity_is_money_at_stake_times_surprise(held: Anomaly, severity: str) -> None:
    assert severities.severity_of(held, Thresholds()) == severity


@pytest.mark.parametrize(
    ("metric", "actual", "expected", "title"),
    [
        (Metric.COST, "15.53", "0.0005064", "$15.53 in 4 min, where next to nothing is usual"),
        (Metric.COST, "15.53", "4", "3.9 times what was expected"),
        (Metric.COST, "15.53", "0", "$15.53, where none was expected"),
        (Metric.REQUESTS, "820", "1", "820 in 4 min, where next to nothing is usual"),
        (Metric.LATENCY, "90000", "500", "1\N{NO-BREAK SPACE}min 30\N{NO-BREAK SPACE}s, where 500"),
    ],
)
def test_a_title_says_an_amount_where_how_many_times_says_nothing(
    metric: str, actual: str, expected: str, title: str
) -> None:
    held = Anomaly(
        metric=metric, filters={}, actual=Decimal(actual), expected=Decimal(expected),
        started_at=NOW, ended_at=NOW + timedelta(minutes=4),
    )  # fmt: skip
    assert title in wording.title(held)
    is_beyond = "times" not in wording.title(held) and Decimal(expected) > 0
    assert (wording.change(held) == "over 100 times") == is_beyond
    is_little = is_beyond and metric != Metric.LATENCY
    assert (wording.expected(held) == wording.NEXT_TO_NOTHING) == is_little


def test_a_past_that_takes_too_long_to_count_is_judged_as_it_is() -> None:
    counts = arrivals.Counts(UTC_ZONE, {NOW: None})
    past = arrivals.past(NOW, counts)
    assert (past.requests, past.has_grown(counts)) == (None, False)
    assert not past.has_grown(arrivals.Counts(UTC_ZONE, {NOW: 10}))
    assert past.has_grown(arrivals.Counts(UTC_ZONE, {NOW: 20}))


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
    odd = Key.of({"feature": "\x01" * 200, "team": "\x01" * 200})
    assert len(odd.name) == 64
    assert odd.name != Key.of({"feature": "\x01" * 200, "team": "\x02" * 200}).name
