"""Which period another one is set against, and how long both were."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from finops.compared_periods import elapsed_days, parse_against
from finops.periods import InvalidQuery, Period, parse_period

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)  # a Thursday


def period(**params: str) -> Period:
    return parse_period({k: [v] for k, v in params.items()}, now=NOON, zone=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("asked", "against", "first", "end"),
    [
        ({"period": "7d"}, {}, "2026-10-02", "2026-10-09"),
        ({"period": "7d"}, {"against": "previous"}, "2026-10-02", "2026-10-09"),
        ({"period": "2026-09"}, {}, "2026-08-01", "2026-09-01"),
        ({"period": "mtd"}, {}, "2026-09-01", "2026-09-16"),
        # A month that has not ended is set against the same days.
        ({"period": "2026-10"}, {}, "2026-09-01", "2026-09-16"),
        ({"start": "2026-10-01", "end": "2027-01-01"}, {}, "2026-07-01", "2026-07-16"),
        ({"period": "7d"}, {"against": "weeks_before"}, "2026-10-02", "2026-10-09"),
        (
            {"start": "2026-10-12", "end": "2026-10-13"},
            {"against": "weeks_before"},
            *("2026-10-05", "2026-10-06"),
        ),
        ({"period": "30d"}, {"against": "weeks_before"}, "2026-08-12", "2026-09-11"),
        ({"period": "7d"}, {"against": "2025-12"}, "2025-12-01", "2026-01-01"),
        (
            {"period": "7d"},
            {"against_start": "2026-01-01", "against_end": "2026-01-03"},
            *("2026-01-01", "2026-01-03"),
        ),
    ],
)
def test_the_other_period_is_what_is_asked_for(
    asked: dict[str, str], against: dict[str, str], first: str, end: str
) -> None:
    given = {k: [v] for k, v in against.items()}
    found = parse_against(given, period(**asked), now=NOON, zone=ZoneInfo("UTC"))
    assert f"{found.period.start:%Y-%m-%d}" == first
    assert f"{found.period.end:%Y-%m-%d}" == end
    # Said once more in canonical form it is the same.
    canonical = {k: [v] for k, v in found.to_params(ZoneInfo("UTC")).items()}
    assert parse_against(canonical, period(**asked), now=NOON, zone=ZoneInfo("UTC")) == found


@pytest.mark.parametrize(
    ("against", "field"),
    [
        ({"against": "yesterday"}, "against"),
        ({"against": "9999m"}, "against"),
        ({"against": "7d", "against_start": "2026-01-01"}, "against"),
        ({"against_end": "2026-01-01"}, "against_start"),
        ({"against_start": "soon"}, "against_start"),
        ({"against_start": "2026-01-02", "against_end": "2026-01-01"}, "against_end"),
    ],
)
def test_what_names_no_period_is_refused_by_its_own_name(
    against: dict[str, str], field: str
) -> None:
    given = {k: [v] for k, v in against.items()}
    with pytest.raises(InvalidQuery) as caught:
        parse_against(given, period(), now=NOON, zone=ZoneInfo("UTC"))
    assert caught.value.field == field


def test_a_week_before_is_the_same_time_by_the_clock_though_clocks_were_changed() -> None:
    # Clocks went back on 25 October: the evening of the 28th is an hour later in UTC.
    evening = Period(*(datetime(2026, 10, 28, hour, tzinfo=UTC) for hour in (17, 19)))
    given = {"against": ["weeks_before"]}
    found = parse_against(given, evening, now=NOON, zone=BERLIN).period
    assert found == Period(*(datetime(2026, 10, 21, hour, tzinfo=UTC) for hour in (16, 18)))


def test_days_are_those_that_have_gone_by_however_long_clocks_made_them() -> None:
    autumn = parse_period({"start": ["2026-10-24"], "end": ["2026-10-27"]}, now=NOON, zone=BERLIN)
    assert elapsed_days(autumn, datetime(2026, 11, 1, tzinfo=UTC), BERLIN) == 3
    assert elapsed_days(autumn, datetime(2026, 10, 24, 10, tzinfo=UTC), BERLIN) == Decimal("0.5")
    assert elapsed_days(autumn, datetime(2026, 10, 1, tzinfo=UTC), BERLIN) == 0
    hours = Period(*(datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 12)))
    assert elapsed_days(hours, datetime(2026, 11, 1, tzinfo=UTC), BERLIN) == Decimal("0.5")
