"""Two people who take one name at the same moment: one gets it, the other is told so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from desks import reader
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection

from finops import accounts, ingest_keys, invitations, teams
from finops.ingest_keys import Refused, Terms
from finops.models import IngestKey, Invitation, Role, Team

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Does all of them at the same moment; the fields that were refused."""
    ready = threading.Barrier(len(acts))
    refused: list[str] = []

    def do(act: Callable[[], object]) -> None:
        ready.wait(timeout=10)
        try:
            act()
        except ValidationError as error:
            refused.extend(error.message_dict)
        except Refused as error:
            refused.append(error.field)
        except BaseException as error:
            refused.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=20)
    return refused


def test_two_who_join_under_one_name() -> None:
    def join(name: str, email: str) -> Callable[[], User]:
        return lambda: accounts.create_person(name, email, PASSWORD, Role.VIEWER)

    names = ("bob", "Bob", "BOB", "boB")
    acts = [join(name, f"{number}@example.org") for number, name in enumerate(names)]
    assert at_once(*acts) == ["username"] * 3
    assert User.objects.count() == 1


def test_two_administrators_who_invite_one_person() -> None:
    ada = User.objects.create_superuser("ada")
    now = datetime.now(UTC)
    acts = [lambda: invitations.invite("bob@example.org", Role.VIEWER, [], by=ada, at=now)] * 4
    assert at_once(*acts) == ["email"] * 3
    assert Invitation.objects.count() == 1


def test_two_administrators_who_make_one_team() -> None:
    ada = User.objects.create_superuser("ada")
    now = datetime.now(UTC)
    acts = [lambda: teams.make("search", "", by=ada, at=now)] * 4
    assert at_once(*acts) == ["name"] * 3
    assert Team.objects.count() == 1


def test_engineers_of_two_teams_who_take_one_service() -> None:
    now = datetime.now(UTC)
    for team in ("search", "ads"):
        reader("engineer", team)

    def take(team: str) -> Callable[[], object]:
        user = User.objects.get(username=f"engineer-{team}")
        return lambda: ingest_keys.make(Terms("gateway", team=team), by=user, now=now)

    assert at_once(take("search"), take("ads")) == ["service"]
    assert IngestKey.objects.count() == 1
