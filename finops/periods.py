"""Periods of the reporting calendar: half-open, in the organisation's zone, any DST day included.

Every instant here is in UTC. Two datetimes of one daylight-saving zone compare by their wall
clocks, which would make the two 01:30s of an autumn night equal; convert for display only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

GRANULARITIES = ("hour", "day", "week", "month", "total")
DEFAULT_PERIOD = "30d"
# An answer of more buckets than this is no chart any more: 104 days of hours, 6 years of days.
MAX_BUCKETS = 2_500
FIRST_YEAR, LAST_YEAR = 2000, 2100

RELATIVE = re.compile(r"([1-9]\d{0,3})([hdm])")
MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
PERIODS_TEXT = "24h, 7d, 30d, 90d, 12m, mtd, last_month, fqtd, fytd or a month like 2026-10"
# The fiscal quarter and year to date, in months.
FISCAL = {"fqtd": 3, "fytd": 12}
JANUARY = 1


class InvalidQuery(ValueError):
    """What a person asked for cannot be answered; `message` says so to them, `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in UTC. `label` is the URL form ("30d", "mtd", "2026-10"), "" if absolute."""

    start: datetime
    end: datetime
    label: str = ""


def parse_period(
    params: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    zone: ZoneInfo,
    fiscal_month: int = JANUARY,
) -> Period:
    """The period that `period`, or else `start` and `end`, name; the last 30 days without any."""
    label, start, end = (single(params, name) for name in ("period", "start", "end"))
    if label and (start or end):
        raise InvalidQuery("period", "give either period or start and end, not both")
    if start or end:
        return absolute_period(start, end, now=now, zone=zone)
    return named_period(label or DEFAULT_PERIOD, now=now, zone=zone, fiscal_month=fiscal_month)


def single(params: Mapping[str, Sequence[str]], name: str) -> str:
    """The one value of a parameter that may be given once; "" where it is absent."""
    values = params.get(name, ())
    values = [values] if isinstance(values, str) else values
    if len(values) > 1:
        raise InvalidQuery(name, "is given more than once")
    return values[0].strip() if values else ""


def named_period(
    label: str, *, now: datetime, zone: ZoneInfo, fiscal_month: int = JANUARY
) -> Period:
    """`24h` is the last 24 whole hours, `30d` the last 30 calendar days, `12m` months: each
    including the current one. `fiscal_month` is the one in which the fiscal year begins."""
    today = local_day(now, zone)
    tomorrow = today + timedelta(days=1)
    this_month = today.replace(day=1)
    if label == "mtd":
        return days(this_month, tomorrow, zone, label)
    if label in FISCAL:
        months_before = (today.month - fiscal_month) % FISCAL[label]
        return days(add_months(this_month, -months_before), tomorrow, zone, label)
    if label == "last_month":
        return days(add_months(this_month, -1), this_month, zone, label)
    if match := MONTH.fullmatch(label):
        check_year("period", int(match[1]))
        month = date(int(match[1]), int(match[2]), 1)
        return days(month, add_months(month, 1), zone, label)
    if not (match := RELATIVE.fullmatch(label)):
        raise InvalidQuery("period", f"{label!r} is no period; write {PERIODS_TEXT}")
    count, unit = int(match[1]), match[2]
    try:
        if unit == "h":
            end = start_of_hour(now, zone) + timedelta(hours=1)
            return Period(end - timedelta(hours=count), end, label)
        if unit == "d":
            return days(tomorrow - timedelta(days=count), tomorrow, zone, label)
        next_month = add_months(this_month, 1)
        first = add_months(next_month, -count)
        check_year("period", first.year)
        return days(first, next_month, zone, label)
    except (OverflowError, ValueError) as error:
        raise InvalidQuery("period", f"{label!r} reaches back before {FIRST_YEAR}") from error


def absolute_period(start: str, end: str, *, now: datetime, zone: ZoneInfo) -> Period:
    if not start:
        raise InvalidQuery("start", "is missing: end is given without it")
    first = parse_instant("start", start, zone)
    tomorrow = start_of_day(local_day(now, zone) + timedelta(days=1), zone)
    last = parse_instant("end", end, zone) if end else tomorrow
    if last <= first:
        raise InvalidQuery("end", "must be after start; it is the first instant not included")
    return Period(first, last)


def parse_instant(field: str, text: str, zone: ZoneInfo) -> datetime:
    """A date (its first instant in the zone) or an RFC 3339 instant."""
    try:
        if DAY.fullmatch(text):
            day = date.fromisoformat(text)
            check_year(field, day.year)
            return start_of_day(day, zone)
        # A "+" that was not percent-encoded arrives as a space.
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except InvalidQuery:
        raise
    except ValueError:
        raise InvalidQuery(
            field,
            f"{text!r} is neither a date like 2026-10-01 nor an instant like 2026-10-01T08:00:00Z",
        ) from None
    if instant.tzinfo is None:
        raise InvalidQuery(field, f"{text!r} has no time zone; add Z or an offset like +02:00")
    check_year(field, instant.year)
    return instant.astimezone(UTC)


def check_year(field: str, year: int) -> None:
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise InvalidQuery(field, f"the year {year} is not between {FIRST_YEAR} and {LAST_YEAR}")


def previous(period: Period, zone: ZoneInfo) -> Period:
    """The period of equal meaning before this one, to compare with.

    Whole months are compared with as many months before; a month to date with the same days of
    the month before, and a fiscal quarter or year to date of the one before; whole days with as
    many days before; anything else with as much time before.
    """
    first, last = whole_day(period.start, zone), whole_day(period.end, zone)
    if first is None or last is None:
        return Period(period.start - (period.end - period.start), period.start)
    if months := FISCAL.get(period.label):
        until = add_months(last.replace(day=1), -months) + timedelta(days=last.day - 1)
        return days(add_months(first, -months), min(until, first), zone)
    if first.day == 1 and last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        earlier = add_months(first, -months)
        return days(earlier, first, zone, earlier.strftime("%Y-%m") if months == 1 else "")
    if period.label == "mtd":
        earlier = add_months(first, -1)
        return days(earlier, min(earlier + (last - first), first), zone)
    return days(first - (last - first), first, zone)


def bucket_starts(period: Period, granularity: str, zone: ZoneInfo) -> list[datetime]:
    """The first instants of the period's buckets, in order; none for `total`.

    The first one may lie before the period, like the Monday of a week that begins earlier. Raises
    InvalidQuery where there would be more than MAX_BUCKETS.
    """
    found = list(islice(iterate_buckets(period, granularity, zone), MAX_BUCKETS + 1))
    if len(found) > MAX_BUCKETS:
        raise InvalidQuery(
            "granularity",
            f"{granularity} makes more than {MAX_BUCKETS:,} steps of this period; "
            "choose a coarser one or a shorter period",
        )
    return found


def iterate_buckets(period: Period, granularity: str, zone: ZoneInfo) -> Iterator[datetime]:
    if granularity == "total":
        return
    if granularity == "hour":
        hour = start_of_hour(period.start, zone)
        while hour < period.end:
            yield hour
            hour = start_of_hour(hour + timedelta(hours=1), zone)
        return
    day = bucket_day(local_day(period.start, zone), granularity)
    while (start := start_of_day(day, zone)) < period.end:
        yield start
        day = next_bucket_day(day, granularity)


def bucket_day(day: date, granularity: str) -> date:
    """The first day of the day, ISO week or month that holds `day`."""
    if granularity == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if granularity == "month" else day


def next_bucket_day(day: date, granularity: str) -> date:
    if granularity == "month":
        return add_months(day, 1)
    return day + timedelta(days=7 if granularity == "week" else 1)


def days(first: date, end: date, zone: ZoneInfo, label: str = "") -> Period:
    return Period(start_of_day(first, zone), start_of_day(end, zone), label)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the day; where midnight does not exist, the instant the clock jumped."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def start_of_hour(instant: datetime, zone: ZoneInfo) -> datetime:
    """As PostgreSQL's date_trunc('hour', instant, zone): by the offset of the instant itself."""
    local = instant.astimezone(zone)
    into_hour = timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return instant.astimezone(UTC) - into_hour


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def whole_day(instant: datetime, zone: ZoneInfo) -> date | None:
    """The day that begins at this instant, None where none does."""
    day = local_day(instant, zone)
    return day if start_of_day(day, zone) == instant else None


def add_months(first: date, months: int) -> date:
    """The first day of the month that lies so many months after the one that begins at `first`."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
