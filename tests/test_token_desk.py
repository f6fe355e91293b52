"""API tokens on the Keys desk: one's own, and for administrators everybody's."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from finops import api_tokens
from finops.models import Account, ApiToken, AuditRecord, Role, Team, TeamMember
from ingest import keys

pytestmark = pytest.mark.django_db

TOKEN_TEXT = re.compile(r"\bft_[0-9a-f]{8}_[A-Za-z0-9_-]{40}")
Enter = Callable[[str], Client]


@pytest.fixture
def enter() -> Enter:
    def enter(role: str) -> Client:
        user = User.objects.create_user(role)
        if role != "nobody":
            Account.objects.create(user=user, role=Role(role))
        if role in {"engineer", "viewer"}:
            team, _ = Team.objects.get_or_create(name="search")
            TeamMember.objects.create(team=team, user=user)
        client = Client()
        client.force_login(user)
        return client

    return enter


def token_of(username: str, name: str = "") -> str:
    user, _ = User.objects.get_or_create(username=username)
    return api_tokens.create_token(user, now=datetime.now(UTC), by="tests", name=name)


def prefix(text: str) -> str:
    return "_".join(text.split("_")[:2])


def ask(text: str) -> HttpResponse:
    response: HttpResponse = Client().get(
        "/api/v1/costs", headers={"Authorization": f"Bearer {text}"}
    )
    return response


@pytest.mark.parametrize("role", ["administrator", "finance", "engineer"])
def test_a_token_is_shown_once_and_reads_with_the_rights_of_its_user(
    enter: Enter, role: str
) -> None:
    client = enter(role)
    response = client.post("/tokens/new", {"name": "Sheet"})
    [text] = set(TOKEN_TEXT.findall(response.text))
    assert "no-store" in response.headers["Cache-Control"]
    assert "curl -G http://testserver/api/v1/costs" in response.text
    assert ask(text).status_code == 200
    listed = client.get("/keys").text
    assert "Sheet" in listed
    assert prefix(text) in listed
    assert text not in listed
    record = AuditRecord.objects.get()
    assert (record.action, record.actor) == ("token.create", role)
    assert record.subject == f"{prefix(text)} (of {role})"
    assert client.post(f"/tokens/{prefix(text)}/revoke").headers["Location"] == "/keys"
    assert ask(text).status_code == 401
    assert AuditRecord.objects.filter(action="token.revoke", actor=role).count() == 1
    assert "was revoked already" in client.post(f"/tokens/{prefix(text)}/revoke", follow=True).text


@pytest.mark.parametrize("role", ["viewer", "nobody"])
def test_who_may_make_no_token_makes_none(enter: Enter, role: str) -> None:
    client = enter(role)
    kept = prefix(token_of("else"))
    for address in ("/keys", "/tokens/new", f"/tokens/{kept}/revoke"):
        assert client.get(address).status_code == 403
        assert client.post(address, {}).status_code == 403
    assert ApiToken.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize("role", ["finance", "engineer"])
def test_nobody_sees_or_revokes_tokens_of_others(enter: Enter, role: str) -> None:
    client, other = enter(role), prefix(token_of("grace", "Secret project"))
    page = client.get("/keys").text
    assert not [hidden for hidden in (other, "grace", "Secret project") if hidden in page]
    assert client.get(f"/tokens/{other}/revoke").status_code == 404
    assert client.post(f"/tokens/{other}/revoke").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_an_administrator_sees_and_revokes_tokens_of_all(enter: Enter) -> None:
    client, text = enter("administrator"), token_of("grace", "Nightly")
    page = client.get("/keys").text
    assert "grace" in page
    assert "Nightly" in page
    assert "It is a token of grace" in client.get(f"/tokens/{prefix(text)}/revoke").text
    client.post(f"/tokens/{prefix(text)}/revoke")
    assert ApiToken.objects.get().revoked_at


def test_the_readme_gives_scanners_an_expression_that_finds_keys_and_tokens() -> None:
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text()
    found = re.search(r"^    (fk_\S+)$", readme, re.MULTILINE)
    assert found
    for text in (keys.generate().text, token_of("grace")):
        assert re.fullmatch(found[1], text)


def test_a_token_ends_when_it_was_told_to(enter: Enter) -> None:
    client = enter("engineer")
    ends = timezone.now().replace(microsecond=0) + timedelta(days=90)
    response = client.post("/tokens/new", {"expires_at": f"{ends:%Y-%m-%dT%H:%M:%S}"})
    [text] = set(TOKEN_TEXT.findall(response.text))
    assert ApiToken.objects.get().expires_at == ends
    assert api_tokens.find_token(text, ends - timedelta(seconds=1))
    assert not api_tokens.find_token(text, ends)
    assert "Until" in client.get("/keys").text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"expires_at": "soon"}, "Write a date and a time"),
        ({"expires_at": "2020-01-01T00:00"}, "still to come"),
        ({"name": "x" * 201}, "at most 200"),
    ],
)
def test_what_is_wrong_is_said_and_no_token_is_made(
    enter: Enter, form: dict[str, str], says: str
) -> None:
    response = enter("engineer").post("/tokens/new", form)
    assert response.status_code == 400
    assert says in response.text
    assert not ApiToken.objects.exists()


def test_a_token_of_a_user_who_is_not_active_any_more_has_ended(enter: Enter) -> None:
    client, text = enter("administrator"), token_of("grace")
    User.objects.filter(username="grace").update(is_active=False)
    assert ask(text).status_code == 401
    assert "Its user is not active" in client.get("/keys").text
