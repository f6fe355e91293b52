"""Budgets that share a query have the figures that each would have by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import localcontext
from zoneinfo import ZoneInfo

import pytest
from budgeting import UTC_ZONE, cost, price_dollars

from finops import costs
from finops.budgets import figures
from finops.budgets.figures import METRICS, Answer, Memory
from finops.budgets.sharing import shared
from finops.periods import Period
from finops.query import CostQuery, parse_filters
from tests import figures as known
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
START, END = NOW - timedelta(days=3, hours=12), NOW + timedelta(hours=12)


def question(granularity: str = "day", **filters: list[str]) -> CostQuery:
    return CostQuery(
        period=Period(START, END),
        granularity=granularity,
        group_by=(),
        filters=parse_filters(
            {name.replace("tag_", "tag:"): each for name, each in filters.items()}
        ),
        metrics=METRICS,
        limit=None,
        compare=False,
        zone=UTC_ZONE,
    )


QUESTIONS = [
    *(question(team=[team]) for team in ("cx", "ads", "Unattributed", "nobody")),
    *(question(team=[team], feature=["chat"]) for team in ("cx", "ads")),
    *(question(feature=[feature], team=["!cx"]) for feature in ("chat", "search")),
    *(question(cost_center=[center]) for center in ("support", "Unattributed")),
    *(question(user=[user]) for user in ("ann", "bob")),
    question(team=["cx", "ads"]),
    question(),
    question("total", team=["cx"]),
    question("hour", team=["cx"]),
]


def test_shared_queries_answer_what_each_would() -> None:
    known.price_models()
    usage.record(known.random_events(7, 300, START, NOW), now=NOW)
    plan = shared(QUESTIONS)
    assert len(plan) < len(QUESTIONS)
    found = figures.read(QUESTIONS, costs.look(), Memory(), NOW)
    with localcontext(prec=120):
        for asked in QUESTIONS:
            [alone] = figures.answers(figures.Shared(asked), costs.run(asked))
            assert found[asked] == alone[1], asked
            answer = found[asked]
            assert isinstance(answer, Answer)
            totals = costs.run(asked).totals
            assert answer.whole().unpriced_tokens == totals["unpriced_tokens"]
            assert answer.whole().effective_cost == (totals["effective_cost"] or 0)


def test_a_thousand_budgets_of_teams_are_a_few_queries() -> None:
    questions = [question(team=[f"team-{number}"]) for number in range(1_000)]
    assert len(shared(questions)) == 1
    odd = [question(team=[f"team-{n}", "cx"], feature=[f"{n}"]) for n in range(50)]
    assert len(shared([*questions, *odd])) == 51
    many_days = [each.replace(period=Period(END - timedelta(days=400), END)) for each in questions]
    assert len(shared(many_days)) == 10


def test_a_snapshot_is_spoilt_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    price_dollars()
    usage.record([cost(NOW, 5, team="cx", feature=f"{n}") for n in range(4)], now=NOW)
    monkeypatch.setattr("finops.costs.reading.MAX_ROWS", 3)
    wide = question().replace(group_by=("feature",))
    found = figures.read([question(), wide], costs.look(), Memory(), NOW)
    whole, other = found[question()], found[wide]
    assert isinstance(whole, Answer)
    assert whole.whole().effective_cost == 20
    assert isinstance(other, figures.Unreadable)
    assert "more than 3 rows" in other.reason


def test_a_kept_answer_is_good_in_its_own_zone_only() -> None:
    memory, look = Memory(), costs.look()
    asked = question()
    figures.read([asked], look, memory, NOW)
    assert memory.queries == 1
    assert memory.find(asked, look, NOW + timedelta(minutes=1)) is not None
    assert memory.find(asked, look, NOW + timedelta(hours=1)) is None
    other = asked.replace(zone=ZoneInfo("Asia/Kolkata"))
    assert memory.find(other, look, NOW) is None


def test_what_is_kept_has_a_limit_and_old_answers_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("finops.budgets.figures.MOST_ROWS", 5)
    memory, look, first, second = Memory(), costs.look(), question(), question(team=["cx"])
    three = Answer({"": dict.fromkeys(range(3), figures.Usage())})  # type: ignore[arg-type]
    for _ in range(4):
        memory.keep(first, three, (9**18, look.naming), NOW)
        memory.keep(second, three, (9**18, look.naming), NOW)
    assert memory.find(first, look, NOW) is three
    assert memory.find(second, look, NOW) is None
    later = NOW + figures.KEPT
    memory.keep(second, three, (9**18, look.naming), later)
    assert (memory.find(second, look, later), memory.rows) == (three, 3)
