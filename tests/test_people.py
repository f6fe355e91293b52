"""The people desk: who may use it, what it changes at once, and that an administrator is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from finops import access, people
from finops.models import Account, AuditRecord, Role, Team, TeamMember
from tests import usage

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def person(name: str, role: Role, *teams: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD)
    Account.objects.create(user=user, role=role)
    for team in teams:
        TeamMember.objects.create(user=user, team=Team.objects.get_or_create(name=team)[0])
    return user


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def bob(administrator: User) -> User:
    return person("bob", Role.ENGINEER, "search")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/people", "/people/{bob}", "/people/{bob}/active",
                                  "/teams", "/teams/{team}"])  # fmt: skip
def test_only_administrators_come_near_people_and_teams(bob: User, path: str, method: str) -> None:
    hush = Team.objects.create(name="hush")
    address = path.format(bob=bob.pk, team=hush.pk)
    for role in (Role.FINANCE, Role.ENGINEER, Role.VIEWER):
        response = getattr(as_user(person(role.value, role, "search")), method)(address)
        assert response.status_code == 403
        assert "hush" not in response.text
        assert "bob" not in response.text
    without_role = as_user(User.objects.create_user("none"))
    assert getattr(without_role, method)(address).status_code == 403
    assert getattr(Client(), method)(address).headers["Location"].startswith("/sign-in")
    assert not AuditRecord.objects.filter(action__regex="^(person|team)").exists()


def test_the_list_shows_everybody_with_role_teams_and_last_sign_in(
    signed_in: Client, bob: User
) -> None:
    User.objects.create_user("carol", is_active=False)
    page = signed_in.get("/people").text
    for text in ("bob@example.org", "Engineer", "search", "carol", "deactivated", "no role"):
        assert text in page
    assert page.count('class="badge">you<') == 1


def test_a_role_and_teams_are_changed_and_written_down(signed_in: Client, bob: User) -> None:
    hush = Team.objects.create(name="hush")
    address = f"/people/{bob.pk}"
    response = signed_in.post(address, {"role": "viewer", "teams": [hush.pk]}, follow=True)
    assert "bob is changed." in response.text
    found = access.standing(User.objects.get(pk=bob.pk))
    assert (found.role, found.teams) == (Role.VIEWER, {"hush"})
    record = AuditRecord.objects.get(action="person.change")
    assert (record.actor, record.subject, record.address) == ("ada", "bob", "127.0.0.1")
    assert record.before == {"role": "engineer", "teams": ["search"]}
    assert record.after == {"role": "viewer", "teams": ["hush"]}
    again = signed_in.post(address, {"role": "viewer", "teams": [hush.pk]}, follow=True)
    assert "Nothing was changed." in again.text
    assert AuditRecord.objects.filter(action="person.change").count() == 1


@pytest.mark.parametrize(
    ("entered", "field"),
    [({"role": ""}, "role"), ({"role": "king"}, "role"), ({"role": "viewer", "teams": ["9999"]},
     "teams"), ({"role": "viewer", "teams": ["x"]}, "teams")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(
    signed_in: Client, bob: User, entered: dict[str, object], field: str
) -> None:
    response = signed_in.post(f"/people/{bob.pk}", entered)
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert not AuditRecord.objects.filter(action="person.change").exists()


def test_who_is_not_there_is_not_found(signed_in: Client) -> None:
    for path in ("/people/9999", "/people/9999/active", "/teams/9999"):
        assert signed_in.get(path).status_code == 404
        assert signed_in.post(path, {"active": "no"}).status_code == 404


def test_whoever_leaves_a_team_sees_nothing_of_it_with_the_next_request(
    signed_in: Client, bob: User
) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, team="search", feature="answers")], now=now)
    browser = as_user(bob)
    assert "answers" in browser.get("/explore?group_by=feature&period=24h").text
    signed_in.post(f"/people/{bob.pk}", {"role": "engineer"})
    response = browser.get("/explore?group_by=feature&period=24h")
    assert response.status_code == 403
    assert "answers" not in response.text


def test_a_deactivated_user_is_out_at_once_in_browser_and_api_and_does_not_come_back_in(
    signed_in: Client, bob: User
) -> None:
    out = StringIO()
    call_command("create_api_token", "bob", stdout=out)
    token = {"Authorization": f"Bearer {out.getvalue().strip()}"}
    browser, script = as_user(bob), Client()
    assert browser.get("/").status_code == 200
    assert script.get("/api/v1/costs", headers=token).status_code == 200

    assert "Deactivate bob?" in signed_in.get(f"/people/{bob.pk}/active").text
    page = signed_in.post(f"/people/{bob.pk}/active", {"active": "no"}, follow=True).text
    assert "bob is signed out everywhere" in page
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    assert browser.get("/api/v1/costs").status_code in {401, 403}
    assert script.get("/api/v1/costs", headers=token).status_code == 401
    assert not Client().login(username="bob", password=PASSWORD)

    signed_in.post(f"/people/{bob.pk}/active", {"active": "yes"})
    assert Client().login(username="bob", password=PASSWORD)
    # What was open before stays closed.
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    assert script.get("/api/v1/costs", headers=token).status_code == 401
    acts = AuditRecord.objects.filter(action__startswith="person.").order_by("id")
    assert [each.action for each in acts] == ["person.deactivate", "person.reactivate"]
    assert acts[0].after == {"active": False, "api_tokens_revoked": 1}


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "on"}])
def test_the_last_administrator_stays_one(
    signed_in: Client, administrator: User, bob: User, confirmed: dict[str, str]
) -> None:
    deactivated = person("eve", Role.ADMINISTRATOR)
    User.objects.filter(pk=deactivated.pk).update(is_active=False)
    for path, entered in (("", {"role": "viewer"}), ("/active", {"active": "no"})):
        response = signed_in.post(f"/people/{administrator.pk}{path}", entered | confirmed)
        assert response.status_code == 400
        assert "Nobody else is an active administrator" in response.text
    assert access.standing(User.objects.get(pk=administrator.pk)).role is Role.ADMINISTRATOR


@pytest.mark.parametrize(
    ("path", "entered"), [("", {"role": "viewer"}), ("/active", {"active": "no"})]
)
def test_an_administrator_gives_up_their_own_rights_only_on_purpose(
    signed_in: Client, administrator: User, path: str, entered: dict[str, str]
) -> None:
    person("eve", Role.ADMINISTRATOR)
    address = f"/people/{administrator.pk}{path}"
    refused = signed_in.post(address, entered)
    assert refused.status_code == 400
    assert "your own rights" in refused.text
    assert signed_in.get("/people").status_code == 200
    signed_in.post(address, entered | {"confirmed": "on"})
    assert signed_in.get("/people").status_code in {302, 403}
    assert not User.objects.get(pk=administrator.pk).is_superuser or path == "/active"


def test_an_act_that_is_not_named_does_nothing(signed_in: Client, bob: User) -> None:
    for entered in ({}, {"active": "perhaps"}):
        assert signed_in.post(f"/people/{bob.pk}/active", entered).status_code == 400
    assert User.objects.get(pk=bob.pk).is_active


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_remove_each_other_at_once_leave_one() -> None:
    now = datetime.now(UTC)
    ada, eve = person("ada", Role.ADMINISTRATOR), person("eve", Role.ADMINISTRATOR)
    ready = threading.Barrier(2)
    refused: list[str] = []

    def remove(by: User, act: Callable[[], object]) -> None:
        ready.wait(timeout=10)
        try:
            act()
        except people.LastAdministrator:
            refused.append(by.username)
        finally:
            connection.close()

    acts = [
        threading.Thread(
            target=remove, args=(ada, lambda: people.deactivate(eve.pk, by=ada, at=now))
        ),
        threading.Thread(
            target=remove,
            args=(eve, lambda: people.change(ada.pk, Role.VIEWER, [], by=eve, at=now)),
        ),
    ]
    for each in acts:
        each.start()
    for each in acts:
        each.join(timeout=20)
    assert len(refused) == 1
