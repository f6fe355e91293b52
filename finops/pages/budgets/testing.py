"""What a budget would have told in the last 90 days, shown before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from finops import budgets, formats, labels
from finops.budgets import BackTest, Draft, Fired
from finops.costs import QueryTooSlow
from finops.models import Budget
from finops.pages.budgets import wording
from finops.periods import local_day
from finops.rollups import ZoneChanged

DAYS = 90
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Firing:
    at: str
    threshold: str
    value: str
    actual: str
    forecast: str
    amount: str


def context(draft: Draft, now: datetime) -> dict[str, Any]:
    """For the template; it says why, where the past cannot be read."""
    zone = settings.REPORTING_ZONE
    [unused] = budgets.unused(draft.filters)
    warnings = [each.said(with_near=True) for each in unused]
    try:
        found = budgets.back_test(draft, DAYS, now=now, zone=zone)
    except (budgets.Unread, QueryTooSlow, ZoneChanged) as error:
        title = f"It could not be tested on the last {DAYS} days"
        return {"title": title, "notes": [str(error)], "firings": [], "warnings": warnings}
    latest = found.fired[::-1][:SHOWN]
    return {
        "title": title_of(found),
        "warnings": warnings,
        "periods": sentences(found, draft, local_day(now, zone)),
        "notes": list(found.notes),
        "firings": [firing(each, local_day(now, zone)) for each in latest],
        "dimension": labels.dimension(draft.for_each) if draft.for_each else "",
        "more": more(len(found.fired) - len(latest)),
    }


def title_of(found: BackTest) -> str:
    count = len(found.fired)
    times = {0: "nothing", 1: "once", 2: "twice"}.get(count, f"{formats.count_long(count)} times")
    return f"In the last {DAYS} days it would have told {times}"


def sentences(found: BackTest, draft: Draft, today: date) -> list[str]:
    """What its periods came to, by which an amount can be chosen, and how often it acts."""
    periods = found.periods
    if periods is None:
        return ["Nothing was spent in these days."]
    span = formats.day_range(periods.highest_in.first, periods.highest_in.last, today)
    whose = f" by {periods.highest_of}" if periods.highest_of else ""
    said = [
        f"The dearest period came to {formats.money_long(periods.highest, settings.CURRENCY)}"
        f"{whose}, {span}."
    ]
    if periods.average is not None:
        average = formats.money_long(periods.average, settings.CURRENCY)
        said.append(f"Those that are over came to {average} on average.")
    if draft.enforcement.policy != Budget.Enforcement.NONE:
        days = "1 day" if periods.enforced_days == 1 else f"{periods.enforced_days} days"
        some = "of some value " if draft.for_each else ""
        said.append(f"Calls {some}would have been slowed down or refused on {days} of {DAYS}.")
    return said


def more(count: int) -> str:
    return f"{formats.count_long(count)} earlier ones are not shown." if count else ""


def firing(each: Fired, today: Any) -> Firing:
    told = each.threshold
    return Firing(
        at=formats.day(each.day, today),
        threshold=wording.threshold(told.basis, told.kind, told.value, told.window_hours),
        value=each.value,
        actual=wording.money(each.actual).text,
        forecast=wording.money(each.forecast).text,
        amount=wording.money(each.amount).text,
    )
