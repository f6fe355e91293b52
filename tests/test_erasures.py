"""Erasing a user: the name is nowhere, the figures stay, and there is proof."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql

from finops import audit, erasures
from finops.models import CardinalityOverflow, Erasure, IngestKey
from tests import usage

pytestmark = pytest.mark.django_db
NAME = "Ann (O'Hara+1)\"\\é@example.org"


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def traces(at: datetime) -> None:
    of_ann = {"user": NAME, "feature": "chat", "team": "cx"}
    usage.record(
        [
            usage.event(at, **of_ann, session=f"s/{NAME}", tags={"who": NAME.lower(), NAME: "x"}),
            usage.event(at, **of_ann | {"id": f"{NAME}-7"}, stages_ms={f"for{NAME}": 1}),
            usage.event(at, **of_ann | {"feature": f"for{NAME}s"}, prompt_hash=NAME),
            usage.event(at, **of_ann, session=json.dumps({"user": NAME})),
            usage.event(at, user="bob", feature="chat", team="cx", session=f"with {NAME}"),
            usage.event(at, user="bob", feature=f"beside {NAME}", team="cx"),
            usage.event(at, user="x" + NAME, feature=f"beside {NAME}", team="cx"),
        ],
        now=timezone.now(),
    )
    audit.record("key.create", f"for {NAME}", at=at, by="ada", after={NAME: [NAME]}, reason=NAME)
    CardinalityOverflow.objects.create(
        dimension="feature", team=NAME, first_at=at, last_at=at, times=3, examples={NAME: 3}
    )
    IngestKey.objects.create(prefix="fk_1", digest=b"1", service="s", name=f"{NAME}'s key")


def dump(*, but: str = "") -> str:
    """Every text and JSON column of every table, without the accounts of people who sign in."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name <> %s"
            " AND data_type IN ('text', 'character varying', 'jsonb')",
            [but],
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                sql.SQL("SELECT to_json({}::text) #>> '{{}}' FROM {}").format(
                    sql.Identifier(column), sql.Identifier(table)
                )
            )
            found += [str(value) for (value,) in cursor.fetchall()]
    return "\n".join(found).lower()


def sums() -> list[tuple[object, ...]]:
    rows = []
    with connection.cursor() as cursor:
        for table in ("rollup_hour", "rollup_day", "rollup_user_day", "rollup_user_total"):
            cursor.execute(
                sql.SQL("SELECT * FROM {} AS r ORDER BY r::text").format(sql.Identifier(table))
            )
            rows += cursor.fetchall()
        cursor.execute(
            "SELECT day, user_id, attribution_id, event_key, effective_cost, list_cost"
            " FROM usage_event ORDER BY event_key"
        )
        return rows + cursor.fetchall()


def erased(**options: bool) -> Erasure:
    erasures.begin(NAME, "ada", timezone.now(), **options)
    assert erasures.proceed(timezone.now()) == []  # ingest may still know the old name
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    return erasure


@pytest.mark.usefixtures("traces")
def test_the_name_is_nowhere_and_every_sum_is_as_before() -> None:
    before = sums()
    assert "o'hara" in dump()
    erasure = erased()
    assert dump().count("o'hara") == 1  # xAnn's own
    assert sums() == before
    assert erasure.sums_before == erasure.sums_after
    assert erasure.sums_after["events"]["requests"] == "4"
    assert erasure.sums_after["events"] == erasure.sums_after["rollups"]
    print(erasure.changed, erasure.remaining, erasure.within_words, erasure.searched)
    assert erasure.remaining == {}
