"""The Keys desk: who sees and does what with ingest keys, field by field, on the audit log."""

from __future__ import annotations

import html
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from keys_desk import KEY_TEXT, enter, errors_of, key_of_search

from finops import ingest_keys
from finops.ingest_keys import Terms
from finops.models import AuditRecord, IngestKey, KeyRefusal, TeamMember

pytestmark = pytest.mark.django_db

ROLES = ("administrator", "finance", "engineer", "outsider", "viewer", "nobody")


@pytest.fixture
def key() -> IngestKey:
    return key_of_search()


def addresses(key: IngestKey) -> dict[str, dict[str, str]]:
    """Every address of ingest keys, with a form that is right."""
    return {
        "/keys/new": {"service": "worker", "team": "search"},
        f"/keys/{key.prefix}": {"name": "Renamed", "team": "search"},
        f"/keys/{key.prefix}/rotate": {"until": f"{timezone.now() + timedelta(days=1):%FT%H:%M}"},
        f"/keys/{key.prefix}/revoke": {"reason": "leaked"},
    }


@pytest.mark.parametrize("who", ROLES)
def test_who_may_open_and_do_what(key: IngestKey, who: str) -> None:
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
def test_who_sees_which_keys(key: IngestKey, who: str) -> None:
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


def test_a_key_is_shown_once_with_its_command() -> None:
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


def test_the_text_of_a_key_or_token_is_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
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
    entered: dict[str, str], wrong: dict[str, str]
) -> None:
    response = enter("engineer").post("/keys/new", {"service": "b", "team": "search", **entered})
    errors = errors_of(response)
    assert errors.keys() == wrong.keys()
    for field, words in wrong.items():
        assert words in errors[field]
    assert not IngestKey.objects.exists()
    assert not AuditRecord.objects.exists()


def test_an_engineer_takes_no_other_teams_service(key: IngestKey) -> None:
    """Its events would be taken for duplicates of the other's, or the other's for its own."""
    form = {"service": key.service, "team": "hush"}
    assert "taken" in errors_of(enter("outsider").post("/keys/new", form))["service"]
    assert enter("engineer").post("/keys/new", form | {"team": "search"}).status_code == 200


def test_an_engineer_moves_no_key_to_another_team(key: IngestKey) -> None:
    form = {"name": "", "team": "hush"}
    assert "team" in errors_of(enter("engineer").post(f"/keys/{key.prefix}", form))


def test_a_change_is_recorded_with_what_was_before(key: IngestKey) -> None:
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


def test_the_list_says_what_limits_refused_within_a_day(key: IngestKey) -> None:
    now = datetime.now(UTC)
    for hours, requests in ((1, 1200), (3, 34), (30, 5000)):
        KeyRefusal.objects.create(
            key=key, hour=now - timedelta(hours=hours), requests=requests, events=0
        )
    assert '<span class="badge warn">1,234</span>' in enter("engineer").get("/keys").text


def test_a_desk_without_keys_says_what_to_do() -> None:
    page = enter("engineer").get("/keys").text
    assert "No key is in use yet" in page
    assert "No token is in use yet" in page


def test_an_engineer_without_a_team_is_told_so() -> None:
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
