"""Periods in zones with half hours, daylight saving and neither."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.periods import (
    InvalidQuery,
    Period,
    bucket_starts,
    days,
    parse_period,
    previous,
    start_of_day,
)

KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("UTC")
ZONES = (LONDON, KOLKATA, NEW_YORK)
NOW = datetime(2026, 10, 15, 20, 40, tzinfo=UTC)  # already the 16th in Kolkata


def named(label: str, zone: ZoneInfo = LONDON, now: datetime = NOW) -> tuple[str, str]:
    period = parse_period({"period": [label]}, now=now, zone=zone)
    return written(period, zone)


def written(period: Period, zone: ZoneInfo) -> tuple[str, str]:
    start, end = (at.astimezone(zone).isoformat()[:16] for at in (period.start, period.end))
    return start, end


def hours(period: Period) -> float:
    return (period.end - period.start) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("label", "zone", "start", "end"),
    [
        ("24h", LONDON, "2026-10-14T21:00", "2026-10-15T21:00"),
        ("24h", KOLKATA, "2026-10-15T03:00", "2026-10-16T03:00"),
        ("7d", LONDON, "2026-10-09T00:00", "2026-10-16T00:00"),
        ("30d", KOLKATA, "2026-09-17T00:00", "2026-10-17T00:00"),
        ("mtd", LONDON, "2026-10-01T00:00", "2026-10-16T00:00"),
        ("last_month", NEW_YORK, "2026-09-01T00:00", "2026-10-01T00:00"),
        ("2026-02", KOLKATA, "2026-02-01T00:00", "2026-03-01T00:00"),
        ("12m", LONDON, "2025-11-01T00:00", "2026-11-01T00:00"),
    ],
)
def test_named_periods_include_the_current_step(
    label: str, zone: ZoneInfo, start: str, end: str
) -> None:
    assert named(label, zone) == (start, end)


@pytest.mark.parametrize(
    ("label", "fiscal_month", "day", "start", "before"),
    [
        ("fytd", 1, "2026-10-15", "2026-01-01", ("2025-01-01", "2025-10-16")),
        ("fytd", 4, "2026-10-15", "2026-04-01", ("2025-04-01", "2025-10-16")),
        ("fytd", 4, "2026-03-31", "2025-04-01", ("2024-04-01", "2025-04-01")),
        ("fytd", 10, "2026-10-01", "2026-10-01", ("2025-10-01", "2025-10-02")),
        ("fytd", 11, "2026-10-15", "2025-11-01", ("2024-11-01", "2025-10-16")),
        ("fytd", 7, "2028-02-28", "2027-07-01", ("2026-07-01", "2027-03-01")),
        ("fqtd", 1, "2026-10-15", "2026-10-01", ("2026-07-01", "2026-07-16")),
        ("fqtd", 2, "2026-10-15", "2026-08-01", ("2026-05-01", "2026-07-16")),
        ("fqtd", 12, "2026-02-28", "2025-12-01", ("2025-09-01", "2025-12-01")),
        ("fqtd", 12, "2026-05-30", "2026-03-01", ("2025-12-01", "2026-03-01")),
    ],
)
def test_fiscal_quarters_and_years_begin_in_the_month_of_the_organisation(
    label: str, fiscal_month: int, day: str, start: str, before: tuple[str, str]
) -> None:
    now = datetime.fromisoformat(f"{day}T12:00:00Z")
    period = parse_period({"period": [label]}, now=now, zone=NEW_YORK, fiscal_month=fiscal_month)
    tomorrow = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert written(period, NEW_YORK) == (f"{start}T00:00", f"{tomorrow}T00:00")
    assert written(previous(period, NEW_YORK), NEW_YORK) == tuple(f"{d}T00:00" for d in before)


def test_the_last_30_days_are_the_default() -> None:
    assert parse_period({}, now=NOW, zone=LONDON).label == "30d"


def test_days_of_daylight_saving_are_23_and_25_hours_long() -> None:
    spring = days(date(2026, 3, 8), date(2026, 3, 9), NEW_YORK)
    autumn = days(date(2026, 11, 1), date(2026, 11, 2), NEW_YORK)
    assert (hours(spring), hours(autumn)) == (23, 25)
    assert len(bucket_starts(spring, "hour", NEW_YORK)) == 23
    assert len(bucket_starts(autumn, "hour", NEW_YORK)) == 25


def test_hours_of_half_hour_zones_begin_at_half_past() -> None:
    starts = bucket_starts(parse_period({"period": "24h"}, now=NOW, zone=KOLKATA), "hour", KOLKATA)
    assert {start.minute for start in starts} == {30}
    assert len(starts) == 24


def test_a_midnight_that_does_not_exist_begins_the_day_when_the_clock_jumps() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    assert start_of_day(date(2026, 4, 24), cairo).astimezone(cairo).hour == 1


@pytest.mark.parametrize(
    ("params", "start", "end"),
    [
        ({"start": "2026-10-01", "end": "2026-11-01"}, "2026-10-01T00:00", "2026-11-01T00:00"),
        ({"start": "2026-10-14"}, "2026-10-14T00:00", "2026-10-17T00:00"),
        (
            {"start": "2026-10-01T08:15:00Z", "end": "2026-10-01T12:00:00 05:30"},
            "2026-10-01T13:45",
            "2026-10-01T12:00",
        ),
    ],
)
def test_dates_are_of_the_zone_and_instants_of_themselves(
    params: dict[str, str], start: str, end: str
) -> None:
    if start > end:
        with pytest.raises(InvalidQuery, match="after start"):
            parse_period(params, now=NOW, zone=KOLKATA)
        return
    assert written(parse_period(params, now=NOW, zone=KOLKATA), KOLKATA) == (start, end)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"period": "fortnight"}, "period"),
        ({"period": "0d"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "1999-12"}, "period"),
        ({"period": "9999m"}, "period"),
        ({"period": ["7d", "30d"]}, "period"),
        ({"period": "7d", "start": "2026-10-01"}, "period"),
        ({"end": "2026-10-01"}, "start"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-10-01T00:00:00"}, "start"),
        ({"start": "0001-01-01"}, "start"),
        ({"start": "2026-02-30"}, "start"),
        ({"start": "2026-10-01", "end": "2026-10-01"}, "end"),
        ({"start": "2026-10-01", "end": "9999-12-31T23:59:59-14:00"}, "end"),
    ],
)
def test_a_wrong_period_names_its_parameter(params: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        parse_period(params, now=NOW, zone=KOLKATA)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [
        ("2026-10", "2026-09-01T00:00", "2026-10-01T00:00"),
        ("last_month", "2026-08-01T00:00", "2026-09-01T00:00"),
        ("12m", "2024-11-01T00:00", "2025-11-01T00:00"),
        ("mtd", "2026-09-01T00:00", "2026-09-16T00:00"),
        ("7d", "2026-10-02T00:00", "2026-10-09T00:00"),
        ("24h", "2026-10-13T21:00", "2026-10-14T21:00"),
    ],
)
def test_the_previous_period_means_the_same(label: str, start: str, end: str) -> None:
    period = parse_period({"period": label}, now=NOW, zone=LONDON)
    assert written(previous(period, LONDON), LONDON) == (start, end)


def test_a_long_month_to_date_is_compared_with_no_more_than_the_month_before() -> None:
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    period = parse_period({"period": "mtd"}, now=now, zone=LONDON)
    assert written(previous(period, LONDON), LONDON) == ("2026-02-01T00:00", "2026-03-01T00:00")


def test_days_before_a_daylight_saving_day_are_whole_days_too() -> None:
    period = days(date(2026, 11, 1), date(2026, 11, 2), NEW_YORK)
    assert hours(previous(period, NEW_YORK)) == 24


def test_too_many_buckets_name_the_granularity() -> None:
    year = days(date(2026, 1, 1), date(2027, 1, 1), LONDON)
    with pytest.raises(InvalidQuery) as error:
        bucket_starts(year, "hour", LONDON)
    assert error.value.field == "granularity"
    assert len(bucket_starts(year, "week", LONDON)) == 53


instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(
    zone=st.sampled_from([*ZONES, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Cairo")]),
    start=instants,
    minutes=st.integers(1, 60 * 24 * 80),
    granularity=st.sampled_from(["hour", "day", "week", "month"]),
)
def test_buckets_cover_the_period_without_gaps(
    zone: ZoneInfo, start: datetime, minutes: int, granularity: str
) -> None:
    period = Period(start, start + timedelta(minutes=minutes))
    starts = bucket_starts(period, granularity, zone)
    assert starts[0] <= period.start
    assert starts[-1] < period.end
    assert all(earlier < later for earlier, later in pairwise(starts))
    longest = {"hour": 1, "day": 25, "week": 169, "month": 745}[granularity]
    assert all(later - earlier <= timedelta(hours=longest) for earlier, later in pairwise(starts))
