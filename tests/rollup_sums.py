"""What rollups must hold, computed in plain Python from the stored events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from finops import rollups, user_spans
from tests import figures

# Every day has been quiet by then.
LATER = datetime(2099, 1, 1, tzinfo=UTC)

KEYS = {
    "rollup_hour": ("hour", "attribution_id"),
    "rollup_day": ("day", "attribution_id"),
    "rollup_user_day": ("day", "attribution_id", "user_id"),
    "rollup_user_total": ("span", "start", "user_id"),
}
SUMS = (
    "requests",
    "unpriced_requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "unpriced_tokens",
    "list_cost",
    "effective_cost",
)
# Of the grains that are not about users.
PARTS = ("input_cost", "cache_read_cost", "cache_creation_cost", "output_cost", "request_cost")

Rows = dict[tuple[Any, ...], tuple[Any, ...]]


def columns_of(table: str) -> tuple[str, ...]:
    return SUMS if table.startswith("rollup_user") else SUMS + PARTS


def total(column: str, events: list[dict[str, Any]]) -> Decimal:
    return sum((event[column] or 0 for event in events), Decimal(0))


def sums(table: str, events: list[dict[str, Any]]) -> tuple[Any, ...]:
    """The reference: what a row of these events holds."""
    unpriced = [event for event in events if event["effective_cost"] is None]
    return (
        figures.metric("requests", events),
        figures.metric("requests", unpriced),
        figures.metric("errors", events),
        figures.metric("input_tokens", events),
        figures.metric("output_tokens", events),
        figures.metric("cache_read_input_tokens", events),
        figures.metric("input_tokens", unpriced) + figures.metric("output_tokens", unpriced),
        *(total(column, events) for column in columns_of(table) if column.endswith("_cost")),
    )


def expected(table: str, zone: ZoneInfo) -> Rows:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for event in figures.stored():
        for key in keys_of(table, event, zone):
            groups.setdefault(key, []).append(event)
    return {key: sums(table, events) for key, events in groups.items()}


def keys_of(table: str, event: dict[str, Any], zone: ZoneInfo) -> list[tuple[Any, ...]]:
    """The rows that the event is in."""
    local = event["started_at"].astimezone(zone)
    into_hour = timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    day = local.date()
    values = {
        "hour": event["started_at"] - into_hour,
        "day": day,
        "attribution_id": event["attribution_id"],
        "user_id": event["user_id"],
    }
    spans: list[dict[str, Any]] = [{}]
    if table == "rollup_user_total":
        spans = [
            {"span": "day", "start": day},
            {"span": "week", "start": day - timedelta(days=day.weekday())},
            {"span": "month", "start": day.replace(day=1)},
        ]
    return [tuple({**values, **span}[name] for name in KEYS[table]) for span in spans]


def held(table: str) -> Rows:
    columns = ", ".join((*KEYS[table], *columns_of(table)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table}")
        rows = cursor.fetchall()
    count = len(KEYS[table])
    return {row[:count]: row[count:] for row in rows}


def held_everywhere() -> dict[str, Rows]:
    return {table: held(table) for table in KEYS}


def settle() -> None:
    while rollups.settle(LATER):
        pass


def assert_equal_events(zone: ZoneInfo) -> None:
    settle()
    for table in KEYS:
        found, wanted = _counted(held(table)), _counted(expected(table, zone))
        wrong = {
            key: (found.get(key), wanted.get(key))
            for key in found.keys() | wanted.keys()
            if found.get(key) != wanted.get(key)
        }
        assert not wrong, table
    assert_equal_users()
    assert_equal_spans()


def assert_equal_users() -> None:
    """The users of settled days are those that the days have."""
    found: dict[tuple[Any, ...], set[int]] = {}
    for (day, attribution_id, user_id), (requests, *_) in held("rollup_user_day").items():
        if user_id and requests:
            found.setdefault((day, attribution_id), set()).add(user_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT day, attribution_id, users FROM rollup_day_users")
        stored = {tuple(key): bytes(users) for *key, users in cursor.fetchall()}
    numbers = {
        key: {int.from_bytes(users[at : at + 4], "big") for at in range(0, len(users), 4)}
        for key, users in stored.items()
    }
    assert numbers == found
    assert all(len(stored[key]) == 4 * len(users) for key, users in numbers.items())


def assert_equal_spans() -> None:
    """All users of a settled span are those of its totals, to the last digit."""
    wanted: dict[tuple[Any, ...], dict[int, tuple[Any, ...]]] = {}
    for (span, start, user), (requests, unpriced, *_, cost) in held("rollup_user_total").items():
        of_span = wanted.setdefault((span, start), {})
        if requests:
            of_span[user] = (requests, unpriced, cost)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT span, start, users, requests, unpriced_requests, effective_cost, lowest"
            " FROM rollup_user_span"
        )
        rows = cursor.fetchall()
    found = {}
    for span, start, *row in rows:
        sums = user_spans.stored(*(bytes(each) for each in row[:4]), row[4])
        measures = (sums.requests, sums.unpriced_requests, sums.effective_cost)
        found[span, start] = {
            int(user): tuple(each.decimal(n) for each in measures)
            for n, user in enumerate(sums.users)
        }
    # A span of days without any usage, or whose usage was taken back, has nobody.
    assert {span: users for span, users in found.items() if users} == {
        span: users for span, users in wanted.items() if users
    }


def _counted(rows: Rows) -> Rows:
    """Without those that settlements have emptied, which a rebuilt day does not have."""
    return {key: sums for key, sums in rows.items() if any(sums)}
