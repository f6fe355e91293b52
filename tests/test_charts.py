"""Results become figures whose colours are roles."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from finops import charts
from finops.costs import CostResult, CostRow, Coverage, Freshness
from finops.periods import days
from finops.query import CostQuery

ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


def query(zone: ZoneInfo = ZONE, now: datetime = NOON, **params: str) -> CostQuery:
    return CostQuery.from_params({k: [v] for k, v in params.items()}, now=now, zone=zone)


def result(asked: CostQuery, rows: list[CostRow]) -> CostResult:
    metric = asked.metrics[0]
    known = [Decimal(v) for row in rows if (v := row.values[metric]) is not None]
    return CostResult(
        asked, "USD", rows, {metric: sum(known)}, Freshness(NOON, 0), Coverage(1, 0), None
    )


def cost(day: int, *keys: str, amount: str | None, is_other: bool = False) -> CostRow:
    value = None if amount is None else Decimal(amount)
    start = datetime(2026, 10, day, tzinfo=UTC)
    return CostRow(start, keys, {"effective_cost": value}, is_other)


def bars(chart: charts.Chart) -> list[dict[str, Any]]:
    assert chart.figure is not None
    return [trace for trace in chart.figure["data"] if trace["type"] == "bar"]


def test_groups_stack_in_order_of_rank_with_other_last() -> None:
    asked = query(period="7d", group_by="team")
    rows = [
        cost(14, "Other", amount="50", is_other=True),
        cost(14, "small", amount="1"),
        cost(13, "large", amount="3"),
        cost(14, "large", amount="4"),
    ]
    chart = charts.over_time(result(asked, rows), now=NOON)
    assert chart.title == "Effective cost per day by team"
    assert [trace["name"] for trace in bars(chart)] == ["large", "small", "Other"]
    assert [trace["marker"]["color"] for trace in bars(chart)] == [
        "role:series-1",
        "role:series-2",
        "role:series-other",
    ]
    assert chart.legend == (
        ("series-1", "large"),
        ("series-2", "small"),
        ("series-other", "Other"),
    )


def test_every_charge_period_has_its_place_on_the_axis_with_usage_or_without() -> None:
    chart = charts.over_time(result(query(period="7d"), [cost(14, amount="2.5")]), now=NOON)
    (trace,) = bars(chart)
    assert trace["y"] == [None] * 5 + [2.5, None]
    assert trace["x"][5] == "Wed 14\N{NO-BREAK SPACE}Oct"
    assert chart.figure is not None
    assert chart.figure["layout"]["xaxis"]["categoryarray"] == trace["x"]
    assert chart.legend == ()


def test_the_charge_period_that_is_still_running_is_hatched_and_says_so() -> None:
    rows = [cost(14, amount="2"), cost(15, amount="1")]
    (trace,) = bars(charts.over_time(result(query(period="7d"), rows), now=NOON))
    assert trace["marker"]["pattern"]["shape"] == ["", "", "", "", "", "", "/"]
    assert trace["x"][-1].endswith(", so far")
    assert not any(name.endswith("so far") for name in trace["x"][:-1])


def test_a_week_cut_by_the_period_is_hatched_too() -> None:
    asked = query(start="2026-07-01", end="2026-10-01", granularity="week")
    monday = CostRow(datetime(2026, 6, 29, tzinfo=UTC), (), {"effective_cost": Decimal(1)})
    (trace,) = bars(charts.over_time(result(asked, [monday]), now=NOON))
    assert trace["marker"]["pattern"]["shape"] == ["/", *[""] * 12, "/"]
    assert trace["x"][0].endswith(", in part")
    assert trace["x"][-1].endswith(", in part")


def test_a_finished_period_has_nothing_hatched() -> None:
    asked = query(period="last_month")
    row = CostRow(datetime(2026, 9, 30, tzinfo=UTC), (), {"effective_cost": Decimal(1)})
    (trace,) = bars(charts.over_time(result(asked, [row]), now=NOON))
    assert trace["marker"]["pattern"]["shape"] == [""] * 30


def test_tooltips_say_the_exact_amount_and_an_unpriced_one_is_missing() -> None:
    rows = [cost(13, amount="1234.567"), cost(14, amount=None)]
    (trace,) = bars(charts.over_time(result(query(period="7d"), rows), now=NOON))
    assert trace["customdata"][4:6] == ["$1,234.57", "–"]
    assert trace["y"][5] is None


def test_names_from_outside_are_no_markup() -> None:
    rows = [cost(14, '<a href="https://example.org">x</a>', amount="1")]
    (trace,) = bars(charts.over_time(result(query(group_by="team"), rows), now=NOON))
    assert "<a" not in trace["name"]
    assert "<a" not in trace["meta"]


def test_names_from_outside_are_no_placeholders_of_a_tooltip() -> None:
    rows = [cost(14, "%{customdata} %{y}", amount="1")]
    (trace,) = bars(charts.over_time(result(query(group_by="team"), rows), now=NOON))
    assert trace["meta"] == "%{customdata} %{y}"
    assert trace["hovertemplate"] == "%{meta}  <b>%{customdata}</b><extra></extra>"


def test_the_period_before_is_a_muted_line_over_the_same_axis() -> None:
    asked = query(period="7d")
    earlier = asked.replace(period=days(date(2026, 10, 2), date(2026, 10, 9), ZONE))
    before = result(earlier, [cost(2, amount="9"), cost(8, amount="7")])
    chart = charts.over_time(result(asked, [cost(14, amount="1")]), now=NOON, before=before)
    assert chart.figure is not None
    line = chart.figure["data"][-1]
    assert line["line"]["color"] == "role:text-muted"
    assert line["x"] == bars(chart)[0]["x"]
    assert line["y"] == [9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0]


def test_what_does_not_add_up_is_drawn_as_lines() -> None:
    asked = query(period="7d", metrics="latency_p95")
    row = CostRow(datetime(2026, 10, 14, tzinfo=UTC), (), {"latency_p95": 812.4})
    chart = charts.over_time(result(asked, [row]), now=NOON)
    assert chart.figure is not None
    assert [trace["type"] for trace in chart.figure["data"]] == ["scatter"]
    assert chart.figure["data"][0]["customdata"][5] == "812\N{NO-BREAK SPACE}ms"


def test_long_latencies_are_drawn_in_a_unit_that_can_be_read() -> None:
    asked = query(period="7d", metrics="latency_p95")
    row = CostRow(datetime(2026, 10, 14, tzinfo=UTC), (), {"latency_p95": 3_000_000.0})
    chart = charts.over_time(result(asked, [row]), now=NOON)
    assert chart.figure is not None
    assert chart.figure["data"][0]["y"][5] == 50.0
    assert chart.figure["layout"]["yaxis"]["ticksuffix"] == "\N{NO-BREAK SPACE}min"


def test_nothing_is_drawn_of_nothing() -> None:
    chart = charts.over_time(result(query(), []), now=NOON)
    assert chart.figure is None
    assert chart.reason


def test_the_equal_hours_of_an_autumn_night_are_two_places_on_the_axis() -> None:
    zone = ZoneInfo("America/New_York")
    now = datetime(2026, 11, 1, 18, tzinfo=UTC)
    asked = query(zone, now, period="24h")
    rows = [
        CostRow(datetime(2026, 11, 1, hour, tzinfo=UTC), (), {"effective_cost": Decimal(hour)})
        for hour in (5, 6)
    ]
    (trace,) = bars(charts.over_time(result(asked, rows), now=now))
    assert len(set(trace["x"])) == 24
    assert [y for y in trace["y"] if y] == [5.0, 6.0]
    at_one = [name for name in trace["x"] if "01:00" in name]
    assert [name.split()[-1] for name in at_one] == ["EDT", "EST"]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.0004", {"tickformat": ",.5f"}),
        ("0.6", {"tickformat": ",.2f"}),
        ("12", {"tickformat": ",.0f"}),
        ("12000", {"exponentformat": "B", "separatethousands": True}),
    ],
)
def test_small_amounts_never_get_a_letter_for_thousandths(
    amount: str, expected: dict[str, Any]
) -> None:
    chart = charts.over_time(result(query(), [cost(14, amount=amount)]), now=NOON)
    assert chart.figure is not None
    axis = chart.figure["layout"]["yaxis"]
    assert axis["tickprefix"] == "$"
    assert {key: axis.get(key) for key in expected} == expected


def test_at_most_six_groups_have_a_colour_of_their_own() -> None:
    keys = [(str(number),) for number in range(9)]
    assert list(charts.roles(keys).values()) == [f"series-{rank}" for rank in range(1, 7)]


def test_a_period_that_has_not_begun_is_not_filling() -> None:
    asked = query(start="2026-10-14", end="2026-10-18")
    buckets = charts.buckets_of(asked, NOON)
    assert [bucket.is_partial for bucket in buckets] == [False, True, False, False]
    assert buckets[1].start == NOON - timedelta(hours=12)
