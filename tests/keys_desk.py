"""What tests of the Keys desk share: its readers, a key, and what a refused form says."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from finops import ingest_keys
from finops.ingest_keys import Terms
from finops.models import Account, IngestKey, Role, Team, TeamMember

KEY_TEXT = re.compile(r"\bfk_[A-Za-z0-9]{8}_[A-Za-z0-9]{40}\b")


def person(who: str) -> User:
    """A user of the role; the engineer and the viewer are of team search, the outsider of hush."""
    user = User.objects.create_user(who)
    if who != "nobody":
        Account.objects.create(user=user, role=Role.ENGINEER if who == "outsider" else Role(who))
    team = {"engineer": "search", "viewer": "search", "outsider": "hush"}.get(who)
    if team:
        found, _ = Team.objects.get_or_create(name=team)
        TeamMember.objects.create(team=found, user=user)
    return user


def enter(who: str) -> Client:
    """A browser in which `person(who)` has signed in."""
    client = Client()
    client.force_login(person(who))
    return client


def key_of_search() -> IngestKey:
    """A key of team search."""
    terms = Terms("gateway", name="Gateway", team="search")
    return ingest_keys.make(terms, by="tests", now=datetime.now(UTC)).key


def errors_of(response: HttpResponse) -> dict[str, str]:
    """Under which fields of a form that was refused there is an error, and which."""
    assert response.status_code == 400
    found = {}
    for part in response.text.split('<div class="field">')[1:]:
        name = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', part)[0]
        if error := re.search(r'<ul class="errorlist"[^>]*>(.*?)</ul>', part, re.DOTALL):
            found[name] = html.unescape(re.sub(r"<[^>]+>", "", error[1])).strip()
    if alert := re.search(r'<div class="alert crit" role="alert">(.*?)</div>', response.text):
        found[""] = re.sub(r"<[^>]+>", "", alert[1]).strip()
    return found
