"""The rules of enforcement by themselves: amounts, pauses, and which budgets a call touches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.enforcement.books import Figures
from ingest.enforcement.decisions import ALLOW, BLOCK, THROTTLE, Position, judge
from ingest.enforcement.owners import Owners
from ingest.enforcement.pacing import Pacing
from ingest.enforcement.positions import Positions
from ingest.enforcement.questions import Question
from ingest.enforcement.reservations import Hold, Reservation
from ingest.enforcement.terms import Condition, Index, Place, Terms, caller_of, matches
from ingest.facts import Scope
from ingest.user_names import Naming

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
PLACE = Place(1, "")
SCOPE = Scope(1, "gateway", "gateway", "", "production")
money = st.decimals(0, 1000, places=4)


def terms(amount: object, policy: str = BLOCK, **more: object) -> Terms:
    starts, ends = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    given = {"starts": starts, "ends": ends, **more}
    return Terms(1, "b", Decimal(str(amount)), policy, **given)  # type: ignore[arg-type]


@given(money, money, money, st.decimals("0.0001", 1000, places=4))
def test_whoever_is_let_in_keeps_the_amount(
    amount: Decimal, spent: Decimal, reserved: Decimal, cost: Decimal
) -> None:
    verdict = judge(terms(amount), PLACE, Position(spent, reserved), cost, NOW)
    assert (verdict.decision == ALLOW) == (spent + reserved + cost <= amount)
    if verdict.decision == BLOCK:
        at_all = "budget_spent" if spent + cost > amount else "budget_reserved"
        assert verdict.code == ("over_amount" if cost > amount else at_all)
        assert (verdict.pause is None) == (cost > amount)


def test_amounts_are_compared_to_the_last_digit() -> None:
    tiny = Decimal("1e-40")
    position = Position(Decimal("999999999998." + "9" * 40))
    assert judge(terms(999_999_999_999), PLACE, position, tiny, NOW).decision == ALLOW
    assert judge(terms(999_999_999_999), PLACE, position, 2 * tiny, NOW).decision == BLOCK


@given(money, st.decimals("0.0001", 10, places=4))
def test_a_throttled_budget_spends_what_is_left_over_the_time_that_is_left(
    spent: Decimal, cost: Decimal
) -> None:
    verdict = judge(
        terms(1000, THROTTLE, throttle_percent=Decimal(50)), PLACE, Position(spent), cost, NOW
    )
    if spent + cost < 500:
        assert verdict.decision == ALLOW
        return
    assert verdict.decision == THROTTLE
    assert verdict.pause is not None
    assert 1 <= verdict.pause <= 60
    left = (datetime(2026, 11, 1, tzinfo=UTC) - NOW).total_seconds()
    if 1 < verdict.pause < 60:
        assert abs(float(cost / (1000 - spent)) * left - verdict.pause) < 0.01


def test_after_its_period_a_budget_begins_again() -> None:
    held = terms(1)
    assert held.period(NOW) == held.starts
    assert held.period(held.ends - timedelta(microseconds=1)) == held.starts  # type: ignore[operator]
    assert held.period(held.ends) == held.ends  # type: ignore[arg-type]


VALUES = ["a", "b", "Unattributed"]
conditions = st.builds(
    Condition,
    dimension=st.sampled_from(["team", "feature", "model", "tag:release"]),
    values=st.frozensets(st.sampled_from(VALUES), min_size=1),
    exclude=st.booleans(),
)


@given(
    st.lists(st.lists(conditions, max_size=3), max_size=12),
    st.fixed_dictionaries(
        {name: st.sampled_from(["a", "b", "c", None]) for name in ("team", "feature", "model")}
    ),
    st.sampled_from(["a", "b", "c"]),
)
def test_the_index_finds_exactly_the_budgets_that_all_filters_keep(
    filters: list[list[Condition]], named: dict[str, str | None], release: str
) -> None:
    budgets = [
        Terms(number, "", Decimal(1), BLOCK, NOW, filters=tuple(kept))  # type: ignore[arg-type]
        for number, kept in enumerate(filters)
    ]
    question = Question(**named, tags={"release": release})  # type: ignore[arg-type]
    caller = caller_of(question, SCOPE, Naming().names, Owners(), frozenset({"release"}))
    expected = [each for each in budgets if all(matches(c, caller) for c in each.filters)]
    assert Index(budgets).touched(caller) == expected


def test_a_user_is_known_by_the_name_and_by_its_hash() -> None:
    naming = Naming("key", "on", "")
    caller = caller_of(Question(user="ann"), SCOPE, naming.names, Owners(), frozenset())
    for form in ("ann", naming.stored("ann")):
        assert matches(Condition("user", frozenset({form})), caller)
    assert not matches(Condition("user", frozenset({"ann"}), exclude=True), caller)


def test_what_the_database_decides_on_is_neither_free_nor_taken() -> None:
    positions, held = Positions(), terms(10)
    hold = Hold(PLACE, held.starts, Decimal("1e-40"), Decimal(10))
    asked = Reservation(uuid4(), 1, "gateway", NOW, NOW, (hold,))
    with positions.asking(asked), positions.asking(asked._replace(id=uuid4())):
        assert positions.asked(held, PLACE, NOW) == Decimal("2e-40")
        assert positions.of(held, PLACE, NOW) == Position()
    assert positions.asked(held, PLACE, NOW) == 0


steps = st.lists(st.sampled_from(["hold", "held", "write", "fail", "begin", "take"]), max_size=40)


@given(steps)
def test_what_is_reserved_since_the_figures_were_read_counts_once(steps: list[str]) -> None:
    positions, held = Positions(), terms(1000)
    waiting: list[Reservation] = []  # known here, and not written yet
    written = count = 0
    reading: int | None = None
    for step in steps:
        hold = Hold(PLACE, held.starts, Decimal(1), None)
        made = Reservation(uuid4(), 7, "gateway", NOW, NOW, (hold,))
        if step in {"hold", "held"}:
            positions.remember(made, is_saved=step == "held")
            waiting += [made] if step == "hold" else []
            written += step == "held"
            count += 1
        elif step == "write" and waiting:
            positions.note_written(waiting.pop())
            written += 1
        elif step == "fail" and waiting:
            positions.forget(waiting.pop())
            count -= 1
        elif step == "begin":  # again where the last one failed
            positions.note_saved()
            reading = written
        elif step == "take" and reading is not None:
            reserved = {(PLACE, held.starts): Decimal(reading)}
            positions.take(Figures(reserved=reserved, calls={7: reading}))
            reading = None
        assert positions.of(held, PLACE, NOW).reserved == count
        assert positions.calls(7) == count


def test_a_clock_that_is_set_back_shuts_nobody_out_for_long() -> None:
    pacing = Pacing()
    paced = judge(terms(10, THROTTLE), PLACE, Position(Decimal(11)), Decimal(1), NOW)
    at = NOW.timestamp()
    assert pacing.passed(paced, at).decision == ALLOW
    pacing.let_in([paced], at)
    back = at - 86_400
    waits = pacing.passed(paced, back)
    assert (waits.decision, waits.pause) == (THROTTLE, 60)
    assert pacing.passed(paced, back + 60).decision == ALLOW


def test_a_turn_is_given_back_unless_somebody_came_between() -> None:
    pacing = Pacing()
    paced = judge(terms(10, THROTTLE), PLACE, Position(Decimal(11)), Decimal(1), NOW)
    first = pacing.let_in([paced], 0.0)
    pacing.let_in([paced], 60.0)
    pacing.give_back(first)
    assert pacing.passed(paced, 61.0).decision == THROTTLE
    pacing.give_back(pacing.let_in([paced], 120.0))
    assert pacing.passed(paced, 121.0).decision == ALLOW


def test_those_that_wait_no_more_are_looked_for_now_and_then_however_many_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.enforcement.pacing.MOST", 10)
    pacing = Pacing()
    paced = judge(terms(10, THROTTLE), PLACE, Position(Decimal(11)), Decimal(1), NOW)
    tables = [pacing._next_at]
    for number in range(1_000):
        pacing.let_in([paced._replace(place=Place(1, str(number)))], 0.0)
        tables += [] if tables[-1] is pacing._next_at else [pacing._next_at]
    assert len(tables) < 10
    for number in range(600):
        pacing.let_in([paced._replace(place=Place(2, str(number)))], 100.0)
    assert len(pacing._next_at) == 600
