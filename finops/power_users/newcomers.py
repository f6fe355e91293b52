"""Users who are new and already make much of the cost: since when, how much, of how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext

from django.conf import settings

from finops import costs, formats
from finops.costs import UserDay
from finops.periods import days, start_of_day
from finops.power_users.concentration import DIGITS
from finops.power_users.profiles import DAY, Window, window_of
from finops.query import CostQuery

# New is who was seen in these last days alone of the window that users are judged by.
NEW_DAYS = 7
# Before that usage was recorded for so long: else everybody would be new.
RECORDED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """`cost` is that of the user's requests with a price since the first day, `whole` that of all
    usage since then; `days_before` were looked at and had none of the user's."""

    number: int
    since: date
    cost: Decimal
    requests: int
    unpriced_requests: int
    whole: Decimal
    days_before: int

    def evidence(self, today: date) -> str:
        """A sentence without its full stop."""
        own, whole = (
            formats.money_long(amount, settings.CURRENCY) for amount in (self.cost, self.whole)
        )
        return (
            f"{own} of {whole} since {formats.day(self.since, today)}, "
            f"{formats.share_short(self.cost, self.whole)}; not seen in the "
            f"{self.days_before} days before"
        )


def newcomers(
    query: CostQuery, numbers: Sequence[int], now: datetime, least_percent: Decimal
) -> list[Newcomer]:
    """Those of these users, within the caller's snapshot. Raises QueryTooSlow."""
    window = window_of(query, now)
    held = costs.read_user_days(query.replace(period=window.period), numbers)
    found = [
        (number, used[0].day, used)
        for number, of_user in held.items()
        if (used := [each for each in of_user if each.requests]) and is_new(used[0].day, window)
    ]
    wholes: dict[date, tuple[Decimal, int]] = {}
    told = []
    for number, since, used in found:
        if since not in wholes:
            wholes[since] = cost_since(query, since, window)
        one = newcomer(number, used, *wholes[since])
        if one.whole > 0 and one.cost * 100 >= least_percent * one.whole:
            told.append(one)
    return told


def is_new(first: date, window: Window) -> bool:
    return first > window.last - NEW_DAYS * DAY


def newcomer(number: int, used: Sequence[UserDay], whole: Decimal, days_before: int) -> Newcomer:
    with localcontext(prec=DIGITS):
        cost = sum((each.cost for each in used), Decimal(0))
    return Newcomer(
        number,
        used[0].day,
        cost,
        sum(each.requests for each in used),
        sum(each.unpriced_requests for each in used),
        whole,
        days_before,
    )


def cost_since(query: CostQuery, since: date, window: Window) -> tuple[Decimal, int]:
    """Of all usage, and how many days before are known; 0 where usage was not recorded for long
    enough to know who is new."""
    result = costs.run(query.replace(period=days(since, window.last + DAY, window.zone)))
    recorded = result.freshness.recorded_since
    start = start_of_day(since, window.zone)
    if recorded is None or recorded > start - RECORDED:
        return Decimal(0), 0
    known = min(start - recorded, start - window.period.start)
    return Decimal(result.totals["effective_cost"] or 0), known // DAY
