"""Signing in through a real OpenID Connect provider, small as it is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import identity_provider
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from identity_provider import Provider
from pytest_django import Settings

from finops import access, accounts, environment, invitations
from finops.models import AuditRecord, Invitation, Role, Team

GRACE = {
    "sub": "248289761001",
    "email": "grace@example.org",
    "email_verified": True,
    "preferred_username": "grace",
}
PASSWORD = "correct horse battery"


@pytest.fixture
def provider(
    administrator: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    with identity_provider.running() as provider:
        for name, value in {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": identity_provider.CLIENT_ID,
            "OIDC_CLIENT_SECRET": identity_provider.SECRET,
            "OIDC_NAME": "Example",
            "OIDC_GROUPS_CLAIM": "groups",
        }.items():
            monkeypatch.setenv(name, value)
        settings.SOCIALACCOUNT_PROVIDERS, settings.OIDC_GROUPS_CLAIM, _ = (
            environment.single_sign_on()
        )
        provider.person = dict(GRACE)
        yield provider


def come_in(client: Client, page: str = "/sign-in/with/sso?process=login") -> HttpResponse:
    """What the browser sees in the end."""
    there = client.get(page).headers["Location"]
    back = httpx.get(there).headers["Location"].removeprefix("http://testserver")
    return client.get(back, follow=True)


def role_of(name: str) -> str:
    return User.objects.get(username=name).account.role


def test_the_button_leads_there_and_whoever_is_new_comes_back_as_a_viewer(
    client: Client, provider: Provider
) -> None:
    page = client.get("/sign-in?next=/account").text
    assert "Sign in with Example" in page
    answer = come_in(client, "/sign-in/with/sso?process=login&next=/account")
    assert answer.redirect_chain[-1][0] == "/account"
    assert "grace@example.org" in answer.text
    assert role_of("grace") == Role.VIEWER
    record = AuditRecord.objects.get(action="person.arrive")
    assert (record.actor, record.subject) == ("single sign-on", "grace")


def test_whoever_comes_again_is_the_same_person(client: Client, provider: Provider) -> None:
    come_in(client)
    client.post("/sign-out")
    provider.person = GRACE | {"email": "hopper@example.org", "preferred_username": "hopper"}
    come_in(client)
    assert list(User.objects.order_by("id").values_list("username", flat=True)) == ["ada", "grace"]


def test_who_was_invited_under_the_same_verified_address_keeps_role_and_password(
    client: Client, provider: Provider
) -> None:
    accounts.create_person("gh", "Grace@Example.org", PASSWORD, Role.FINANCE)
    assert come_in(client).status_code == 200
    client.post("/sign-out")
    assert User.objects.filter(email__iexact=GRACE["email"]).count() == 1
    assert role_of("gh") == Role.FINANCE
    entered = {"username": "gh", "password": PASSWORD}
    assert client.post("/sign-in", entered).status_code == 302


def test_who_is_invited_and_comes_by_single_sign_on_takes_up_the_invitation(
    client: Client, provider: Provider, administrator: User
) -> None:
    search = Team.objects.create(name="search")
    held, token = invitations.invite(
        "Grace@Example.org", Role.ENGINEER, [search], by=administrator, at=timezone.now()
    )
    assert come_in(client).status_code == 200
    found = access.standing(User.objects.get(username="grace"))
    assert (found.role, found.teams) == (Role.ENGINEER, {"search"})
    held.refresh_from_db()
    assert held.accepted_at
    assert "has been used" in Client().get(f"/invitations/{token}").text
    acts = AuditRecord.objects.filter(action__startswith="person.").order_by("id")
    assert [each.action for each in acts] == ["person.invite", "person.join"]


@pytest.mark.parametrize("state", ["revoked_at", "accepted_at", "expires_at"])
def test_an_invitation_that_is_over_gives_nothing(
    client: Client, provider: Provider, administrator: User, state: str
) -> None:
    now = timezone.now()
    invitations.invite("grace@example.org", Role.FINANCE, [], by=administrator, at=now)
    Invitation.objects.update(**{state: now})
    come_in(client)
    assert role_of("grace") == Role.VIEWER


@pytest.mark.parametrize("said", [False, "false", "no", None])
def test_an_address_that_nobody_vouches_for_opens_nothing(
    client: Client, provider: Provider, said: object
) -> None:
    accounts.create_person("gh", "grace@example.org", PASSWORD, Role.FINANCE)
    provider.person = GRACE | {"email_verified": said}
    answer = come_in(client)
    assert "does not vouch for your e-mail address" in answer.text
    assert client.get("/").status_code == 302
    assert User.objects.count() == 2


def test_a_provider_may_vouch_in_words(client: Client, provider: Provider) -> None:
    accounts.create_person("gh", "grace@example.org", PASSWORD, Role.FINANCE)
    provider.person = GRACE | {"email_verified": "true"}
    assert (
        "grace@example.org" in come_in(client, "/sign-in/with/sso?process=login&next=/account").text
    )
    assert User.objects.count() == 2


def test_a_name_that_is_taken_gets_a_number(client: Client, provider: Provider) -> None:
    accounts.create_person("Grace", "other@example.org", PASSWORD, Role.VIEWER)
    come_in(client)
    assert User.objects.get(email=GRACE["email"]).username == "grace-2"


def test_who_is_refused_there_is_told_so_here(client: Client, provider: Provider) -> None:
    provider.person = None
    assert "Signing in was stopped" in come_in(client).text


def test_a_token_for_somebody_else_opens_nothing(client: Client, provider: Provider) -> None:
    provider.audience = "another application"
    assert "did not work" in come_in(client).text
    assert User.objects.count() == 1


def test_an_answer_that_nobody_asked_for_opens_nothing(client: Client, provider: Provider) -> None:
    there = Client().get("/sign-in/with/sso?process=login").headers["Location"]
    back = httpx.get(there).headers["Location"].removeprefix("http://testserver")
    assert "did not work" in client.get(back, follow=True).text
    assert User.objects.count() == 1


def test_groups_bring_roles_at_every_sign_in(
    client: Client, provider: Provider, settings: Settings
) -> None:
    settings.OIDC_ROLES = {"controlling": "finance", "platform": "engineer"}
    for groups, role in (
        (["platform", "controlling"], Role.FINANCE),
        (["platform"], Role.ENGINEER),
        ([], Role.VIEWER),
    ):
        provider.person = GRACE | {"groups": groups}
        come_in(client)
        assert role_of("grace") == role
        client.post("/sign-out")
    changes = AuditRecord.objects.filter(action="person.role").order_by("id")
    assert [each.after["role"] for each in changes] == ["finance", "engineer", "viewer"]


@pytest.mark.django_db
def test_without_a_provider_there_is_no_button_and_no_way(client: Client) -> None:
    assert client.get("/sign-in/with/sso").status_code == 404


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OIDC_ISSUER": "http://login.example.com"}, "https://"),
        ({"OIDC_ISSUER": "https://login.example.com"}, "OIDC_CLIENT_ID"),
        (
            {
                "OIDC_ISSUER": "https://login.example.com",
                "OIDC_CLIENT_ID": "x",
                "OIDC_CLIENT_SECRET": "y",
                "OIDC_ROLES": "platform=king",
            },
            "OIDC_ROLES",
        ),
    ],
)
def test_a_wrong_configuration_is_refused(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=words):
        environment.single_sign_on()


@pytest.mark.parametrize(
    ("url", "host", "port", "secured"),
    [
        ("smtp+tls://me:p%40ss@mail.example.com", "mail.example.com", 587, (True, False)),
        ("smtps://mail.example.com:1465", "mail.example.com", 1465, (False, True)),
        ("smtp://localhost", "localhost", 25, (False, False)),
    ],
)
def test_a_mail_server_is_named_by_an_address(
    url: str, host: str, port: int, secured: tuple[bool, bool]
) -> None:
    mail = environment.mail_server(url)
    assert (mail.host, mail.port, (mail.starts_tls, mail.is_tls)) == (host, port, secured)
    assert mail.password == ("p@ss" if mail.user else "")


@pytest.mark.parametrize("url", ["mail.example.com", "http://x", "smtp://:x", "smtp://x:port"])
def test_a_wrong_mail_server_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL: write"):
        environment.mail_server(url)


@pytest.mark.parametrize("has_come_before", [True, False])
def test_who_was_deactivated_here_does_not_come_in_from_there(
    client: Client, provider: Provider, has_come_before: bool
) -> None:
    accounts.create_person("gh", "grace@example.org", PASSWORD, Role.FINANCE)
    if has_come_before:
        come_in(client)
        client.post("/sign-out")
    User.objects.filter(username="gh").update(is_active=False)
    assert "This account is closed" in come_in(client).text
    assert User.objects.count() == 2


def test_the_last_administrator_keeps_the_role_whatever_the_provider_says(
    client: Client, provider: Provider, settings: Settings, administrator: User
) -> None:
    settings.OIDC_ROLES = {"root": "administrator"}
    provider.person = GRACE | {"groups": ["root"]}
    come_in(client)
    assert role_of("grace") == Role.ADMINISTRATOR
    client.post("/sign-out")
    User.objects.filter(pk=administrator.pk).update(is_active=False)
    provider.person = GRACE | {"groups": []}
    come_in(client)
    assert role_of("grace") == Role.ADMINISTRATOR
    client.post("/sign-out")
    User.objects.filter(pk=administrator.pk).update(is_active=True)
    come_in(client)
    assert role_of("grace") == Role.VIEWER
