"""Authenticator apps, recovery codes, and what is said and written down about them."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from finops.models import AuditRecord

RIGHT = {"username": "ada", "password": "correct horse battery"}


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def at_home(client: Client, administrator: User) -> Client:
    """A browser in which the administrator has signed in, and entered the password once more."""
    assert client.post("/sign-in", RIGHT).status_code == 302
    client.post("/account/confirm", {"password": RIGHT["password"]})
    return client


def set_up(client: Client) -> tuple[str, list[str]]:
    """The secret of a new authenticator app, and the recovery codes shown once."""
    page = client.get("/account/app").text
    secret = re.findall(r'<code class="secret">(\w+)</code>', page)[0]
    assert "<svg" in page
    assert "style=" not in page
    answer = client.post("/account/app", {"code": code(secret)}, follow=True)
    return secret, re.findall(r"<li><code>(\d+)</code></li>", answer.text)


def acts() -> list[str]:
    return list(AuditRecord.objects.order_by("id").values_list("action", flat=True))


def test_an_app_is_asked_for_its_code_after_the_password(at_home: Client) -> None:
    secret, _ = set_up(at_home)
    at_home.post("/sign-out")
    answer = at_home.post("/sign-in", RIGHT | {"next": "/explore"})
    assert answer.headers["Location"].startswith("/sign-in/code")
    assert at_home.get("/explore").status_code == 302, "not signed in yet"
    assert "Incorrect code" in at_home.post("/sign-in/code", {"code": "000000"}).text
    answer = at_home.post("/sign-in/code", {"code": code(secret)})
    assert answer.headers["Location"] == "/explore"
    assert at_home.get("/explore").status_code == 200


def test_a_recovery_code_opens_the_account_once(at_home: Client) -> None:
    _, codes = set_up(at_home)
    assert len(codes) == 10
    for times, opens in ((1, True), (2, False)):
        at_home.post("/sign-out")
        at_home.post("/sign-in", RIGHT)
        at_home.post("/sign-in/code", {"code": codes[0]})
        assert (at_home.get("/").status_code == 200) == opens, times


def test_recovery_codes_are_shown_once(at_home: Client) -> None:
    _, codes = set_up(at_home)
    page = at_home.get("/account/codes").text
    assert codes[0] not in page
    assert "10 of 10 are left" in page
    answer = at_home.post("/account/codes/new", follow=True)
    assert len(set(re.findall(r"<li><code>(\d+)</code></li>", answer.text)) - set(codes)) == 10


@pytest.mark.django_db(transaction=True)
def test_what_changes_a_second_factor_is_written_down_and_mailed(at_home: Client) -> None:
    set_up(at_home)
    at_home.post("/account/app/remove")
    assert not Authenticator.objects.exists()
    assert [each for each in acts() if each.startswith("second")] == [
        "second-factor.add",
        "second-factor.remove",
    ]
    record = AuditRecord.objects.get(action="second-factor.remove")
    assert (record.actor, record.subject, record.address) == ("ada", "ada", "127.0.0.1")
    assert {each.to[0] for each in mail.outbox} == {"ada@example.org"}


def test_a_second_factor_asks_for_the_password_again_after_a_while(
    client: Client, administrator: User
) -> None:
    client.force_login(administrator)
    for path in ("/account/app", "/account/passkeys/add", "/account/codes/new"):
        assert client.get(path).headers["Location"].startswith("/account/confirm?next=")
    page = client.get("/account/confirm?next=/account/app").text
    assert "Is it you?" in page
    answer = client.post(
        "/account/confirm", {"password": RIGHT["password"], "next": "/account/app"}
    )
    assert answer.headers["Location"] == "/account/app"
    assert client.get("/account/app").status_code == 200


def test_codes_cannot_be_guessed(at_home: Client) -> None:
    set_up(at_home)
    at_home.post("/sign-out")
    at_home.post("/sign-in", RIGHT)
    for number in range(25):
        page = at_home.post("/sign-in/code", {"code": f"{number:06}"}).text
    assert "Too many wrong attempts" in page


def test_where_it_is_required_nothing_is_seen_before_there_is_one(
    at_home: Client, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    answer = at_home.get("/explore", follow=True)
    assert answer.redirect_chain == [("/account", 302)]
    assert "asks everybody for a second factor" in answer.text
    assert at_home.get("/api/v1/costs").status_code == 302
    set_up(at_home)
    assert at_home.get("/explore").status_code == 200
