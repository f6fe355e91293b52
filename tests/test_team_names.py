"""Real readers of one team, at every address that shows usage: other teams are nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finops.models import Account, Role, Team, TeamMember
from tests import usage
from tests.test_what_a_reader_may_see import HIDDEN, SEEN, addresses, body

pytestmark = pytest.mark.django_db

DESKS = ("/prices", "/keys", "/ingest", "/people", "/teams", "/people/invitations", "/audit")


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.VIEWER])
def test_a_reader_of_one_team_never_meets_the_name_of_another(role: Role) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    theirs = {name: f"{HIDDEN}-{name}" for name in ("model", "feature", "user", "service")}
    at = now - timedelta(hours=1)
    usage.record([usage.event(at, team=SEEN), usage.event(at, team=HIDDEN, **theirs)], now=now)
    Team.objects.create(name=HIDDEN, cost_center=f"{HIDDEN}-center")
    reader = User.objects.create_user("reader")
    Account.objects.create(user=reader, role=role)
    TeamMember.objects.create(user=reader, team=Team.objects.create(name=SEEN))
    browser = Client()
    browser.force_login(reader)
    found = addresses((now - timedelta(days=40)).date().isoformat())
    seen = 0
    for address in [*(each for group in found.values() for each in group), *DESKS]:
        response = browser.get(address)
        text = body(response)
        assert HIDDEN not in text, address
        seen += SEEN in text
    assert seen
