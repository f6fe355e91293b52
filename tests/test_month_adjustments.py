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

from finops.allocation import Adjustment, LineKey
from finops.books.adjusting import (
    ANEW,
    CAPACITY,
    FEWER,
    LATE,
    Change,
    Charged,
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
    """A version, with its lines and what its capacity gave."""

    frozen: Frozen
    direct: Mapping[LineKey, Direct]
    charged: Charged

    def change(self, now: Today) -> Change:
        return change_of(self.direct.items(), self.charged, now)

    def borne(self) -> Mapping[str, Decimal]:
        """By cost center, with what it bears of other months."""
        amounts = [(key.cost_center, each.cost) for key, each in self.direct.items()]
        amounts += [pair for centers in self.charged.values() for pair in centers.items()]
        amounts += [(each.key.cost_center, each.amount) for each in self.frozen.adjustments]
        return by_center(amounts)


def closed(
    month: date,
    direct: Mapping[LineKey, Direct],
    charged: Charged | None = None,
    adjustments: tuple[Adjustment, ...] = (),
    version: int = 1,
) -> Closed:
    return Closed(Frozen(month, version, adjustments), direct, charged or {})


def by_center(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for center, amount in amounts:
        found[center] = found.get(center, ZERO) + amount
    return {center: amount for center, amount in found.items() if amount}


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


def test_late_usage_of_paid_capacity_makes_everybody_bear_what_they_would_have_in_time() -> None:
    """ads' requests came to 10 in time, and CC-1 had 40 of the fee; now it is used by CC-2, too."""
    month = closed(
        JANUARY, {B: Direct(10, D(10))}, {"gpus": {"CC-2": D(-10), "CC-1": D(40)}}, version=2
    )
    now = {JANUARY: Today({B: Direct(14, D(14))}, {"gpus": {"CC-2": D(1), "CC-1": D(25)}})}
    found = due([month], now)
    assert [(each.key, each.amount, each.reason, each.item) for each in found] == [
        (B, D(4), LATE, ""),
        (LineKey("CC-1"), D(-15), CAPACITY, "gpus"),
        (LineKey("CC-2"), D(11), CAPACITY, "gpus"),
    ]
    later = closed(FEBRUARY, {}, adjustments=found)
    assert due([month, later], now | {FEBRUARY: Today({})}) == ()


def test_what_was_adjusted_of_an_item_that_is_gone_comes_back() -> None:
    borne = (Adjustment(LineKey("CC-2"), D(-3), JANUARY, 1, CAPACITY, "gpus"),)
    again, february = closed(JANUARY, {}, version=2), closed(FEBRUARY, {}, adjustments=borne)
    (back,) = due([again, february], {JANUARY: Today({}), FEBRUARY: Today({})})
    assert (back.key, back.amount, back.item) == (LineKey("CC-2"), D(3), "gpus")


def test_only_months_that_are_asked_for_are_due() -> None:
    february = closed(FEBRUARY, {})
    changes = {JANUARY: Change({A: Direct(1, D(2))})}
    found = adjustments([january("10").frozen, february.frozen], changes)
    assert {each.month for each in found} == {JANUARY}


MONTHS = [date(2026, number, 1) for number in range(1, 7)]
CENTERS = ("CC-1", "CC-2", "CC-3")
KEYS = st.sampled_from([A, B, LineKey("CC-3")])
COSTS = st.decimals(-20, 100, places=9)
FEES = st.dictionaries(st.sampled_from(CENTERS), COSTS, max_size=3)


@dataclass
class Truth:
    """What one month comes to."""

    direct: dict[LineKey, Direct] = field(default_factory=dict)
    charged: dict[str, Mapping[str, Decimal]] = field(default_factory=dict)

    def today(self) -> Today:
        return Today(dict(self.direct), dict(self.charged))

    def borne(self) -> Mapping[str, Decimal]:
        return closed(JANUARY, self.direct, self.charged).borne()


class Books(RuleBasedStateMachine):
    """Months in which usage arrives, late too, is rated again, closed, reopened, closed again;
    whose capacity is used otherwise, comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = {month: Truth() for month in MONTHS}
        self.versions: dict[date, list[Closed]] = {}
        self.reopened: set[date] = set()

    def shut(self) -> list[date]:
        return [month for month in MONTHS if month in self.versions and month not in self.reopened]

    def due(self, *months: date) -> tuple[Adjustment, ...]:
        latest = [self.versions[month][-1] for month in self.shut()]
        changes = {
            each.frozen.month: each.change(self.truth[each.frozen.month].today())
            for each in latest
            if each.frozen.month in months
        }
        return adjustments([each.frozen for each in latest], changes)

    @rule(month=st.sampled_from(MONTHS), key=KEYS, cost=COSTS, requests=st.integers(-1, 2))
    def usage_arrives_or_is_rated_again(
        self, month: date, key: LineKey, cost: Decimal, requests: int
    ) -> None:
        held = self.truth[month].direct.get(key, Direct())
        self.truth[month].direct[key] = Direct(held.requests + requests, held.cost + cost)

    @rule(month=st.sampled_from(MONTHS), item=st.sampled_from(["ptu", "gpus"]), centers=FEES)
    def capacity_is_used_by_others(
        self, month: date, item: str, centers: Mapping[str, Decimal]
    ) -> None:
        self.truth[month].charged[item] = centers

    @rule(month=st.sampled_from(MONTHS), item=st.sampled_from(["ptu", "gpus"]))
    def an_item_vanishes(self, month: date, item: str) -> None:
        self.truth[month].charged.pop(item, None)

    @precondition(lambda self: len(self.shut()) < len(MONTHS) - 1)
    @rule()
    def the_first_month_that_is_open_closes(self) -> None:
        month = next(each for each in MONTHS if each not in self.shut())
        truth, borne = self.truth[month], self.due(*(each for each in MONTHS if each < month))
        versions = self.versions.setdefault(month, [])
        made = closed(month, dict(truth.direct), dict(truth.charged), borne, len(versions) + 1)
        versions.append(made)
        self.reopened.discard(month)
        assert all(each.month < month for each in borne)

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def a_closed_month_is_reopened(self, data: st.DataObject) -> None:
        self.reopened.add(data.draw(st.sampled_from(sorted(self.versions))))

    @invariant()
    def each_cost_center_is_billed_and_owes_what_all_months_come_to(self) -> None:
        shut = self.shut()
        latest = [self.versions[month][-1] for month in shut]
        billed = by_center(pair for each in latest for pair in each.borne().items())
        owed = [(each.key.cost_center, each.amount) for each in self.due(*shut)]
        # What was borne of a month that is open again comes back when that is closed.
        lent = [
            (each.key.cost_center, -each.amount)
            for month in latest
            for each in month.frozen.adjustments
            if each.month not in shut
        ]
        truth = by_center(pair for month in shut for pair in self.truth[month].borne().items())
        assert by_center([*billed.items(), *owed, *lent]) == truth


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
