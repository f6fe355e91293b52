"""A month's allocation is of the same figures as every page, whatever is paid beside requests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from finops import cost_items, costs
from finops.allocation import add_up
from finops.cost_items import MonthAllocation, Placed
from finops.demo import cost_items as demo
from finops.models import OwnershipRule, Team
from finops.periods import days
from finops.query import UNATTRIBUTED, CostQuery
from tests import figures, ownership, usage

D = Decimal
OCTOBER = date(2026, 10, 1)
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
METRICS = ("effective_cost", "requests", "unpriced_requests", "input_tokens", "output_tokens")

pytestmark = pytest.mark.django_db


def item(kind: str, name: str, **terms: Any) -> Placed:
    given = {"name": name, "kind": kind, "effective_from": "2026-10-01", **terms}
    return Placed(name, cost_items.read(given))


def of_october(*items: Placed, **options: Any) -> MonthAllocation:
    return cost_items.of_month(OCTOBER, **{"now": NOW, "items": items, **options})


def totals() -> dict[str, Any]:
    plain = CostQuery.from_params({}, now=NOW, zone=settings.REPORTING_ZONE)
    period = days(OCTOBER, date(2026, 11, 1), settings.REPORTING_ZONE)
    return costs.run(plain.replace(period=period, granularity="total", metrics=METRICS)).totals


@pytest.fixture
def recorded() -> None:
    """Usage of two months, some of nobody, some without a price."""
    figures.price_models()
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="ads", cost_center="CC-2")
    before = START - timedelta(days=3)
    usage.record(figures.random_events(11, 120, before, END + timedelta(days=3)), now=NOW)


COMMITMENT = {"capacity_unit": "tokens", "capacity_per_hour": "2000"}
SHARED = st.sampled_from(
    [
        {"method": "even"},
        {"measure": "requests"},
        {"measure": "tokens", "targets": ["CC-1"]},
        {"method": "fixed", "weights": {"CC-2": "33.3"}, "fallback": "CC-1"},
        {"filters": {"feature": ["!chat"]}},
    ]
)
TERMS = st.one_of(
    st.builds(lambda n: ("fixed", {"amount": n}), st.integers(1, 10_000)),
    st.builds(lambda n: ("overhead", {"percent": n}), st.integers(1, 40)),
    st.builds(lambda n: ("credit", {"percent": n}), st.integers(1, 40)),
    st.builds(lambda n: ("true_up", {"amount": n}), st.integers(-500, -1)),
    st.builds(lambda n: ("commitment", {"hour_price": n, **COMMITMENT}), st.integers(1, 9)),
    st.builds(
        lambda n, day: (
            "fleet",
            {
                "filters": {"team": ["!none"]},
                "sizes": [
                    {"day": "2026-10-01", "count": n, "hour_price": "2.4975"},
                    {"day": f"2026-10-{day}", "count": 1, "hour_price": 1, "option": "spot"},
                ],
            },
        ),
        st.integers(0, 4),
        st.integers(10, 30),
    ),
)
DAYS = st.sampled_from([{}, {"effective_from": "2026-10-12"}, {"effective_to": "2026-10-20"}])


@given(st.lists(st.tuples(TERMS, SHARED, DAYS), max_size=5))
@hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_are_the_figures_of_every_page_and_what_was_paid(
    recorded: None, drawn: list[Any]
) -> None:
    items = [
        item(kind, f"item {n}", **{**more, **terms, **({} if kind == "true_up" else span)})
        for n, ((kind, terms), more, span) in enumerate(drawn)
    ]
    found = of_october(*items)
    shown, whole = found.allocation.totals, totals()
    used = shown.usage
    assert shown.direct_cost == whole["effective_cost"]
    assert (used.requests, used.unpriced_requests, used.input_tokens, used.output_tokens) == tuple(
        whole[name] for name in METRICS[1:]
    )
    for column in ("shared_cost", "idle_cost"):
        charged = add_up(each.amount for each in found.charges if each.column == column)
        assert getattr(shown, column) == charged
    for use in found.capacity:
        own = {each.column: each.amount for each in found.charges if each.item == use.item}
        borne = own["shared_cost"] + own["idle_cost"] + use.utilization.covered
        assert borne == use.utilization.fee
    keys = [line.key for line in found.allocation.lines]
    assert len(set(keys)) == len(keys)
    assert found.coverage.unpriced_requests == whole["unpriced_requests"]


def test_amounts_are_of_the_days_on_which_they_count() -> None:
    found = of_october(
        item("fixed", "whole", amount="310"),
        item("fixed", "part", amount="310", effective_from="2026-10-17"),
        item("credit", "given back", amount="31", effective_to="2026-10-11"),
        item("true_up", "last month", amount="-12.34", effective_from="2026-09-30"),
        item("true_up", "this month", amount="-12.34", effective_from="2026-10-31"),
        item("fixed", "later", amount="310", effective_from="2026-11-01"),
    )
    assert {each.name: each.amount for each in found.charges} == {
        "whole": 310,
        "part": 150,
        "given back": -10,
        "this month": D("-12.34"),
    }


def record_hours(*hours: tuple[int, str, float]) -> None:
    """Usage of some hours of October: team and GPU-seconds on the fleet; without any, at prices."""
    figures.price_models()
    usage.record(
        [
            usage.event(START + timedelta(hours=at), team=team, **on_fleet(seconds))
            for at, team, seconds in hours
        ],
        now=NOW,
    )


def on_fleet(seconds: float) -> dict[str, Any]:
    return {"fleet": "h100-eu", "gpu_seconds": seconds} if seconds else {}


def test_a_fleet_is_paid_for_by_whoever_used_it_and_the_rest_is_idle() -> None:
    Team.objects.create(name="cx", cost_center="CC-1")
    record_hours((0, "cx", 3600), (30, "cx", 1800), (30, "ads", 1800))
    sizes = [
        {"day": "2026-10-01", "count": 1, "hour_price": "2"},
        {"day": "2026-10-02", "count": 2, "hour_price": "2"},
        {"day": "2026-10-03", "count": 0, "hour_price": "2"},
    ]
    found = of_october(item("fleet", "h100-eu", sizes=sizes, method="even"))
    (use,) = found.capacity
    assert (use.unit, use.utilization.fee, use.utilization.used_fee) == ("gpu_seconds", 144, 4)
    assert use.utilization.capacity == (24 + 48) * 3600
    shown = found.allocation.totals
    assert shown.direct_cost + shown.shared_cost == 4
    assert shown.total_cost == 144
    idle = {key: line.idle_cost for key, line in found.allocation.by_cost_center().items()}
    assert idle == {"CC-1": 140, UNATTRIBUTED: 0}


def test_the_second_of_two_commitments_is_used_by_what_the_first_has_no_room_for() -> None:
    record_hours((0, "cx", 0), (0, "cx", 0), (0, "cx", 0))  # 3,600 tokens
    terms = {"hour_price": "1", "effective_to": "2026-10-02", "capacity_unit": "tokens"}
    found = of_october(
        item("commitment", "first", capacity_per_hour="1200", **terms),
        item("commitment", "second", capacity_per_hour="4800", **terms),
    )
    first, second = (each.utilization for each in found.capacity)
    assert (first.used, first.beyond, first.used_fee) == (1200, 2400, 1)
    assert (second.used, second.beyond, second.used_fee) == (2400, 0, D("0.5"))
    direct = found.allocation.totals.direct_cost
    assert first.covered + second.covered == direct > 0
    assert round(first.covered, 10) == round(direct / 3, 10)
    assert found.allocation.totals.total_cost == first.fee + second.fee == 48


def test_a_month_that_runs_has_paid_for_its_hours_so_far(recorded: None) -> None:
    now = datetime(2026, 10, 2, 3, 40, tzinfo=UTC)
    terms = {"amount": "744", "term_start": "2026-10-01", "term_end": "2026-11-01"}
    items = (item("commitment", "PTU", **terms, **COMMITMENT), item("fixed", "s", amount="310"))
    running = of_october(*items, now=now)
    assert running.is_running
    assert running.capacity[0].utilization.fee == 27
    assert running.allocation.totals.shared_cost + running.capacity[0].utilization.covered >= 310
    assert of_october(*items, now=START - timedelta(days=9)).capacity == ()


def test_rules_on_users_and_part_of_a_month_leave_no_cent_out(recorded: None) -> None:
    OwnershipRule.objects.create(
        position=1, conditions={"user": "ann"}, dimensions=["user"], cost_center="CC-9"
    )
    found = of_october(item("overhead", "o", percent=10, effective_from="2026-10-09"))
    assert found.allocation.totals.direct_cost == totals()["effective_cost"]
    assert "CC-9" in found.allocation.by_cost_center()


def test_who_sees_some_teams_sees_their_lines_alone(recorded: None) -> None:
    found = of_october(item("fixed", "Seats", amount="310"), reader_teams=("cx",))
    assert {line.key.team for line in found.allocation.lines} == {"cx"}
    assert found.is_narrowed
    assert (found.charges, found.capacity, found.allocation.shares) == ((), (), ())
    assert 0 < found.allocation.totals.shared_cost < 310


def test_the_demo_pays_for_more_than_requests(administrator: User) -> None:
    ownership.make_centers("CC-1200", "CC-2200")
    record_hours((500, "support", 9_000), (501, "search", 0))
    now = START + timedelta(hours=502)
    assert demo.make(administrator, now, settings.REPORTING_ZONE) == 5
    assert demo.make(administrator, now, settings.REPORTING_ZONE) == 0
    found = cost_items.of_month(OCTOBER, now=now)
    assert {each.kind for each in found.capacity} == {"commitment", "fleet"}
    assert found.allocation.totals.idle_cost > 0
