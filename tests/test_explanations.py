"""Why usage of one period differs from that of another, of what rollups hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from finops.costs import run
from finops.query import CostQuery, InvalidQuery
from finops.root_cause import user_parts
from finops.root_cause.explanations import AT_LEAST, explain, localized
from finops.root_cause.measures import MEASURES
from finops.root_cause.tables import Table
from finops.root_cause.user_parts import EVERYONE_ELSE
from tests import figures, usage

NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 10, 14, tzinfo=UTC)
DAY = timedelta(days=1)
FEATURES, TEAMS = ("answers", "digest", "search"), ("cx", "ads")
REGIONS = ("eu", "us")

pytestmark = pytest.mark.django_db


def query(start: datetime, days: int = 2, **filters: str) -> CostQuery:
    params = {"start": [start.isoformat()], "end": [(start + days * DAY).isoformat()]}
    params.update({name: [value] for name, value in filters.items()})
    return CostQuery.from_params(params, now=NOW, zone=ZoneInfo("UTC"))


def calls(start: datetime, count: int, **fields: Any) -> Iterator[dict[str, Any]]:
    """Some on each of two days."""
    for number in range(count):
        yield usage.event(start + timedelta(hours=47) * number / count, **fields)


def usual(start: datetime) -> Iterator[dict[str, Any]]:
    for number, (feature, team, region) in enumerate(product(FEATURES, TEAMS, REGIONS)):
        for user in figures.USERS[:2]:
            yield from calls(
                start, 2 + number % 3, feature=feature, team=team, region=region, user=user
            )


def record(*more: dict[str, Any]) -> None:
    figures.price_models()
    usage.record([*usual(BEFORE), *usual(AFTER), *more], now=NOW)


def test_the_combination_that_grew_is_found_with_exact_figures() -> None:
    record(*calls(AFTER, 60, feature="search", team="ads", region="eu"))
    found = explain(query(BEFORE), query(AFTER))
    [cause] = found.causes
    assert cause.elements == (("feature", "search"), ("team", "ads"), ("region", "eu"))
    then, now = (run(query(start)).totals["effective_cost"] for start in (BEFORE, AFTER))
    assert (found.expected, found.actual) == (then, now)
    own = [
        run(query(start, feature="search", team="ads", region="eu")).totals["effective_cost"]
        for start in (BEFORE, AFTER)
    ]
    assert [cause.expected, cause.actual] == own
    assert found.unexplained == 0
    assert cause.reason.endswith("100\N{NO-BREAK SPACE}% of the rise")
    assert found.freshness.pending_events == 0


def test_one_user_who_grew_is_named() -> None:
    record(*calls(AFTER, 80, feature="search", team="ads", region="eu", user="loop"))
    [cause] = explain(query(BEFORE), query(AFTER)).causes
    assert ("user", "loop") in {*cause.elements, *(name[0] for name in cause.same)}


def test_one_user_among_too_many_leaves_is_told_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(user_parts, "MOST_LOOKED_UP", 1)
    record(*calls(AFTER, 80, feature="search", team="ads", region="eu", user="loop"))
    found = explain(query(BEFORE), query(AFTER))
    assert any("by themselves: loop +$" in note and "(100" in note for note in found.notes)
    assert all("user" not in dict(cause.elements) for cause in found.causes)


def test_one_user_who_made_most_of_a_wider_cause_is_told_beside_it() -> None:
    wide = [
        each
        for user in figures.USERS[:2]
        for region in REGIONS
        for each in calls(AFTER, 12, feature="search", team="ads", region=region, user=user)
    ]
    record(*wide, *calls(AFTER, 40, feature="search", team="ads", region="eu", user="loop"))
    found = explain(query(BEFORE), query(AFTER))
    assert found.causes[0].elements == (("feature", "search"), ("team", "ads"))
    [note] = [each for each in found.notes if "by themselves" in each]
    assert "loop +$" in note


def test_a_user_is_found_under_a_filter_unless_there_are_too_many_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record(*calls(AFTER, 80, feature="search", team="ads", region="eu", user="loop"))
    [cause] = explain(query(BEFORE, team="ads"), query(AFTER, team="ads")).causes
    assert ("user", "loop") in {*cause.elements, *(name[0] for name in cause.same)}
    monkeypatch.setattr(user_parts, "MOST_REQUESTS", 10)
    found = explain(query(BEFORE, team="ads"), query(AFTER, team="ads"))
    assert any("Users were not looked at" in note for note in found.notes)


def test_many_users_who_grew_are_not_everyone_else() -> None:
    more = [
        each
        for number in range(30)
        for each in calls(AFTER, 2, feature="digest", team="cx", user=f"new-{number}")
    ]
    record(*more)
    for cause in explain(query(BEFORE), query(AFTER)).causes:
        assert EVERYONE_ELSE not in dict(cause.elements).values()


def test_filters_leave_the_rest_out() -> None:
    record(
        *calls(AFTER, 60, feature="search", team="ads", region="eu"),
        *calls(AFTER, 20, feature="digest", team="cx", region="eu"),
    )
    found = explain(query(BEFORE, team="cx"), query(AFTER, team="cx"))
    [cause] = found.causes
    assert cause.elements == (("feature", "digest"), ("region", "eu"))
    assert found.actual == run(query(AFTER, team="cx")).totals["effective_cost"]


@pytest.mark.parametrize(
    ("measure", "changed"),
    [
        ("requests", {}),
        ("tokens_per_request", {"input_tokens": 90_000}),
        ("error_share", {"status": "error"}),
        ("latency_mean", {"latency_ms": 9000.0}),
    ],
)
def test_other_measures_are_explained(measure: str, changed: dict[str, Any]) -> None:
    events = [{**each, "latency_ms": 300.0} for each in (*usual(BEFORE), *usual(AFTER))]
    more = calls(AFTER, 60, feature="digest", team="cx", region="eu", **changed)
    usage.record([*events, *more], now=NOW)
    [cause] = explain(query(BEFORE), query(AFTER), measure).causes
    assert dict(cause.elements)["feature"] == "digest"
    assert cause.difference > 0


def test_periods_of_other_lengths_are_taken_for_as_long_a_time() -> None:
    record()
    found = explain(query(BEFORE, 2), query(AFTER, 1), "requests")
    whole = run(query(BEFORE, 2)).totals["requests"]
    assert found.expected == Decimal(str(whole)) / 2
    assert any("for as long a time" in note for note in found.notes)


def test_what_a_baseline_expects_is_parted_as_it_was_before() -> None:
    record(*calls(AFTER, 60, feature="search", team="ads", region="eu"))
    found = explain(query(BEFORE), query(AFTER), expected=Decimal("0.5"))
    assert found.expected == pytest.approx(Decimal("0.5"))
    assert found.causes[0].elements[0] == ("feature", "search")


def test_requests_without_a_price_are_told_and_count_as_nothing() -> None:
    record(*calls(AFTER, 5, feature="search", model="mystery-model"))
    found = explain(query(BEFORE), query(AFTER))
    assert found.difference == 0
    assert [each.unpriced_requests for each in found.coverage] == [0, 5]
    assert any("without a price" in note for note in found.notes)


def test_nothing_at_all_is_explained_calmly() -> None:
    found = explain(query(BEFORE), query(AFTER))
    assert not found.causes
    assert found.difference == 0


def test_what_is_not_kept_and_what_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="not kept per user"):
        explain(query(BEFORE, user="ann"), query(AFTER, user="ann"), "latency_mean")
    with pytest.raises(InvalidQuery, match="unknown measure"):
        explain(query(BEFORE), query(AFTER), "happiness")
    with pytest.raises(InvalidQuery, match="same for both"):
        explain(query(BEFORE, team="cx"), query(AFTER))


def test_where_nothing_stands_out_the_largest_changes_are_told_as_such() -> None:
    dice = random.Random(1)
    leaves = {}
    for keys in product((f"f{n}" for n in range(9)), (f"m{n}" for n in range(6)), ("prod", "test")):
        was = Decimal(round(100 * dice.lognormvariate(0, 1)))
        now = Decimal(round(float(was) * dice.lognormvariate(0, 0.3)))
        leaves[keys] = ([Decimal(1), Decimal(0), was], [Decimal(1), Decimal(0), now])
    table = Table(("feature", "model", "environment"), leaves)
    found = localized(table, MEASURES["effective_cost"], Decimal(1))
    assert found.note.endswith(AT_LEAST)
    assert found.causes
