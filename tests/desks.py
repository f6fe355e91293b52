"""Readers of every kind, for tests of who may see and do what."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from finops.models import Account, Role, Team, TeamMember


def reader(role: str, *teams: str) -> Client:
    """A browser in which somebody of this role and these teams has signed in."""
    name = f"{role}-{'-'.join(teams)}"
    user = User.objects.create_user(name, f"{name}@example.org", "correct horse battery")
    Account.objects.create(user=user, role=Role(role))
    for each in teams:
        TeamMember.objects.create(user=user, team=Team.objects.get_or_create(name=each)[0])
    browser = Client()
    browser.force_login(user)
    return browser
