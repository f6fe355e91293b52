"""What closed months come to now, beside what they were closed with.

Reading a closed month anew takes as long as reading an open one, and there are more of them every
month. So what it came to is kept with a mark of all that it follows from: whoever changed one of
its days last, who pays for what, the commitments and fleets, zone and currency. While the mark is
the same the month is; with another one it is read again. The worker keeps up with that, and who
asks before it did reads for themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from finops import cost_items, locks
from finops.allocation import LineKey
from finops.books import frozen, waiting
from finops.books.adjusting import Change, Direct, Frozen, Today, change_of, charged_by
from finops.cost_items import CapacityUse, Placed
from finops.cost_items.charging import Span, span_of
from finops.cost_items.converting import at_rate
from finops.cost_items.table import plain
from finops.locks import Lock
from finops.models import ClosedMonthChange
from finops.periods import add_months

# Another one where the same events, owners and items come to something else in a new release.
REVISION = 2


def of(closed: Sequence[Frozen], now: datetime) -> dict[date, Change]:
    """By month; in the caller's snapshot. Raises as cost_items.of_month."""
    if not closed:
        return {}
    marks = marks_of(closed)
    kept = ClosedMonthChange.objects.filter(month__in=marks, mark__in=marks.values())
    known = {each.month: read(each) for each in kept if each.mark == marks[each.month]}
    return {each.month: known.get(each.month) or look(each, now) for each in closed}


def keep_up(now: datetime) -> int:
    """Read again what has changed, and keep it; how many months that were. What is called again and
    again; nothing where somebody else is at it. Raises as cost_items.of_month."""
    with locks.alone(Lock.CLOSED_MONTHS) as is_alone:
        closed = frozen.newest() if is_alone else []
        kept = dict(ClosedMonthChange.objects.values_list("month", "mark")) if closed else {}
        marks = marks_of(closed) if closed else {}
        stale = [each for each in closed if kept.get(each.month) != marks[each.month]]
        for each in stale:
            keep(each, now)
    return len(stale)


def keep(month: Frozen, now: datetime) -> None:
    """Mark and figures are of one moment."""
    with waiting.one_moment():
        mark, change = marks_of([month])[month.month], look(month, now)
        ClosedMonthChange.objects.update_or_create(
            month=month.month, defaults={"mark": mark, **written(change)}
        )


def look(month: Frozen, now: datetime) -> Change:
    lines = frozen.direct_of(month.month, month.version)
    statement = frozen.statement_of(month.month, month.version)
    found = today(month.month, now, frozen.uses_of(statement))
    return change_of(lines, frozen.capacity_of(statement), found)


def today(month: date, now: datetime, uses: Sequence[CapacityUse]) -> Today:
    """What its usage comes to now, and who bears what of its capacity, which is used in the order
    and costs what it did then. What else was shared out stays as it was."""
    then = {use.item: place for place, use in enumerate(uses)}
    factors = {use.item: use.factor for use in uses if use.factor != 1}
    capacity = [each for each in cost_items.kept() if each.draft.is_capacity]
    capacity.sort(key=lambda each: then.get(each.key, len(then)))
    capacity = [
        Placed(each.key, at_rate(each.draft, factors[each.key])) if each.key in factors else each
        for each in capacity
    ]
    found = cost_items.of_month(month, now=now, items=capacity).allocation
    return Today(
        direct={
            line.key: Direct(line.usage.requests, line.direct_cost)
            for line in found.lines
            if line.usage.requests or line.direct_cost
        },
        charged=charged_by(found.shares),
    )


def marks_of(closed: Sequence[Frozen]) -> dict[date, str]:
    """By month: equal only where all that the month comes to follows from the same."""
    capacity = [each for each in cost_items.kept() if each.draft.is_capacity]
    names, changed = waiting.marks_of([each.month for each in closed])
    zone = settings.REPORTING_ZONE.key
    return {
        each.month: digest(
            (REVISION, each.version, zone, settings.CURRENCY, names, changed.get(each.month)),
            (item for item in capacity if counts_in(item, each.month)),
        )
        for each in closed
    }


def counts_in(item: Placed, month: date) -> bool:
    return span_of(item.draft, Span(month, add_months(month, 1))) is not None


def digest(values: tuple[object, ...], items: Iterable[Placed]) -> str:
    return hashlib.sha256(repr((values, list(items))).encode()).hexdigest()


def written(change: Change) -> Mapping[str, Any]:
    return {
        "direct": [
            [list(key), each.requests, plain(each.cost)] for key, each in change.direct.items()
        ],
        "charged": {
            item: {center: plain(more) for center, more in centers.items()}
            for item, centers in change.charged.items()
        },
    }


def read(kept: ClosedMonthChange) -> Change:
    return Change(
        direct={
            LineKey(*key): Direct(requests, Decimal(cost)) for key, requests, cost in kept.direct
        },
        charged={
            item: {center: Decimal(more) for center, more in centers.items()}
            for item, centers in kept.charged.items()
        },
    )
