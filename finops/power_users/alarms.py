"""Tells people of users who have run away, call as bots do, or are new and cost much: through the
channels, once.

A runaway loop is told once for a user and day, a bot once as long as it goes on, who is new once.
All from the same cost on as anomalies, of a day or since the first one, as what costs less is on
the page for whoever looks.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings

from finops import alerts, costs, formats
from finops.anomalies import severities
from finops.costs import UserDay
from finops.models import Alert
from finops.periods import days, local_day
from finops.power_users.labels import LOOP, Label
from finops.power_users.newcomers import Newcomer, newcomers
from finops.power_users.profiles import Suspect, noticed_in_requests
from finops.power_users.ranking import lately_leading
from finops.query import CostQuery, written

# What was noticed later than that is no news.
RECENT_DAYS = 2
# A bot that goes on is told again after so long.
QUIET = timedelta(days=28)
TITLES = {LOOP: "{} may have run away", "": "{} calls like a bot"}
DAY = timedelta(days=1)


def watch(now: datetime, zone: ZoneInfo) -> int:
    """How many alerts are raised now. Raises rollups.ZoneChanged or costs.QueryTooSlow."""
    thresholds = severities.in_force()
    if not thresholds.watches_users:
        return 0
    today = local_day(now, zone)
    query = CostQuery(
        period=days(today - DAY * (RECENT_DAYS - 1), today + DAY, zone),
        granularity="total",
        group_by=(),
        filters=(),
        metrics=("effective_cost",),
        limit=None,
        compare=False,
        zone=zone,
    )
    with costs.snapshot():
        numbers = lately_leading(query, now)
        noticed, _ = noticed_in_requests(query, numbers, now)
        fresh = newcomers(query, numbers, now, thresholds.new_user_percent)
        named = [*(suspect.number for suspect, _, _ in noticed), *(each.number for each in fresh)]
        names = costs.user_names(named)
    told = sum(
        tell_of_new(names[each.number], each, today, now)
        for each in fresh
        if each.cost >= thresholds.least_money
    )
    return told + sum(
        tell(names[suspect.number], suspect, label, held, now)
        for suspect, label, held in noticed
        if suspect.day > today - DAY * RECENT_DAYS and is_worth(held, thresholds.least_money)
    )


def is_worth(held: UserDay, least: Decimal) -> bool:
    """What has no price may cost anything."""
    return held.cost >= least or held.unpriced_requests > 0


def tell(name: str, suspect: Suspect, label: Label, held: UserDay, now: datetime) -> bool:
    thread = f"user-{label.kind}-{suspect.number}"
    is_loop = label.kind == LOOP
    told = Alert.objects.filter(thread=thread, raised_at__gt=now - QUIET)
    if not is_loop and told.exists():
        return False
    made = alerts.raise_alert(
        key=f"{thread}-{suspect.day}",
        kind=Alert.Kind.USER,
        severity=Alert.Severity.WARNING if is_loop else Alert.Severity.INFO,
        title=TITLES.get(label.kind, TITLES[""]).format(f"User {name}"),
        facts={
            "user": name,
            "day": suspect.day.isoformat(),
            "why": label.evidence,
            "cost_of_the_day": cost_of(held),
            "requests": held.requests,
            "unpriced_requests": held.unpriced_requests,
            "currency": settings.CURRENCY,
            "url": profile_of(name),
        },
        thread=thread,
        now=now,
    )
    return made is not None


def tell_of_new(name: str, held: Newcomer, today: date, now: datetime) -> bool:
    """Once: the first day stays the first as long as somebody is new."""
    since = formats.day(held.since, today)
    made = alerts.raise_alert(
        key=f"user-new-{held.number}-{held.since}",
        kind=Alert.Kind.USER,
        severity=Alert.Severity.WARNING,
        title=f"New user {name} makes {formats.share_short(held.cost, held.whole)} of the cost "
        f"since {since}",
        facts={
            "user": name,
            "since": held.since.isoformat(),
            "why": held.evidence(today),
            "cost": formats.money_long(held.cost, settings.CURRENCY),
            "cost_of_all": formats.money_long(held.whole, settings.CURRENCY),
            "requests": held.requests,
            "unpriced_requests": held.unpriced_requests,
            "currency": settings.CURRENCY,
            "url": profile_of(name),
        },
        thread=f"user-new-{held.number}",
        now=now,
    )
    return made is not None


def profile_of(name: str) -> str:
    address = urlencode({"period": "30d", "user": written(name, exclude=False)})
    return f"/users/profile?{address}"


def cost_of(held: UserDay) -> str:
    if held.requests == held.unpriced_requests:
        return "not known"
    return formats.money_long(held.cost, settings.CURRENCY)
