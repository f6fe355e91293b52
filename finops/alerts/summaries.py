"""The weekly summary of spend, for channels and people who want one: what their reader may see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q

from finops import access, costs, formats
from finops.alerts.raising import raise_to
from finops.channels import personal, wording
from finops.costs import CostResult
from finops.models import Alert, Channel
from finops.periods import Period, days, local_day, start_of_day
from finops.query import CostQuery, Filter

log = logging.getLogger(__name__)

# On Mondays, when the last of Sunday's usage has come.
SENT_AT_HOUR = 7
LONGEST_WAIT = timedelta(hours=24)
# After one that took too long, doubled each time: the database has other things to do.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
DIMENSIONS = ("team", "feature", "model")
LARGEST = 5
METRICS = ("effective_cost", "requests", "unpriced_requests")


def last_week(now: datetime, zone: ZoneInfo) -> Period | None:
    """Monday to Sunday; None before its summary is due."""
    today = local_day(now, zone)
    monday = today - timedelta(days=today.weekday())
    if now < start_of_day(monday, zone) + timedelta(hours=SENT_AT_HOUR):
        return None
    return days(monday - timedelta(days=7), monday, zone)


def raise_summaries(
    now: datetime, zone: ZoneInfo, go_on: Callable[[], bool] = lambda: True
) -> list[Alert]:
    """Those of last week that are not there yet, until `go_on` says no; each once, from however
    many workers. Those that could not be made before come after the others."""
    week = last_week(now, zone)
    if week is None:
        return []
    wanted = (
        Channel.objects.filter(removed_at=None, disabled_at=None, summary_since__lte=week.end)
        .select_related("user")
        .order_by("summary_failures", "pk")
    )
    label = local_day(week.start, zone).isoformat()
    keys = {channel: f"summary-{channel.pk}-{label}" for channel in wanted}
    there = set(Alert.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    missing = {each: key for each, key in keys.items() if key not in there}
    if not missing or is_early(week, now, zone):
        return []
    made = []
    for each, key in missing.items():
        if not go_on():
            break
        if taken(each, now) and (alert := attempted(each, key, week, now, zone)):
            made.append(alert)
    return made


def is_early(week: Period, now: datetime, zone: ZoneInfo) -> bool:
    """Whether it is better to wait for the rest of the week's figures, for a day at most: then they
    are told as they are, with the moment up to which they go."""
    monday = start_of_day(local_day(week.end, zone), zone)
    upto = costs.look().freshness.rolled_up_to
    return upto is not None and upto < week.end and now < monday + LONGEST_WAIT


def attempted(
    channel: Channel, key: str, week: Period, now: datetime, zone: ZoneInfo
) -> Alert | None:
    """None where it took too long: the others do not wait for it, and it is tried again, later
    each time."""
    try:
        made = summarise(channel, key, week, now, zone)
    except costs.QueryTooSlow:
        pause = formats.span_of(pause_after(channel.summary_failures + 1))
        log.warning("the summary of channel %s takes too long; again in %s", channel.pk, pause)
        return None
    Channel.objects.filter(pk=channel.pk).update(summary_failures=0, summary_held_until=None)
    return made


def taken(channel: Channel, now: datetime) -> bool:
    """Whether it is this worker's to make. Until it is made it counts as failed, so that what ends
    a worker is not tried every minute either."""
    pause = timedelta(seconds=pause_after(channel.summary_failures + 1))
    free = Channel.objects.filter(
        Q(summary_held_until=None) | Q(summary_held_until__lte=now), pk=channel.pk
    )
    changed = free.update(
        summary_failures=F("summary_failures") + 1, summary_held_until=now + pause
    )
    return changed == 1


def pause_after(failures: int) -> float:
    """Seconds."""
    times: int = 2 ** min(failures - 1, 10)
    return min(FIRST_PAUSE * times, LONGEST_PAUSE).total_seconds()


def summarise(
    channel: Channel, key: str, week: Period, now: datetime, zone: ZoneInfo
) -> Alert | None:
    """None where its reader sees nothing any more."""
    try:
        query = query_of(channel, week, zone)
    except PermissionDenied:
        return None
    personal.follow_address(channel, now=now)
    facts = facts_of(query)
    total = formats.money_short(wording.decimal(facts["total"]), str(facts["currency"]))
    today = local_day(now, zone)
    first, last = local_day(week.start, zone), local_day(week.end, zone) - timedelta(days=1)
    spoken = formats.day_range(first, last, today).replace(formats.SPACE, " ")
    return raise_to(
        channel,
        key=key,
        kind=Alert.Kind.SUMMARY,
        severity=Alert.Severity.INFO,
        title=f"Spend of the week {spoken}: {total}",
        facts=facts,
        now=now,
    )


def query_of(channel: Channel, week: Period, zone: ZoneInfo) -> CostQuery:
    """What the channel's reader sees: a person as on the pages, a channel its teams."""
    query = CostQuery(
        period=week,
        granularity="total",
        group_by=(),
        filters=(),
        metrics=METRICS,
        limit=None,
        compare=True,
        zone=zone,
    )
    if channel.user:
        return access.narrow(query, channel.user)
    if not channel.teams:
        return query
    own = Filter("team", tuple(sorted(channel.teams)))
    return query.replace(filters=(own,), reader_teams=own.values)


def facts_of(query: CostQuery) -> dict[str, Any]:
    whole = costs.run(query)
    by_day = costs.run(query.replace(granularity="day", compare=False))
    rolled_up_to = whole.freshness.rolled_up_to
    first = local_day(query.period.start, query.zone).isoformat()
    end = local_day(query.period.end, query.zone).isoformat()
    return {
        "period_start": first,
        "period_end": end,
        "total": text(whole.totals["effective_cost"]),
        "previous": text(whole.previous.totals["effective_cost"]) if whole.previous else None,
        "requests": int(whole.totals["requests"] or 0),
        "unpriced_requests": int(whole.totals["unpriced_requests"] or 0),
        "currency": whole.currency,
        "as_of": rolled_up_to.isoformat() if rolled_up_to else None,
        "series": [
            {"day": local_day(row.start, query.zone).isoformat(), "actual": text(row.values[COST])}
            for row in by_day.rows
            if row.start
        ],
        "groups": [group(query, dimension) for dimension in DIMENSIONS],
        "url": f"/explore?start={first}&end={end}&group_by=team",
    }


COST = "effective_cost"


def group(query: CostQuery, dimension: str) -> dict[str, Any]:
    """The largest of one dimension, each beside the week before."""
    found = costs.run(query.replace(group_by=(dimension,), limit=LARGEST, metrics=(COST,)))
    before = by_name(found.previous)
    rows = [
        {"name": row.keys[0], "cost": text(row.values[COST]), "previous": before.get(row.keys, "0")}
        for row in found.rows
    ]
    return {"dimension": dimension, "rows": rows}


def by_name(result: CostResult | None) -> dict[Sequence[str], str | None]:
    return {row.keys: text(row.values[COST]) for row in result.rows} if result else {}


def text(value: object) -> str | None:
    """A decimal string; None where nothing of it has a price."""
    return f"{value:f}" if isinstance(value, Decimal) else None
