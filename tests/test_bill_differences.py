"""Why a bill differs is told in parts that add up, and nothing that is not known is explained."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation import add_up
from finops.reconciliation import BillLine, Cell, CellKey, Used, pairs, split

D = Decimal
DAY = date(2026, 10, 1)
MODEL = "gpt-4o"


def ours(day: int = 0, model: str = MODEL, **more: Any) -> dict[CellKey, Used]:
    """1,000 tokens out for $10, and 2,000 in for $4."""
    terms: dict[str, Any] = {
        "requests": 10,
        "quantities": {"output": D(1000), "uncached_input": D(2000)},
        "costs": {"output": D(10), "uncached_input": D(4)},
    }
    return {CellKey("openai", model, "", DAY + timedelta(day)): Used(**(terms | more))}


def billed(
    kind: str = "output", quantity: str | None = None, amount: str | None = None, **more: Any
) -> BillLine:
    terms: dict[str, Any] = {"provider": "openai", "source": "csv", "day": DAY, "model": MODEL}
    numbers = [None if each is None else D(each) for each in (quantity, amount)]
    return BillLine(**(terms | {"kind": kind, "quantity": numbers[0], "amount": numbers[1]} | more))


INPUT = billed("uncached_input", "2000", "4")
INPUT_FREE = billed("uncached_input", "2000", "0")


def compared(bill: list[BillLine], used: Mapping[CellKey, Used] | None = None) -> list[Cell]:
    return split(pairs(ours() if used is None else used, bill))


def parts(cell: Cell) -> dict[str, Decimal]:
    return {name: amount for name, amount in cell.parts.items() if amount}


@pytest.mark.parametrize(
    ("bill", "expected", "status"),
    [
        ([billed("output", "1000", "10"), INPUT], {}, "matched"),
        ([billed("output", "1000", "10.004"), INPUT], {"price": "0.004"}, "matched"),
        ([billed("output", "1100", "11"), INPUT], {"quantity": "1"}, "explained"),
        ([billed("output", "1000", "12"), INPUT], {"price": "2"}, "explained"),
        ([billed("output", "900", "18"), INPUT], {"quantity": "-1", "price": "9"}, "explained"),
        ([billed("output", None, "12"), INPUT], {"unexplained": "2"}, "unexplained"),
        ([billed("", None, "13")], {"unexplained": "-1"}, "unexplained"),
        ([billed("", None, "14")], {}, "matched"),
        ([billed("output", "1000", "10")], {"coverage": "-4"}, "explained"),
        (
            [billed("output", "1000", "10"), INPUT, billed("cache_read_input", "50", "0.3")],
            {"quantity": "0.3"},
            "explained",
        ),
        (
            [billed("output", "1000", "10"), INPUT, billed("", None, "-3", category="credit")],
            {"credits": "-3"},
            "explained",
        ),
    ],
)
def test_each_difference_is_of_the_part_that_it_is(
    bill: list[BillLine], expected: dict[str, str], status: str
) -> None:
    [cell] = compared(bill)
    assert parts(cell) == {name: D(amount) for name, amount in expected.items()}
    assert cell.status == status


def test_an_amount_of_all_kinds_is_explained_where_a_usage_report_has_their_tokens() -> None:
    usage = [
        billed("output", "1100", source="openai usage"),
        billed("uncached_input", "2000", source="openai usage"),
    ]
    [cell] = compared([billed("", None, "15.5"), *usage])
    assert parts(cell) == {"quantity": D(1), "price": D("0.5")}


def test_usage_that_one_side_alone_knows_of_is_coverage() -> None:
    bill = [billed("output", "10", "2", model="o3", source="openai costs")]
    unseen, unbilled = sorted(compared(bill), key=lambda each: each.ours)
    assert (unseen.key.model, parts(unseen)) == ("o3", {"coverage": D(2)})
    assert (unbilled.key.model, parts(unbilled)) == (MODEL, {"coverage": D(-14)})


def test_a_table_of_ones_own_says_nothing_of_models_that_it_does_not_name() -> None:
    [unseen, own] = compared([billed("output", "10", "2", model="o3")])
    assert (unseen.status, unseen.difference, own.key.model) == ("no amount", None, "o3")


def test_usage_without_a_price_is_no_other_price_and_counts_on_no_other_day() -> None:
    used = ours(unpriced_requests=3) | ours(1)
    tomorrow = {"day": DAY + timedelta(1)}
    bill = [
        *(billed("output", "900", "20"), INPUT, billed("", None, "-1", category="credit")),
        *(billed("output", "1100", "11", **tomorrow),),
        *(billed("uncached_input", "2000", "4", **tomorrow),),
    ]
    first, second = compared(bill, used)
    assert (parts(first), first.status) == ({"unpriced": D(10), "credits": D(-1)}, "unpriced")
    assert parts(second) == {"quantity": D(1)}


def test_of_small_amounts_a_hundredth_matches_but_for_whole_cents() -> None:
    cheap = ours(costs={"output": D("0.0039"), "uncached_input": D(0)})
    statuses = [
        compared([billed("output", "1000", amount), INPUT_FREE], cheap)[0].status
        for amount in ("0.0049", "0.00393", "0", "0.01")
    ]
    assert statuses == ["explained", "matched", "matched", "explained"]


def test_quantities_are_of_one_report_but_of_all_its_endpoints() -> None:
    counted = [
        billed("output", "1000", source="openai usage completions"),
        billed("output", "50", source="openai usage embeddings"),
    ]
    own = [billed("output", "1000", "11"), INPUT]
    [cell] = compared([*own, *counted])
    assert (cell.quantities["output"], parts(cell)) == ((D(1000), D(1000)), {"price": D(1)})
    [cell] = compared([billed("", None, "14", model=""), *counted])
    assert cell.quantities["output"] == (D(1000), D(1050))


def test_one_bill_by_two_names_of_its_provider_is_one() -> None:
    costs = [billed("", None, "14", provider="AWS", source="aws cost and usage")]
    [cell] = compared([*costs, billed("", None, "14", provider="Amazon Web Services, Inc.")], {})
    assert (cell.key.provider, cell.billed) == ("aws.bedrock", D(14))


def test_what_one_side_counts_a_day_later_is_timing_and_comes_to_nothing() -> None:
    used = ours() | ours(1)
    tomorrow = DAY + timedelta(1)
    bill = [
        *(billed("output", "900", "9"), INPUT),
        *(billed("output", "1100", "11", day=tomorrow),),
        *(billed("uncached_input", "2000", "4", day=tomorrow),),
    ]
    first, second = compared(bill, used)
    assert (parts(first), parts(second)) == ({"timing": D(-1)}, {"timing": D(1)})


def test_two_unlike_days_are_not_called_timing() -> None:
    used = ours() | ours(1)
    bill = [
        *(billed("output", "900", "9"), INPUT),
        *(billed("output", "1500", "15", day=DAY + timedelta(1)),),
        *(billed("uncached_input", "2000", "4", day=DAY + timedelta(1)),),
    ]
    first, second = compared(bill, used)
    assert (parts(first), parts(second)) == ({"quantity": D(-1)}, {"quantity": D(5)})


def test_a_bill_without_amounts_is_matched_by_tokens_alone() -> None:
    [cell] = compared([billed("output", "1100", source="openai usage")])
    assert (cell.status, cell.billed, cell.difference) == ("no amount", None, None)
    assert cell.quantities["output"] == (D(1000), D(1100))


def test_a_bill_that_names_no_model_is_set_against_all_of_them() -> None:
    used = ours() | ours(model="o3")
    [cell] = compared([billed("", None, "28", model="")], used)
    assert (cell.ours, cell.status) == (D(28), "matched")


def test_the_same_said_by_two_reports_is_billed_once() -> None:
    costs = [billed("", None, "14", source="openai costs")]
    [cell] = compared([*costs, billed("", None, "14", source="focus")])
    assert (cell.billed, cell.status) == (D(14), "matched")


@pytest.mark.parametrize(
    ("theirs", "ours_of", "found"),
    [
        ("gpt-4o-2024-08-06", ["gpt-4o"], "gpt-4o"),
        ("gpt-4o", ["gpt-4o-2024-08-06"], "gpt-4o-2024-08-06"),
        ("claude-sonnet-4-5", ["claude-sonnet-4-5-20250929"], "claude-sonnet-4-5-20250929"),
        ("gpt-4o", ["gpt-4o-2024-08-06", "gpt-4o-2024-05-13"], "gpt-4o"),
        ("gpt-4o-mini", ["gpt-4o"], "gpt-4o-mini"),
        ("GPT-4o", ["gpt-4o", "gpt-4o-2024-11-20"], "gpt-4o"),
        ("gpt-4o-2024-08-06", ["gpt-4o", "gpt-4o-2024-11-20"], "gpt-4o"),
        ("gpt-4o-2024-08-06", ["gpt-4o-2024-11-20"], "gpt-4o-2024-08-06"),
        ("llama3-70b", ["llama3-70b-8192"], "llama3-70b"),
        ("mistral-large", ["mistral-large-2411"], "mistral-large-2411"),
    ],
)
def test_models_are_one_but_for_their_date_where_that_is_no_guess(
    theirs: str, ours_of: list[str], found: str
) -> None:
    used = {key: each for model in ours_of for key, each in ours(model=model).items()}
    keys = pairs(used, [billed("output", "1", "1", model=theirs)])
    assert found in {key.model for key, pair in keys.items() if pair.billed}


KINDS = ("output", "uncached_input", "cache_read_input")
NUMBERS = st.decimals(0, 5_000, places=3)
MONEY = st.decimals(-50, 500, places=7)
DAYS = st.integers(0, 3).map(lambda at: DAY + timedelta(at))
MODELS = st.sampled_from([MODEL, "gpt-4o-2024-08-06", "o3", ""])
LINES = st.lists(
    st.builds(
        billed,
        st.sampled_from([*KINDS, ""]),
        st.one_of(st.none(), NUMBERS.map(str)),
        st.one_of(st.none(), MONEY.map(str)),
        model=MODELS,
        day=DAYS,
        source=st.sampled_from(
            ["openai usage completions", "openai usage embeddings", "openai costs", "csv"]
        ),
        category=st.sampled_from(["usage", "usage", "credit", "tax"]),
    ),
    max_size=12,
)
USED = st.dictionaries(
    st.builds(CellKey, st.just("openai"), MODELS.filter(bool), st.just(""), DAYS),
    st.builds(
        Used,
        st.integers(0, 9),
        st.just(0),
        st.dictionaries(st.sampled_from(KINDS), NUMBERS),
        st.dictionaries(st.sampled_from([*KINDS, "request"]), MONEY.filter(lambda each: each >= 0)),
    ),
    max_size=6,
)


@given(USED, LINES)
def test_parts_add_up_to_the_difference_and_nothing_is_lost(
    used: dict[CellKey, Used], bill: list[BillLine]
) -> None:
    cells = compared(bill, used)
    for cell in cells:
        if cell.billed is not None:
            assert add_up(cell.parts.values()) == cell.difference == cell.billed - cell.ours
    assert add_up(cell.ours for cell in cells) == add_up(each.cost for each in used.values())
