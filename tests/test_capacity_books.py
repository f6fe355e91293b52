"""What closed months bear of paid capacity later: each cost center what it would have borne had
everything been there in time, whatever is late, reopened, moved or gone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from finops import cost_items, ledger, rollups
from finops.books import closing, drafts, frozen, months, readiness
from finops.books.adjusting import CAPACITY
from finops.models import CostItem, StatementVersion, Team
from finops.organisation.stored import Act
from finops.periods import add_months
from tests import figures, operating, ownership, usage

D = Decimal
ZONE = settings.REPORTING_ZONE
OCTOBER, NOVEMBER, DECEMBER, JANUARY = (
    date(2026, 10, 1),
    date(2026, 11, 1),
    date(2026, 12, 1),
    date(2027, 1, 1),
)
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2027, 1, 9, 12, tzinfo=UTC)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
HOUR = timedelta(hours=1)
PTU = {
    "kind": "commitment", "name": "PTU", "hour_price": "0.01", "effective_from": "2026-10-01",
    "capacity_unit": "requests", "capacity_per_hour": "10", "filters": {"provider": ["openai"]},
}  # fmt: skip
FLEET = {
    "kind": "fleet", "name": "h100", "effective_from": "2026-10-01",
    "sizes": [{"day": "2026-10-01", "count": "1", "hour_price": "2"}],
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(administrator: User) -> Act:
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    for name, center in (("cx", "CC-1"), ("ads", "CC-2")):
        Team.objects.create(name=name, cost_center=center)
    return Act(administrator, NOW)


@pytest.fixture
def bob(db: None) -> Act:
    return Act(User.objects.create_superuser("bob", "bob@example.org", "correct horse"), NOW)


def make(terms: dict[str, Any], act: Act, **more: Any) -> CostItem:
    return cost_items.make(cost_items.read({**terms, **more}), act)


def close(month: date, act: Act) -> StatementVersion:
    return closing.close(month, act, acknowledged=ALL)


def hosted(at: datetime, team: str, seconds: float) -> dict[str, Any]:
    own = {"provider": "vllm", "model": "llama", "fleet": "h100", "gpu_seconds": seconds}
    return usage.event(at, team=team, **own)


def price_gpu_seconds() -> None:
    given = {"kind": "self_hosted", "fleet": "h100", "gpu_second_price": "0.001"}
    ledger.add(given, author="ada", zone=UTC)


def record(events: Iterable[dict[str, Any]]) -> None:
    usage.record(events, now=NOW)


def added(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for center, amount in amounts:
        found[center] = found.get(center, D(0)) + amount
    return {center: amount for center, amount in found.items() if amount}


def due(month: date) -> dict[str, Decimal]:
    return added((each.key.cost_center, each.amount) for each in drafts.due(month, NOW))


def whole(month: date, items: list[str] | None = None) -> dict[str, Decimal]:
    """What each cost center bears of the month's own, worked out anew."""
    placed = cost_items.kept()
    if items is not None:
        placed.sort(key=lambda each: items.index(each.key) if each.key in items else len(items))
    found = cost_items.of_month(month, now=NOW, items=placed).allocation
    return added((center, line.total_cost) for center, line in found.by_cost_center().items())


def billed(statement: StatementVersion) -> dict[str, Decimal]:
    found = frozen.allocation_of(statement).allocation
    return added((center, line.total_cost) for center, line in found.by_cost_center().items())


def test_late_users_of_capacity_pay_what_they_had_paid_in_time(act: Act) -> None:
    make(PTU, act)
    record(usage.event(START, team="ads") for _ in range(4))
    october = close(OCTOBER, act)
    record(usage.event(START + HOUR, team="cx") for _ in range(5))
    # Five of the nine requests: so much of the cent that was used, and of what nobody used.
    assert added([*billed(october).items(), *due(NOVEMBER).items()]) == whole(OCTOBER)
    assert due(NOVEMBER)["CC-1"] == -due(NOVEMBER)["CC-2"] == D("4.14")


def test_nobody_without_a_name_bears_what_a_full_fleet_gives_back(act: Act) -> None:
    price_gpu_seconds()
    make(FLEET, act, effective_to="2026-10-02")
    record(hosted(START + n * HOUR, "cx", 3600) for n in range(24))
    assert set(close(OCTOBER, act).shares[0]) >= {"cost_center", "amount"}
    record([hosted(START + 5 * HOUR, "ads", 1200)])
    # Of one hour's two dollars a quarter.
    assert due(NOVEMBER) == {"CC-1": D("-0.50"), "CC-2": D("0.50")}


def test_gpu_seconds_that_have_a_price_later_are_not_paid_for_twice(act: Act) -> None:
    make(FLEET, act, measure="requests")
    record(hosted(START + n * HOUR, "cx", 3600) for n in range(24))
    # The fee is their cost: nothing is unknown of them.
    assert "unpriced" not in {each.name for each in readiness.look(OCTOBER, NOW).warnings}
    close(OCTOBER, act)
    price_gpu_seconds()
    operating.rerate(START, START + timedelta(days=31), ZONE)
    rollups.fold_waiting(NOW, ZONE)
    assert due(NOVEMBER) == {}
    assert {each.reason for each in drafts.due(NOVEMBER, NOW)} == {
        "rated again or corrected",
        CAPACITY,
    }


def test_moving_an_item_leaves_closed_months_as_they_are(act: Act) -> None:
    terms = PTU | {"method": "fixed", "hour_price": "1"}
    first = make(terms, act, capacity_per_hour="5", weights={"CC-1": "100"})
    make(terms, act, name="More", capacity_per_hour="50", weights={"CC-2": "100"})
    record(usage.event(START, team="cx") for _ in range(40))
    october = close(OCTOBER, act)
    cost_items.move(first.pk, 2, act)
    assert drafts.due(NOVEMBER, NOW) == ()
    names = [each.name for each in frozen.allocation_of(october).capacity]
    assert names == ["PTU", "More"]


def test_a_month_bears_only_months_before_it(act: Act, bob: Act) -> None:
    record([usage.event(START, team="cx")])
    close(OCTOBER, act)
    close(NOVEMBER, act)
    closing.ask_reopening(OCTOBER, "A rule was wrong.", act)
    closing.reopen(OCTOBER, bob)
    record([usage.event(START + timedelta(days=35), team="ads")])
    assert due(OCTOBER) == {}
    assert due(DECEMBER) == {"CC-2": D("0.0039375")}
    assert close(OCTOBER, act).adjustments == []


@dataclass
class Walk:
    """Random acts on three months, of which January bears what is left."""

    dice: random.Random
    ada: Act
    bob: Act
    order: dict[date, list[str]] = field(default_factory=dict)

    def usage_is_late(self) -> None:
        at = START + timedelta(days=self.dice.randrange(91), hours=self.dice.randrange(3))
        team = self.dice.choice(("cx", "ads", "nobody"))
        if self.dice.random() < 0.5:
            record([hosted(at, team, self.dice.randrange(9000)) for _ in range(2)])
        else:
            record([usage.event(at, team=team) for _ in range(self.dice.randrange(1, 30))])

    def a_month_closes(self) -> None:
        month = months.closed_until() or OCTOBER
        if month < JANUARY:
            close(month, self.ada)
            self.order[month] = [each.key for each in cost_items.kept()]

    def a_month_is_reopened(self) -> None:
        month = self.dice.choice((OCTOBER, NOVEMBER, DECEMBER))
        closing.ask_reopening(month, "Something was wrong.", self.ada)
        closing.reopen(month, self.bob)

    def an_item_is_made_for_the_open_month(self) -> None:
        first = months.closed_until() or OCTOBER
        days = {"effective_from": str(first), "effective_to": str(add_months(first, 1))}
        method = self.dice.choice(("even", "proportional"))
        holds, name = str(self.dice.randrange(2, 12)), f"PTU {self.dice.random()}"
        make(PTU, self.ada, name=name, method=method, capacity_per_hour=holds, **days)

    def an_item_is_moved(self) -> None:
        item = self.dice.choice(list(CostItem.objects.order_by("pk")))
        cost_items.move(item.pk, self.dice.randrange(1, 4), self.ada)

    def an_item_is_changed(self) -> None:
        item = self.dice.choice(list(CostItem.objects.filter(kind="commitment").order_by("pk")))
        terms = cost_items.fields_of(cost_items.draft_of(item)) | {"kind": "commitment"}
        price = str(self.dice.randrange(1, 9))
        cost_items.change(item.pk, cost_items.read(terms | {"hour_price": price}), self.ada)

    def an_item_is_removed(self) -> None:
        item = self.dice.choice(list(CostItem.objects.filter(kind="commitment").order_by("pk")))
        cost_items.end(item.pk, item.effective_from, self.ada)

    def acts(self) -> list[Callable[[], None]]:
        often = [self.usage_is_late] * 3 + [self.a_month_closes] * 2
        others = [self.a_month_is_reopened, self.an_item_is_made_for_the_open_month]
        return [
            *often,
            *others,
            self.an_item_is_moved,
            self.an_item_is_changed,
            self.an_item_is_removed,
        ]

    def check(self) -> None:
        """Where no month is open that was closed: what was billed and is due is what it all is."""
        shut = months.closed()
        if shut != sorted(months.every()):
            return
        latest = [frozen.statement_of(each.month, each.version) for each in frozen.newest()]
        found = [pair for each in latest for pair in billed(each).items()]
        open_month = months.closed_until()
        found += due(open_month).items() if open_month else ()
        truth = [pair for month in shut for pair in whole(month, self.order[month]).items()]
        assert added(found) == added(truth)


def test_whatever_happens_each_cost_center_bears_what_it_would_have_in_time(
    act: Act, bob: Act
) -> None:
    walk = Walk(random.Random(3), act, bob)
    price_gpu_seconds()
    make(FLEET, act)
    make(PTU, act)
    done = set()
    for _ in range(20):
        each = walk.dice.choice(walk.acts())
        try:
            each()
        except (ValidationError, IndexError):
            continue  # Refused, as it would change a month that is closed; or there is none.
        done.add(each.__name__)
        walk.check()
    while (months.closed_until() or OCTOBER) < JANUARY:
        walk.a_month_closes()
    walk.check()
    assert len(done) > 4
