"""Usage that departs from what was expected is noticed, told once, and let go."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from finops import anomalies
from finops.access import Standing
from finops.anomalies import causes, feedback, planning, severities
from finops.models import Alert, Anomaly, AnomalyTurn, Role
from finops.organisation.stored import Act
from tests import departures, usage
from tests.departures import NOW, held, history, judge, jump

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
ALL = Standing(Role.FINANCE, None)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann-finance")


def leads() -> list[Anomaly]:
    return held(lead=None, like=None)


def test_a_jump_is_opened_within_ten_minutes_and_told_once_by_its_narrowest_series() -> None:
    history()
    memory = anomalies.Memory()
    assert judge(NOW, memory).opened == 0
    now = jump(8)
    assert now <= NOW + timedelta(minutes=10)
    report = judge(now, memory)
    assert report.opened
    assert report.alerts == 1
    [lead] = leads()
    assert lead.metric == "effective_cost"
    assert lead.filters == {"feature": "answers", "team": "cx"}
    assert lead.team == "cx"
    assert lead.closed_at is None
    assert abs(lead.started_at - NOW) <= 3 * MINUTE
    assert lead.actual > 2 * lead.expected
    assert lead.impact == lead.actual - lead.expected
    assert {each.series for each in lead.also_seen_in.all()} > {""}
    [alert] = Alert.objects.filter(kind="anomaly")
    assert alert.severity == lead.severity
    assert alert.team == "cx"
    assert alert.facts["url"] == f"/anomalies/{lead.pk}"
    assert alert.facts["series"]


def test_an_incident_names_the_user_who_made_it_and_is_set_against_what_was_expected(
    signed_in: Client,
) -> None:
    history()
    memory = anomalies.Memory()
    judge(NOW, memory)
    start, end = NOW, NOW + 8 * MINUTE
    usual = departures.even(start, end, feature="answers", team="cx", user="ann", seed=6)
    loop = {"feature": "answers", "team": "cx", "user": "u-17"}
    usage.record([*usual, *departures.even(start, end, times=lambda at: 4, **loop)], now=end)
    judge(end + 2 * MINUTE, memory)
    [lead] = held(lead=None, metric="effective_cost")
    found = causes.causes_of(lead)
    assert found
    assert {"user": "u-17"}.items() <= dict(found.parts[0].elements).items()
    parts = sum((each.difference for each in found.parts), found.unexplained)
    assert parts == found.difference == lead.impact
    [alert] = Alert.objects.filter(kind="anomaly")
    assert alert.facts["cause"].startswith("User u-17 made ")
    assert causes.told(lead) == alert.facts["cause"]
    explained = signed_in.get(f"/api/v1/explain?anomaly={lead.pk}&against=expected").json()
    assert Decimal(explained["before"]["effective_cost"]) == lead.expected
    assert Decimal(explained["difference"]) == lead.impact
    assert sum(Decimal(each or 0) for each in explained["parts"].values()) == lead.impact
    assert Decimal(explained["localized_difference"]) == lead.impact
    page = signed_in.get(f"/explain?anomaly={lead.pk}&against=expected", follow=True).text
    assert "is above the expected by" in page


def test_the_same_minutes_are_judged_once_and_another_worker_finds_nothing_new() -> None:
    history()
    now = jump(8)
    judge(now)
    assert judge(now) == anomalies.Report()
    AnomalyTurn.objects.all().delete()
    judge(now)  # what is open is judged by every metric
    before = [(each.pk, each.spans) for each in held()]
    AnomalyTurn.objects.all().delete()
    assert judge(now).opened == 0
    assert [(each.pk, each.spans) for each in held()] == before
    assert Alert.objects.filter(kind="anomaly").count() == 1


def test_what_is_over_is_closed_and_grows_no_more() -> None:
    history()
    memory = anomalies.Memory()
    judge(jump(8), memory)
    [lead] = leads()
    judge(jump(25, times=1, after=8), memory)
    lead.refresh_from_db()
    assert lead.closed_at
    assert lead.closing_told
    assert lead.ended_at <= NOW + timedelta(minutes=15)
    assert not held(closed_at=None)
    assert Alert.objects.filter(kind="anomaly").count() == 1


def test_nothing_is_judged_beyond_what_is_in_the_figures() -> None:
    history()
    usage.store(departures.even(NOW, NOW + 8 * MINUTE, times=lambda at: 9), now=NOW)
    with connection.cursor() as cursor:
        waiting = "UPDATE ingest_batch SET committed_at = %s WHERE folded_at IS NULL"
        cursor.execute(waiting, [NOW + 2 * MINUTE])
    judge(NOW + 60 * MINUTE)
    assert AnomalyTurn.objects.get(scale="minute").judged_to == NOW


def test_a_past_that_comes_in_later_is_judged_when_it_has_come() -> None:
    history()
    memory = anomalies.Memory()
    judge(NOW, memory)
    day, hour = timedelta(days=1), timedelta(hours=1)
    spike = NOW - 30 * hour
    weeks = departures.even(
        NOW - 14 * day,
        NOW - 5 * hour,
        hour / 3,
        times=lambda at: 20 if spike <= at < spike + 4 * hour else 1,
        feature="answers",
        team="cx",
    )
    usage.record(weeks, now=NOW)
    assert judge(NOW + MINUTE, memory) == anomalies.Report()  # more of it may come
    assert "hour" in judge(NOW + 2 * MINUTE, memory).scales
    assert any(abs(each.started_at - spike) <= hour for each in leads())
    assert judge(NOW + 2 * MINUTE, memory) == anomalies.Report()


def test_brand_new_usage_is_explained_and_nothing_is_opened() -> None:
    history(hours=2)
    assert judge(jump(5)).opened == 0
    turn = AnomalyTurn.objects.get(scale="minute")
    assert turn.series
    assert any("needed" in note for note in turn.notes)


def test_what_is_planned_is_no_anomaly(ann: User) -> None:
    history()
    draft = planning.Draft(
        "load test", NOW, NOW + timedelta(hours=1), {"feature": ["answers"]}, None
    )
    planning.add(draft, Act(ann, NOW))
    assert judge(jump(8)).opened == 0


def test_what_goes_beyond_the_factor_of_a_plan_is_one(ann: User) -> None:
    history()
    draft = planning.Draft(
        "launch", NOW, NOW + timedelta(hours=1), {"feature": ["answers"]}, Decimal(4)
    )
    planning.add(draft, Act(ann, NOW))
    assert judge(jump(8)).opened == 0
    judge(jump(8, times=20, after=8))
    lead = leads()[0]
    assert "answers" in lead.filters.values()
    # Of twenty times the usual, where four times was planned.
    assert 4 < lead.actual / lead.expected < 6
    assert lead.impact == lead.actual - lead.expected


def test_what_loses_its_price_has_not_become_cheaper() -> None:
    history()
    judge(jump(8, times=1, model="not-in-any-catalogue"))
    assert not held(metric="effective_cost")
    turn = AnomalyTurn.objects.get(scale="minute")
    assert any("no price" in note for note in turn.notes)


def test_of_what_is_like_a_false_alarm_nobody_is_told(ann: User) -> None:
    history()
    now = jump(6)
    judge(now)
    [lead] = leads()
    feedback.judge(lead, "false", Act(ann, now), ALL, reason="it is the nightly run")
    assert not held(closed_at=None)
    # As if that had been a month ago.
    month = timedelta(days=30)
    for each in held():
        spans = each.spans
        for part in spans["minute"]["parts"]:
            part |= {"from": "2026-09-15T12:00:00+00:00", "to": "2026-09-15T12:06:00+00:00"}
        earlier = {"started_at": each.started_at - month, "ended_at": each.ended_at - month}
        Anomaly.objects.filter(pk=each.pk).update(spans=spans, **earlier)
    AnomalyTurn.objects.all().delete()
    assert judge(now).opened
    assert held(like=lead, severity="info")
    assert Alert.objects.filter(kind="anomaly").count() == 1
    judge(jump(6, times=30, after=6))
    assert Alert.objects.filter(kind="anomaly").count() == 2


def test_what_is_called_planned_is_in_the_calendar_and_over(ann: User) -> None:
    history()
    memory = anomalies.Memory()
    now = jump(8)
    judge(now, memory)
    [lead] = leads()
    feedback.judge(lead, "planned", Act(ann, now), ALL, until=now + timedelta(hours=2))
    [plan] = planning.plans(NOW)
    assert plan.filters == {"feature": ["answers"], "team": ["cx"]}
    assert judge(jump(8, after=8), memory).opened == 0
    assert not held(closed_at=None)


def test_thresholds_filter_alerts_and_not_what_is_found(ann: User) -> None:
    high = severities.Thresholds(least_money=Decimal(10**6), critical_money=Decimal(10**6))
    severities.change(high, Act(ann, NOW))
    history()
    report = judge(jump(8))
    assert report.opened
    assert not report.alerts
    assert leads()[0].severity == "info"
    assert not Alert.objects.filter(kind="anomaly").exists()


def test_a_shift_of_a_day_is_found_by_the_day() -> None:
    start = NOW.replace(hour=0) - timedelta(days=40)
    figures_of_days = departures.even(
        start, NOW.replace(hour=0), timedelta(hours=8), feature="answers", team="cx",
        times=lambda at: 4 if at < NOW.replace(hour=0) - timedelta(days=2) else 8,
    )  # fmt: skip
    departures.figures.price_models()
    usage.record(figures_of_days, now=NOW)
    judge(NOW)
    found = [each for each in held(metric="effective_cost", lead=None) if "day" in each.spans]
    assert [each.closed_at for each in found] == [None]
    assert abs(found[0].started_at - (NOW.replace(hour=0) - timedelta(days=2))) < timedelta(hours=9)


def test_what_there_is_no_time_for_is_judged_by_the_next_turn() -> None:
    history()
    memory = anomalies.Memory()
    now = jump(8)
    zone = settings.REPORTING_ZONE
    anomalies.judge(now, zone, memory)  # counts the past
    anomalies.judge(now, zone, memory, has_time=lambda: False)
    turn = AnomalyTurn.objects.get(scale="minute")
    assert turn.series == 5
    assert turn.judged_to < NOW + 8 * MINUTE
    anomalies.judge(now, zone, memory)
    turn.refresh_from_db()
    assert turn.series > 5
    assert turn.judged_to == NOW + 8 * MINUTE
    assert held(lead=None)[0].filters == {"feature": "answers", "team": "cx"}
