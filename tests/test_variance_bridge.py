"""The variance bridge: each part as a person works it out, and all of them to the last digit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.variance_bridge import BY_BUCKET, BY_TOKEN, Bridge, Leaf, Scheme, Side, bridge
from finops.variance_bridge.rounding import adding_up

MILLION = 1_000_000
EVEN = (Decimal(1), Decimal(1))


def side(
    requests: int,
    *,
    input_tokens: int = 0,
    read: int = 0,
    output: int = 0,
    prices: tuple[str, str, str] = ("2", "0.2", "10"),
    paid: str = "1",
    each: str = "0",
    unpriced: bool = False,
) -> Side:
    """Of requests that are alike. Tokens are a request's; prices per million of uncached input, of
    what is read from the cache, and of output; `each` is the price of the request itself."""
    uncached, cached, out = (Decimal(price) * Decimal(paid) / MILLION for price in prices)
    tokens = {
        "uncached_input": requests * (input_tokens - read),
        "cache_read_input": requests * read,
        "output": requests * output,
    }
    if unpriced:
        every = sum(tokens.values())
        return Side(requests, requests, tokens, every)
    costs = {
        "uncached_input": tokens["uncached_input"] * uncached,
        "cache_read_input": tokens["cache_read_input"] * cached,
        "output": tokens["output"] * out,
    }
    fixed = requests * Decimal(each) * Decimal(paid)
    cost = sum(costs.values(), fixed)
    return Side(requests, 0, tokens, 0, costs, fixed, cost, cost / Decimal(paid))


def parts(*pairs: tuple[Side, Side], days: tuple[Decimal, Decimal] = EVEN) -> dict[str, Decimal]:
    """Of so many groups: those that are something."""
    leaves = [Leaf((str(n),), *pair) for n, pair in enumerate(pairs)]
    found = bridge(leaves, days=days, scheme=BY_BUCKET)
    return {name: amount for name, amount in found.whole.parts.items() if amount}


DEAR, CHEAP = {"each": "0.01"}, {"each": "0.001"}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        # 50 requests more at $0.002 each.
        ([(side(100, each="0.002"), side(150, each="0.002"))], {"volume": "0.1"}),
        # Of 100 requests 30 go to what costs $0.009 less.
        (
            [(side(50, **DEAR), side(20, **DEAR)), (side(50, **CHEAP), side(80, **CHEAP))],
            {"mix": "-0.27"},
        ),
        # 10 requests with 500 input tokens more, at $2 for a million.
        ([(side(10, input_tokens=1000), side(10, input_tokens=1500))], {"input_length": "0.01"}),
        # 10 requests with 100 output tokens less, at $10 for a million.
        ([(side(10, output=300), side(10, output=200))], {"output_length": "-0.01"}),
        # 400 of 1,000 input tokens are read from the cache at $0.20 instead of $2.
        (
            [(side(10, input_tokens=1000), side(10, input_tokens=1000, read=400))],
            {"cache": "-0.0072"},
        ),
        # 10,000 tokens at $3 for a million instead of $2.
        (
            [
                (
                    side(10, input_tokens=1000),
                    side(10, input_tokens=1000, prices=("3", "0.2", "10")),
                )
            ],
            {"price": "0.01"},
        ),
        # A quarter off $0.02.
        (
            [(side(10, input_tokens=1000), side(10, input_tokens=1000, paid="0.75"))],
            {"discount": "-0.005"},
        ),
        # Everything off.
        (
            [
                (
                    side(10, input_tokens=1000),
                    replace(
                        side(10, input_tokens=1000),
                        costs={},
                        effective_cost=Decimal(0),
                    ),
                )
            ],
            {"discount": "-0.02"},
        ),
        # 10 requests at $0.02 instead of $0.01.
        ([(side(10, each="0.01"), side(10, each="0.02"))], {"per_request": "0.1"}),
        # A price for 10 requests that had none.
        (
            [(side(10, input_tokens=1000, unpriced=True), side(10, input_tokens=1000))],
            {"unpriced": "0.02"},
        ),
        # $200 become $450: half as many more requests at $2.50, the mean of both prices, and a
        # dollar more for 125 requests, the mean of both numbers.
        (
            [(side(100, each="2"), side(150, each="3"))],
            {"volume": "125", "per_request": "125"},
        ),
        # A new group takes a third of the requests and costs what the other one does: no mix.
        (
            [(side(100, each="1"), side(100, each="1")), (Side(), side(50, each="1"))],
            {"volume": "50"},
        ),
        # Everything is new, and everything is gone.
        ([(Side(), side(10, each="1"))], {"volume": "10"}),
        ([(side(10, each="1"), Side())], {"volume": "-10"}),
        # A correction without a request or a token.
        ([(Side(), Side(effective_cost=Decimal("-3.5")))], {"rest": "-3.5"}),
        ([(side(10, each="1"), side(10, each="1"))], {}),
    ],
)
def test_each_part_is_what_a_person_works_out(
    pairs: list[tuple[Side, Side]], expected: dict[str, str]
) -> None:
    assert parts(*pairs) == {name: Decimal(amount) for name, amount in expected.items()}


def test_a_longer_period_is_a_part_of_its_own() -> None:
    # 10 requests a day at $1 become 12, and 10 days 11: a day more at 11 requests, the mean, and 2
    # requests a day more on 10.5 days.
    found = parts((side(100, each="1"), side(132, each="1")), days=(Decimal(10), Decimal(11)))
    assert found == {"days": Decimal(11), "volume": Decimal(21)}


def test_a_group_has_the_parts_of_its_leaves() -> None:
    leaves = [
        Leaf(("chat", "large"), side(50, **DEAR), side(20, **DEAR)),
        Leaf(("chat", "small"), side(50, **CHEAP), side(80, **CHEAP)),
        Leaf(("search", "small"), side(10, **CHEAP), side(10, **CHEAP)),
    ]
    found = bridge(leaves, days=EVEN, scheme=BY_BUCKET, group_of=lambda keys: keys[:1])
    assert [group.keys for group in found.groups] == [("chat",), ("search",)]
    assert [group.difference for group in found.groups] == [Decimal("-0.27"), 0]
    assert found.groups[0].parts["mix"] == Decimal("-0.27")


def test_of_some_requests_without_a_price_tokens_are_taken_to_be_as_those_of_all() -> None:
    half = replace(side(10, input_tokens=1000), unpriced_requests=5, unpriced_tokens=5000)
    half = replace(half, costs={"uncached_input": Decimal("0.01")}, effective_cost=Decimal("0.01"))
    half = replace(half, list_cost=Decimal("0.01"))
    assert parts((half, side(10, input_tokens=1000))) == {"unpriced": Decimal("0.01")}


counts = st.just(0) | st.integers(-5, 50) | st.integers(-1000, 10**12)
money = st.just(Decimal(0)) | st.decimals(-1000, 10**7, places=6) | st.decimals(-1, 1, places=22)


def sides(scheme: Scheme) -> st.SearchStrategy[Side]:
    """Anything at all: new and vanished groups, corrections, tokens without costs and costs without
    tokens."""
    anything = st.builds(
        Side,
        counts,
        counts,
        st.fixed_dictionaries(dict.fromkeys(scheme.buckets, counts)),
        counts,
        st.fixed_dictionaries(dict.fromkeys(scheme.buckets, money)),
        money,
        money,
        money,
    )
    return st.just(Side()) | anything


def bridges(scheme: Scheme) -> st.SearchStrategy[list[Leaf]]:
    keys = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))
    leaf = st.builds(Leaf, keys, sides(scheme), sides(scheme))
    return st.lists(leaf, max_size=6, unique_by=lambda each: each.keys)


schemes = st.sampled_from([BY_BUCKET, BY_TOKEN])
leaves_of_schemes = schemes.flatmap(lambda each: st.tuples(st.just(each), bridges(each)))
# Each is of several groups: a few dozen meet every kind.
few = settings(max_examples=30)
lengths = st.tuples(*[st.decimals(0, 400, places=6)] * 2)


def exact(amounts: Iterable[Decimal]) -> Fraction:
    """Their sum, which decimals of 28 digits would round."""
    return sum(map(Fraction, amounts), Fraction(0))


def sides_of(leaves: list[Leaf]) -> tuple[list[Side], list[Side]]:
    return [leaf.before for leaf in leaves], [leaf.after for leaf in leaves]


@few
@given(leaves_of_schemes, lengths)
def test_parts_add_up_to_the_difference_to_the_last_digit(
    drawn: tuple[Scheme, list[Leaf]], days: tuple[Decimal, Decimal]
) -> None:
    scheme, leaves = drawn
    found = bridge(leaves, days=days, scheme=scheme, group_of=lambda keys: keys[:1])
    before, after = (exact(side.effective_cost for side in each) for each in sides_of(leaves))
    assert after - before == found.whole.difference == exact(found.whole.parts.values())
    for group in found.groups:
        assert group.difference == exact(group.parts.values())
    for part in scheme.parts:
        assert found.whole.parts[part] == exact(group.parts[part] for group in found.groups)


@few
@given(leaves_of_schemes, lengths, st.randoms())
def test_neither_the_order_of_groups_nor_how_they_are_grouped_changes_the_whole(
    drawn: tuple[Scheme, list[Leaf]], days: tuple[Decimal, Decimal], dice: Any
) -> None:
    scheme, leaves = drawn
    found = bridge(leaves, days=days, scheme=scheme, group_of=lambda keys: keys[:1])
    shuffled = dice.sample(leaves, len(leaves))
    again = bridge(shuffled, days=days, scheme=scheme, group_of=lambda keys: keys[1:])
    assert again.whole == found.whole


@few
@given(leaves_of_schemes, lengths)
def test_the_way_back_is_the_way_there_with_the_other_sign(
    drawn: tuple[Scheme, list[Leaf]], days: tuple[Decimal, Decimal]
) -> None:
    scheme, leaves = drawn
    there = bridge(leaves, days=days, scheme=scheme).whole.parts
    turned = [Leaf(each.keys, each.after, each.before) for each in leaves]
    back = bridge(turned, days=days[::-1], scheme=scheme).whole.parts
    # Rounding of each leaf may fall the other way.
    unit = Decimal("1e-12") * max(len(leaves), 1)
    assert all(abs(there[name] + back[name]) <= unit for name in scheme.parts)


def test_what_is_rounded_goes_to_the_largest_remainder() -> None:
    third = Decimal(1) / 3
    found = adding_up({"a": third, "b": third, "c": third, "none": Decimal(0)}, Decimal(1))
    assert sum(found.values()) == 1
    assert sorted(found.values()) == [
        0,
        *[Decimal("0.333333333333")] * 2,
        Decimal("0.333333333334"),
    ]


def test_nothing_makes_a_bridge_of_nothing() -> None:
    found: Bridge = bridge([], days=EVEN, scheme=BY_BUCKET)
    assert found.groups == ()
    assert found.whole.difference == 0
