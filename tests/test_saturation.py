"""The Ingest desk says how full the door is, what limits it and what to do, or that it is away."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desks import reader
from django.db import connection

from finops.models import IngestKey, IngestSaturation
from ingest import keys

CALM: dict[str, Any] = {
    **{"queue": 0.02, "memory": 0.05, "busy": 0.1, "away": 0.0, "waiting_bodies": 0},
    **{"answers": {}, "requests": 100, "commit_p95": 0.012, "keys": {}},
}


@pytest.fixture(autouse=True)
def nothing_noted(db: None) -> None:
    IngestSaturation.objects.all().delete()  # servers of other tests have


def note(ago: timedelta = timedelta(), **fields: Any) -> None:
    at = datetime.now(UTC) - ago
    minute = at.replace(second=0, microsecond=0)
    values = CALM | fields
    IngestSaturation.objects.create(process="one", minute=minute, noted_at=at, values=values)


def key_of(team: str) -> IngestKey:
    made = keys.generate()
    return IngestKey.objects.create(prefix=made.prefix, digest=made.digest, service="s", team=team)


def page(*teams: str, key: IngestKey | None = None) -> str:
    key = key or key_of("search")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ingest_batch (key_id, source, format, received_at, committed_at, accepted,"
            " duplicates)"
            " VALUES (%s, 's', 'json', now(), now(), 1, 0)",
            [key.pk],
        )
    asks = reader("engineer", *teams) if teams else reader("administrator")
    return asks.get("/ingest").content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Everything is taken at once."),
        ({"busy": 0.7}, "There is room for somewhat more."),
        ({"queue": 0.97}, "The database writes slower than events come"),
        ({"waiting_bodies": 2}, "Large requests wait for memory"),
        ({"away": 1.0}, "no connection to PostgreSQL"),
        ({"answers": {"429": 3}}, "Keys are at their own limits"),
    ],
)
def test_the_page_says_what_limits_and_what_to_do(
    db: None, fields: dict[str, Any], said: str
) -> None:
    note(**fields)
    assert said in page()


@pytest.mark.parametrize(("ago", "since"), [(None, " yet"), (timedelta(minutes=3), " since")])
def test_a_process_that_says_nothing_is_not_taken_for_a_calm_one(
    db: None, ago: timedelta | None, since: str
) -> None:
    if ago:
        note(ago=ago)
    assert f"No ingest process has told how full it is{since}" in page()


def test_what_is_over_is_told_by_the_hour_and_not_as_the_state(db: None) -> None:
    note(away=1.0, queue=1.0, waiting_bodies=3, latest={name: CALM[name] for name in LATEST})
    shown = page()
    assert "Everything is taken at once." in shown
    assert '<td class="number">100\xa0%</td>' in shown


def test_the_hour_lists_only_minutes_in_which_a_process_ran(db: None) -> None:
    note()
    note(ago=timedelta(minutes=2), busy=0.0, queue=0.0, memory=0.0)
    shown = page()
    assert re.findall(r'<td class="number">([^<]*%)</td>', shown) == ["10\xa0%", "0\xa0%"]
    assert shown.count("Roll-up lag") == 1


LATEST = ("queue", "memory", "busy", "away", "waiting_bodies")


def test_a_reader_of_some_teams_sees_their_own_keys_and_no_volumes_of_others(db: None) -> None:
    mine, others = key_of("search"), [key_of("ads") for _ in range(6)]
    spent = {str(key.pk): 1.0 for key in others} | {str(mine.pk): 0.9}
    note(keys=spent, answers={"429": 31337}, requests=42424)
    shown = page("search", key=mine)
    assert f"{mine.prefix} · s" in shown
    assert not [key for key in others if key.prefix in shown]
    assert not [
        said for said in ("Keys are at their own limits", "31,337", "42,424") if said in shown
    ]
