"""Teams: made, renamed while nothing uses the name, given members and a cost center."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from finops.models import Account, AuditRecord, Role, Team, TeamMember
from tests import usage

pytestmark = pytest.mark.django_db


def test_a_team_is_made_and_given_members(signed_in: Client) -> None:
    bob = User.objects.create_user("bob")
    made = signed_in.post("/teams", {"name": " search ", "cost_center": "CC-1"})
    team = Team.objects.get()
    assert (team.name, team.cost_center) == ("search", "CC-1")
    assert made.headers["Location"] == f"/teams/{team.pk}"
    entered = {"name": "find", "cost_center": "CC-2", "members": [bob.pk]}
    assert "find is changed." in signed_in.post(f"/teams/{team.pk}", entered, follow=True).text
    page = signed_in.get("/teams").text
    assert all(text in page for text in ("find", "CC-2", "bob", "not in use yet"))
    record = AuditRecord.objects.get(action="team.change")
    assert record.before == {"name": "search", "cost_center": "CC-1", "members": []}
    assert record.after == {"name": "find", "cost_center": "CC-2", "members": ["bob"]}
    assert AuditRecord.objects.get(action="team.create").after == {"cost_center": "CC-1"}


@pytest.mark.parametrize(
    ("entered", "wrong"),
    [
        ({"name": ""}, {"name": "required"}),
        ({"name": "search"}, {"name": "already"}),
        ({"name": "unattributed"}, {"name": "no single team"}),
        ({"name": "Other"}, {"name": "no single team"}),
        ({"name": "(overflow)"}, {"name": "no single team"}),
        ({"name": "x" * 201}, {"name": "at most 200"}),
        ({"name": "a\0b"}, {"name": "Null"}),
        ({"name": "new", "cost_center": "y" * 201}, {"cost_center": "at most 200"}),
    ],
)
def test_what_is_wrong_with_a_team_is_said_at_its_field(
    signed_in: Client, entered: dict[str, str], wrong: dict[str, str]
) -> None:
    Team.objects.create(name="search")
    response = signed_in.post("/teams", entered)
    assert response.status_code == 400
    errors = response.context["form"].errors
    assert errors.keys() == wrong.keys()
    for field, words in wrong.items():
        assert words in errors[field][0]
    assert Team.objects.count() == 1


def test_a_name_in_use_is_fixed_and_the_page_says_why(signed_in: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, team="search")], now=now)
    call_command("create_ingest_key", "bot", "--team", "growth", stdout=StringIO())
    for name, why in (("search", "events name it"), ("growth", "ingest keys name it")):
        team = Team.objects.create(name=name)
        assert f"Fixed, because {why}" in signed_in.get(f"/teams/{team.pk}").text
        signed_in.post(f"/teams/{team.pk}", {"name": "other-name", "cost_center": "CC-9"})
        team.refresh_from_db()
        assert (team.name, team.cost_center) == (name, "CC-9")


def test_teams_that_only_events_name_are_offered(signed_in: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, team=name) for name in ("search", "growth", "hush")], now=now)
    Team.objects.create(name="search")
    member = TeamMember.objects.create(
        user=User.objects.create_user("bob"), team=Team.objects.create(name="growth")
    )
    page = signed_in.get("/teams").text
    assert "Events name 2 teams nobody is a member of" in page
    signed_in.post("/teams", {"name": "hush"})
    hush = Team.objects.get(name="hush")
    for team in (hush, Team.objects.get(name="search")):
        signed_in.post(f"/teams/{team.pk}", {"members": [member.user_id]})
    assert "nobody is a member of" not in signed_in.get("/teams").text


def test_without_teams_the_page_says_what_to_do(signed_in: Client) -> None:
    assert "No team yet. Make one below" in signed_in.get("/teams").text


def test_a_new_member_sees_the_usage_of_the_team(signed_in: Client, client: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, team="search"), usage.event(now, team="hush")], now=now)
    bob = User.objects.create_user("bob")
    Account.objects.create(user=bob, role=Role.VIEWER)
    browser = Client()
    browser.force_login(bob)
    assert browser.get("/explore?group_by=team&period=24h").status_code == 403
    signed_in.post("/teams", {"name": "search"})
    signed_in.post(f"/teams/{Team.objects.get().pk}", {"members": [bob.pk]})
    page = browser.get("/explore?group_by=team&period=24h").text
    assert "search" in page
    assert "hush" not in page
