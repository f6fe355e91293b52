"""The most expensive users, found without adding up everybody, are the right ones."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops import costs
from finops.costs import leaders, parts
from finops.costs.leaders import Standings
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, usage
from tests.rollup_sums import settle

START = datetime(2026, 10, 5, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)

spans = st.lists(
    st.dictionaries(st.integers(1, 40), st.integers(0, 30).map(Decimal), max_size=40),
    min_size=1,
    max_size=6,
)


@given(spans=spans, limit=st.integers(1, 8), depth=st.integers(1, 12))
def test_nobody_among_the_first_is_missed(
    spans: list[dict[int, Decimal]], limit: int, depth: int
) -> None:
    found = Standings()
    totals: Counter[int] = Counter()
    for span in spans:
        found.add_list(sorted(span.items(), key=lambda entry: -entry[1])[:depth], depth)
        totals.update(span)  # type: ignore[arg-type]
    candidates = found.candidates(limit)
    if candidates is None:
        return
    places = sorted(totals.values(), reverse=True)[:limit]
    certain = {user for user, cost in totals.items() if places and cost > places[-1]}
    assert certain <= set(candidates)
    reached = sorted((totals[user] for user in candidates), reverse=True)[:limit]
    assert reached == places[: len(reached)]
    assert len(reached) == len(places)


def test_even_usage_is_not_proved_by_short_lists() -> None:
    found = Standings()
    for _ in range(3):
        found.add_list([(user, Decimal(1)) for user in range(10)], depth=10)
    assert found.candidates(5) is None


def test_who_costs_nothing_may_be_anybody() -> None:
    found = Standings()
    found.add_list([(1, Decimal(2)), (2, Decimal(0))], depth=2)
    assert found.rivals(Decimal(1)) == [1]
    assert found.rivals(Decimal(0)) is None
    assert found.leading(1) == [1]


@pytest.fixture
def skewed(db: None) -> None:
    """Two hundred users; the first ones cost most, and some have one feature. Settlements have
    moved some of it to others; one day has not settled."""
    figures.price_models()
    dice = random.Random(40)
    seconds = (END - START).total_seconds()
    events = []
    for _ in range(900):
        number = int(200 ** dice.random())
        events.append(
            usage.event(
                START + timedelta(seconds=dice.random() * seconds),
                user=f"user-{number}" if number != 3 else "",
                feature=dice.choice(("chat", "search", "")) if number % 2 else "digest",
                model=dice.choice(("gpt-4o", "gpt-4o-mini", "mystery-model")),
                input_tokens=dice.randrange(3000),
            )
        )
    usage.record(events, now=NOW)
    said: list[dict[str, Any]] = [
        {"feature": "moved"},
        {"output_tokens": 0, "input_tokens": 1},
        {"user": "user-150", "output_tokens": 90_000},
        {"model": "mystery-model"},
    ]
    settlements = [
        {"id": f"settles-{number}", "corrects": event["id"], **said[number % len(said)]}
        for number, event in enumerate(events[:60])
    ]
    usage.store(settlements, now=NOW)
    assert usage.settle(NOW + timedelta(seconds=1)).applied == len(settlements)
    settle()
    usage.record([usage.event(END - timedelta(hours=30), user="user-2")], now=NOW)


RAGGED = Period(START + timedelta(days=4, minutes=7), END - timedelta(hours=1))
PERIODS = [
    (RAGGED, "total"),
    (RAGGED, "day"),
    (Period(START + timedelta(days=1), END), "week"),
    (Period(END - timedelta(hours=40), END - timedelta(hours=9)), "hour"),
]


@pytest.mark.parametrize("group_by", ["user", "feature,user", "user,model,feature"])
@pytest.mark.parametrize("listed", [12, 30, 300])
def test_leaders_are_those_of_the_sum_over_everybody(
    skewed: None, monkeypatch: pytest.MonkeyPatch, group_by: str, listed: int
) -> None:
    monkeypatch.setattr(leaders, "SHORTEST_LIST", listed)
    monkeypatch.setattr(leaders, "FEWEST_LEADERS", 8)
    monkeypatch.setattr(parts, "MOST_LOOKED_FOR", listed // 2)
    proofs: list[Any] = []
    read, are_asked_for = leaders.read, leaders.are_asked_for
    params = {"group_by": [group_by], "limit": ["5"], "metrics": ["effective_cost,requests"]}
    for period, granularity in PERIODS:
        for compare in (False, True):
            asked = CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC")).replace(
                period=period, granularity=granularity, compare=compare
            )
            monkeypatch.setattr(
                leaders, "read", lambda *given: proofs.append(read(*given)) or proofs[-1]
            )
            monkeypatch.setattr(leaders, "are_asked_for", are_asked_for)
            quick = costs.run(asked)
            monkeypatch.setattr(leaders, "read", lambda *given: None)
            monkeypatch.setattr(leaders, "are_asked_for", lambda query: False)
            assert costs.run(asked) == quick
    assert any(proof is not None for proof in proofs)
    if listed == 300:
        assert None not in proofs


def test_where_nothing_has_settled_everybody_is_read_once(
    skewed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaders, "read_usage", None)
    params = {"group_by": ["user"], "limit": ["50"], "metrics": ["effective_cost"]}
    asked = CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC")).replace(
        period=Period(END - timedelta(hours=32), END - timedelta(hours=27)), granularity="total"
    )
    assert any(row.keys == ("user-2",) for row in costs.run(asked).rows)
