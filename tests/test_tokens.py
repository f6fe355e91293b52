"""API tokens: the rights of a user in the hands of a script."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from finops import api_tokens
from finops.models import ApiToken

pytestmark = pytest.mark.django_db


def create(username: str) -> str:
    out = StringIO()
    call_command("create_api_token", username, stdout=out)
    return out.getvalue()


def ask(client: Client, authorization: str) -> int:
    response = client.get(reverse("api-costs"), headers={"Authorization": authorization})
    return response.status_code


def test_the_command_prints_only_the_token(administrator: User) -> None:
    printed = create("ada")
    token = printed.strip()
    assert printed == f"{token}\n"
    kept = ApiToken.objects.get()
    assert token.startswith(kept.prefix)
    assert token.encode() not in bytes(kept.digest)


def test_a_token_reads_costs_and_notes_its_use(client: Client, administrator: User) -> None:
    token = create("ada").strip()
    assert ask(client, f"Bearer {token}") == 200
    assert ask(client, f"bearer {token}") == 200
    assert ApiToken.objects.get().last_used_at


def test_its_use_is_noted_once_a_minute(administrator: User) -> None:
    token = create("ada").strip()
    moments = [
        datetime(2026, 10, 15, 12, minute, second, tzinfo=UTC)
        for minute, second in ((0, 0), (0, 30), (2, 0))
    ]
    noted = []
    for moment in moments:
        assert api_tokens.find_token(token, moment)
        noted.append(ApiToken.objects.get().last_used_at)
    assert noted == [moments[0], moments[0], moments[2]]


def test_a_revoked_token_stops_working_at_once(client: Client, administrator: User) -> None:
    token = create("ada").strip()
    ApiToken.objects.update(revoked_at=datetime.now(UTC))
    assert ask(client, f"Bearer {token}") == 401


def test_a_token_ends_with_its_user(client: Client, administrator: User) -> None:
    token = create("ada").strip()
    User.objects.update(is_active=False)
    assert ask(client, f"Bearer {token}") == 401


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ft_nobody_x", "Basic YTpi", "\xff"]
)
def test_without_a_valid_token_the_answer_is_401(client: Client, authorization: str) -> None:
    response = client.get(reverse("api-costs"), headers={"Authorization": authorization})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


def test_a_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match="No user"):
        create("nobody")


def test_keys_and_tokens_are_listed_and_revoked_by_prefix(
    client: Client, administrator: User
) -> None:
    token = create("ada").strip()
    call_command("create_ingest_key", "bot", stdout=StringIO())
    listed = StringIO()
    call_command("revoke", stdout=listed)
    assert "service bot" in listed.getvalue()
    assert "user ada" in listed.getvalue()
    assert token not in listed.getvalue()
    call_command("revoke", ApiToken.objects.get().prefix, stdout=StringIO())
    assert ask(client, f"Bearer {token}") == 401
    with pytest.raises(CommandError, match="No key or token in use"):
        call_command("revoke", ApiToken.objects.get().prefix)
