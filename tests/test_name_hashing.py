"""Names of users as keyed hashes: nobody becomes two users, and names are still understood."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from finops import erasures, health, name_hashing
from finops.anomalies.series import Key
from finops.environment import secret
from finops.models import Anomaly, AuditRecord, NameHashing, PlannedEvent
from ingest.attribution import Register
from ingest.user_names import Naming, check_of, hashed
from tests import usage
from tests.desks import reader
from tests.test_erasures import dump, sums

pytestmark = pytest.mark.django_db
KEY = settings.USER_HASH_KEY
NAME = "zoe@example.org"
PATH = "/settings/privacy/hashing"


@pytest.fixture
def traces() -> None:
    now = timezone.now()
    at = now - timedelta(hours=1)
    usage.record([usage.event(at, user=user) for user in (NAME, NAME, "bob", "")], now=now)


def planned(user: str) -> PlannedEvent:
    """Of an anomaly that was called planned."""
    now = timezone.now()
    return PlannedEvent.objects.create(
        name=f"Planned: Cost of user {user} was 3 times what was expected",
        start=now,
        end=now + timedelta(days=1),
        filters={"user": [user, "others"], "team": ["ads"]},
        created_by="ada",
        created_at=now,
        changed_at=now,
    )


def turn_on_wholly() -> None:
    now = timezone.now()
    assert name_hashing.turn_on("ada", now)
    for step in range(3):
        name_hashing.convert(now + step * name_hashing.SETTLED)


def state() -> str:
    held = name_hashing.current()
    assert held
    return held.state


def names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM end_user WHERE id <> 0")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.usefixtures("traces")
def test_names_that_are_stored_are_converted_and_no_figure_changes(signed_in: Client) -> None:
    before = sums()
    plan = planned(NAME)
    page = signed_in.get(PATH)
    assert "Hash names" in page.text
    assert signed_in.post(PATH, {"hash": "on"}, follow=True).status_code == 200
    now = timezone.now()
    assert name_hashing.convert(now) == 0  # some process may not know yet
    assert state() == "announced"
    assert name_hashing.convert(now + name_hashing.SETTLED) == 2
    assert state() == "converting"
    assert "being converted" in signed_in.get("/settings/privacy").text
    assert name_hashing.convert(now + 2 * name_hashing.SETTLED) == 0
    assert state() == "on"
    assert "as keyed hashes" in signed_in.get("/settings/privacy").text
    assert names() == {hashed(KEY, NAME), hashed(KEY, "bob")}
    plan.refresh_from_db()
    assert plan.filters == {"user": [hashed(KEY, NAME), "others"], "team": ["ads"]}
    assert NAME not in dump()
    assert sums() == before
    [record] = AuditRecord.objects.filter(action="settings.change")
    assert (record.actor, record.after) == ("ada", {"hash_user_names": True})


@pytest.mark.usefixtures("traces")
def test_a_name_in_the_clear_finds_the_hashed_user(signed_in: Client) -> None:
    turn_on_wholly()
    asked = {"period": "24h", "granularity": "total", "group_by": "user"}
    for path in ("/api/v1/costs", "/api/v1/costs.csv"):
        told = signed_in.get(path, {**asked, "user": NAME}).getvalue().decode()
        assert hashed(KEY, NAME) in told
        assert hashed(KEY, "bob") not in told
        told = signed_in.get(path, {**asked, "user": f"!{NAME}"}).getvalue().decode()
        assert hashed(KEY, NAME) not in told
        assert hashed(KEY, "bob") in told
    found = signed_in.get("/api/v1/requests", {"period": "24h", "user": NAME}).json()
    assert [each["user"] for each in found["requests"]] == [hashed(KEY, NAME)] * 2
    assert hashed(KEY, NAME) in signed_in.get("/requests", {"period": "24h", "user": NAME}).text


@pytest.mark.usefixtures("traces")
def test_a_hashed_user_is_erased_by_name(signed_in: Client) -> None:
    turn_on_wholly()
    page = signed_in.post("/settings/privacy/erase", {"name": NAME})
    assert hashed(KEY, NAME) in page.text
    erasures.begin(NAME, "ada", timezone.now())
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert erasure.sums_after["events"]["requests"] == "2"
    assert not {NAME, hashed(KEY, NAME)} & names()
    assert hashed(KEY, NAME) not in dump()


def interned(state: str, *wanted: str) -> dict[str, int]:
    """What a process of its own, which knows this state, numbers these names."""
    register = Register()
    register.name_users(Naming(KEY, state, check_of(KEY)))
    return register.intern(usage.begun(), [], wanted)[1]


@pytest.mark.usefixtures("traces")
def test_nobody_becomes_two_users_whatever_a_process_knows() -> None:
    first = interned("off", NAME, "bob", "ann")
    assert interned("announced", NAME, "bob", "eve") | first == first | interned("off", "eve")
    name_hashing.turn_on("ada", timezone.now())
    later = timezone.now() + name_hashing.SETTLED
    with connection.cursor() as cursor:  # a portion was converted, the rest not
        cursor.execute("UPDATE end_user SET name = %s WHERE name = 'bob'", [hashed(KEY, "bob")])
    known = {**first, **interned("off", "eve")}
    assert interned("announced", *known) == known
    assert interned("converting", *known) == known
    new = interned("converting", "new")
    assert interned("announced", "new") == new
    assert name_hashing.convert(later) == 3
    name_hashing.convert(later + name_hashing.SETTLED)
    assert interned("on", *known, "new", "") == {**known, **new, "": 0}
    assert names() == {hashed(KEY, name) for name in (*known, "new")}


def test_what_is_a_hash_already_or_nobody_stays() -> None:
    mark = hashed(KEY, "zoe")
    [number] = interned("on", mark).values()
    assert interned("off", mark) == {mark: number}
    assert interned("on", "zoe") == {"zoe": number}
    assert Naming(KEY, "on").stored("(overflow)") == "(overflow)"
    register = Register(users_limit=0)
    register.name_users(Naming(KEY, "on", check_of(KEY)))
    numbers = register.intern(usage.begun(), [], ["a", "b"])[1]
    assert numbers["a"] == numbers["b"]
    assert "(overflow)" in names()


@pytest.mark.usefixtures("traces")
def test_after_turning_off_names_come_in_the_clear_as_new_users(signed_in: Client) -> None:
    turn_on_wholly()
    assert "new user" in signed_in.get(PATH).text
    signed_in.post(PATH, {"hash": "off"})
    assert state() == "off"
    assert names() == {hashed(KEY, NAME), hashed(KEY, "bob")}
    number = interned("off", NAME)[NAME]
    turn_on_wholly()
    assert interned("on", NAME)[NAME] != number  # two users, as the page has said
    assert NAME not in dump()
    assert "Nothing was changed" in signed_in.post(PATH, {"hash": "on"}, follow=True).text
    assert signed_in.post(PATH, {"hash": "x"}).status_code == 400


@pytest.mark.usefixtures("traces")
def test_another_key_is_noticed_and_nothing_is_hashed_with_it(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_on_wholly()
    assert failing() == []
    for wrong in ("another", ""):
        register = Register()
        register.name_users(Naming(wrong, "on", check_of(KEY)))
        with pytest.raises(LookupError, match="another key"):
            register.intern(usage.begun(), [], [NAME])
    name_hashing.turn_off("ada", timezone.now())
    monkeypatch.setattr(settings, "USER_HASH_KEY", "")
    assert "another key" in signed_in.post(PATH, {"hash": "on"}).text
    monkeypatch.setattr(settings, "USER_HASH_KEY", "another")
    assert "another key" in signed_in.post(PATH, {"hash": "on"}).text
    NameHashing.objects.update(state="on")
    assert failing() == ["user_names"]
    NameHashing.objects.update(state="converting")
    with pytest.raises(name_hashing.WrongKey):
        name_hashing.convert(timezone.now())


def failing() -> list[str]:
    checks = health.readiness(timezone.now(), settings.REPORTING_ZONE)
    return [check.name for check in checks if not check.is_ok and check.name == "user_names"]


@pytest.mark.parametrize("role", ["finance", "engineer", "viewer"])
def test_only_administrators_decide_on_names(role: str) -> None:
    browser = reader(role, "cx")
    assert browser.get(PATH).status_code == 403
    assert browser.post(PATH, {"hash": "on"}).status_code == 403
    assert name_hashing.current() is None


def test_the_key_is_made_once_whoever_is_first_and_is_not_needed_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "user_hash_key"
    made = secret("FARTHING_USER_HASH_KEY", path)
    assert len(made) > 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret("FARTHING_USER_HASH_KEY", path) == made
    assert [each.name for each in path.parent.iterdir()] == ["user_hash_key"]
    below_a_file = path / "user_hash_key"
    assert secret("FARTHING_USER_HASH_KEY", below_a_file, is_needed=False) == ""
    with pytest.raises(OSError, match="user_hash_key"):
        secret("FARTHING_USER_HASH_KEY", below_a_file)
    monkeypatch.setenv("FARTHING_USER_HASH_KEY", "given")
    assert secret("FARTHING_USER_HASH_KEY", path) == "given"


@pytest.mark.usefixtures("traces")
def test_anomalies_name_hashes_then_and_causes_are_found_anew() -> None:
    now = timezone.now()
    common = {
        "metric": "effective_cost", "scale": "hour", "kind": "spike", "direction": 1,
        "severity": "warning", "reason": "", "started_at": now, "ended_at": now, "seen_at": now,
        "actual": 2, "expected": 1, "impact": 1, "surprise": 3.0,
    }  # fmt: skip
    part = {"elements": {"user": NAME}, "difference": "1", "share": 1.0}
    own = Anomaly.objects.create(
        series=f'{{"user":"{NAME}"}}', filters={"user": NAME}, causes={}, **common
    )
    other = Anomaly.objects.create(series="", causes={"parts": [part]}, **common)
    kept = {"parts": [{**part, "elements": {"model": "m"}}]}
    apart = Anomaly.objects.create(series="", causes=kept, **common)
    turn_on_wholly()
    assert NAME not in dump()
    for each in (own, other, apart):
        each.refresh_from_db()
    assert own.filters == {"user": hashed(KEY, NAME)}
    assert own.series == Key.of(own.filters).name
    assert (other.causes, apart.causes) == ({}, kept)
