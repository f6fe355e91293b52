"""Who is unusual, and why: each label on who deserves it, and on nobody else."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.contrib.auth.models import User

from finops import power_users
from finops.anomalies import severities
from finops.anomalies.severities import Thresholds
from finops.costs import UserDay
from finops.models import Alert
from finops.organisation.stored import Act
from finops.power_users import labels
from finops.power_users.labels import Past
from finops.power_users.profiles import Suspect, batches
from finops.power_users.rhythm import bot_like, runaway_loop
from finops.query import CostQuery
from finops.requests import MOST_REQUESTS, Pulse
from tests import usage
from tests.page_texts import price_gpt_4o
from tests.test_power_users import hundredths

LAST = date(2026, 10, 14)
TODAY = date(2026, 10, 15)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LOOP = {"user": "looper", "prompt_hash": "abc"}


def past(costs: list[float], requests: int = 10) -> Past:
    days = [
        UserDay(LAST - timedelta(days=n), Decimal(str(cost)), requests, 0, 0, 0, 0)
        for n, cost in enumerate(reversed(costs))
        if cost
    ]
    return Past.of(days, LAST)


def pulse(seconds: Any, tokens: Any = None, prompts: Any = None) -> Pulse:
    moments = np.sort(np.asarray(seconds, dtype=np.float64))
    nothing = np.zeros(len(moments), dtype=np.int64)
    inputs = nothing if tokens is None else np.asarray(tokens, dtype=np.int64)
    hashes = nothing if prompts is None else np.asarray(prompts, dtype=np.int64)
    return Pulse(moments, inputs, nothing, hashes, nothing)


def test_who_costs_many_times_the_median_and_a_large_share_is_heavy() -> None:
    peers = power_users.concentration(hundredths([Decimal(400), *[Decimal(2)] * 99]))
    found = labels.heavy(1, Decimal(400), peers, "USD")
    assert found
    assert found.evidence == (
        "66.9\N{NO-BREAK SPACE}% of what all users cost, number 1 of 100; "
        "200 times the median user's $2.00"
    )
    assert labels.heavy(2, Decimal(2), peers, "USD") is None


@pytest.mark.parametrize("users", [1, 4, 40])
def test_nobody_is_heavy_among_equals_or_without_peers(users: int) -> None:
    peers = power_users.concentration(hundredths([Decimal(50)] * users))
    assert labels.heavy(1, Decimal(50), peers, "USD") is None


def test_a_week_far_above_the_usual_one_is_growth() -> None:
    found = labels.growing(past([1] * 28 + [3] * 7), "USD")
    assert found
    assert found.evidence == (
        "$21.00 in the last 7 days, 3.0 times the usual $7.00 of the 4 weeks before; its days cost "
        "more than 100\N{NO-BREAK SPACE}% of the same weekdays then"
    )


@pytest.mark.parametrize(
    "costs",
    [
        [1] * 35,
        [1] * 34 + [20],
        [1, 1, 1, 1, 1, 1, 1] * 4 + [0, 0, 4, 0, 4, 4, 0],
        [3] * 7 + [1] * 21 + [3] * 7,
        [5] * 9,
        [0] * 28 + [1] * 7,
        [],
    ],
    ids=["even", "one day", "some days", "as before", "young", "new", "none"],
)
def test_what_is_no_growth_is_not_called_so(costs: list[float]) -> None:
    assert labels.growing(past(costs), "USD") is None


def test_few_days_with_most_of_the_cost_are_bursts() -> None:
    found = labels.bursty(past(([1] * 9 + [60]) * 3), "USD")
    assert found
    assert "3 days, up to $60.00 a day; an active day usually costs $1.00" in found.evidence
    assert labels.bursty(past([1] * 35), "USD") is None
    assert labels.bursty(past([60] * 3), "USD") is None
    rare = past(([60] + [0] * 6) * 5)
    assert labels.bursty(rare, "USD") is None
    uneven = past([1] * 20 + [8, 10, 14, 20, 30, 40, 60, 80] + [2] * 7)
    assert labels.bursty(uneven, "USD") is None


def test_a_program_that_calls_regularly_round_the_clock_is_bot_like() -> None:
    dice = random.Random(3)
    every_five_minutes = [300 * n + dice.uniform(-20, 20) + 60 for n in range(280)]
    found = bot_like(pulse(every_five_minutes, [1200] * 280))
    assert found
    assert found.evidence.startswith("280 requests in a day: requests in 24 hours of the day, one")
    assert "100\N{NO-BREAK SPACE}% with the same number of input tokens" in found.evidence


def test_people_and_busy_services_are_not_bot_like() -> None:
    dice = random.Random(5)
    by_day = [dice.uniform(8 * 3600, 18 * 3600) for _ in range(200)]
    assert bot_like(pulse(by_day, [dice.randrange(4000) for _ in by_day])) is None
    service = [dice.uniform(0, 86400) for _ in range(5000)]
    assert bot_like(pulse(service, [dice.randrange(4000) for _ in service])) is None
    assert bot_like(pulse([60.0 * n for n in range(40)])) is None


def test_the_same_prompt_many_times_on_a_sudden_day_is_a_runaway_loop() -> None:
    loop = [36_000 + 8.7 * n for n in range(3700)]
    found = runaway_loop(pulse(loop, [7] * 3700, [99] * 3700), LAST, 3.0, TODAY)
    assert found
    assert found.evidence == (
        "up to 414 requests an hour for 9 hours on 14\N{NO-BREAK SPACE}Oct, 100\N{NO-BREAK SPACE}% "
        "with the same prompt; usual: 3 requests a day"
    )
    assert runaway_loop(pulse(loop, [7] * 3700), LAST, 3000.0, TODAY) is None
    varied = pulse(loop, list(range(3700)), list(range(1, 3701)))
    assert runaway_loop(varied, LAST, 3.0, TODAY) is None
    slow = pulse([900.0 * n for n in range(90)], [7] * 90)
    assert runaway_loop(slow, LAST, 3.0, TODAY) is None


def test_requests_are_read_in_bounded_portions_the_most_sudden_first() -> None:
    many = [Suspect(n, LAST, MOST_REQUESTS // 3, n) for n in range(1, 6)]
    huge = Suspect(9, LAST, MOST_REQUESTS * 4, 1.0)
    found = batches([*many, huge])
    assert [[each.number for each in batch] for batch in found] == [[9], [1, 2, 3], [4, 5]]


@pytest.fixture
def stored(db: None) -> None:
    """People, a loop of today and a bot."""
    price_gpt_4o()
    midnight = NOW.replace(hour=0)
    dice = random.Random(11)
    events = [
        usage.event(
            midnight - timedelta(days=dice.uniform(0, 30)),
            user=f"person-{n % 20}",
            input_tokens=dice.randrange(5000),
        )
        for n in range(400)
    ]
    events += [usage.event(NOW - timedelta(seconds=20 * n + 60), **LOOP) for n in range(300)]
    events += [
        usage.event(midnight - timedelta(minutes=10 * n + 3), user="cron", feature="sync")
        for n in range(144)
    ]
    usage.record(events, now=NOW)


@pytest.mark.usefixtures("stored")
def test_a_loop_and_a_bot_are_found_among_stored_events() -> None:
    query = CostQuery.from_params({"period": ["30d"]}, now=NOW, zone=ZoneInfo("UTC"))
    found = power_users.listing(query, NOW, "USD")
    told = {each.user.name: each.profile for each in found.noticed if each.profile}
    kinds = {name: {label.kind for label in each.labels} for name, each in told.items()}
    assert "runaway_loop" in kinds.pop("looper")
    assert "bot_like" in kinds.pop("cron")
    assert not {kind for held in kinds.values() for kind in held} & {"runaway_loop", "bot_like"}
    assert found.noticed[0].user.name == "looper"
    picture = power_users.picture(query.with_filter("user", "cron"), NOW, "USD")
    assert [each.kind for each in picture.profile.labels if each.kind == "bot_like"]
    assert [part.name for part in picture.parts["feature"]] == ["sync"]


@pytest.mark.usefixtures("stored")
def test_a_loop_is_told_once_a_day_and_a_bot_once() -> None:
    zone, ann = ZoneInfo("UTC"), User.objects.create(username="ann")
    assert power_users.watch(NOW, zone) == 0  # they cost less than people want to hear of
    severities.change(Thresholds(least_money=Decimal(0)), Act(ann, NOW))
    power_users.watch(NOW, zone)
    assert power_users.watch(NOW + timedelta(minutes=5), zone) == 0
    told = Alert.objects.filter(kind=Alert.Kind.USER).exclude(title__startswith="New user")
    found = {each.facts["user"]: each for each in told}
    assert len(found) == told.count() == 2
    assert found["looper"].title == "User looper may have run away"
    assert "requests an hour" in found["looper"].facts["why"]
    assert found["looper"].facts["url"] == "/users/profile?period=30d&user=looper"
    assert (found["looper"].severity, found["cron"].severity) == ("warning", "info")
    again = [
        usage.event(NOW + timedelta(hours=13, seconds=20 * n), **LOOP | {"user": "other"})
        for n in range(300)
    ]
    again += [
        usage.event(NOW + timedelta(minutes=10 * n), user="cron", feature="sync")
        for n in range(1, 90)
    ]
    later = NOW + timedelta(hours=15)
    usage.record(again, now=later)
    power_users.watch(later, zone)
    assert told.all().count() == 3
    severities.change(Thresholds(least_money=Decimal(0), watches_users=False), Act(ann, NOW))
    Alert.objects.all().delete()
    assert power_users.watch(later, zone) == 0


@pytest.mark.usefixtures("stored")
def test_a_new_user_who_makes_much_of_the_cost_is_told_once() -> None:
    zone, ann = ZoneInfo("UTC"), User.objects.create(username="ann")
    arrival = NOW - timedelta(days=2)
    fresh = [
        usage.event(arrival + timedelta(hours=n), user="fresh", input_tokens=90_000)
        for n in range(40)
    ]
    usage.record(fresh, now=NOW)
    terms = Thresholds(least_money=Decimal(2), new_user_percent=Decimal(50))
    severities.change(terms, Act(ann, NOW))
    assert power_users.watch(NOW, zone) == 1
    assert power_users.watch(NOW + timedelta(hours=6), zone) == 0
    [alert] = Alert.objects.filter(kind=Alert.Kind.USER)
    title = alert.title.replace("\xa0", " ")
    assert title == "New user fresh makes 80.7 % of the cost since 13 Oct"
    assert alert.facts["since"] == "2026-10-13"
    why = alert.facts["why"].replace("\xa0", " ")
    assert re.fullmatch(
        r"\$9\.\d\d of \$11\.\d\d since 13 Oct, 80\.7 %; not seen in the 2\d days before", why
    )
    Alert.objects.all().delete()
    severities.change(Thresholds(least_money=Decimal(10)), Act(ann, NOW))
    assert power_users.watch(NOW, zone) == 0


def test_where_usage_is_recorded_since_lately_nobody_is_new(db: None) -> None:
    price_gpt_4o()
    fresh = {"user": "fresh", "input_tokens": 90_000}
    usage.record([usage.event(NOW - timedelta(hours=n), **fresh) for n in range(1, 60)], now=NOW)
    ann = User.objects.create(username="ann")
    severities.change(Thresholds(least_money=Decimal(0)), Act(ann, NOW))
    power_users.watch(NOW, ZoneInfo("UTC"))
    assert not Alert.objects.filter(title__startswith="New user").exists()
