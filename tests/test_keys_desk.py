"""The Keys desk: who sees and does what with ingest keys, field by field, on the audit log."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from finops import ingest_keys
from finops.ingest_keys import Terms
from finops.models import Account, AuditRecord, IngestKey, KeyRefusal, Role, Team, TeamMember

pytestmark = pytest.mark.django_db

ROLES = ("administrator", "finance", "engineer", "outsider", "viewer", "nobody")
KEY_TEXT = re.compile(r"\bfk_[A-Za-z0-9]{8}_[A-Za-z0-9]{40}\b")
Enter = Callable[[str], Client]


def person(who: str) -> User:
    """A user of the role; the engineer and the viewer are of team search, the outsider of hush."""
    user = User.objects.create_user(who)
    if who != "nobody":
        Account.objects.create(user=user, role=Role.ENGINEER if who == "outsider" else Role(who))
    team = {"engineer": "search", "viewer": "search", "outsider": "hush"}.get(who)
    if team:
        found, _ = Team.objects.get_or_create(name=team)
        TeamMember.objects.create(team=found, user=user)
    return user


@pytest.fixture
def enter() -> Enter:
    def enter(who: str) -> Client:
        client = Client()
        client.force_login(person(who))
        return client

    return enter


@pytest.fixture
def key() -> IngestKey:
    """A key of team search."""
    terms = Terms("gateway", name="Gateway", team="search")
    return ingest_keys.make(terms, by="tests", now=datetime.now(UTC)).key


def errors_of(response: HttpResponse) -> dict[str, str]:
    """Under which fields of a form that was refused there is an error, and which."""
    assert response.status_code == 400
    found = {}
    for part in response.text.split('<div class="field">')[1:]:
        name = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', part)[0]
        if error := re.search(r'<ul class="errorlist"[^>]*>(.*?)</ul>', part, re.DOTALL):
            found[name] = html.unescape(re.sub(r"<[^>]+>", "", error[1])).strip()
    if alert := re.search(r'<div class="alert crit" role="alert">(.*?)</div>', response.text):
        found[""] = re.sub(r"<[^>]+>", "", alert[1]).strip()
    return found


def addresses(key: IngestKey) -> dict[str, dict[str, str]]:
    """Every address of ingest keys, with a form that is right."""
    return {
        "/keys/new": {"service": "worker", "team": "search"},
        f"/keys/{key.prefix}": {"name": "Renamed", "team": "search"},
        f"/keys/{key.prefix}/rotate": {"until": f"{timezone.now() + timedelta(days=1):%FT%H:%M}"},
        f"/keys/{key.prefix}/revoke": {"reason": "leaked"},
    }


@pytest.mark.parametrize("who", ROLES)
def test_who_may_open_and_do_what(enter: Enter, key: IngestKey, who: str) -> None:
    client = enter(who)
    manages = who in {"administrator", "engineer"}
    for address, form in addresses(key).items():
        may = manages or (who == "outsider" and address == "/keys/new")
        refused = 404 if who == "outsider" else 403
        assert client.get(address).status_code == (200 if may else refused), address
        before = AuditRecord.objects.count()
        done = client.post(address, form)
        if who == "outsider" and may:
            assert "team" in errors_of(done)
        else:
            assert done.status_code in ({200, 302} if may else {refused}), address
        assert AuditRecord.objects.count() == before + (may and who != "outsider")
    key.refresh_from_db()
    assert (key.revoked_at is not None) == manages


@pytest.mark.parametrize("who", ROLES)
def test_who_sees_which_keys(enter: Enter, key: IngestKey, who: str) -> None:
    now = datetime.now(UTC)
    ingest_keys.make(Terms("hidden-bot", team="hush"), by="tests", now=now)
    ingest_keys.make(Terms("unowned-bot"), by="tests", now=now)
    response = enter(who).get("/keys")
    sees = {
        service for service in ("gateway", "hidden-bot", "unowned-bot") if service in response.text
    }
    expected = {
        "administrator": {"gateway", "hidden-bot", "unowned-bot"},
        "engineer": {"gateway"},
        "outsider": {"hidden-bot"},
    }
    assert sees == expected.get(who, set())
    assert response.status_code == (403 if who in {"viewer", "nobody"} else 200)


def test_nobody_unknown_gets_in(client: Client, key: IngestKey) -> None:
    for address, form in addresses(key).items():
        assert client.post(address, form).headers["Location"].startswith("/sign-in")
    assert client.get("/keys").headers["Location"].startswith("/sign-in")


def test_a_key_is_shown_once_with_its_command(enter: Enter) -> None:
    client = enter("engineer")
    form = {"name": "Nightly", "service": "batch", "team": "search", "environment": "staging"}
    response = client.post("/keys/new", {**form, "events_per_minute": "600"})
    texts = set(KEY_TEXT.findall(response.text))
    assert len(texts) == 1
    [text] = texts
    assert "no-store" in response.headers["Cache-Control"]
    assert "curl http://testserver/api/v1/events" in response.text
    assert f"Authorization: Bearer {text}" in html.unescape(response.text)
    key = IngestKey.objects.get()
    assert (key.service, key.name, key.team, key.environment) == (
        *("batch", "Nightly", "search", "staging"),
    )
    assert (key.events_per_minute, key.events_per_day) == (600, None)
    assert key.created_by
    assert key.created_by.username == "engineer"
    listed = client.get("/keys").text
    assert text not in listed
    assert key.prefix in listed
    assert "600 a minute" in listed
    record = AuditRecord.objects.get()
    assert (record.action, record.actor, record.team) == ("key.create", "engineer", "search")
    assert record.subject == f"{key.prefix} (batch)"
    assert record.address == "127.0.0.1"
    assert record.after["events_per_minute"] == 600


def everything_stored() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


def test_the_text_of_a_key_or_token_is_kept_nowhere(
    enter: Enter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = enter("engineer")
    made = client.post("/keys/new", {"service": "batch", "team": "search"})
    prefix = IngestKey.objects.get().prefix
    until = f"{timezone.now() + timedelta(days=1):%FT%H:%M}"
    rotated = client.post(f"/keys/{prefix}/rotate", {"until": until})
    token = client.post("/tokens/new", {"name": "sheet"})
    texts = KEY_TEXT.findall(made.text) + KEY_TEXT.findall(rotated.text)
    texts += re.findall(r"\bft_[0-9a-f]{8}_[\w-]{40}", token.text)
    secrets = {text.split("_", 2)[2] for text in texts}
    assert len(secrets) == 3
    call_command("revoke", texts[0])
    kept = everything_stored() + caplog.text + repr(dict(client.session)) + str(client.cookies)
    kept += client.get("/keys").text
    assert prefix in kept
    assert not [secret for secret in secrets if secret in kept]


@pytest.mark.parametrize(
    ("entered", "wrong"),
    [
        ({"service": " "}, {"service": "required"}),
        ({"service": "x" * 201}, {"service": "at most 200"}),
        ({"service": "a\0b"}, {"service": "Null characters"}),
        ({"name": "x" * 201}, {"name": "at most 200"}),
        ({"environment": "x" * 201}, {"environment": "at most 200"}),
        ({"team": ""}, {"team": "required"}),
        ({"team": "hush"}, {"team": "not one of the available choices"}),
        ({"events_per_minute": "many"}, {"events_per_minute": "whole number"}),
        ({"events_per_minute": "0"}, {"events_per_minute": "Write 1 to 2,000,000,000"}),
        ({"events_per_day": "-1"}, {"events_per_day": "Write 1 to 2,000,000,000"}),
        ({"events_per_day": "9999999999999"}, {"events_per_day": "Write 1 to 2,000,000,000"}),
    ],
)
def test_what_is_wrong_is_said_under_its_field_and_nothing_is_made(
    enter: Enter, entered: dict[str, str], wrong: dict[str, str]
) -> None:
    response = enter("engineer").post("/keys/new", {"service": "b", "team": "search", **entered})
    errors = errors_of(response)
    assert errors.keys() == wrong.keys()
    for field, words in wrong.items():
        assert words in errors[field]
    assert not IngestKey.objects.exists()
    assert not AuditRecord.objects.exists()


def test_an_engineer_takes_no_other_teams_service(enter: Enter, key: IngestKey) -> None:
    """Its events would be taken for duplicates of the other's, or the other's for its own."""
    form = {"service": key.service, "team": "hush"}
    assert "taken" in errors_of(enter("outsider").post("/keys/new", form))["service"]
    assert enter("engineer").post("/keys/new", form | {"team": "search"}).status_code == 200


def test_an_engineer_moves_no_key_to_another_team(enter: Enter, key: IngestKey) -> None:
    form = {"name": "", "team": "hush"}
    assert "team" in errors_of(enter("engineer").post(f"/keys/{key.prefix}", form))


def test_a_change_is_recorded_with_what_was_before(enter: Enter, key: IngestKey) -> None:
    client = enter("administrator")
    form = {"name": "Front door", "service": "stolen", "team": "growth", "events_per_day": "5000"}
    assert client.post(f"/keys/{key.prefix}", form).headers["Location"] == "/keys"
    assert f"{key.prefix} is changed" in client.get("/keys").text
    key.refresh_from_db()
    assert ingest_keys.terms_of(key) == Terms("gateway", "Front door", "growth", "", None, 5000)
    record = AuditRecord.objects.first()
    assert record
    assert (record.action, record.team) == ("key.change", "search")
    assert record.before == {"name": "Gateway", "team": "search", "events_per_day": None}
    assert record.after == {"name": "Front door", "team": "growth", "events_per_day": 5000}
    before = AuditRecord.objects.count()
    client.post(f"/keys/{key.prefix}", form)
    assert AuditRecord.objects.count() == before


def rotate(client: Client, key: IngestKey, until: datetime) -> HttpResponse:
    form = {"until": f"{until:%Y-%m-%dT%H:%M:%S}"}
    response: HttpResponse = client.post(f"/keys/{key.prefix}/rotate", form)
    return response


def test_rotating_makes_a_new_key_on_the_same_terms(enter: Enter, key: IngestKey) -> None:
    client = enter("engineer")
    until = timezone.now().replace(microsecond=0) + timedelta(days=7)
    response = rotate(client, key, until)
    assert len(set(KEY_TEXT.findall(response.text))) == 1
    assert f"{key.prefix} works until" in response.text
    new = IngestKey.objects.exclude(pk=key.pk).get()
    key.refresh_from_db()
    assert (key.stops_at, key.replaced_by) == (until, new)
    assert ingest_keys.terms_of(new) == ingest_keys.terms_of(key)
    listed = client.get("/keys").text
    assert "Being replaced" in listed
    assert f"/keys/{key.prefix}/rotate" not in listed
    record = AuditRecord.objects.first()
    assert record
    assert (record.action, record.team) == ("key.rotate", "search")
    assert record.after == {"stops_at": until.isoformat(), "replaced_by": new.prefix}
    again = rotate(client, key, until)
    assert "being replaced already" in errors_of(again)[""]


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("", "required"),
        ("tomorrow", "Write a date and a time"),
        (f"{datetime.now(UTC) - timedelta(minutes=5):%FT%H:%M}", "at most 30 days ahead"),
        (f"{datetime.now(UTC) + timedelta(days=31):%FT%H:%M}", "at most 30 days ahead"),
    ],
)
def test_the_overlap_ends_within_thirty_days(
    enter: Enter, key: IngestKey, until: str, says: str
) -> None:
    client = enter("engineer")
    assert says in errors_of(client.post(f"/keys/{key.prefix}/rotate", {"until": until}))["until"]
    assert IngestKey.objects.count() == 1


def test_revoking_asks_first_and_keeps_the_reason(enter: Enter, key: IngestKey) -> None:
    client = enter("engineer")
    assert f"/keys/{key.prefix}/revoke" in client.get("/keys").text
    assert f"Revoke {key.prefix}?" in client.get(f"/keys/{key.prefix}/revoke").text
    assert IngestKey.objects.get().revoked_at is None
    response = client.post(f"/keys/{key.prefix}/revoke", {"reason": "in a paste"}, follow=True)
    assert "is revoked and refused within 5 seconds" in response.text
    assert IngestKey.objects.get().revoked_at
    record = AuditRecord.objects.first()
    assert record
    assert (record.action, record.actor, record.reason) == ("key.revoke", "engineer", "in a paste")
    again = client.post(f"/keys/{key.prefix}/revoke", follow=True)
    assert "was revoked already" in again.text
    assert AuditRecord.objects.filter(action="key.revoke").count() == 1
    assert (
        "does not work any more"
        in errors_of(rotate(client, key, timezone.now() + timedelta(days=1)))[""]
    )


def test_the_list_says_what_limits_refused_within_a_day(enter: Enter, key: IngestKey) -> None:
    now = datetime.now(UTC)
    for hours, requests in ((1, 1200), (3, 34), (30, 5000)):
        KeyRefusal.objects.create(
            key=key, hour=now - timedelta(hours=hours), requests=requests, events=0
        )
    assert '<span class="badge warn">1,234</span>' in enter("engineer").get("/keys").text


def test_a_desk_without_keys_says_what_to_do(enter: Enter) -> None:
    page = enter("engineer").get("/keys").text
    assert "No key is in use yet" in page
    assert "No token is in use yet" in page


def test_an_engineer_without_a_team_is_told_so(enter: Enter) -> None:
    client = enter("engineer")
    TeamMember.objects.all().delete()
    assert "You are in no team" in client.get("/keys").text
    form: dict[str, Any] = {"service": "x", "team": ""}
    assert "team" in errors_of(client.post("/keys/new", form))


def test_commands_share_the_rules_and_the_audit_log(key: IngestKey) -> None:
    call_command("create_ingest_key", "bot", "--team", "cx", "--name", "Bot")
    call_command("revoke", key.prefix)
    records = AuditRecord.objects.order_by("id").values_list("action", "actor", "team")[1:]
    assert list(records) == [
        ("key.create", "manage.py create_ingest_key", "cx"),
        ("key.revoke", "manage.py revoke", "search"),
    ]
