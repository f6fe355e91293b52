"""In whatever order things come, and however they are rated: totals are the latest settled ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from finops import costs, ledger, rollup_checks
from finops.costs import CostRow
from finops.models import Team
from finops.periods import Period
from finops.query import CostQuery
from tests import figures, operating, rollup_sums, usage

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 10, 12, tzinfo=UTC)
END = datetime(2026, 10, 14, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
DIMENSIONS = ("model", "team", "feature", "user", "status", "cost_center", "provider")
ADDED = (
    *("requests", "effective_cost", "list_cost", "errors", "unpriced_requests"),
    *("input_tokens", "output_tokens", "cache_read_input_tokens", "users"),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(figures.MODELS),
    "team": st.sampled_from(("cx", "ads")),
    "feature": st.sampled_from(("chat", "search")),
    "user": st.sampled_from(("ann", "bob")),
    "status": st.sampled_from(("ok", "error", "aborted")),
    "input_tokens": st.integers(0, 5000),
    "output_tokens": st.integers(0, 5000),
    "latency_ms": st.floats(1, 60_000, allow_nan=False),
}
EVENTS = st.lists(
    st.tuples(st.integers(0, 2 * 24 * 3600 - 1), st.fixed_dictionaries(FIELDS)),
    min_size=1,
    max_size=3,
)
SETTLEMENTS = st.lists(
    st.tuples(
        st.integers(0, 99),  # which event, or settlement before this one, it names
        st.integers(0, 5),  # minutes after noon at which it was made
        st.fixed_dictionaries({}, optional=FIELDS),
    ),
    max_size=5,
)


def documents(events: list[Any], settlements: list[Any]) -> list[dict[str, Any]]:
    """Bodies' events: calls, some with cached tokens, and what settles them."""
    made = [
        usage.event(START + timedelta(seconds=at), **fields, id=f"call-{number}")
        for number, (at, fields) in enumerate(events)
    ]
    for number, (target, minute, fields) in enumerate(settlements):
        at = NOW.replace(hour=10, minute=minute, second=number)
        named = made[target % len(made)]["id"]
        made.append({"id": f"s-{number}", "corrects": named, "timestamp": at.isoformat(), **fields})
    return made


def latest(made: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each call's fields with those of the settlement of it that was made last."""
    by_id = {each["id"]: each for each in made}
    last: dict[str, dict[str, Any]] = {}
    for each in made:
        if "corrects" not in each:
            continue
        root = each
        while "corrects" in root:
            root = by_id[root["corrects"]]
        held = last.get(root["id"])
        if held is None or held["timestamp"] <= each["timestamp"]:
            last[root["id"]] = each
    return {
        id: {**call, **last.get(id, {}), "timestamp": call["timestamp"]}
        for id, call in by_id.items()
        if "corrects" not in call
    }


def counted() -> list[dict[str, Any]]:
    stored = figures.stored(folded_only=False)
    gone = {(row["reverses_key"], row["day"]) for row in stored}
    return [
        row
        for row in stored
        if row["reverses_key"] is None and (row["event_key"], row["day"]) not in gone
    ]


def settle_all() -> None:
    """As the settler does, which comes by every second; until nothing waits."""
    for minutes in range(1, 12):
        usage.settle(NOW + timedelta(minutes=10 * minutes), zone=UTC_ZONE)


def ask(**changes: Any) -> costs.CostResult:
    query = CostQuery.from_params({}, now=NOW, zone=UTC_ZONE)
    return costs.run(query.replace(period=Period(START, END), **changes))


def assert_figures(events: list[dict[str, Any]]) -> None:
    for dimension in DIMENSIONS:
        metrics = ADDED if dimension == "user" else (*ADDED, "latency_p95")
        found = ask(granularity="day", group_by=(dimension,), metrics=metrics)
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for event in events:
            day = event["started_at"].astimezone(UTC).date()
            groups.setdefault((day, figures.label(event, dimension)), []).append(event)
        rows = {key_of(row): row for row in found.rows}
        assert rows.keys() == groups.keys()
        for key, of in groups.items():
            for metric in metrics:
                wanted = figures.metric(metric, of)
                if metric == "latency_p95" and wanted is not None:
                    wanted = pytest.approx(wanted, rel=0.02)
                assert rows[key].values[metric] == wanted, (key, metric)
        assert found.totals["effective_cost"] == figures.metric("effective_cost", events)


def key_of(row: CostRow) -> tuple[Any, ...]:
    assert row.start
    return (row.start.astimezone(UTC).date(), *row.keys)


def assert_stored(made: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    """What counts is what was said last, on the day of the call."""
    wanted = [
        (
            datetime.fromisoformat(each["timestamp"]),
            *(each[name] for name in ("model", "team", "feature", "user", "status")),
            *(each["input_tokens"], each["output_tokens"]),
        )
        for each in latest(made).values()
    ]
    found = [
        (
            event["started_at"],
            *(event[name] for name in ("model", "team", "feature", "user", "status")),
            *(figures.input_tokens(event), figures.output_tokens(event)),
        )
        for event in events
    ]
    assert sorted(found) == sorted(wanted)


def reprice() -> None:
    """A price for what had none, and another for what had one: from the beginning, rated again."""
    for model in ("mystery-model", "gpt-4o"):
        terms = {"uncached_input_price": "0.000011", "text_output_price": "0.000013"}
        terms["request_price"] = "0.0007"
        line = {"kind": "contract", "provider": "openai", "model": model, **terms}
        ledger.add(line, author="ada", zone=UTC_ZONE)
    operating.rerate(START, END, UTC_ZONE)


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    # A database at work: to shrink what fails would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS, settlements=SETTLEMENTS, data=st.data())
def test_every_total_is_that_of_the_latest_settlements(
    db: None, events: list[Any], settlements: list[Any], data: st.DataObject
) -> None:
    made = documents(events, settlements)
    bodies = data.draw(st.permutations([*made, *made[: len(made) // 2]]), label="order")
    is_repriced_first = data.draw(st.booleans(), label="rated again before settling")
    with transaction.atomic():
        figures.price_models()
        Team.objects.create(name="cx", cost_center="support")
        half = len(bodies) // 2
        usage.record(bodies[:half], now=NOW, zone=UTC_ZONE)
        usage.settle(NOW, zone=UTC_ZONE)
        if is_repriced_first:
            reprice()
        usage.record(bodies[half:], now=NOW, zone=UTC_ZONE)
        settle_all()
        assert_stored(made, counted())
        assert_figures(counted())
        if not is_repriced_first:
            reprice()
        assert_figures(counted())
        rollup_sums.settle()
        assert_figures(counted())
        assert_balanced()
        for day in (START.date(), START.date() + timedelta(days=1)):
            check = rollup_checks.check_day(day, UTC_ZONE)
            assert check is None or check.matches
        transaction.set_rollback(True)


def assert_balanced() -> None:
    """Every reversal is the exact negative of what it reverses."""
    stored = {(row["event_key"], row["day"]): row for row in figures.stored()}
    for row in stored.values():
        if row["reverses_key"] is None:
            continue
        reversed_row = stored[row["reverses_key"], row["day"]]
        for name in (*figures.TOKENS, "effective_cost", "list_cost", "request_cost"):
            negated = None if row[name] is None else -row[name]
            assert reversed_row[name] == negated, name
        assert reversed_row["price_id"] == row["price_id"]
