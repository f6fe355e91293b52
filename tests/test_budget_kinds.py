"""Every kind of budget and threshold, on real usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from budgeting import UNPRICED, UTC_ZONE, budget, cost, percent, price_dollars, spend, whole

from finops import budgets, ledger, rollups
from finops.budgets import Calendar, Report, Span
from finops.models import Alert, Crossing, PlannedEvent, Price
from finops.organisation import stored
from finops.periods import start_of_day
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def prices() -> None:
    price_dollars()


def evaluate(now: datetime, zone: ZoneInfo = UTC_ZONE) -> Report:
    rollups.fold_waiting(now, zone)
    return budgets.evaluate(now, zone)


def told() -> list[tuple[str, str]]:
    return [(each.kind, each.title) for each in Alert.objects.order_by("pk")]


def steady(dollars: int, days: int, **fields: Any) -> None:
    """So many dollars a day on the days before now, and half of it today."""
    events = [cost(NOW - back * DAY, dollars, **fields) for back in range(1, days + 1)]
    usage.record([*events, cost(NOW, dollars // 2, **fields)], now=NOW)


def test_a_forecast_is_told_before_the_money_is_spent() -> None:
    steady(10, 30)
    made = budget(NOW, amount=300, thresholds=[percent(100, "forecast", severity="critical")])
    evaluate(NOW)
    status = whole(made)
    assert (status.actual, status.forecast, status.forecast_method) == (145, 310, "weekdays")
    assert status.forecast_low == status.forecast_high == 310
    assert told() == [("budget_forecast", "all is forecast to come to $310.00, 103.3 % of $300.00")]
    assert Alert.objects.get().severity == "critical"


def test_what_is_planned_and_later_prices_are_in_a_budgets_forecast() -> None:
    steady(10, 30)
    made = budget(NOW, amount=400, thresholds=[percent(100, "forecast")])
    begins = NOW.replace(hour=0) + 5 * DAY
    PlannedEvent.objects.create(
        name="Launch", start=begins, end=begins + 2 * DAY, factor=3,
        created_by="ada", created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "2000000", "text_output_price_per_million": "0"}
    ledger.add({**terms, **prices, "effective_from": "2026-10-30"}, author="tests", zone=UTC_ZONE)
    memory = budgets.Memory()
    for _ in range(2):
        rollups.fold_waiting(NOW, UTC_ZONE)
        budgets.evaluate(NOW, UTC_ZONE, memory=memory, only={made.pk})
        status = whole(made)
        assert status.forecast == 310 + 2 * 20 + 2 * 10
    assert status.forecast_reason.endswith(
        "Takes in: Launch: × 3; Prices in the ledger: gpt-4o × 2 (100 % of the cost)."
    )
    PlannedEvent.objects.update(removed_at=NOW)
    budgets.evaluate(NOW, UTC_ZONE, memory=memory, only={made.pk})
    assert whole(made).forecast == 330


def test_a_burn_rate_is_told_by_what_the_last_hours_took() -> None:
    burn = percent(300, "burn_rate", window_hours=6)
    made = budget(NOW, amount=744, thresholds=[burn])  # a dollar an hour; 18 in six hours
    spend(NOW - timedelta(hours=8), 500, now=NOW)
    spend(NOW - timedelta(hours=2), 17, now=NOW)
    evaluate(NOW)
    assert told() == []
    assert whole(made).burn == {"6": "17"}
    spend(NOW, 1, now=NOW + MINUTE)
    evaluate(NOW + MINUTE)
    assert told() == [
        ("budget_burn_rate", "all: $18.00 within 6 hours, at least 3 times the even pace")
    ]


def test_the_burn_rate_of_users_is_by_whole_days() -> None:
    burn = {"basis": "burn_rate", "kind": "money", "value": 100, "window_hours": 24}
    budget(NOW, amount=1000, for_each="user", thresholds=[burn])
    # Half of today has passed, so half of yesterday is within the last 24 hours.
    usage.record([cost(NOW - DAY, 80, user="ann"), cost(NOW - DAY, 120, user="bob")], now=NOW)
    spend(NOW, 60, now=NOW, user="ann")
    evaluate(NOW)
    assert told() == [("budget_burn_rate", "all: ann: $100.00 within 24 hours")]


def test_a_rolling_budget_is_one_long_period() -> None:
    made = budget(NOW, period="rolling", rolling_days=3, thresholds=[percent(100)])
    spend(NOW - 2 * DAY, 60, now=NOW)
    spend(NOW, 50, now=NOW)
    evaluate(NOW)
    status = whole(made)
    assert (status.actual, status.period_start) == (110, date(2026, 10, 13))
    for minute in range(1, 8):
        evaluate(NOW + DAY + minute * MINUTE)
    assert whole(made).actual == 50
    spend(NOW + DAY, 70, now=NOW + DAY + 10 * MINUTE)
    evaluate(NOW + DAY + 10 * MINUTE)
    assert [title for _, title in told()] == [
        "all has spent $110.00, 110 % of $100.00",
        "all has spent $120.00, 120 % of $100.00",
    ]
    assert [each.generation for each in Crossing.objects.order_by("pk")] == [0, 1]


def test_the_last_period_more_or_less_is_the_amount_of_this_one() -> None:
    spend(datetime(2026, 9, 10, tzinfo=UTC), 200, now=NOW, user="ann")
    spend(datetime(2026, 9, 10, tzinfo=UTC), 10, now=NOW, user="bob")
    terms = {"amount_kind": "last_period", "amount": None, "change_percent": 10}
    made = budget(NOW, **terms)
    each = budget(NOW, name="each", for_each="user", thresholds=[percent(100)], **terms)
    spend(NOW, 12, now=NOW, user="bob")
    spend(NOW, 99, now=NOW, user="new")
    evaluate(NOW)
    assert whole(made).amount == 231
    amounts = {row.value: row.amount for row in each.statuses.exclude(value="")}
    assert amounts == {"bob": 11, "new": None}
    assert [title for _, title in told()] == ["each: bob has spent $12.00, 109 % of $11.00"]
    assert each.statuses.get(value="new").state == "no_amount"


def test_a_plan_is_by_month_and_a_quarter_is_the_sum_of_its_months(administrator: Any) -> None:
    act = stored.Act(administrator, NOW)
    stored.store("fiscal_first_month", 2, act, subject="", before={"a": 1}, after={"a": 2})
    plan = {"2026-08": "100", "2026-09": "200", "2026-10": "300"}
    month = budget(NOW, name="month", amount_kind="plan", amount=None, plan=plan)
    terms = {"period": "quarterly", "amount_kind": "plan", "plan": plan}
    quarter = budget(NOW, name="quarter", amount=None, **terms)
    later = budget(NOW, name="later", amount=5, period="yearly", amount_kind="plan", plan=plan)
    evaluate(NOW)
    assert whole(month).amount == 300
    assert (whole(quarter).amount, whole(quarter).period_start) == (600, date(2026, 8, 1))
    assert whole(later).amount == 600 + 9 * 5
    november = datetime(2026, 11, 2, tzinfo=UTC)
    evaluate(november)
    assert (whole(month).amount, whole(month).state) == (None, "no_amount")
    assert whole(quarter).period_start == date(2026, 11, 1)


def test_list_cost_counts_without_discounts() -> None:
    Price.objects.create(
        kind="contract", provider="*", model="*", discount_percent=50, source="tests"
    )
    spend(NOW, 80, now=NOW)
    effective = budget(NOW, name="effective")
    listed = budget(NOW, name="listed", cost="list_cost")
    evaluate(NOW)
    assert (whole(effective).actual, whole(listed).actual) == (40, 80)


def test_requests_without_a_price_are_never_quiet() -> None:
    ignoring = budget(NOW, name="ignoring")
    terms = {"unpriced": "estimate", "unpriced_rate": 2_000_000, "thresholds": [percent(100)]}
    estimating = budget(NOW, name="estimating", **terms)
    breaching = budget(NOW, name="breaching", unpriced="breach")
    each = budget(NOW, name="each", for_each="team", **terms)
    spend(NOW, 60, now=NOW, model=UNPRICED, team="cx")
    evaluate(NOW)
    assert told() == [
        ("budget_unpriced", "ignoring has 1 request without a price, in no figure of it"),
        ("budget_actual", "estimating has spent $120.00, 120 % of $100.00"),
        ("budget_unpriced", "breaching has 1 request without a price, which it counts as a breach"),
        ("budget_actual", "each: cx has spent $120.00, 120 % of $100.00"),
    ]
    assert (whole(ignoring).state, whole(breaching).state) == ("within", "over")
    assert (whole(estimating).actual, whole(estimating).estimated) == (120, 120)
    assert each.statuses.get(value="cx").estimated == 120
    assert whole(ignoring).unpriced_requests == 1
    evaluate(NOW + MINUTE)
    assert len(told()) == 4


def test_days_are_those_of_the_zone_and_may_have_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 10, 25, 23, 30, tzinfo=berlin)
    now = night.astimezone(UTC)
    made = budget(now, period="daily", thresholds=[percent(100)])
    # Half past midnight, and a day later by the clock: 25 hours, of one day.
    first = datetime(2026, 10, 25, 0, 30, tzinfo=berlin).astimezone(UTC)
    assert now - first == timedelta(hours=24)
    spend(first, 60, now=now, zone=berlin)
    spend(first - timedelta(hours=1), 500, now=now, zone=berlin)
    spend(now - MINUTE, 40, now=now, zone=berlin)
    evaluate(now, berlin)
    status = whole(made)
    assert (status.actual, status.period_start) == (100, date(2026, 10, 25))
    assert [title for _, title in told()] == ["all has spent $100.00, 100 % of $100.00"]


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Chatham", date(2026, 9, 27), 23),
        ("America/Havana", date(2026, 3, 8), 23),  # it has no midnight
        ("America/St_Johns", date(2026, 11, 1), 25),
        ("Asia/Kolkata", date(2026, 10, 4), 24),
    ],
)
def test_a_day_begins_and_ends_with_its_own_midnights(name: str, day: date, hours: float) -> None:
    zone = ZoneInfo(name)
    begins, ends = start_of_day(day, zone), start_of_day(day + DAY, zone)
    assert ends - begins == timedelta(hours=hours)
    made = budget(begins - DAY, period="daily", thresholds=[percent(100)])
    sums = [cost(begins - MINUTE, 70), cost(begins, 40), cost(ends - 2 * MINUTE, 60)]
    usage.record(sums, now=ends - MINUTE, zone=zone)
    evaluate(ends - MINUTE, zone)
    assert (whole(made).actual, whole(made).period_start) == (100, day)
    spend(ends, 5, now=ends + MINUTE, zone=zone)
    evaluate(ends + MINUTE, zone)
    assert whole(made).actual == 5
    assert [title for _, title in told()] == ["all has spent $100.00, 100 % of $100.00"]


@pytest.mark.parametrize(
    ("calendar", "day", "first", "end", "before"),
    [
        (Calendar("daily"), "2026-03-29", "2026-03-29", "2026-03-30", "2026-03-28"),
        (Calendar("weekly"), "2026-11-01", "2026-10-26", "2026-11-02", "2026-10-19"),
        (Calendar("monthly"), "2024-02-29", "2024-02-01", "2024-03-01", "2024-01-01"),
        (Calendar("monthly"), "2026-03-31", "2026-03-01", "2026-04-01", "2026-02-01"),
        (Calendar("quarterly"), "2026-10-01", "2026-10-01", "2027-01-01", "2026-07-01"),
        (Calendar("quarterly", None, 2), "2026-10-31", "2026-08-01", "2026-11-01", "2026-05-01"),
        (Calendar("quarterly", None, 12), "2026-02-28", "2025-12-01", "2026-03-01", "2025-09-01"),
        (Calendar("yearly", None, 4), "2026-03-31", "2025-04-01", "2026-04-01", "2024-04-01"),
        (Calendar("rolling", 7), "2026-03-02", "2026-02-24", "2026-03-03", "2026-02-17"),
    ],
)
def test_periods_are_those_of_the_calendar(
    calendar: Calendar, day: str, first: str, end: str, before: str
) -> None:
    span = calendar.at(date.fromisoformat(day))
    assert span == Span(date.fromisoformat(first), date.fromisoformat(end))
    assert calendar.before(span).first == date.fromisoformat(before)
    assert calendar.before(span).end == span.first
