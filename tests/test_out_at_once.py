"""Who loses a role, a team or their access loses what it showed with the next request: in a browser
that is open and with an API token that is in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from desks import reader
from django.contrib.auth.models import User
from django.test import Client

from finops import api_tokens
from finops.models import Team
from tests import usage

COSTS = "/api/v1/costs?group_by=feature&period=24h"


@pytest.fixture
def bob(db: None) -> tuple[User, list[Client]]:
    """An engineer of team search, in a browser and with a token."""
    now = datetime.now(UTC)
    usage.record([usage.event(now, team="search", feature="answers")], now=now)
    browser = reader("engineer", "search")
    user = User.objects.get(username="engineer-search")
    token = api_tokens.create_token(user, now=now, by="tests")
    return user, [browser, Client(headers={"authorization": f"Bearer {token}"})]


def seen(clients: list[Client], path: str) -> Iterator[tuple[int, bool]]:
    """For each, the status and whether what only the team knows is in the answer."""
    for each in clients:
        response = each.get(path)
        yield response.status_code, "answers" in response.text


CHANGES: dict[str, tuple[str, Callable[[], dict[str, object]], set[int]]] = {
    "leaves the team": ("", lambda: {"role": "engineer"}, {403}),
    "is put into another team": (
        "",
        lambda: {"role": "engineer", "teams": [Team.objects.create(name="ads").pk]},
        {200},
    ),
    "is deactivated": ("/active", lambda: {"active": "no"}, {401, 403}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_who_is_removed_sees_nothing_with_the_next_request(
    signed_in: Client, bob: tuple[User, list[Client]], change: str
) -> None:
    user, clients = bob
    assert list(seen(clients, COSTS)) == [(200, True)] * 2
    path, form, statuses = CHANGES[change]
    assert signed_in.post(f"/people/{user.pk}{path}", form()).status_code == 302
    after = list(seen(clients, COSTS))
    assert {status for status, _ in after} <= statuses
    assert not any(shows for _, shows in after)


def test_who_loses_a_role_loses_its_desks_and_what_their_tokens_read(signed_in: Client) -> None:
    """From finance, who sees everything, to a viewer of one team, who sees no audit log."""
    browser = reader("finance")
    user = User.objects.get(username="finance-")
    now = datetime.now(UTC)
    token = api_tokens.create_token(user, now=now, by="tests")
    script = Client(headers={"authorization": f"Bearer {token}"})
    usage.record([usage.event(now, team="search", feature="answers")], now=now)
    lines = "/audit.jsonl"
    assert [each.get(lines).status_code for each in (browser, script)] == [200, 200]
    assert list(seen([browser, script], COSTS)) == [(200, True)] * 2
    ads = Team.objects.create(name="ads")
    signed_in.post(f"/people/{user.pk}", {"role": "viewer", "teams": [ads.pk]})
    assert [each.get(lines).status_code for each in (browser, script)] == [403, 403]
    assert list(seen([browser, script], COSTS)) == [(200, False)] * 2
    assert browser.get("/keys").status_code == 403
