"""Invitations: a link that makes one account, once, for a week, unless it is withdrawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import usage
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from pytest_django import Settings

from finops import access, invitations
from finops.log_redaction import Redacting
from finops.models import Account, AuditRecord, CacheEntry, Invitation, Role, Team

pytestmark = pytest.mark.django_db

JOIN = {
    "username": "bob",
    "password": "correct horse battery",
    "again": "correct horse battery",
}


@pytest.fixture(autouse=True)
def no_misses() -> None:
    cache.clear()


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/invitations/[\w-]+)", text)
    assert found, text
    return found[1]


def invite(client: Client, email: str = "bob@example.org", **more: object) -> str:
    """The path of the link."""
    entered = {"email": email, "role": "engineer", "teamless": "on", **more}
    response = client.post("/people/invitations", entered)
    assert response.status_code == 200
    return link_in(response.text)


def test_whoever_is_invited_joins_with_the_role_and_teams(signed_in: Client) -> None:
    Team.objects.create(name="search")
    link = invite(signed_in, teams=["search"])
    assert mail.outbox[0].to == ["bob@example.org"]
    assert link_in(str(mail.outbox[0].body)) == link
    browser = Client()
    assert "bob@example.org, engineer" in browser.get(link).text
    assert browser.post(link, JOIN).headers["Location"] == "/"
    assert browser.get("/").status_code == 200
    bob = User.objects.get(username="bob")
    found = access.standing(bob)
    assert (bob.email, found.role, found.teams) == ("bob@example.org", Role.ENGINEER, {"search"})
    assert "has been used" in Client().get(link).text
    assert Client().post(link, JOIN | {"username": "eve"}).status_code == 404
    assert User.objects.count() == 2
    acts = AuditRecord.objects.filter(action__startswith="person.").order_by("id")
    assert [(each.action, each.actor) for each in acts] == [
        ("person.invite", "ada"),
        ("person.join", "bob"),
    ]
    assert acts[0].after == {"role": "engineer", "teams": ["search"]}


def test_a_team_that_only_events_name_can_be_chosen_and_is_made(
    signed_in: Client, now: datetime
) -> None:
    Team.objects.create(name="people")
    usage.record([usage.event(now, team="ads"), usage.event(now, team="people")], now=now)
    said = "ads (only in events)"
    page = signed_in.get("/people/invitations").text
    assert said in page
    assert page.count("(only in events)") == 1
    wrong = {"email": "ADA@example.org", "role": "engineer", "teams": ["ads"]}
    assert signed_in.post("/people/invitations", wrong).status_code == 400
    assert not Team.objects.filter(name="ads").exists(), "nothing is made for what is refused"
    invite(signed_in, teams=["ads"])
    assert [each.name for each in Invitation.objects.get().teams.all()] == ["ads"]
    assert AuditRecord.objects.get(action="team.create").subject == "ads"
    assert said not in signed_in.get("/people/invitations").text


def test_the_token_is_kept_nowhere(signed_in: Client) -> None:
    token = invite(signed_in).rsplit("/", 1)[1]
    assert token.encode() not in bytes(Invitation.objects.get().digest)
    assert token not in str(list(AuditRecord.objects.values()))
    assert token not in signed_in.get("/people/invitations").text


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        ({"username": ""}, "username", "required"),
        ({"username": "ADA"}, "username", "already exists"),
        ({"username": "a b"}, "username", "valid username"),
        ({"password": "short", "again": "short"}, "password", "too short"),
        ({"password": "password1", "again": "password1"}, "password", "too common"),
        ({"again": "something else"}, "again", "not the same"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_link_stays_good(
    signed_in: Client, entered: dict[str, str], field: str, words: str
) -> None:
    link = invite(signed_in)
    response = Client().post(link, JOIN | entered)
    assert response.status_code == 400
    assert words in response.context["form"].errors[field][0]
    assert User.objects.count() == 1
    assert Client().post(link, JOIN).status_code == 302


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"email": "nowhere"}, "email"),
        ({"email": "ADA@example.org"}, "email"),
        ({"email": "open@example.org"}, "email"),
        ({"role": "king"}, "role"),
        ({"teams": ["77"]}, "teams"),
    ],
)
def test_a_wrong_invitation_is_not_sent(
    signed_in: Client, entered: dict[str, object], field: str
) -> None:
    invite(signed_in, "open@example.org")
    correct = {"email": "new@example.org", "role": "finance"}
    response = signed_in.post("/people/invitations", correct | entered)
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert len(mail.outbox) == 1


def test_a_link_that_is_withdrawn_expired_or_wrong_says_what_to_do(signed_in: Client) -> None:
    link = invite(signed_in)
    number = Invitation.objects.get().pk
    assert "Withdraw the invitation" in signed_in.get(f"/people/invitations/{number}/revoke").text
    page = signed_in.post(f"/people/invitations/{number}/revoke", follow=True).text
    assert "is withdrawn" in page
    assert "Ask an administrator for a new one" in Client().get(link).text
    late = invite(signed_in, "late@example.org")
    Invitation.objects.filter(email="late@example.org").update(expires_at=datetime.now(UTC))
    assert "has expired" in Client().get(late).text
    assert "not known" in Client().get("/invitations/made-up").text
    assert signed_in.post(f"/people/invitations/{number}/again", follow=True).status_code == 200
    assert len(mail.outbox) == 2


def test_a_link_sent_again_ends_the_one_before(signed_in: Client) -> None:
    first = invite(signed_in)
    number = Invitation.objects.get().pk
    again = f"/people/invitations/{number}/again"
    assert "Wait a minute" in signed_in.post(again, follow=True).text
    Invitation.objects.update(
        sent_at=datetime.now(UTC) - timedelta(days=8), expires_at=datetime.now(UTC)
    )
    second = link_in(signed_in.post(again).text)
    assert Client().get(first).status_code == 404
    assert Client().post(second, JOIN).status_code == 302
    assert len(mail.outbox) == 2
    assert (
        "accepted already"
        in signed_in.post(f"/people/invitations/{number}/revoke", follow=True).text
    )


@override_settings(
    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=1,
)
def test_without_mail_the_link_is_shown_to_be_given_by_hand(signed_in: Client) -> None:
    response = signed_in.post(
        "/people/invitations", {"email": "bob@example.org", "role": "finance"}
    )
    assert "could not be sent" in response.text
    assert Client().get(link_in(response.text)).status_code == 200


def test_links_are_neither_made_nor_guessed_without_end(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invite(signed_in)
    monkeypatch.setattr(invitations, "MOST_PER_HOUR", 1)
    refused = signed_in.post("/people/invitations", {"email": "eve@example.org", "role": "finance"})
    assert refused.status_code == 400
    assert "links were made within an hour" in refused.text
    for number in range(20):
        assert Client().get(f"/invitations/guess-{number}").status_code == 404
    assert Client().get(link).status_code == 429
    cache.clear()
    assert Client().get(link).status_code == 200


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ENGINEER, Role.VIEWER, None])
def test_only_administrators_invite(signed_in: Client, role: Role | None) -> None:
    invite(signed_in, "secret@example.org")
    number = Invitation.objects.get().pk
    reader = User.objects.create_user("reader")
    if role:
        Account.objects.create(user=reader, role=role)
    browser = Client()
    browser.force_login(reader)
    paths = ["/people/invitations", *(f"/people/invitations/{number}/{act}" for act in
                                      ("again", "revoke"))]  # fmt: skip
    for path in paths:
        for response in (browser.get(path), browser.post(path)):
            assert response.status_code == 403
            assert "secret" not in response.text
        for response in (Client().get(path), Client().post(path)):
            assert response.headers["Location"].startswith("/sign-in")
    assert Invitation.objects.get().revoked_at is None
    for path in (f"/people/invitations/{number + 1}/again", "/people/invitations/0/revoke"):
        assert signed_in.post(path).status_code == 404


def test_a_link_that_still_opens_an_account_is_not_in_the_log(
    signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(Redacting("%(message)s"))
    link = invite(signed_in)
    assert Client().post(link, JOIN | {"again": "another"}).status_code == 400
    assert Client(enforce_csrf_checks=True).post(link, JOIN).status_code == 403
    assert signed_in.get("/people/invitations/1/revoke-it").status_code == 404
    written = caplog.text.splitlines()
    assert "Bad Request: /invitations/…" in written
    assert "Not Found: /people/invitations/1/revoke-it" in written
    assert link.rpartition("/")[2] not in caplog.text


def test_wrong_links_are_remembered_for_a_quarter_of_an_hour() -> None:
    for _ in range(2):
        assert Client().get("/invitations/nothing").status_code == 404
    expires = CacheEntry.objects.get(cache_key__contains="invitation-misses").expires
    assert expires > datetime.now(UTC) + timedelta(minutes=14)


def test_the_page_says_whether_a_mail_is_on_its_way(
    signed_in: Client, settings: Settings, tmp_path: Path
) -> None:
    entered = {"email": "a@example.org", "role": "finance"}
    page = signed_in.post("/people/invitations", entered).text
    assert "on its way by mail" in page
    assert 'data-copies="link"' in page
    settings.EMAIL_BACKEND, settings.OUTBOX_DIR = "finops.mail.Outbox", tmp_path
    page = signed_in.post("/people/invitations", entered | {"email": "b@example.org"}).text
    assert "No mail server is set up" in page
    assert f"the mail went to a file in <code>{tmp_path}" in page
    assert "on its way" not in page


def test_who_would_see_nothing_is_invited_only_on_purpose(signed_in: Client) -> None:
    for role, words in (("engineer", "an engineer sees nothing"), ("viewer", "a viewer sees")):
        entered = {"email": f"{role}@example.org", "role": role}
        asked = signed_in.post("/people/invitations", entered)
        assert asked.status_code == 400
        assert words in asked.text
        assert not Invitation.objects.filter(role=role).exists()
        [hidden] = re.findall(r'<input type="hidden" name="teamless" value="(\w+)"', asked.text)
        again = signed_in.post("/people/invitations", entered | {"teamless": hidden})
        assert again.status_code == 200
        assert Invitation.objects.get(role=role)
