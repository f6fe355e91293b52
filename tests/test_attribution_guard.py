"""Attribution is interned once, and a flood of values in one dimension folds into (overflow)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from ingest_server import Door, event, result

from finops.conninfo import conninfo
from ingest.attribution import Register
from ingest.cardinality import LIMITS, OVERFLOW, Cardinality
from ingest.events import KNOWN_TIERS
from ingest.facts import Attribution

PLAIN = Attribution("openai", "gpt-4o", "chat", "s", "f", "t", "", "", "", "standard", "ok",
                    "none", "", "")  # fmt: skip
Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(db: None, database: Connection) -> Iterator[Connection]:
    """An empty attribution table, and a connection to it as ingest has one."""
    database.execute("TRUNCATE attribution, usage_event")
    database.execute("DELETE FROM end_user WHERE id <> 0")
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        yield connection


def features(*names: str) -> list[Attribution]:
    return [PLAIN._replace(feature=name) for name in names]


def test_tiers_nobody_knows_do_not_crowd_out_those_with_prices() -> None:
    guard = Cardinality()
    strangers = [PLAIN._replace(service_tier=f"tier-{number}") for number in range(20)]
    assert OVERFLOW in {guard.fold(stranger).service_tier for stranger in strangers}
    for tier in KNOWN_TIERS:
        assert guard.fold(PLAIN._replace(service_tier=tier)).service_tier == tier


def stored(connection: Connection, column: str = "feature") -> list[str]:
    rows = connection.execute(f"SELECT {column} FROM attribution ORDER BY 1")  # type: ignore[arg-type]
    return [value for (value,) in rows]


def test_a_combination_is_stored_once_and_remembered(connection: Connection) -> None:
    register = Register()
    first, _ = register.intern(connection, features("a", "b"), [])
    again, _ = register.intern(connection, features("b", "a"), [])
    assert first == again
    assert stored(connection) == ["a", "b"]
    assert register.attribution_ids.items() >= first.items()


def test_another_process_finds_what_is_there(connection: Connection) -> None:
    first, users = Register().intern(connection, features("a"), ["ann"])
    other = Register()
    other.load(connection)
    assert other.attribution_ids == first
    assert other.intern(connection, features("a"), ["ann"]) == (first, users)


def test_many_processes_at_once_agree(connection: Connection) -> None:
    wanted = features(*(str(number) for number in range(50)))
    names = [f"user-{number}" for number in range(200)]
    found: list[Any] = []

    def intern(offset: int) -> None:
        with psycopg.connect(conninfo(), autocommit=True) as own:
            found.append(Register().intern(own, wanted[offset:] + wanted[:offset], reversed(names)))

    threads = [threading.Thread(target=intern, args=(offset,)) for offset in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(each == found[0] for each in found)


def test_past_its_limit_a_dimension_overflows_and_known_values_stay(
    connection: Connection,
) -> None:
    register = Register(Cardinality({**LIMITS, "feature": 3}))
    register.intern(connection, features("a", "b", "c"), [])
    folded, _ = register.intern(connection, features("a", "d", "e", "b"), [])
    assert stored(connection) == [OVERFLOW, "a", "b", "c"]
    assert folded[features("d")[0]] == folded[features("e")[0]]
    assert register.cardinality.overflows == {"feature": 2}
    assert features("d")[0] not in register.attribution_ids


def test_a_new_process_counts_what_is_there_against_the_limit(connection: Connection) -> None:
    Register().intern(connection, features("a", "b", "c"), [])
    register = Register(Cardinality({**LIMITS, "feature": 3}))
    register.load(connection)
    register.intern(connection, features("d"), [])
    assert stored(connection) == [OVERFLOW, "a", "b", "c"]


def test_values_that_were_not_given_do_not_count(connection: Connection) -> None:
    register = Register(Cardinality({**LIMITS, "feature": 0}))
    register.intern(connection, features(""), [])
    assert stored(connection) == [""]


def test_too_many_combinations_lose_detail_before_owners(connection: Connection) -> None:
    register = Register(Cardinality(combinations_limit=2))
    tagged = [attribution._replace(tags=(("k", "v"),)) for attribution in features("c", "d")]
    register.intern(connection, [*features("a", "b")], [])
    register.intern(connection, tagged, [])
    assert stored(connection) == [OVERFLOW, "a", "b"]
    assert stored(connection, "team") == ["t", "t", "t"]
    register.intern(connection, [PLAIN._replace(team="u")], [])
    register.intern(connection, [PLAIN._replace(team="w", feature="g")], [])
    assert stored(connection, "team") == [OVERFLOW, "t", "t", "t", "u"]


def test_tag_values_overflow_per_key(connection: Connection) -> None:
    register = Register(Cardinality(tag_values_limit=1))
    for key, value in (("a", "1"), ("a", "2"), ("b", "1")):
        register.intern(connection, [PLAIN._replace(tags=((key, value),))], [])
    rows = connection.execute("SELECT tags FROM attribution ORDER BY id").fetchall()
    assert rows == [({"a": "1"},), ({"a": OVERFLOW},), ({"b": "1"},)]


def test_users_past_their_limit_share_a_row(connection: Connection) -> None:
    register = Register(users_limit=2)
    _, first = register.intern(connection, [], ["ann", "bob"])
    _, later = register.intern(connection, [], ["bob", "cyd", "dan"])
    assert later["bob"] == first["bob"]
    assert later["cyd"] == later["dan"] not in first.values()
    names = [name for (name,) in connection.execute("SELECT name FROM end_user ORDER BY id")]
    assert names == ["", "ann", "bob", OVERFLOW]
    assert register.cardinality.overflows["user"] == 2


def test_a_uuid_in_feature_is_folded_and_counted(door: Door) -> None:
    flood = [event(feature=uuid4().hex) for _ in range(LIMITS["feature"] + 100)]
    assert result(door.post(flood))["accepted"] == len(flood)
    known = {row["feature"] for row in door.rows()}
    assert OVERFLOW in known
    assert len(known) <= LIMITS["feature"] + 1
    assert 'farthing_ingest_overflows{dimension="feature"}' in door.http.get("/metrics").text
