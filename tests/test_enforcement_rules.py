"""The rules of enforcement by themselves: amounts, pauses, and which budgets a call touches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from ingest.enforcement.decisions import ALLOW, BLOCK, THROTTLE, Position, judge
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
        is_spent = spent + cost > amount
        assert verdict.code == ("budget_spent" if is_spent else "budget_reserved")


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
    caller = caller_of(question, SCOPE, Naming().names, {}, frozenset({"release"}))
    expected = [each for each in budgets if all(matches(c, caller) for c in each.filters)]
    assert Index(budgets).touched(caller) == expected


def test_a_user_is_known_by_the_name_and_by_its_hash() -> None:
    naming = Naming("key", "on", "")
    caller = caller_of(Question(user="ann"), SCOPE, naming.names, {}, frozenset())
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
    assert not positions._asked
