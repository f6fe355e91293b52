"""Minutes, hours and days see one departure: which of them says when it began and what it cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from finops.anomalies import keeping, views
from finops.anomalies.findings import Finding
from finops.anomalies.keeping import Departure
from finops.anomalies.measures import Metric
from finops.anomalies.scales import SCALES
from finops.anomalies.series import Key
from finops.anomalies.views import Part, View
from finops.models import Anomaly

DAY = datetime(2026, 10, 15, tzinfo=UTC)


def at(clock: str, days: int = 0) -> datetime:
    hours, minutes = clock.split(":")
    return DAY + timedelta(days=days, hours=int(hours), minutes=int(minutes))


def view(
    scale: str,
    start: datetime,
    end: datetime,
    money: str,
    *,
    is_open: bool = False,
    returned: bool = True,
    direction: int = 1,
    expected: str = "10",
) -> View:
    part = Part(
        start, end, Decimal(expected) + Decimal(money) * direction, Decimal(expected),
        Decimal(money) * direction,
    )  # fmt: skip
    return View(scale, (part,), direction, is_open, returned, "spike", "", 3.0, adds_up=True)


MINUTES = view("minute", at("22:37"), at("23:20"), "420")
HOURS = view("hour", at("22:00"), at("00:00", 1), "425")
TODAY = view("day", DAY, at("00:00", 1), "433", is_open=True)
LEARNED = view("minute", at("10:03"), at("13:00"), "60", returned=False)


@pytest.mark.parametrize(
    ("held", "began", "money", "is_open"),
    [
        pytest.param([MINUTES], at("22:37"), "420", False, id="minutes alone"),
        pytest.param([TODAY], DAY, "433", True, id="a day alone"),
        # The day cannot tell that it is over: the minutes can, and saw most of what the day saw.
        pytest.param([MINUTES, TODAY], at("22:37"), "420", False, id="a spike within a day"),
        pytest.param([MINUTES, HOURS, TODAY], at("22:37"), "420", False, id="seen by all"),
        pytest.param(
            [MINUTES, replace(HOURS, is_open=True)], at("22:37"), "420", False, id="hours linger"
        ),
        # Most of the day's was something else.
        pytest.param(
            [view("minute", at("22:37"), at("23:20"), "150"), TODAY],
            at("22:37"), "433", True, id="a part of a day",
        ),
        # Minutes have taken it for the new level, hours see that it goes on.
        pytest.param(
            [LEARNED, view("hour", at("10:00"), at("13:00"), "61", is_open=True)],
            at("10:03"), "61", True, id="learned by the minute",
        ),
        pytest.param(
            [LEARNED, view("hour", at("10:00"), at("20:00"), "200", is_open=True)],
            at("10:03"), "200", True, id="a shift",
        ),
        pytest.param(
            [LEARNED, view("hour", at("10:00"), at("20:00"), "200", returned=False),
             view("day", DAY, at("00:00", 3), "900", is_open=True)],
            at("10:03"), "900", True, id="a shift of days",
        ),
        pytest.param(
            [LEARNED, view("hour", at("10:00"), at("20:00"), "200")],
            at("10:03"), "200", False, id="a shift that is over",
        ),
        # It went on after the minutes saw it end.
        pytest.param(
            [MINUTES, view("day", DAY, at("00:00", 2), "900", is_open=True)],
            at("22:37"), "900", True, id="the next day too",
        ),
        # By the minute it is seen from the second day on, which is no beginning.
        pytest.param(
            [view("minute", at("10:00", 2), at("11:00", 2), "30"),
             view("day", DAY, at("00:00", 3), "300", is_open=True)],
            DAY, "300", True, id="late minutes",
        ),
    ],
)  # fmt: skip
def test_the_finest_that_saw_the_whole_says_when_it_began_and_what_it_was(
    held: list[View], began: datetime, money: str, is_open: bool
) -> None:
    row = Anomaly(direction=1)
    keeping.settle(row, held, DAY)
    assert row.started_at == began
    assert row.impact == row.actual - row.expected == Decimal(money)
    assert (row.closed_at is None) is is_open
    assert row.ended_at >= row.started_at


def departure(*held: View) -> Departure:
    return Departure(
        Anomaly(direction=held[0].direction, metric="effective_cost"),
        {each.scale: each for each in held},
    )


SHIFT = view("day", DAY - timedelta(days=7), DAY, "210", is_open=True, expected="700")


@pytest.mark.parametrize(
    ("fresh", "held", "becomes"),
    [
        pytest.param(TODAY, MINUTES, "same", id="the day of a spike"),
        pytest.param(HOURS, MINUTES, "same", id="the hours of a spike"),
        pytest.param(MINUTES, TODAY, "same", id="minutes of a known day"),
        pytest.param(
            view("minute", at("22:50"), at("23:40"), "9"), MINUTES, "same", id="it has grown"
        ),
        pytest.param(
            view("minute", at("23:25"), at("23:40"), "90"), MINUTES, "same", id="again at once"
        ),
        pytest.param(
            view("minute", at("09:00", 2), at("09:40", 2), "90"), MINUTES, "new", id="days later"
        ),
        # A runaway while a third more has been used for a week.
        pytest.param(MINUTES, SHIFT, "new", id="a spike beyond a shift"),
        pytest.param(
            view("minute", at("10:00"), at("11:00"), "1"), SHIFT, "nothing", id="part of a shift"
        ),
        pytest.param(
            view("day", DAY - timedelta(days=7), at("00:00", 1), "900", is_open=True),
            view("minute", at("10:00"), at("11:00"), "1"), "new", id="a shift around a blip",
        ),
        # Minutes had learned six hours of three times as much.
        pytest.param(
            view("minute", at("16:00"), at("17:00"), "40", direction=-1, expected="60"),
            view("hour", at("10:00"), at("16:00"), "240", expected="120", is_open=True),
            "nothing", id="back to the usual",
        ),
        pytest.param(
            view("minute", at("16:00"), at("17:00"), "60", direction=-1, expected="60"),
            view("hour", at("10:00"), at("16:00"), "240", expected="120", is_open=True),
            "new", id="nothing at all afterwards",
        ),
        pytest.param(
            view("hour", at("05:00", 1), at("09:00", 1), "15", direction=-1, expected="15.6"),
            view("hour", DAY - timedelta(days=1), DAY + timedelta(days=1), "380", expected="92"),
            "nothing", id="an expectation that learned a runaway",
        ),
    ],
)  # fmt: skip
def test_what_is_found_is_a_view_of_what_is_known_or_a_part_of_it_or_new(
    fresh: View, held: View, becomes: str
) -> None:
    known = [departure(held)]
    if keeping.match(fresh, known):
        assert becomes == "same"
    else:
        assert becomes == ("nothing" if keeping.is_explained(fresh, known) else "new")


def test_bursts_are_one_departure_whose_money_is_that_of_all() -> None:
    first = view("minute", at("10:00"), at("10:15"), "20")
    second = view("minute", at("10:50"), at("11:05"), "21")
    hours = view("hour", at("10:00"), at("11:00"), "30", is_open=True)
    known = departure(first, hours)
    assert keeping.match(second, [known]) is known
    both = views.joined(first, second)
    assert both.impact == Decimal(41)
    assert views.joined(both, second) == both
    again = view("minute", at("10:50"), at("11:20"), "40")
    assert views.joined(both, again).impact == Decimal(60)


def test_views_are_kept_as_they_are() -> None:
    held = views.read({"hour": views.kept(HOURS)}, 1, adds_up=True)
    assert held == [HOURS]
    assert views.beginnings({"hour": views.kept(HOURS)}) == {"hour": HOURS.start}
    assert set(views.RANKS) == set(SCALES)


@pytest.mark.parametrize(("days", "is_taken"), [(1, True), (3, False)])
def test_figures_of_what_is_over_for_two_days_are_frozen(days: int, is_taken: bool) -> None:
    known, now = departure(MINUTES), MINUTES.end + timedelta(days=days)
    known.row.closed_at = known.row.ended_at = MINUTES.end
    fresh = Finding(
        key=Key(), metric=Metric.COST, scale="hour", started_at=HOURS.start, ended_at=HOURS.end,
        is_open=False, kind="spike", direction=1, surprise=3.0, reason="",
        actual=Decimal(900), expected=Decimal(10), impact=Decimal(890), picture={},
    )  # fmt: skip
    keeping.place([fresh], {("", "effective_cost"): [known]}, SCALES["hour"], now)
    assert ("hour" in known.views) is is_taken


def test_what_goes_on_beyond_its_end_is_never_frozen() -> None:
    row = Anomaly(closed_at=MINUTES.end, ended_at=MINUTES.end)
    later = view("day", DAY, DAY + timedelta(days=3), "900")
    assert not keeping.is_past(row, later, DAY + timedelta(days=4))
    assert keeping.is_past(row, HOURS, DAY + timedelta(days=4))
