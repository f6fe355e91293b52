"""The burn-down of a budget: sums, the band of the forecast, dashed lines with names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finops import budget_charts
from finops.budget_charts import BurnDown, Level, Outlook
from finops.charts import Bucket
from finops.periods import Period

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = Period(FIRST, FIRST + 4 * DAY)
BUCKETS = [Bucket(FIRST + n * DAY, f"Day {n + 1}", str(n + 1), n == 1) for n in range(4)]


def money(*amounts: int) -> list[Decimal]:
    return [Decimal(each) for each in amounts]


def drawn(**changes: Any) -> dict[str, dict[str, Any]]:
    """The figure's lines by name; several of one name are numbered."""
    terms: dict[str, Any] = {
        "period": PERIOD,
        "buckets": BUCKETS,
        "spent": money(10, 15),
        "before": [],
        "outlook": None,
        "levels": [],
        "as_of": FIRST + DAY + DAY / 2,
        "currency": "USD",
    }
    chart = budget_charts.burn_down(BurnDown(**{**terms, **changes}), "Spent of the budget")
    assert chart.figure is not None
    found: dict[str, dict[str, Any]] = {}
    for trace in chart.figure["data"]:
        same = sum(name.startswith(trace["name"]) for name in found)
        found[f"{trace['name']} {same + 1}" if same else trace["name"]] = trace
    return found | {"layout": chart.figure["layout"]}


def test_what_is_spent_ends_where_time_has_come_to() -> None:
    found = drawn()["Spent"]
    assert (found["x"], found["y"]) == (["Day 1", "Day 2"], [10.0, 15.0])
    assert found["customdata"] == ["$10.00", "$15.00"]


def test_sums_grow_from_bucket_to_bucket() -> None:
    assert budget_charts.cumulated(money(1, 0, 2)) == money(1, 1, 3)


def test_the_forecast_fans_out_of_the_last_whole_day_to_its_bounds_at_the_end() -> None:
    found = drawn(outlook=Outlook(*money(40, 30, 65)))
    assert found["Low"]["x"] == ["Day 1", "Day 2", "Day 3", "Day 4"]
    assert found["Low"]["y"] == [10.0, 18.0, 24.0, 30.0]
    assert found["High"]["y"] == [10.0, 25.0, 45.0, 65.0]
    assert found["Forecast"]["y"] == [10.0, 20.0, 30.0, 40.0]
    assert found["High"]["fill"] == "tonexty"
    assert found["Forecast"]["customdata"][-1] == "$40.00</b> ($30.00 – $65.00)<b>"


def test_on_the_last_day_the_forecast_is_of_that_day() -> None:
    late = FIRST + 3 * DAY + DAY / 2
    found = drawn(spent=money(10, 20, 30, 35), as_of=late, outlook=Outlook(*money(42, 38, 50)))
    assert found["Forecast"]["y"] == [30.0, 42.0]


@pytest.mark.parametrize("spent", [[], [Decimal(3)]])
def test_a_period_that_is_one_step_has_no_band(spent: list[Decimal]) -> None:
    found = drawn(
        period=Period(FIRST, FIRST + DAY),
        buckets=BUCKETS[:1],
        spent=spent,
        before=money(4),
        outlook=Outlook(*money(5, 4, 6)),
    )
    assert "Forecast" not in found


def test_a_period_that_is_over_ends_at_what_was_spent() -> None:
    found = drawn(spent=money(1, 2, 3, 4), as_of=PERIOD.end + DAY, outlook=Outlook(*money(4, 4, 4)))
    assert found["Forecast"]["y"] == [3.0, 4.0]


def test_the_period_before_is_muted_and_no_longer_than_the_axis() -> None:
    found = drawn(before=money(1, 2, 3, 4, 5))["Period before"]
    assert found["y"] == [1.0, 2.0, 3.0, 4.0]
    assert found["line"] == {"color": "role:text-muted", "width": 1.5, "dash": "dot"}


def test_levels_are_dashed_with_their_names_at_the_right_end() -> None:
    found = drawn(levels=[Level("80 %", Decimal(80)), Level("Budget", Decimal(100), True)])
    budget, threshold = found["Level"], found["Level 2"]
    assert budget["text"] == ["", "", "", "Budget $100.00"]
    assert threshold["text"][-1] == "80 % $80.00"
    assert budget["line"]["dash"] == threshold["line"]["dash"] == "dash"
    assert budget["line"]["color"] == "role:budget"
    assert threshold["y"] == [80.0] * 4


def test_equal_levels_are_one_line_and_names_never_overlap() -> None:
    levels = [
        Level("Budget", Decimal(100), True),
        Level("100 %", Decimal(100)),
        Level("99 %", Decimal(99)),
        Level("50 %", Decimal(50)),
        Level("forecast 50 %", Decimal(50)),
    ]
    found = drawn(levels=levels)
    assert found["Level"]["text"][-1] == "Budget $100.00"
    assert [found[name]["text"][-1] for name in ("Level 2", "Level 3")] == [
        "",
        "50 %, forecast 50 % $50.00",
    ]


def test_the_axis_holds_the_highest_line_and_its_name() -> None:
    layout = drawn(levels=[Level("Budget", Decimal(100), True)])["layout"]
    assert layout["yaxis"]["range"] == [0, pytest.approx(110)]


def test_nothing_is_drawn_of_nothing() -> None:
    empty = BurnDown(PERIOD, BUCKETS, [], [], None, [], FIRST, "USD")
    chart = budget_charts.burn_down(empty, "Spent")
    assert (chart.figure, bool(chart.reason)) == (None, True)


def test_the_legend_names_what_is_there() -> None:
    shown = BurnDown(
        PERIOD, BUCKETS, money(1, 2), money(1), Outlook(*money(4, 3, 5)), [], FIRST + DAY, "USD"
    )
    legend = budget_charts.burn_down(shown, "Spent").legend
    assert [role for role, _ in legend] == ["series-1", "outlook", "previous"]
