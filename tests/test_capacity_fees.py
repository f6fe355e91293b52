"""What capacity costs in a month, and how much of that was used, to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation import add_up
from finops.allocation.capacity import CapacityHour, amortized, covered_part, monthly, utilize
from finops.periods import Period

D = Decimal
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour(fee: str, capacity: str, used: str) -> CapacityHour:
    return CapacityHour(D(fee), D(capacity), D(used))


def test_an_hour_is_used_as_far_as_its_capacity_is() -> None:
    found = utilize([hour("4", "100", "25"), hour("4", "100", "0"), hour("4", "100", "150")])
    assert (found.fee, found.used_fee, found.unused_fee) == (D(12), D(5), D(7))
    assert (found.used, found.beyond) == (D(125), D(50))
    assert round(found.percent or 0, 2) == D("41.67")


def test_a_fee_pays_for_what_is_used_of_the_capacity_and_not_for_what_is_beyond() -> None:
    assert covered_part(hour("4", "100", "100")) == 1
    assert covered_part(hour("4", "100", "300")) == D("0.333333333333")
    assert covered_part(hour("4", "0", "9")) == 0


@pytest.mark.parametrize("hours", [[], [hour("0", "0", "0")], [hour("4", "0", "9")]])
def test_without_capacity_nothing_is_used(hours: list[CapacityHour]) -> None:
    found = utilize(hours)
    assert (found.used_fee, found.percent) == (D(0), None)


@pytest.mark.parametrize(
    ("first", "end", "amount"),
    [
        (date(2025, 1, 1), None, "310"),
        (date(2026, 1, 17), None, "150"),
        (date(2025, 1, 1), date(2026, 1, 2), "10"),
        (date(2026, 1, 5), date(2026, 1, 6), "10"),
        (date(2026, 2, 1), None, "0"),
        (date(2025, 1, 1), date(2026, 1, 1), "0"),
    ],
)
def test_a_monthly_amount_is_paid_by_the_days_that_it_is_in_force(
    first: date, end: date | None, amount: str
) -> None:
    assert monthly(D(310), date(2026, 1, 1), first, end) == D(amount)


def test_a_fee_falls_on_a_month_by_its_hours() -> None:
    term = Period(START, START + timedelta(days=365))
    january = Period(START - timedelta(days=40), START + timedelta(days=31))
    assert amortized(D(365), term, january) == D(31)


@given(
    st.decimals(-10_000, 100_000, places=2),
    st.integers(1, 10_000),
    st.lists(st.integers(-100, 11_000), max_size=6),
)
def test_the_parts_of_a_term_add_up_to_its_fee(fee: Decimal, hours: int, cuts: list[int]) -> None:
    term = Period(START, START + hours * HOUR)
    edges = [START + cut * HOUR for cut in sorted([-200, *cuts, 12_000])]
    spans = [Period(*pair) for pair in pairwise(edges)]
    assert add_up(amortized(fee, term, each) for each in spans) == fee


MONEY = st.decimals(0, 500, places=2)
UNITS = st.decimals(0, 10_000, places=3)


@given(st.lists(st.builds(CapacityHour, MONEY, UNITS, UNITS), max_size=30))
def test_what_was_used_and_what_was_not_are_the_fee(hours: list[CapacityHour]) -> None:
    found = utilize(hours)
    assert found.used_fee + found.unused_fee == add_up(each.fee for each in hours)
    assert 0 <= found.used_fee <= found.fee
    assert found.used + found.beyond <= add_up(each.used for each in hours)
