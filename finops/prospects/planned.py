"""What planned events will make of a forecast.

The rule: in its time an event multiplies what it is about by its factor. Of a forecast of more than
that, it is the part that these usages had of the cost of the last 28 days; of a day of which it
takes a part, that part. An event without a factor says nothing of how much, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from finops import costs
from finops.anomalies.planning import is_shown
from finops.forecasts import LONG_DAYS, Change
from finops.forecasts.ahead import ONE, ZERO
from finops.forecasts.changes import PLANNED
from finops.models import PlannedEvent
from finops.periods import days, local_day, start_of_day
from finops.query import CostQuery, Filter

USED_DAYS = 28
DAY = timedelta(days=1)


def changes(query: CostQuery, now: datetime, end: datetime) -> list[Change]:
    """Of everything that the query's filters keep."""
    return [change for event in coming(now, end) for change in changes_of(event, query, now, end)]


def changes_by_value(
    query: CostQuery, names: Collection[str], now: datetime, end: datetime
) -> dict[str, list[Change]]:
    """Of each of these values of the dimension that the query groups by."""
    if not coming(now, end):
        return {}
    return {name: changes(of_value(query, name), now, end) for name in names}


def of_value(query: CostQuery, name: str | None) -> CostQuery:
    """Only this value of what the query groups by; None is all others, of which nothing is said."""
    if name is None:
        return query
    return beside(query, Filter(query.group_by[0], (name,)))


def excused(query: CostQuery, now: datetime) -> frozenset[date]:
    """The days of which an event had, or has, all that the query keeps: they are not what others
    will be like."""
    kept = {each.dimension: set(each.values) for each in query.filters if not each.exclude}
    found: set[date] = set()
    since = now - timedelta(days=LONG_DAYS)
    for event in PlannedEvent.objects.filter(removed_at=None, start__lt=now, end__gt=since):
        if all(kept.get(name, {None}) <= set(values) for name, values in event.filters.items()):
            day, end = local_day(event.start, query.zone), min(event.end, now)
            while start_of_day(day, query.zone) < end:
                found.add(day)
                day += DAY
    return frozenset(found)


def known(now: datetime, end: datetime) -> list[PlannedEvent]:
    """All that forecasts up to `end` take in, of the past those of which nothing is learned."""
    since = now - timedelta(days=LONG_DAYS)
    events = PlannedEvent.objects.filter(removed_at=None, start__lt=end, end__gt=since)
    return list(events.order_by("pk"))


def coming(now: datetime, end: datetime) -> list[PlannedEvent]:
    events = PlannedEvent.objects.filter(removed_at=None, start__lt=end, end__gt=now)
    return list(events.exclude(factor=None).order_by("start", "pk"))


def beside(query: CostQuery, *filters: Filter) -> CostQuery:
    """Beside the filters that there are, so that they can only narrow them."""
    return query.replace(filters=(*query.filters, *filters))


def changes_of(
    event: PlannedEvent, query: CostQuery, now: datetime, end: datetime
) -> Iterator[Change]:
    part = share(event, query, now)
    factor = Decimal(event.factor or ONE)
    if not part or factor == ONE:
        return
    whole = f", of {100 * part:.0f} % of the cost" if part < ONE else ""
    text = f"{name_for(event, query)}: × {factor.normalize():f}{whole}"
    for first, until, covered in runs(max(event.start, now), min(event.end, end), query):
        change = ONE + (factor - ONE) * part * covered
        yield Change(PLANNED, text, first, until, max(change, ZERO))


def name_for(event: PlannedEvent, query: CostQuery) -> str:
    """Its name, to whom may know it."""
    return str(event.name) if is_shown(event, query.reader_teams) else "A planned event"


def filters_of(event: PlannedEvent) -> list[Filter]:
    return [Filter(name, tuple(sorted(values))) for name, values in event.filters.items()]


def share(event: PlannedEvent, query: CostQuery, now: datetime) -> Decimal:
    """Which part of the costs that the query keeps is what the event is about."""
    if not event.filters:
        return ONE
    tomorrow = local_day(now, query.zone) + DAY
    asked = query.replace(
        period=days(tomorrow - timedelta(days=USED_DAYS), tomorrow, query.zone),
        granularity="total",
        group_by=(),
        metrics=query.metrics[:1],
        limit=None,
        compare=False,
    )
    whole, part = (
        Decimal(costs.run(each).totals[query.metrics[0]] or 0)
        for each in (asked, beside(asked, *filters_of(event)))
    )
    return part / whole if whole else ZERO


def runs(start: datetime, end: datetime, query: CostQuery) -> Iterator[tuple[date, date, Decimal]]:
    """Days of which the same part is covered, as one run: first, the day after the last, part."""
    begun: tuple[date, date, Decimal] | None = None
    day = local_day(start, query.zone)
    while (begins := start_of_day(day, query.zone)) < end:
        ends = start_of_day(day + DAY, query.zone)
        inside = min(end, ends) - (start if begins <= start < ends else begins)
        part = Decimal(inside // timedelta(seconds=1)) / ((ends - begins) // timedelta(seconds=1))
        if begun and begun[2] == part:
            begun = (begun[0], day + DAY, part)
        else:
            if begun:
                yield begun
            begun = (day, day + DAY, part)
        day += DAY
    if begun:
        yield begun
