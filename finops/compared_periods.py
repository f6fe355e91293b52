"""The period that another one is set against, and how long each of them was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.periods import (
    JANUARY,
    PERIODS_TEXT,
    InvalidQuery,
    Period,
    absolute_period,
    add_months,
    days,
    local_day,
    named_period,
    previous,
    single,
    whole_day,
)
from finops.query import instant_text

PREVIOUS, WEEKS_BEFORE = "previous", "weeks_before"
AGAINST_PARAMETERS = ("against", "against_start", "against_end", "against_times")
MOST_TIMES = Decimal(10) ** 9
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Against:
    """The other period. `label` is its URL form, "" if it is absolute. `times`: its usage is taken
    so many times, as what was expected of the period; None: as it is."""

    period: Period
    label: str = PREVIOUS
    times: Decimal | None = None

    def to_params(self, zone: ZoneInfo) -> dict[str, str]:
        """The canonical URL parameters, defaults left out."""
        times = {} if self.times is None else {"against_times": f"{self.times:f}"}
        if self.label:
            return times | ({} if self.label == PREVIOUS else {"against": self.label})
        return times | {
            "against_end": instant_text(self.period.end, zone),
            "against_start": instant_text(self.period.start, zone),
        }


def parse_against(
    params: Mapping[str, Sequence[str]],
    period: Period,
    *,
    now: datetime,
    zone: ZoneInfo,
    fiscal_month: int = JANUARY,
) -> Against:
    """What `against`, or else `against_start` and `against_end`, name; the period before without
    any. Raises InvalidQuery naming the wrong one."""
    times = times_of(single(params, "against_times"))
    found = period_against(params, period, now=now, zone=zone, fiscal_month=fiscal_month)
    return replace(found, times=times)


def times_of(text: str) -> Decimal | None:
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,60})?", text) and Decimal(text) <= MOST_TIMES:
        return Decimal(text)
    raise InvalidQuery("against_times", f"must be a number from 0 to {MOST_TIMES:,}, such as 0.5")


def period_against(
    params: Mapping[str, Sequence[str]],
    period: Period,
    *,
    now: datetime,
    zone: ZoneInfo,
    fiscal_month: int,
) -> Against:
    label, start, end = (
        single(params, name) for name in ("against", "against_start", "against_end")
    )
    if label and (start or end):
        raise InvalidQuery("against", "give either against or against_start and _end, not both")
    try:
        if start or end:
            return Against(absolute_period(start, end, now=now, zone=zone), "")
        if label in {"", PREVIOUS}:
            return Against(period_before(period, now, zone))
        if label == WEEKS_BEFORE:
            return Against(weeks_before(period, zone), label)
        named = named_period(label, now=now, zone=zone, fiscal_month=fiscal_month)
        return Against(named, named.label)
    except OverflowError:
        raise InvalidQuery("against", "reaches back before there were dates") from None
    except InvalidQuery as error:
        raise InvalidQuery(*named_anew(error, label)) from None


def named_anew(error: InvalidQuery, label: str) -> tuple[str, str]:
    """The same of the parameters of the other period."""
    if error.field == "period":
        known = f"{PREVIOUS}, {WEEKS_BEFORE}, {PERIODS_TEXT}"
        is_unknown = "is no period" in error.message
        return "against", f"{label[:80]!r} is no period; write {known}" if is_unknown else (
            error.message
        )
    return f"against_{error.field}", error.message


def period_before(period: Period, now: datetime, zone: ZoneInfo) -> Period:
    """The period of equal meaning before this one; of whole months that have not ended, the same
    days of as many months before."""
    first, last = whole_day(period.start, zone), whole_day(period.end, zone)
    tomorrow = local_day(now, zone) + DAY
    if first is None or last is None or not first.day == last.day == 1:
        return previous(period, zone)
    if not first < tomorrow < last:
        return previous(period, zone)
    months = (last.year - first.year) * 12 + last.month - first.month
    earlier = add_months(first, -months)
    return days(earlier, min(earlier + (tomorrow - first), first), zone)


def weeks_before(period: Period, zone: ZoneInfo) -> Period:
    """The same time of the week, as few weeks before as leave the two apart; by the clock on the
    wall, so that a night and a Monday stay what they are."""
    start, end = (each.astimezone(zone).replace(tzinfo=None) for each in (period.start, period.end))
    weeks = -(-(end - start) // timedelta(weeks=1))
    back = timedelta(weeks=max(weeks, 1))
    found = Period(at_clock(start - back, zone), at_clock(end - back, zone))
    # Within the hour that an autumn night has twice, the clock may go back.
    is_span = found.start < found.end
    return found if is_span else Period(period.start - back, period.end - back)


def at_clock(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def elapsed_days(period: Period, upto: datetime, zone: ZoneInfo) -> Decimal:
    """How many days of the period have gone by at `upto`: calendar days where it begins with one,
    however long their clocks made them."""
    end = min(max(upto, period.start), period.end)
    if whole_day(period.start, zone) is None:
        passed = end - period.start
    else:
        passed = end.astimezone(zone).replace(tzinfo=None) - period.start.astimezone(zone).replace(
            tzinfo=None
        )
    return Decimal(passed // MICROSECOND) / (DAY // MICROSECOND)
