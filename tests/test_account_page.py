"""One's own account: passwords, sessions and how long they last."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from pytest_django import Settings

from finops import accounts
from finops.models import AuditRecord, Role, Team
from finops.pages import sessions

RIGHT = {"username": "ada", "password": "correct horse battery"}
NEW = "an even longer sentence"


def device(agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0") -> Client:
    client = Client(headers={"user-agent": agent})
    assert client.post("/sign-in", RIGHT).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_the_name_in_the_top_bar_leads_to_the_account(signed_in: Client) -> None:
    assert 'href="/account"' in signed_in.get("/").text
    page = signed_in.get("/account").text
    for words in ("Administrator", "The whole organisation", "ada@example.org", "this one"):
        assert words in page


@pytest.mark.usefixtures("administrator")
def test_other_sessions_are_listed_and_ended() -> None:
    here, there, elsewhere = device(), device("Mozilla/5.0 (iPhone) Safari/605"), device()
    page = here.get("/account").text
    assert page.count("Firefox on Linux") == 3, "two, and the words of one button"
    assert "Safari on iPhone" in page
    ends = re.findall(r'action="(/account/sessions/\d+/end)"', page)
    assert len(ends) == 2
    safari = UserSession.objects.get(user_agent__contains="iPhone")
    here.post(f"/account/sessions/{safari.pk}/end")
    assert (is_in(here), is_in(there), is_in(elsewhere)) == (True, False, True)
    here.post("/account/sessions/end-others")
    assert (is_in(here), is_in(elsewhere)) == (True, False)


@pytest.mark.usefixtures("administrator")
def test_nobody_ends_the_session_of_somebody_else() -> None:
    ada = device()
    session = UserSession.objects.get()
    accounts.create_person("bob", "bob@example.org", RIGHT["password"], Role.VIEWER)
    bob = Client()
    bob.post("/sign-in", RIGHT | {"username": "bob"})
    assert bob.post(f"/account/sessions/{session.pk}/end").status_code == 404
    assert is_in(ada)


@pytest.mark.usefixtures("administrator")
def test_a_new_password_ends_the_other_sessions() -> None:
    here, there = device(), device()
    entered = {"oldpassword": RIGHT["password"], "password1": NEW, "password2": NEW}
    answer = here.post("/account/password", entered, follow=True)
    assert "The password was changed" in answer.text
    assert (is_in(here), is_in(there)) == (True, False)
    record = AuditRecord.objects.get(action="password.change")
    assert (record.actor, record.subject) == ("ada", "ada")


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({"oldpassword": "wrong"}, "current password"),
        ({"password2": "another"}, "same password"),
        ({"password1": "short", "password2": "short"}, "too short"),
    ],
)
def test_a_wrong_entry_changes_no_password(
    signed_in: Client, entered: dict[str, str], words: str
) -> None:
    form = {"oldpassword": RIGHT["password"], "password1": NEW, "password2": NEW} | entered
    page = signed_in.post("/account/password", form).text
    assert words in page
    assert User.objects.get().check_password(RIGHT["password"])


def test_a_forgotten_password_is_replaced_by_mail(client: Client, administrator: User) -> None:
    old = device()
    answer = client.post("/password", {"email": "Ada@example.org"}, follow=True)
    assert "Look into your mail" in answer.text
    link = re.findall(r"http://testserver(/password/new/\S+)", mail.outbox[0].body)[0]
    page = client.get(link, follow=True)
    form = {"password1": NEW, "password2": NEW}
    answer = client.post(page.redirect_chain[-1][0], form, follow=True)
    assert "Your password is changed" in answer.text
    assert not is_in(old)
    assert AuditRecord.objects.filter(action="password.reset").exists()
    assert "does not work any more" in Client().get(link, follow=True).text


def test_nobody_learns_who_has_an_account(client: Client, administrator: User) -> None:
    answer = client.post("/password", {"email": "nobody@example.org"}, follow=True)
    assert "Look into your mail" in answer.text
    assert not mail.outbox


def test_a_session_ends_after_a_while_without_a_request(
    administrator: User, settings: Settings
) -> None:
    client = device()
    expires = client.session.get_expiry_date()
    left = expires - timezone.now()
    assert abs(left - timedelta(seconds=settings.SESSION_COOKIE_AGE)) < timedelta(minutes=1)


@pytest.mark.usefixtures("administrator")
def test_a_session_ends_however_much_it_is_used(settings: Settings) -> None:
    client = device()
    session = client.session
    session[sessions.BEGAN] -= settings.SESSION_LASTS_SECONDS - 60
    session.save()
    assert is_in(client)
    session[sessions.BEGAN] -= 120
    session.save()
    assert not is_in(client)


def test_what_is_used_rarely_is_written_rarely(signed_in: Client) -> None:
    signed_in.get("/account")
    seen = signed_in.session[sessions.SEEN]
    signed_in.get("/account")
    assert signed_in.session[sessions.SEEN] == seen


@pytest.mark.django_db
def test_a_person_is_created_with_role_and_teams() -> None:
    team = Team.objects.create(name="search")
    bob = accounts.create_person("bob", "Bob@Example.org", NEW, Role.ENGINEER, [team])
    assert (bob.account.role, bob.team_members.get().team) == (Role.ENGINEER, team)
    client = Client()
    entered = {"username": "bob@example.org", "password": NEW}
    assert client.post("/sign-in", entered).status_code == 302, "by the address of mail too"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": "a b"}, "username"),
        ({"username": "ADA"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"email": "ADA@example.org"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "bob.builder"}, "password"),
    ],
)
def test_a_person_is_refused_field_by_field(
    administrator: User, wrong: dict[str, str], field: str
) -> None:
    form = {"username": "bob.builder", "email": "bob@example.org", "password": NEW} | wrong
    with pytest.raises(ValidationError) as refused:
        accounts.create_person(**form, role=Role.VIEWER)
    assert set(refused.value.message_dict) == {field}
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["account_signup", "account_email", "mfa_signup_webauthn"])
def test_there_is_no_open_sign_up(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/account", "/account/app", "/account/password"])
def test_accounts_are_their_owners_alone(path: str) -> None:
    assert Client().get(path).headers["Location"].startswith(("/sign-in", "/setup"))
