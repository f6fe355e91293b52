"""When a schedule's time has come: the last occasion only, so that a night without a server is not
made up for by thirty mails."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from finops.periods import add_months, local_day


class Occasion(NamedTuple):
    """`key` is what makes it happen once."""

    key: str
    month: date
    at: datetime


def daily(hour: int, now: datetime, zone: ZoneInfo) -> Occasion:
    """The month of the day that ended last: on the first of a month all of the month before."""
    today = local_day(now, zone)
    at = moment(today, hour, zone)
    if at > now:
        today -= timedelta(days=1)
        at = moment(today, hour, zone)
    covered = today - timedelta(days=1)
    return Occasion(today.isoformat(), covered.replace(day=1), at)


def monthly(day: int, hour: int, now: datetime, zone: ZoneInfo) -> Occasion:
    """The month before the one that it falls into. `day` is from 1 to 28."""
    present = local_day(now, zone).replace(day=day)
    at = moment(present, hour, zone)
    if at > now:
        present = add_months(present.replace(day=1), -1).replace(day=day)
        at = moment(present, hour, zone)
    month = add_months(present.replace(day=1), -1)
    return Occasion(f"{month:%Y-%m}", month, at)


def moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """An hour that the clocks leave out is the one after it; of one that comes twice, the first."""
    return datetime.combine(day, time(hour), zone)
