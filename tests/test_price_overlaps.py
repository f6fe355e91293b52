"""Lines of the ledger that are for the same requests: found, and the winner is the one that is
rated with."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.overlaps import globs_meet, overlaps
from finops.pricing.resolution import RateCard, Request

START = datetime(2026, 10, 1, tzinfo=UTC)
END = START + timedelta(days=31)


def line(id: int, **terms: object) -> PriceLine:
    given: dict[str, object] = {"provider": "acme", "model": "", "discount_percent": Decimal(5)}
    return PriceLine(kind="contract", prices=UnitPrices(), id=id, **given | terms)  # type: ignore[arg-type]


@given(
    st.text("ab*?", max_size=6), st.text("ab*?", max_size=6), st.text("ab", min_size=1, max_size=8)
)
def test_patterns_that_match_one_name_meet(one: str, other: str, name: str) -> None:
    if all(glob == "" or fnmatchcase(name, glob) for glob in (one, other)):
        assert globs_meet(one, other)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("gpt-*", "gpt-5", True),
        ("gpt-*", "GPT-5", True),
        ("gpt-*", "*-mini", True),
        ("gpt-*", "claude-*", False),
        ("a*c", "ab", False),
        ("a?", "a", False),
        ("[ab]c", "ac", True),
        ("", "x", True),
    ],
)
def test_whether_two_patterns_meet(one: str, other: str, meet: bool) -> None:
    assert globs_meet(one, other) is globs_meet(other, one) is meet


@pytest.mark.parametrize(
    "terms",
    [
        {"provider": "openai"},
        {"service_tier": "batch"},
        {"effective_from": END},
        {"daily_from": time(6), "daily_to": time(22)},
        {"cache": "redis"},
        {"kind": "self_hosted"},
    ],
)
def test_lines_for_other_requests_do_not_overlap(terms: dict[str, object]) -> None:
    kind = terms.pop("kind", "contract")
    one = line(1, service_tier="flex", effective_to=END, daily_from=time(22), daily_to=time(6))
    other = line(2, **terms)
    if kind != "contract":
        other = PriceLine(kind=str(kind), provider="acme", model="", prices=other.prices, id=2)
    assert overlaps(one, [other]) == []


def test_an_overlap_says_from_when_until_when_and_which_wins() -> None:
    broad = line(1, effective_from=START)
    narrow = line(2, model="m-*", effective_from=START - timedelta(days=9), effective_to=END)
    [found] = overlaps(broad, [broad, narrow])
    assert (found.starts, found.ends, found.other_wins) == (START, END, True)
    [found] = overlaps(narrow, [broad])
    assert (found.other, found.other_wins) == (broad, False)


PATTERNS = st.sampled_from(["", "acme", "ac*", "m", "m-1", "*"])


@given(st.tuples(PATTERNS, PATTERNS), st.tuples(PATTERNS, PATTERNS))
def test_the_line_said_to_win_is_the_one_requests_are_rated_with(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = (
        PriceLine("self_hosted", provider, model, UnitPrices(request=Decimal(1)), id=id)
        for id, (provider, model) in enumerate((one, other), 1)
    )
    found = overlaps(second, [first])
    for provider, model in product(("acme", "m"), ("m", "m-1")):
        request = Request(provider, model, "standard", "none", "")
        alone, both = RateCard([first], 1).table(request), RateCard([first, second], 1)
        won = both.table(request).at(START, 1)
        if alone.at(START, 1) and RateCard([second], 1).table(request).at(START, 1):
            assert won
            assert won.price_id == (1 if found[0].other_wins else 2)
