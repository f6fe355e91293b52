"""Who bears paid capacity: who used it, hour by hour and in its own unit, as an allocation of every
single request says that knows nothing of the product's rollups."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from finops import cost_items, ledger
from finops.allocation import LineKey, add_up
from finops.cost_items import MonthAllocation, Placed
from finops.models import OwnershipRule, Team
from tests import figures, usage

D = Decimal
OCTOBER = date(2026, 10, 1)
START = datetime(2026, 10, 1, tzinfo=UTC)
MIDDLE = START + timedelta(days=14)
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
CENT = Fraction(1, 100)
CENTERS = {"cx": "CC-1", "ads": "CC-2", "hr": "CC-3"}
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def named(db: None) -> None:
    figures.price_models()
    Team.objects.bulk_create(Team(name=name, cost_center=c) for name, c in CENTERS.items())


def item(kind: str, name: str, **terms: Any) -> Placed:
    given = {"name": name, "kind": kind, "effective_from": "2026-10-01", **terms}
    return Placed(name, cost_items.read(given))


def fleet(count: str = "1", price: str = "2", **terms: Any) -> Placed:
    size = {"day": "2026-10-01", "count": count, "hour_price": price}
    return item("fleet", "h100", sizes=[size], **terms)


def commitment(name: str, unit: str, holds: int, price: str, **terms: Any) -> Placed:
    held = {"capacity_unit": unit, "capacity_per_hour": str(holds), "hour_price": price}
    return item("commitment", name, **held, **{"filters": {"provider": ["openai"]}, **terms})


def of_october(*items: Placed) -> MonthAllocation:
    return cost_items.of_month(OCTOBER, now=NOW, items=items)


def hosted(at: datetime, team: str, seconds: float, **fields: Any) -> dict[str, Any]:
    own = {"provider": "vllm", "model": "llama", "fleet": "h100", "gpu_seconds": seconds}
    return usage.event(at, team=team, **own, **fields)


def price_gpu_seconds(start: str = "") -> None:
    given = {"kind": "self_hosted", "fleet": "h100", "gpu_second_price": "0.001"}
    ledger.add(given | ({"effective_from": start} if start else {}), author="ada", zone=UTC)


def record(events: Iterable[dict[str, Any]]) -> None:
    usage.record(events, now=NOW)


def borne(found: MonthAllocation, column: str = "total_cost") -> dict[str, Decimal]:
    return {
        center: amount
        for center, line in found.allocation.by_cost_center().items()
        if (amount := getattr(line, column))
    }


def test_a_fleet_is_paid_for_by_gpu_seconds_and_not_by_requests() -> None:
    hours = [START + n * HOUR for n in range(24)]
    many = [hosted(at, "ads", 1) for at in hours for _ in range(9)]
    record([*(hosted(at, "cx", 3500) for at in hours), *many])
    found = of_october(fleet())
    assert borne(found, "shared_cost") == {"CC-1": D("46.67"), "CC-2": D("0.12")}
    # What nobody used is borne as it was used, unless the item says otherwise.
    assert borne(found, "idle_cost") == {"CC-1": D("1437.51"), "CC-2": D("3.70")}
    even = of_october(fleet(method="even"))
    assert len(set(borne(even, "idle_cost").values())) == 2
    assert [each.unpriced_requests for each in found.capacity] == [240]


def test_a_price_of_gpu_seconds_changes_nothing_of_what_a_fleet_costs_its_users() -> None:
    record(hosted(START + n * HOUR, "cx", 3600) for n in range(12))
    record(hosted(MIDDLE + n * HOUR, "ads", 36) for n in range(12))
    before = of_october(fleet())
    price_gpu_seconds("2026-10-15")
    record([hosted(MIDDLE + 20 * HOUR, "ads", 0)])
    record(hosted(MIDDLE + n * HOUR, "hr", 360) for n in range(24, 36))
    after = of_october(fleet(measure="requests"))
    own = {center: line.direct_cost + line.shared_cost for center, line in
           after.allocation.by_cost_center().items()}  # fmt: skip
    assert own == {"CC-1": D(24), "CC-2": D("0.24"), "CC-3": D("2.40")}
    assert borne(before, "shared_cost") == {"CC-1": D(24), "CC-2": D("0.24")}
    assert after.allocation.totals.direct_cost == D("4.32")


def test_who_used_an_hour_pays_for_that_hour_and_for_what_was_beyond_it() -> None:
    first, second = START + HOUR, START + 2 * HOUR
    record([usage.event(first, team="cx") for _ in range(40)])
    record([usage.event(second, team="ads") for _ in range(4)])
    found = of_october(commitment("PTU", "requests", 4, "10", method="fixed", weights={"X": "100"}))
    each = D("0.0039375")
    whole = found.allocation.by_cost_center()
    assert whole["CC-2"].total_cost == 10
    assert round(whole["CC-1"].total_cost, 12) == 10 + 36 * each
    assert whole["X"].total_cost == 742 * 10


def test_users_whom_rules_name_bear_their_part_of_a_day() -> None:
    OwnershipRule.objects.create(
        position=1, conditions={"user": "ann"}, dimensions=["user"], cost_center="CC-9"
    )
    day = [usage.event(START + n * HOUR, team="cx", user=user) for n in range(4)
           for user in ("ann", "ann", "ann", "bob")]  # fmt: skip
    record(day)
    found = of_october(commitment("PTU", "tokens", 9_600, "1", method="even"))
    lines = found.allocation.by_cost_center()
    # Half of four hours was used, three quarters of that by ann.
    assert lines["CC-9"].direct_cost + lines["CC-9"].shared_cost == D("1.5")
    assert lines["CC-1"].direct_cost + lines["CC-1"].shared_cost == D("0.5")
    assert lines["CC-9"].idle_cost == lines["CC-1"].idle_cost == 371
    assert found.capacity[0].utilization.covered == found.allocation.totals.direct_cost


@dataclass
class Call:
    """One request, and what items so far have left of it."""

    key: tuple[str, str]
    hour: datetime
    units: Fraction
    cost: Fraction
    is_hosted: bool


def share_out(calls: list[Call], placed: Placed) -> tuple[dict[Any, Fraction], Fraction]:
    """The fee of the hours by who used them, and what of it nobody did. Calls keep what is left."""
    draft, is_fleet = placed.draft, placed.draft.kind == "fleet"
    price = draft.sizes[0].count * draft.sizes[0].hour_price if is_fleet else draft.hour_price
    holds = draft.sizes[0].count * 3600 if is_fleet else draft.capacity_per_hour
    fee, capacity = Fraction(price or 0), Fraction(holds or 0)
    paid: dict[Any, Fraction] = {}
    idle = Fraction(0)
    for n in range(31 * 24):
        meant = [each for each in calls if each.hour == START + n * HOUR]
        meant = [each for each in meant if each.is_hosted == is_fleet]
        whole = sum((each.units for each in meant), Fraction(0))
        used = min(whole, capacity)
        idle += fee * (1 - used / capacity)
        kept = 1 - used / whole if whole else Fraction(0)
        for each in meant:
            part = fee * used / capacity * each.units / whole if whole else Fraction(0)
            paid[each.key] = paid.get(each.key, Fraction(0)) + part
            each.units *= kept
            each.cost *= 0 if is_fleet else kept
    return paid, idle


def calls_of(dice: random.Random) -> tuple[list[dict[str, Any]], list[Call]]:
    """Events in few hours, so that some of them are full, and the same as calls."""
    events, calls = [], []
    for _ in range(140):
        at = START + dice.randrange(40) * 17 * HOUR
        team, feature = dice.choice(sorted(CENTERS)), dice.choice(("chat", "search"))
        if dice.random() < 0.4:
            seconds = dice.randrange(0, 2500)
            events.append(hosted(at, team, seconds, feature=feature))
            cost = Fraction(seconds, 1000) if at >= MIDDLE else Fraction(0)
            calls.append(Call((CENTERS[team], feature), at, Fraction(seconds), cost, True))
        else:
            read = dice.randrange(3000)
            events.append(usage.event(at, team=team, feature=feature, input_tokens=read))
            cost = (read * Fraction("0.0000025") + 200 * Fraction("0.00001")) * Fraction("0.875")
            calls.append(Call((CENTERS[team], feature), at, Fraction(read + 200), cost, False))
    return events, calls


@pytest.mark.parametrize("seed", [1, 2])
def test_each_line_bears_what_its_single_requests_come_to(seed: int) -> None:
    price_gpu_seconds("2026-10-15")
    events, calls = calls_of(random.Random(seed))
    record(events)
    items = [
        commitment("first", "tokens", 3000, "0.31"),
        commitment("second", "tokens", 2500, "0.17"),
        fleet("0.5", "1.5"),
    ]
    found = of_october(*items)
    expected: dict[Any, Fraction] = {}
    for placed in items:
        paid, idle = share_out(calls, placed)
        whole = sum(paid.values())
        for key, part in paid.items():
            expected[key] = expected.get(key, Fraction(0)) + part + idle * part / whole
    for call in calls:
        expected[call.key] = expected.get(call.key, Fraction(0)) + call.cost
    lines: dict[Any, Decimal] = {}
    for line in found.allocation.lines:
        key = (line.key.cost_center, line.key.feature)
        lines[key] = lines.get(key, D(0)) + line.total_cost
    assert set(lines) == set(expected)
    # Two charges of each of three items, each of them to the cent.
    assert all(abs(Fraction(lines[key]) - expected[key]) < 6 * CENT for key in lines)
    centers = totals(lines, lambda key: key[0])
    exact = totals(expected, lambda key: key[0])
    assert all(abs(Fraction(centers[key]) - exact[key]) < 6 * CENT for key in centers)
    fees = add_up(each.utilization.fee for each in found.capacity)
    covered = add_up(each.utilization.covered for each in found.capacity)
    whole_month = found.allocation.totals
    assert whole_month.total_cost == fees + whole_month.direct_cost - covered
    own = [line for line in found.allocation.lines if line.key == LineKey(line.key.cost_center)]
    assert not own


def totals(parts: dict[Any, Any], name: Callable[[Any], str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, part in parts.items():
        found[name(key)] = found.get(name(key), 0) + part
    return found
