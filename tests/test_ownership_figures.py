"""Whose usage it is: for any rules, moves of teams and days, rows are what plain Python says, and
add up to the totals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops import costs, requests, rollups
from finops.costs.leaf_sums import begin, read_leaves
from finops.models import Team, TeamCostCenter
from finops.organisation.stored import Act
from finops.ownership import mapping, rules
from finops.ownership.conditions import ALWAYS, FIRST, Days
from finops.ownership.rules import RuleEntry
from finops.periods import Period, start_of_day
from finops.query import CostQuery
from tests import figures, ownership, usage

KOLKATA = ZoneInfo("Asia/Kolkata")
FIRST_DAY = date(2026, 10, 12)
START = datetime(2026, 10, 11, 12, tzinfo=UTC)
END = datetime(2026, 10, 15, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
CENTERS = ("alpha", "beta", "gamma")
METRICS = ("effective_cost", "requests", "errors", "input_tokens", "users", "unpriced_requests")

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded() -> None:
    """The team cx moved once; one day is settled, one is not, and some usage came later."""
    figures.price_models()
    ownership.make_centers(*CENTERS)
    usage.record(figures.random_events(7, 150, START, END), now=NOW, zone=KOLKATA)
    rollups.settle(LATER)
    more = [
        usage.event(START + timedelta(days=1, hours=n), team="late", user="ann") for n in (1, 9)
    ]
    usage.record(more, now=NOW, zone=KOLKATA)


@pytest.fixture
def act(administrator: User) -> Act:
    return Act(administrator, NOW)


def question(**changes: Any) -> CostQuery:
    plain = CostQuery.from_params({}, now=NOW, zone=KOLKATA)
    asked = plain.replace(period=Period(START, END), granularity="total", metrics=METRICS)
    return asked.replace(**{"group_by": ("cost_center",), **changes})


def assert_true(asked: CostQuery, keys: Callable[[dict[str, Any]], tuple[str, ...]]) -> None:
    """The rows are what Python gathers by these keys of each event, and add up to the totals."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    within = [
        event
        for event in figures.stored()
        if asked.period.start <= event["started_at"] < asked.period.end
    ]
    for event in within:
        day = event["started_at"].astimezone(KOLKATA).date()
        start = start_of_day(day, KOLKATA) if asked.granularity == "day" else None
        groups.setdefault((start, *keys(event)), []).append(event)
    result = costs.run(asked)
    assert {(row.start, *row.keys): row.values for row in result.rows} == {
        key: {name: figures.metric(name, events) for name in METRICS}
        for key, events in groups.items()
    }
    for name in ("effective_cost", "requests"):
        summed = sum((row.values[name] or Decimal(0) for row in result.rows), Decimal(0))
        assert summed == result.totals[name] == (figures.metric(name, within) or 0)


DAY = st.integers(-1, 4).map(lambda n: FIRST_DAY + timedelta(days=n))
DAYS = st.builds(Days, st.none() | DAY, st.none() | DAY).filter(
    lambda days: not (days.start and days.end) or days.start < days.end
)
CONDITIONS = st.one_of(
    st.fixed_dictionaries({"user": st.sampled_from(("ann", "bob", "nobody"))}),
    st.dictionaries(
        st.sampled_from(("team", "feature", "model")), st.text("x", min_size=1), min_size=1
    ).flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(VALUES[name]) for name in names})
    ),
)
VALUES = {
    "team": ("cx", "ads", "late", "Unattributed"),
    "feature": ("chat", "search", "Unattributed"),
    "model": ("gpt-4o", "mystery-model"),
}
RULES = st.lists(
    st.builds(RuleEntry, CONDITIONS, st.sampled_from(CENTERS), DAYS, st.none() | st.integers(1, 3)),
    max_size=6,
)
MOVES = st.dictionaries(st.just(FIRST) | DAY, st.sampled_from(("", *CENTERS)), max_size=3)


def keep(entries: list[RuleEntry], moves: dict[date, str], act: Act) -> ownership.Books:
    """Makes all of it; rules that overlap others are refused, and are not in the books."""
    team = Team.objects.create(name="cx", cost_center=moves.get(FIRST, ""))
    for day, center in moves.items():
        if day != FIRST:
            TeamCostCenter.objects.create(team=team, effective_from=day, cost_center=center)
    kept: list[RuleEntry] = []
    for entry in entries:
        try:
            rule = rules.make(entry, act)
        except ValidationError:
            continue
        kept.insert(rule.position - 1, entry)
    return ownership.Books(KOLKATA, kept, {"cx": moves})


@given(RULES, MOVES, st.integers(0, 60), st.sampled_from(("total", "day")))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_what_rules_say_of_each_request_and_add_up(
    recorded: None,
    act: Act,
    entries: list[RuleEntry],
    moves: dict[date, str],
    hours: int,
    step: str,
) -> None:
    with transaction.atomic():
        books = keep(entries, moves, act)
        mapping.look_up()
        usage.record([usage.event(START + timedelta(hours=20), team="new")], now=NOW, zone=KOLKATA)
        asked = question(
            granularity=step, period=Period(START + timedelta(hours=hours, minutes=7), END)
        )
        assert_true(asked, lambda event: (books.owner(event),))
        assert_true(
            asked.replace(group_by=("team", "cost_center")),
            lambda event: (figures.label(event, "team"), books.owner(event)),
        )
        assert_filtered(asked, books)
        assert_leaves(asked, books)
        transaction.set_rollback(True)


def assert_filtered(asked: CostQuery, books: ownership.Books) -> None:
    """Requests and sums of one cost center are those that the rules give it."""
    one = asked.replace(group_by=(), granularity="total").with_filter("cost_center", "alpha")
    wanted = {
        event["event_id"]
        for event in figures.stored()
        if event["started_at"] >= asked.period.start and books.owner(event) == "alpha"
    }
    assert costs.run(one).totals["requests"] == len(wanted)
    listed = requests.page(one, None, 200).rows
    assert {each.id for each in listed} == wanted
    assert {each.dimensions["cost_center"] for each in listed} <= {"alpha"}


def assert_leaves(asked: CostQuery, books: ownership.Books) -> None:
    """The leaves of a comparison by cost center are those too, where they are told apart."""
    with costs.snapshot() as cursor:
        sides = begin(cursor, asked, asked.replace(group_by=()))
        if sides.reading.known.owned.by_user:
            return
        leaves = read_leaves(sides, ("cost_center",), ("requests",))
    found: dict[str, int] = {}
    for event in figures.stored():
        if event["started_at"] >= asked.period.start:
            found[books.owner(event)] = found.get(books.owner(event), 0) + 1
    assert {key: int(after[0]) for (key,), (_, after) in leaves.items()} == found


def test_a_team_that_moves_leaves_the_days_before_as_they_were(recorded: None) -> None:
    moves = {FIRST: "alpha", FIRST_DAY + timedelta(days=1): "beta"}
    team = Team.objects.create(name="cx", cost_center="alpha")
    TeamCostCenter.objects.create(
        team=team, effective_from=FIRST_DAY + timedelta(days=1), cost_center="beta"
    )
    books = ownership.Books(KOLKATA, (), {"cx": moves})
    assert_true(question(granularity="day"), lambda event: (books.owner(event),))


def test_two_rules_of_the_same_conditions_cannot_hold_on_one_day(act: Act) -> None:
    ownership.make_centers(*CENTERS)
    rules.make(RuleEntry({"team": "cx"}, "alpha", Days(None, FIRST_DAY)), act)
    rules.make(RuleEntry({"team": "cx"}, "beta", Days(FIRST_DAY, None)), act)
    with pytest.raises(ValidationError, match="Rule 2 asks for the same and holds from 2026-10-12"):
        rules.make(RuleEntry({"team": "cx"}, "gamma", Days(FIRST_DAY, None)), act)


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({}, "conditions"),
        ({"tema": "cx"}, "conditions"),
        ({"cost_center": "alpha"}, "conditions"),
        ({"tag:customer": "acme"}, "tag:customer"),
        ({"user": "ann", "team": "cx"}, "user"),
        ({"team": ""}, "team"),
        ({"team": "x\x00"}, "team"),
    ],
    ids=["nothing", "unknown", "itself", "tag", "user and more", "empty", "no text"],
)
def test_a_rule_that_can_hold_for_nothing_is_refused_by_field(
    conditions: dict[str, str], field: str, act: Act
) -> None:
    ownership.make_centers("alpha")
    with pytest.raises(ValidationError) as refused:
        rules.make(RuleEntry(conditions, "alpha", ALWAYS), act)
    assert set(refused.value.message_dict) == {field}
