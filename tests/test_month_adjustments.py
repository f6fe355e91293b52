"""Closed months stay; what they come to later is borne once, in a month that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from finops.allocation import Adjustment, LineKey, add_up
from finops.books.adjusting import (
    ANEW,
    FEWER,
    LATE,
    RETURNED,
    Capacity,
    Change,
    Direct,
    Frozen,
    Today,
    adjustments,
    change_of,
)

D = Decimal
ZERO = D(0)
A, B = LineKey("CC-1", "cx"), LineKey("CC-2", "ads")
JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))


@dataclass
class Closed:
    """A version, with its lines."""

    frozen: Frozen
    direct: Mapping[LineKey, Direct]

    def change(self, now: Today) -> Change:
        return change_of(self.direct.items(), self.frozen.capacity, now)


def closed(
    month: date,
    direct: Mapping[LineKey, Direct],
    capacity: Mapping[str, Capacity] | None = None,
    adjustments: tuple[Adjustment, ...] = (),
    version: int = 1,
) -> Closed:
    return Closed(Frozen(month, version, capacity or {}, adjustments), direct)


def january(cost: str, requests: int = 10) -> Closed:
    return closed(JANUARY, {A: Direct(requests, D(cost))})


def due(held: Iterable[Closed], now: Mapping[date, Today]) -> tuple[Adjustment, ...]:
    every = {each.frozen.month: each for each in held}
    changes = {month: each.change(now[month]) for month, each in every.items()}
    return adjustments([each.frozen for each in every.values()], changes)


@pytest.mark.parametrize(
    ("cost", "requests", "amount", "reason"),
    [
        ("12", 11, "2", LATE),
        ("12", 10, "2", ANEW),
        ("7.5", 10, "-2.5", ANEW),
        ("7.5", 9, "-2.5", FEWER),
    ],
)
def test_what_a_closed_month_came_to_later_is_due_with_its_reason(
    cost: str, requests: int, amount: str, reason: str
) -> None:
    now = {JANUARY: Today({A: Direct(requests, D(cost))})}
    assert due([january("10")], now) == (Adjustment(A, D(amount), JANUARY, 1, reason),)


def test_nothing_is_due_of_a_month_that_is_what_it_was() -> None:
    assert due([january("10")], {JANUARY: Today({A: Direct(10, D(10))})}) == ()


def test_what_another_month_has_borne_is_not_due_again() -> None:
    now = {JANUARY: Today({A: Direct(11, D(12))}), FEBRUARY: Today({})}
    borne = due([january("10")], {JANUARY: now[JANUARY]})
    february = closed(FEBRUARY, {}, adjustments=borne)
    assert due([january("10"), february], now) == ()
    # Closed anew, January has it too: what February bore is taken back.
    (back,) = due([january("12", 11), february], now)
    assert (back.key, back.amount, back.month) == (A, D(-2), JANUARY)


def test_late_usage_of_paid_capacity_is_given_back_to_those_who_bore_what_was_idle() -> None:
    bearers = {LineKey("CC-1"): D(30), LineKey("CC-2"): D(10)}
    gpus = {"gpus": Capacity(D(10), bearers)}
    month = closed(JANUARY, {A: Direct(10, D(10))}, gpus, version=2)
    now = {JANUARY: Today({A: Direct(14, D(14))}, {"gpus": D(14)})}
    found = due([month], now)
    assert add_up(each.amount for each in found) == 0
    assert [(each.key, each.amount, each.reason) for each in found] == [
        (A, D(4), LATE),
        (LineKey("CC-1"), D(-3), RETURNED),
        (LineKey("CC-2"), D(-1), RETURNED),
    ]
    later = closed(FEBRUARY, {}, adjustments=found)
    assert due([month, later], now | {FEBRUARY: Today({})}) == ()


MONTHS = [date(2026, number, 1) for number in range(1, 7)]
KEYS = st.sampled_from([A, B, LineKey("CC-3")])
COSTS = st.decimals(-20, 100, places=9)


@dataclass
class Truth:
    """What one month comes to, with what of it is covered by capacity that costs 50."""

    direct: dict[LineKey, Direct] = field(default_factory=dict)
    covered: Decimal = ZERO

    def today(self) -> Today:
        return Today(dict(self.direct), {"gpus": self.covered})

    def total(self) -> Decimal:
        return add_up([*(each.cost for each in self.direct.values()), 50 - self.covered])


class Books(RuleBasedStateMachine):
    """Months in which usage arrives, late too, is rated again, closed, reopened, closed again."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = {month: Truth() for month in MONTHS}
        self.versions: dict[date, list[Closed]] = {}
        self.billed: dict[date, Decimal] = {}
        self.reopened: set[date] = set()

    def latest(self) -> list[Closed]:
        return [held[-1] for month, held in self.versions.items() if month not in self.reopened]

    def due(self) -> tuple[Adjustment, ...]:
        return due(self.latest(), self.now())

    def now(self) -> Mapping[date, Today]:
        return {month: truth.today() for month, truth in self.truth.items()}

    @rule(month=st.sampled_from(MONTHS), key=KEYS, cost=COSTS, requests=st.integers(-1, 2))
    def usage_arrives_or_is_rated_again(
        self, month: date, key: LineKey, cost: Decimal, requests: int
    ) -> None:
        held = self.truth[month].direct.get(key, Direct())
        self.truth[month].direct[key] = Direct(held.requests + requests, held.cost + cost)

    @rule(month=st.sampled_from(MONTHS), key=KEYS, cost=st.decimals(0, 20, places=9))
    def capacity_is_used(self, month: date, key: LineKey, cost: Decimal) -> None:
        self.usage_arrives_or_is_rated_again(month, key, cost, 1)
        self.truth[month].covered += cost

    @precondition(lambda self: self.reopened or len(self.versions) < len(MONTHS) - 1)
    @rule(weight=st.decimals(1, 9, places=2))
    def the_first_month_that_is_open_closes(self, weight: Decimal) -> None:
        month = min(each for each in MONTHS if each not in self.versions or each in self.reopened)
        truth, borne = self.truth[month], self.due()
        bearers = {LineKey("CC-1"): weight, LineKey("CC-2"): D(3)}
        versions = self.versions.setdefault(month, [])
        capacity = {"gpus": Capacity(truth.covered, bearers)}
        made = closed(month, dict(truth.direct), capacity, borne, len(versions) + 1)
        versions.append(made)
        self.reopened.discard(month)
        self.billed[month] = truth.total() + add_up(each.amount for each in borne)

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def a_closed_month_is_reopened(self, data: st.DataObject) -> None:
        self.reopened.add(data.draw(st.sampled_from(sorted(self.versions))))

    @invariant()
    def all_that_was_billed_and_is_due_is_what_all_months_come_to(self) -> None:
        shut = [month for month in self.versions if month not in self.reopened]
        billed = add_up(self.billed[month] for month in shut)
        owed = add_up(each.amount for each in self.due())
        # What was borne of a month that is open again comes back when that is closed.
        lent = add_up(
            each.amount
            for month in shut
            for each in self.versions[month][-1].frozen.adjustments
            if each.month not in shut
        )
        assert billed + owed == add_up(self.truth[month].total() for month in shut) + lent


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
