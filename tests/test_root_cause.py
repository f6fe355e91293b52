"""Which combinations explain a difference: the pure part, on tables of leaves."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.root_cause import (
    ADDITIVE,
    RATIO,
    Leaves,
    Localization,
    Search,
    Words,
    examine,
    localize,
)
from finops.root_cause.leaves import decimal_of

DIMENSIONS = ("feature", "model", "region")
FEATURES = ("chat", "digest", "search", "tags")
MODELS = ("large", "medium", "small")
REGIONS = ("eu", "us", "ap")
Key = tuple[str, ...]
Pairs = dict[Key, tuple[Decimal, Decimal]]


def steady(times: Callable[[Key], float] = lambda key: 1) -> Pairs:
    """Leaves of many sizes that differ by a few percent, and by what `times` says."""
    dice = random.Random(7)
    found = {}
    for key in product(FEATURES, MODELS, REGIONS):
        expected = Decimal(dice.randrange(50, 2000))
        swing = Decimal(dice.randrange(970, 1031)) / 1000
        found[key] = (expected * swing * Decimal(str(times(key))), expected)
    return found


def elements(leaves: Pairs, **options: Any) -> list[Key]:
    causes = localize(leaves, DIMENSIONS, **options)
    return [tuple(f"{name}={value}" for name, value in cause.elements) for cause in causes]


def examined(leaves: Any, dimensions: Any, measure: str = ADDITIVE, **options: Any) -> Localization:
    return examine(Leaves.of(leaves, dimensions, measure), **options)


def both(key: Key) -> bool:
    return key[0] == "search" and key[1] == "large"


CHANGES: dict[str, tuple[Callable[[Key], float], list[Key]]] = {
    "one value": (lambda key: 3 if key[1] == "large" else 1, [("model=large",)]),
    "a pair": (lambda key: 4 if both(key) else 1, [("feature=search", "model=large")]),
    "one leaf": (
        lambda key: 9 if both(key) and key[2] == "eu" else 1,
        [("feature=search", "model=large", "region=eu")],
    ),
    "a fall": (lambda key: 0.3 if key[2] == "us" else 1, [("region=us",)]),
    "what is gone": (lambda key: 0 if key[0] == "chat" else 1, [("feature=chat",)]),
    "nothing": (lambda key: 1, []),
    "everything": (lambda key: 2, []),
    "everything gone": (lambda key: 0, []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_coarsest_combination_that_holds_is_found(name: str) -> None:
    times, expected = CHANGES[name]
    assert elements(steady(times)) == expected


def test_several_causes_are_found_the_surest_first() -> None:
    found = elements(steady(lambda key: 5 if both(key) else 0.2 if key[0] == "tags" else 1))
    assert set(found) == {("feature=search", "model=large"), ("feature=tags",)}


def test_what_was_not_there_before_is_new() -> None:
    leaves = steady()
    for key in [key for key in leaves if key[0] == "digest"]:
        leaves[key] = (leaves[key][0], Decimal(0))
    [cause] = localize(leaves, DIMENSIONS)
    assert cause.elements == (("feature", "digest"),)
    assert "where nothing was before" in cause.reason
    assert cause.expected == 0


def test_all_of_it_new_says_so_and_names_nothing() -> None:
    found = examined({key: (now, 0) for key, (now, _) in steady().items()}, DIMENSIONS)
    assert not found.causes
    assert found.note == "There was nothing before: all of it is new."
    assert found.unexplained == found.difference == found.actual


def test_everything_that_rose_alike_says_so() -> None:
    found = examined(steady(lambda key: 2), DIMENSIONS)
    assert "much alike" in found.note
    assert found.difference is not None
    assert found.difference > 0


def test_a_jump_beside_a_rise_of_everything_is_found() -> None:
    assert elements(steady(lambda key: 9 if both(key) else 1.5)) == [
        ("feature=search", "model=large")
    ]


def test_changes_that_cancel_are_both_told_without_a_share() -> None:
    leaves = {key: (was, was) for key, (_, was) in steady().items()}
    leaves["chat", "small", "eu"] = (Decimal(4000), Decimal(1000))
    leaves["tags", "large", "us"] = (Decimal(1000), Decimal(4000))
    found = examined(leaves, DIMENSIONS)
    assert found.difference == 0
    assert [cause.share_of_difference for cause in found.causes] == [None, None]
    assert {cause.difference for cause in found.causes} == {Decimal(3000), Decimal(-3000)}
    assert all("cancel" in cause.reason for cause in found.causes)


def test_credits_below_zero_are_changes_like_others() -> None:
    leaves = steady()
    leaves["credit", "", ""] = (Decimal(-9000), Decimal(-100))
    [cause] = localize(leaves, DIMENSIONS)
    assert cause.elements == (("feature", "credit"),)
    assert cause.difference == -8900


@pytest.mark.parametrize(
    ("leaves", "note"),
    [
        ({}, "nothing to compare"),
        ({("a",): (3, 3)}, "came to 3.00 both times"),
        ({("a",): (5, 3)}, "all"),
        ({("a",): (0, 0), ("b",): (0, 0)}, "came to 0 both times"),
    ],
)
def test_too_little_to_tell_apart_is_said(leaves: Any, note: str) -> None:
    found = examined(leaves, ["feature"])
    assert not found.causes
    assert note.lower() in found.note.lower()


def test_two_leaves_are_enough_where_one_holds_the_change() -> None:
    [cause] = localize({("a",): (480, 120), ("b",): (101, 100)}, ["feature"])
    assert (
        cause.reason == "feature=a rose from 120.00 to 480.00, 99.7\N{NO-BREAK SPACE}% of the rise"
    )


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_no_number_is_refused(figure: Any) -> None:
    with pytest.raises(ValueError, match="finite"):
        localize({("a",): (figure, 1)}, ["feature"])


def test_a_leaf_of_other_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="must have 1 values"):
        localize({("a", "b"): (1, 1)}, ["feature"])


def test_dimensions_that_part_usage_alike_are_one_cause_with_two_names() -> None:
    leaves = {(*key, f"team-{key[0]}"): pair for key, pair in steady().items()}
    for key in [key for key in leaves if key[0] == "search"]:
        leaves[key] = (leaves[key][1] * 3, leaves[key][1])
    [cause] = localize(leaves, (*DIMENSIONS, "team"))
    assert cause.elements == (("feature", "search"),)
    assert cause.same == ((("team", "team-search"),),)


def test_a_ratio_names_what_changed_its_own() -> None:
    leaves = {}
    for key, (now, was) in steady().items():
        requests = round(now)
        leaves[key] = ((requests * (90 if both(key) else 30), requests), (was * 30, was))
    words = Words(denominator="requests")
    found = examined(leaves, DIMENSIONS, RATIO, words=words)
    [cause] = found.causes
    assert cause.elements == (("feature", "search"), ("model", "large"))
    assert cause.reason.startswith(
        "feature=search AND model=large rose from 30.00 to 90.00, and its part of all requests"
    )
    assert cause.share_of_difference == pytest.approx(1, abs=0.1)


def test_what_only_weighs_more_explains_a_ratio_too() -> None:
    leaves = {}
    for key, (_, was) in steady().items():
        each, now = (400 if key[1] == "large" else 30), was * (4 if key[1] == "large" else 1)
        leaves[key] = ((now * each, now), (was * each, was))
    [cause] = localize(leaves, DIMENSIONS, RATIO)
    assert cause.elements == (("model", "large"),)
    assert "stayed at 400.00, and its part of all usage rose from" in cause.reason


def test_a_value_without_a_name_is_no_cause() -> None:
    leaves = steady(lambda key: 3 if key[1] == "large" else 1)
    for names in elements(leaves, search=Search(nameless={"model": "large"})):
        assert "model=large" not in names


FIGURES = st.decimals(-1000, 1000, places=9) | st.just(Decimal(0))
TABLES = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("12")),
    st.tuples(FIGURES, FIGURES),
    max_size=18,
)


@settings(max_examples=40, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_causes_and_what_is_unexplained_sum_to_the_difference(
    leaves: dict[Key, Any], dice: random.Random
) -> None:
    found = examined(leaves, DIMENSIONS)
    explained = sum((cause.difference for cause in found.causes), Decimal(0))
    assert found.difference == sum((now - was for now, was in leaves.values()), Decimal(0))
    assert found.unexplained is not None
    assert explained + found.unexplained == found.difference
    if found.difference:
        shares = sum(cause.share_of_difference or 0 for cause in found.causes)
        assert shares + float(found.unexplained / found.difference) == pytest.approx(1, rel=1e-6)
    others = list(leaves.items())
    dice.shuffle(others)
    assert examined(dict(others), DIMENSIONS) == found


@settings(max_examples=20, deadline=None)
@given(TABLES)
def test_causes_of_a_ratio_sum_to_its_difference(leaves: dict[Key, Any]) -> None:
    ratios = {key: ((now, abs(was) + 1), (was, abs(now) + 1)) for key, (now, was) in leaves.items()}
    found = examined(ratios, DIMENSIONS, RATIO)
    if not leaves:
        assert found.difference is None
        return
    numerators, denominators, before, base = (
        sum((figures[side][part] for figures in ratios.values()), Decimal(0))
        for side, part in ((0, 0), (0, 1), (1, 0), (1, 1))
    )
    assert found.difference is not None
    assert found.difference == pytest.approx(numerators / denominators - before / base)
    explained = sum((cause.difference for cause in found.causes), Decimal(0))
    assert explained + (found.unexplained or 0) == found.difference


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.permutations(FEATURES))
def test_other_names_give_the_same_causes_by_those_names(seed: int, names: list[str]) -> None:
    dice = random.Random(seed)
    chosen = dice.choice(FEATURES), dice.choice(MODELS)
    leaves = steady(lambda key: 4 if key[:2] == chosen else 1)
    renamed = dict(zip(FEATURES, names, strict=True))
    others = {(renamed[key[0]], *key[1:]): pair for key, pair in leaves.items()}
    [cause], [other] = localize(leaves, DIMENSIONS), localize(others, DIMENSIONS)
    assert cause.elements == (("feature", chosen[0]), ("model", chosen[1]))
    assert other.elements == (("feature", renamed[chosen[0]]), ("model", chosen[1]))
    assert cause.difference == other.difference


def test_seventeen_dimensions_are_searched_within_a_bound_that_is_told() -> None:
    dice = random.Random(3)
    dimensions = [f"d{number}" for number in range(17)]
    leaves = {}
    for _ in range(4_000):
        key = tuple(f"v{dice.randrange(2 + number)}" for number in range(17))
        was = dice.randrange(100, 10_000)
        times = 4 if (key[3], key[9]) == ("v1", "v2") else 1
        leaves[key] = (round(was * times * dice.uniform(0.8, 1.2)), was)
    begun = time.process_time()
    found = examined(leaves, dimensions)
    assert time.process_time() - begun < 3
    assert [cause.elements for cause in found.causes] == [(("d3", "v1"), ("d9", "v2"))]
    assert "Searched were combinations of up to" in found.note


def test_figures_are_taken_to_the_last_digit() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert decimal_of(10**30) == Decimal(10**30)
