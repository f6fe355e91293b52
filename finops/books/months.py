"""Which months are closed. The books begin with the first month that ever was; from there on they
are closed in their order."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from finops.models import BooksMonth
from finops.periods import add_months, days, local_day

State = BooksMonth.State


def every() -> dict[date, BooksMonth]:
    """Those that were closed at least once, by their first day, in their order."""
    return {each.month: each for each in BooksMonth.objects.order_by("month")}


def closed_as(month: date) -> BooksMonth | None:
    """None of a month that is open, or open again."""
    return BooksMonth.objects.filter(month=month).exclude(state=State.DRAFT).first()


def closed() -> list[date]:
    found = BooksMonth.objects.exclude(state=State.DRAFT).order_by("month")
    return list(found.values_list("month", flat=True))


def closed_until() -> date | None:
    """The first day that is not closed; None where no month ever was."""
    held = every()
    for month, each in held.items():
        if each.state == State.DRAFT:
            return month
    return add_months(max(held), 1) if held else None


def closed_before(month: date) -> set[date]:
    """The months before an open one that are closed, back to another one that is open."""
    held, found = set(closed()), set()
    while (month := add_months(month, -1)) in held:
        found.add(month)
    return found


def closed_later() -> list[date]:
    """The months that are closed after one that is open again."""
    first = closed_until()
    return [month for month in closed() if first and month > first]


def next_to_close(now: datetime, zone: ZoneInfo) -> date:
    """The month that is to be closed next, over or not; before the first close, the last month that
    is over."""
    present = local_day(now, zone).replace(day=1)
    return closed_until() or add_months(present, -1)


def is_over(month: date, now: datetime, zone: ZoneInfo) -> bool:
    return now >= days(month, add_months(month, 1), zone).end
