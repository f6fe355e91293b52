"""What the periods of a draft came to in the past, and how often its amount would have been in the
way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.budgets import amounts
from finops.budgets.drafts import Draft
from finops.budgets.spans import DAY, Calendar, Span
from finops.models import Budget

ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(frozen=True, slots=True)
class Past:
    """The days of one value."""

    value: str
    days: Mapping[date, Decimal]

    def sum(self, first: date, end: date) -> Decimal:
        return sum((amount for day, amount in self.days.items() if first <= day < end), ZERO)


@dataclass(frozen=True, slots=True)
class PastPeriods:
    """Of the periods that have some of the days: what cost most, which may be under way, and the
    average of those that are over and cost anything, None where none has. `enforced_days` are
    the days on which calls would have been slowed down or refused for some value."""

    highest: Decimal
    highest_in: Span
    highest_of: str
    average: Decimal | None
    enforced_days: int


def past_periods(
    draft: Draft, calendar: Calendar, pasts: Sequence[Past], days: Sequence[date]
) -> PastPeriods | None:
    """None where nothing was spent."""
    spans = {(span := calendar.at(day)).first: span for day in days}.values()
    sums = [(past.sum(span.first, span.end), span, past.value) for past in pasts for span in spans]
    if not any(cost > 0 for cost, _, _ in sums):
        return None
    cost, span, value = max(sums, key=lambda each: each[0])
    over = [each for each, past, _ in sums if each > 0 and past.last < days[-1]]
    average = sum(over, ZERO) / len(over) if over else None
    enforced = {day for past in pasts for day in _enforced(draft, calendar, past, days)}
    return PastPeriods(cost, span, value, average, len(enforced))


def _enforced(draft: Draft, calendar: Calendar, past: Past, days: Sequence[date]) -> set[date]:
    """At whose end as much was spent as calls are slowed down or refused from."""
    if draft.enforcement.policy == Budget.Enforcement.NONE:
        return set()
    percent = draft.enforcement.throttle_percent
    share = HUNDRED if percent is None else min(percent, HUNDRED)
    found = set()
    for day in days:
        span = calendar.at(day)
        before = calendar.before(span)
        amount = amounts.of(draft, span, past.sum(before.first, before.end))
        spent = past.sum(span.first, day + DAY)
        if amount is not None and spent * HUNDRED >= amount * share:
            found.add(day)
    return found
