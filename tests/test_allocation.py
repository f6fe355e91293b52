"""Who bears what of a month: by hand for each method, and to the last digit for any."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation import (
    Adjustment,
    Allocation,
    Charge,
    Line,
    LineKey,
    Percent,
    Usage,
    add_up,
    allocate,
)
from finops.query import UNATTRIBUTED

D = Decimal
HUNDRED = D(100)
CHAT = LineKey("CC-1", "support", "chat", "openai", "gpt-4o")
CODE = LineKey("CC-2", "platform", "review", "anthropic", "claude")
DRAFT = LineKey("CC-2", "platform", "draft", "anthropic", "claude")
LOST = LineKey(UNATTRIBUTED, "x", "x", "openai", "gpt-4o")
USED = [
    (CHAT, Usage(30, 0, 300, 30, D("60"))),
    (CODE, Usage(50, 0, 100, 10, D("30"))),
    (DRAFT, Usage(10, 0, 100, 10, D("0"))),
    (LOST, Usage(10, 4, 500, 50, D("10"))),
]


def borne(charge: Charge, *before: Charge) -> dict[str, Decimal]:
    """What each cost center bears of the charge that comes after the others."""
    found = allocate(USED, [*before, charge])
    return {each.cost_center: each.amount for each in found.shares if each.item == charge.item}


def seats(amount: Decimal | Percent = HUNDRED, **options: Any) -> Charge:
    return Charge("seats", "Seats", amount, **options)


@pytest.mark.parametrize(
    ("charge", "shares"),
    [
        (seats(), {"CC-1": "60", "CC-2": "30", UNATTRIBUTED: "10"}),
        (seats(measure="requests"), {"CC-1": "30", "CC-2": "60", UNATTRIBUTED: "10"}),
        (seats(measure="tokens"), {"CC-1": "30", "CC-2": "20", UNATTRIBUTED: "50"}),
        (seats(method="even"), {"CC-1": "50", "CC-2": "50"}),
        (seats(method="even", targets=frozenset({"CC-2", "CC-9"})), {"CC-2": "50", "CC-9": "50"}),
        (seats(targets=frozenset({"CC-1", "CC-2"})), {"CC-1": "66.67", "CC-2": "33.33"}),
        (seats(method="fixed", weights={"CC-1": D(70)}), {"CC-1": "70", UNATTRIBUTED: "30"}),
        (
            seats(method="fixed", weights={"CC-9": D(25)}, fallback="CC-2"),
            {"CC-9": "25", "CC-2": "75"},
        ),
        (seats(method="weighted", weights={"A": D(1), "B": D(3)}), {"A": "25", "B": "75"}),
        (seats(Percent(D(20))), {"CC-1": "12", "CC-2": "6", UNATTRIBUTED: "2"}),
        (seats(Percent(D("-7.5")), targets=frozenset({"CC-2"})), {"CC-2": "-2.25"}),
        (seats(scope={DRAFT: Usage(1, direct_cost=D("0.5"))}), {"CC-2": "100"}),
        (seats(scope={}), {UNATTRIBUTED: "100"}),
        (seats(scope={}, fallback="CC-9"), {"CC-9": "100"}),
        (seats(scope={}, method="even"), {UNATTRIBUTED: "100"}),
    ],
)  # fmt: skip
def test_each_method_shares_a_charge_out_as_it_says(charge: Charge, shares: dict[str, str]) -> None:
    assert borne(charge) == {center: D(amount) for center, amount in shares.items()}


def test_a_tax_follows_what_was_borne_before_it() -> None:
    tax = Charge("tax", "Tax", Percent(D(10), of="so_far"), measure="so_far")
    platform = seats(method="weighted", weights={"CC-2": D(1)})
    assert borne(tax, platform) == {"CC-1": D("6"), "CC-2": D("13"), UNATTRIBUTED: D("1")}


def test_a_share_says_by_what_it_was_measured() -> None:
    (share, *_) = allocate(USED, [seats(measure="requests")]).shares
    assert (share.cost_center, share.weight, share.of_weight) == ("CC-1", D(30), D(100))
    assert (share.method, share.measure) == ("proportional", "requests")


def test_a_cost_center_spreads_its_share_over_its_lines_by_the_same_measure() -> None:
    lines = {each.key: each for each in allocate(USED, [seats(measure="requests")]).lines}
    assert (lines[CODE].shared_cost, lines[DRAFT].shared_cost) == (D(50), D(10))


def test_idle_cost_and_adjustments_have_columns_of_their_own() -> None:
    idle = Charge(
        "gpus", "GPUs", D(8), column="idle_cost", method="weighted", weights={"CC-3": D(1)}
    )
    late = Adjustment(CHAT, D("1.5"), month=date(2026, 3, 1), version=1, reason="late events")
    found = allocate(USED, [idle], [late])
    lines = {each.key: each for each in found.lines}
    assert lines[LineKey("CC-3")] == Line(LineKey("CC-3"), idle_cost=D(8))
    assert lines[CHAT].total_cost == D("61.5")
    assert found.totals.total_cost == D("109.5")


def test_what_has_no_cost_center_is_not_allocated() -> None:
    assert allocate(USED).allocated_percent() == D(90)
    assert allocate([]).allocated_percent() is None


def test_a_credit_that_nobody_owns_does_not_make_more_than_all_of_it_allocated() -> None:
    credit = Charge("credit", "Credit", D(-40), method="weighted", weights={UNATTRIBUTED: D(1)})
    percent = allocate(USED, [credit]).allocated_percent()
    assert percent is not None
    assert 0 <= percent < 90


@pytest.mark.parametrize(
    ("charge", "problem"),
    [
        (seats(method="fixed", weights={"a": D(60), "b": D(41)}), "101 percent"),
        (seats(method="fixed"), "0 percent"),
        (seats(method="weighted", weights={"a": D(0)}), "weight above 0"),
        (seats(method="weighted", weights={"a": D(-1)}), "not negative"),
        (seats(measure="so_far", scope={}), "leave the scope out"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_in_words(charge: Charge, problem: str) -> None:
    with pytest.raises(ValueError, match=f"Seats: .*{problem}"):
        allocate(USED, [charge])


CENTERS = st.sampled_from(["CC-1", "CC-2", "CC-3", UNATTRIBUTED])
KEYS = st.builds(LineKey, CENTERS, st.sampled_from("tu"), st.sampled_from("fgh"))
MONEY = st.decimals(-100, 1_000, places=16)
USAGES = st.builds(
    Usage,
    st.integers(0, 99),
    st.just(0),
    st.integers(0, 999),
    st.integers(0, 99),
    MONEY,
)
WEIGHTS = st.dictionaries(CENTERS, st.decimals("0.1", 20, places=3), min_size=1)
CHARGES = st.builds(
    Charge,
    st.just("item"),
    st.just("Item"),
    st.one_of(MONEY, st.builds(Percent, st.decimals(-40, 40, places=2))),
    st.sampled_from(["shared_cost", "idle_cost"]),
    st.sampled_from(["proportional", "even", "fixed", "weighted"]),
    st.sampled_from(["direct_cost", "requests", "tokens"]),
    WEIGHTS,
    st.one_of(st.none(), st.dictionaries(KEYS, USAGES, max_size=4)),
    st.one_of(st.none(), st.frozensets(CENTERS)),
)


def checked(found: Allocation, direct: list[tuple[LineKey, Usage]], charges: list[Charge]) -> None:
    assert found.totals.direct_cost == add_up(usage.direct_cost for _, usage in direct)
    assert found.totals.usage.requests == sum(usage.requests for _, usage in direct)
    for column in ("shared_cost", "idle_cost"):
        shared = add_up(each.amount for each in found.shares if each.column == column)
        assert getattr(found.totals, column) == shared
        fixed = [each for each in charges if each.column == column]
        if all(isinstance(each.amount, Decimal) for each in fixed):
            assert shared == add_up(each.amount for each in fixed)  # type: ignore[misc]
    by_center = found.by_cost_center().values()
    assert add_up(each.total_cost for each in by_center) == found.totals.total_cost
    assert len({line.key for line in found.lines}) == len(found.lines)


@given(
    st.lists(st.tuples(KEYS, USAGES), max_size=12),
    st.lists(CHARGES, max_size=4),
    st.randoms(use_true_random=False),
)
def test_every_column_adds_up_to_what_was_paid_in_any_order_of_usage(
    direct: list[tuple[LineKey, Usage]], charges: list[Charge], random: Random
) -> None:
    found = allocate(direct, charges)
    checked(found, direct, charges)
    random.shuffle(direct)
    assert allocate(direct, charges) == found
