"""How concentrated the cost is, and who makes it: as plain Python finds it, and never of nobody."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops import costs, power_users
from finops.costs import Hundredth
from finops.periods import Period
from finops.power_users.limits import round_amounts
from finops.power_users.one import rounded_up
from finops.query import CostQuery
from tests import figures, usage
from tests.rollup_sums import settle

ZONE = ZoneInfo("UTC")
START = datetime(2026, 9, 28, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
amounts = st.lists(st.decimals(0, 10**6, places=6), min_size=1, max_size=300)


def hundredths(values: list[Decimal]) -> list[Hundredth]:
    """As costs.rank_users reads them."""
    held: defaultdict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for place, value in enumerate(sorted(values, reverse=True), start=1):
        held[(place - 1) * 100 // len(values)].append((place, value))
    return [
        Hundredth(
            number,
            len(each),
            sum((value for _, value in each), Decimal(0)),
            sum((place * value for place, value in each), Decimal(0)),
            each[-1][1],
        )
        for number, each in sorted(held.items())
    ]


@given(amounts)
def test_shares_and_gini_are_those_of_every_single_user(values: list[Decimal]) -> None:
    found = power_users.concentration(hundredths(values))
    ranked = sorted(values, reverse=True)
    assert (found.users, found.cost) == (len(values), sum(values))
    for top in found.tops:
        count = -(-len(values) * top.percent // 100)
        assert (top.users, top.cost) == (count, sum(ranked[:count]))
    if not sum(values):
        assert found.gini is None
        return
    assert found.gini is not None
    differences = sum(abs(a - b) for a in values for b in values) if len(values) < 40 else None
    if differences is not None:
        pairwise = differences / (2 * len(values) * sum(values))
        assert abs(found.gini - pairwise) < Decimal("1e-12")
    assert 0 <= found.gini < 1


@pytest.mark.parametrize("users", [1, 2, 7, 100, 250])
def test_equal_users_are_not_concentrated(users: int) -> None:
    found = power_users.concentration(hundredths([Decimal("3.5")] * users))
    assert found.gini == 0
    assert found.points[-1].users == users


def test_one_user_of_many_makes_all() -> None:
    found = power_users.concentration(hundredths([Decimal(9), *[Decimal(0)] * 9]))
    assert found.gini == Decimal("0.9")
    assert [top.share for top in found.tops] == [1, 1, 1]


def test_of_nobody_and_of_corrections_it_says_why_there_is_no_gini() -> None:
    nobody = power_users.concentration([])
    assert (nobody.gini, nobody.tops, nobody.reason) == (None, (), "no user has a known cost")
    below = power_users.concentration(hundredths([Decimal(5), Decimal(-1)]))
    assert below.gini is None
    assert "less than nothing" in below.reason


@given(st.decimals("0.000001", 10**9, places=6))
def test_round_amounts_lie_around_the_most(most: Decimal) -> None:
    found = round_amounts(most)
    assert found == sorted(found, reverse=True)
    assert len(found) == 7
    assert found[0] < most <= found[0] * Decimal("2.5")
    assert most <= rounded_up(most) <= most * Decimal("2.5")


@pytest.fixture
def recorded(db: None) -> list[dict[str, Any]]:
    """Random usage of users, of nobody, of two teams, some of it without a price; settled days."""
    figures.price_models()
    usage.record(figures.random_events(7, 250, START, NOW), now=NOW)
    usage.record(
        [usage.event(NOW - timedelta(days=2), user="free", model="mystery-model")], now=NOW
    )
    settle()
    usage.record(figures.random_events(8, 30, NOW - timedelta(days=1), NOW), now=NOW)
    return figures.stored()


def asked(**params: str) -> CostQuery:
    given = params if "start" in params else {"period": "30d", **params}
    return CostQuery.from_params({k: [v] for k, v in given.items()}, now=NOW, zone=ZONE)


QUESTIONS: list[dict[str, str]] = [
    *({}, {"team": "cx"}, {"feature": "!chat"}, {"period": "7d"}),
    {"start": "2026-10-05", "end": "2026-10-12"},  # one week, which has a row for each user
    {"start": "2026-10-07", "end": "2026-10-08"},
]


def test_users_are_ranked_as_their_events_add_up(recorded: list[dict[str, Any]]) -> None:
    for params in QUESTIONS:
        ranks_as_events_add_up(recorded, params)


def ranks_as_events_add_up(recorded: list[dict[str, Any]], params: dict[str, str]) -> None:
    query = asked(**params)
    spent: Counter[str] = Counter()
    priced: Counter[str] = Counter()
    for event in recorded:
        is_kept = query.period.start <= event["started_at"] < query.period.end
        is_kept &= params.get("team") in {None, event["team"]}
        is_kept &= "feature" not in params or event["feature"] != "chat"
        if is_kept:
            spent[event["user"]] += event["effective_cost"] or 0
            priced[event["user"]] += event["effective_cost"] is not None
    ranking = costs.rank_users(query, size=100)
    found = {each.name: each.cost for each in ranking.page}
    expected = {name: spent[name] if priced[name] else None for name in spent if name}
    assert found == expected
    assert [each.name for each in ranking.nobody] == ["Unattributed"]
    assert ranking.nobody[0].cost == spent[""]
    assert [each.place for each in ranking.page] == list(range(1, len(expected) + 1))
    assert ranking.unknown == sum(cost is None for cost in expected.values())
    whole = power_users.concentration(ranking.hundredths)
    assert whole.cost == sum(cost for cost in expected.values() if cost is not None)
    known = [cost for cost in expected.values() if cost is not None]
    assert whole.gini == power_users.concentration(hundredths(known)).gini


@pytest.mark.usefixtures("recorded")
def test_pages_of_users_follow_each_other_and_a_search_keeps_places() -> None:
    everybody = power_users.listing(asked(), NOW, "USD", size=100)
    assert everybody.next_after is None
    first = power_users.listing(asked(), NOW, "USD", size=2)
    second = power_users.listing(asked(), NOW, "USD", size=2, after=first.next_after or 0)
    assert (*first.lines, *second.lines) == everybody.lines[:4]
    known = [each for each in everybody.lines if each.user.cost is not None]
    assert known[-1].cumulated == 1
    assert everybody.lines[-1].user.name == "free"
    assert everybody.lines[-1].user.cost is None
    [found] = power_users.listing(asked(), NOW, "USD", search="OB").lines
    assert found.user == next(e.user for e in everybody.lines if e.user.name == "bob")


def test_a_limit_saves_exactly_what_lies_beyond_it(recorded: list[dict[str, Any]]) -> None:
    for span, params in product(("day", "month"), ({}, {"team": "cx"})):
        saves_what_lies_beyond(recorded, span, params)


def saves_what_lies_beyond(
    recorded: list[dict[str, Any]], span: str, params: dict[str, str]
) -> None:
    chosen = Decimal("0.0031")
    found = power_users.limits(asked(**params), span, NOW, [chosen])
    for number, period in enumerate(found.periods):
        steps = sums_of_steps(recorded, period, span, params.get("team"))
        for limit in found.limits:
            beyond = {
                key: cost - limit.amount for key, cost in steps.items() if cost > limit.amount
            }
            excess = limit.savings[number].excess
            assert excess.cost == sum(beyond.values())
            assert (excess.steps, excess.users) == (len(beyond), len({u for u, _ in beyond}))
    assert chosen in [each.amount for each in found.limits]


def sums_of_steps(
    events: list[dict[str, Any]], period: Period, span: str, team: str | None
) -> dict[tuple[str, Any], Decimal]:
    sums: defaultdict[tuple[str, Any], Decimal] = defaultdict(Decimal)
    for event in events:
        at = event["started_at"].astimezone(UTC)
        if event["user"] and period.start <= at < period.end and team in {None, event["team"]}:
            step = at.date() if span == "day" else at.date().replace(day=1)
            sums[event["user"], step] += event["effective_cost"] or 0
    return sums


@pytest.mark.django_db
def test_of_no_usage_there_is_nothing_to_limit_and_nobody_to_list() -> None:
    found = power_users.limits(asked(), "day", NOW)
    assert (found.limits, found.proposed, found.reason) == ((), None, "No user cost anything then.")
    empty = power_users.listing(asked(), NOW, "USD")
    assert (empty.lines, empty.noticed, empty.concentration.gini) == ((), (), None)
