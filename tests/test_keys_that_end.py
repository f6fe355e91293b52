"""Keys rotated out or revoked on the Keys desk: when they stop, and what is left of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from keys_desk import KEY_TEXT, enter, errors_of, key_of_search

from finops import ingest_keys
from finops.models import AuditRecord, IngestKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> IngestKey:
    return key_of_search()


def rotate(client: Client, key: IngestKey, until: datetime) -> HttpResponse:
    form = {"until": f"{until:%Y-%m-%dT%H:%M:%S}"}
    response: HttpResponse = client.post(f"/keys/{key.prefix}/rotate", form)
    return response


def test_rotating_makes_a_new_key_on_the_same_terms(key: IngestKey) -> None:
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
    ids=["nothing", "no date", "past", "too far"],
)
def test_the_overlap_ends_within_thirty_days(key: IngestKey, until: str, says: str) -> None:
    client = enter("engineer")
    assert says in errors_of(client.post(f"/keys/{key.prefix}/rotate", {"until": until}))["until"]
    assert IngestKey.objects.count() == 1


def test_revoking_asks_first_and_keeps_the_reason(key: IngestKey) -> None:
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


def test_a_key_that_is_over_is_not_offered_a_form(key: IngestKey) -> None:
    """By its address: no page leads there."""
    client = enter("engineer")
    rotate(client, key, timezone.now() + timedelta(days=1))
    page = client.get(f"/keys/{key.prefix}/rotate").text
    assert "being replaced already" in page
    assert "<form method" not in page
    assert 'name="name"' in client.get(f"/keys/{key.prefix}").text, "it still works"
    ingest_keys.revoke(key.prefix, by="tests", now=timezone.now())
    for act, says in (("", "does not work"), ("/rotate", "does not work"), ("/revoke", "already")):
        page = client.get(f"/keys/{key.prefix}{act}").text
        assert says in page
        assert 'class="primary"' not in page
        assert "<form method" not in page
