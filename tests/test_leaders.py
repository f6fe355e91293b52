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

from finops import costs, rollups
from finops.costs import leaders
from finops.costs.leaders import Standings
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, usage

START = datetime(2026, 10, 5, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)

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


@pytest.fixture
def skewed(db: None) -> None:
    """Two hundred users; the first ones cost most."""
    figures.price_models()
    dice = random.Random(40)
    seconds = (END - START).total_seconds()
    events = [
        usage.event(
            START + timedelta(seconds=dice.random() * seconds),
            user=f"user-{int(200 ** dice.random())}",
            input_tokens=dice.randrange(3000),
        )
        for _ in range(900)
    ]
    usage.record(events, now=NOW)
    rollups.settle(LATER)
    rollups.settle(LATER)
    usage.record([usage.event(END - timedelta(hours=30), user="user-2")], now=NOW)


@pytest.mark.parametrize("granularity", ["total", "day"])
@pytest.mark.parametrize("compare", [False, True])
def test_leaders_are_those_of_the_sum_over_everybody(
    skewed: None, monkeypatch: pytest.MonkeyPatch, granularity: str, compare: bool
) -> None:
    params = {"group_by": ["user"], "limit": ["5"], "metrics": ["effective_cost,requests"]}
    asked = CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC")).replace(
        period=Period(START + timedelta(days=4, minutes=7), END),
        granularity=granularity,
        compare=compare,
    )
    proofs: list[Any] = []
    read = leaders.read
    monkeypatch.setattr(leaders, "read", lambda *given: proofs.append(read(*given)) or proofs[-1])
    quick = costs.run(asked)
    assert proofs[0] is not None
    monkeypatch.setattr(leaders, "read", lambda *given: None)
    monkeypatch.setattr(leaders, "are_asked_for", lambda query: False)
    slow = costs.run(asked)
    assert quick == slow
