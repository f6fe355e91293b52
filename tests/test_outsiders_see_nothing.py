"""To whoever does not see a team it is as if the team were not there: answers are the same, letter
by letter, with and without it, and asking for it by name is like asking for a name nobody has.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import secret_team
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode
from secret_team import MARK
from who_may_call import TABLE

from finops.query import DIMENSIONS

pytestmark = pytest.mark.django_db

ABSENT = "cx-absent"  # as long as the mark
FIGURES = ("/explore", "/api/v1/costs", "/explore.csv")
LISTS = ("/", "/requests", "/api/v1/requests")
# Two tell anybody sums of everybody, and name no service; two make a new secret each time.
OTHERWISE = {"metrics", "readyz", "account/app", "account/passkeys/add"}
ASKED = (
    *("", "group_by=team,cost_center", "group_by=team&team=!nobody", "team=!ads&group_by=team"),
    *("group_by=user&limit=1", "group_by=feature,model&limit=1&compare=previous"),
    *("group_by=tag:kind", "period=24h&group_by=service&metrics=requests,users,latency_p95"),
    *("group_by=environment&metrics=unpriced_requests", "period=mtd&group_by=provider"),
)
NAMES = {
    **{name: name for name in ("team", "feature", "user", "model", "service", "environment")},
    **{"cost_center": "center", "region": "region", "variant": "variant", "tag:kind": "tag"},
}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The time stands still, or pages would differ by it."""
    moment = datetime.now(UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def figures() -> list[str]:
    asked = [f"{page}?{each}" for page in FIGURES for each in ASKED]
    asked += [f"{page}?{each}" for page in LISTS for each in ("period=7d", "team=!ads")]
    asked += [f"/requests?period=24h&sort=cost&model={name}" for name in ("gpt-4o", "none")]
    asked += [f"/values?{urlencode({'dimension': name})}" for name in (*DIMENSIONS, "tag:kind")]
    return [*asked, "/allocation"]


def desks() -> list[str]:
    asked = [f"/ingest?by={view}&period=3h" for view in ("key", "service", "client")]
    rows = {route: row for route, row in TABLE.items() if route not in OTHERWISE}
    return asked + [row.path for row in rows.values() if "O" in row.read and "{" not in row.path]


def told(response: HttpResponse) -> str:
    """All of an answer but what is new in each."""
    body = re.sub(
        r'(csrfmiddlewaretoken" value=|CSRFTOKEN"\] = )"\w+"', "", response.getvalue().decode()
    )
    timeless = {"Content-Length", "Expires"}
    headers = sorted(f"{name}: {text}" for name, text in response.items() if name not in timeless)
    return "\n".join([str(response.status_code), *headers, body])


def asked_all(client: Client, addresses: list[str]) -> dict[str, str]:
    return {each: told(client.get(each)) for each in addresses}


@pytest.mark.parametrize("who", "OV")
def test_an_answer_is_the_same_as_without_the_team(who: str, now: datetime) -> None:
    client = secret_team.readers()[who]
    secret_team.other_team(now)
    addresses = figures() + (desks() if who == "O" else [])
    before = asked_all(client, addresses)
    assert "3,467.18" in before["/explore?"]
    secret_team.secret_team(now)
    differing = [
        each for each, answer in asked_all(client, addresses).items() if answer != before[each]
    ]
    assert not differing


@pytest.mark.parametrize("who", "OV")
def test_asking_for_the_team_is_like_asking_for_what_is_not_there(who: str, now: datetime) -> None:
    client = secret_team.readers()[who]
    own = secret_team.other_team(now)
    ids = secret_team.secret_team(now)
    differing = []
    for address, twin in [*named(), *direct(ids, own)]:
        with_it, without = told(client.get(address)), told(client.get(twin))
        # What was asked for may be said again; numbers are not.
        for part, other in zip(re.split("[/?]", address), re.split("[/?]", twin), strict=True):
            if part != other and len(part) > 5:
                with_it, without = with_it.replace(part, "…"), without.replace(other, "…")
        if with_it != without.replace(ABSENT, MARK) or secret_team.FIGURES.search(with_it):
            differing.append(address)
    assert not differing


def named() -> list[tuple[str, str]]:
    """Filters that name what the team has, with the same of a name that nothing has."""
    found = []
    for dimension, name in NAMES.items():
        for page in ("/explore", "/api/v1/costs"):
            for sense in ("", "!"):
                query = {dimension: f"{sense}{MARK}-{name}", "group_by": "team", "period": "7d"}
                found.append(f"{page}?{urlencode(query)}")
        found.append(f"/requests?{urlencode({dimension: f'{MARK}-{name}'})}")
    found += [f"/change?page=explore&dimension=team&value={MARK}-team"]
    found += [f"/prices/model?provider=openai&model={MARK}-model", f"/prices?q={MARK}-model"]
    found += [f"/api/v1/requests?team={MARK}-team", f"/ingest?key={MARK}-key"]
    found += [f"/api/v1/requests/{MARK}-request", f"/requests/{MARK}-request"]
    found += [f"/api/v1/requests/{MARK}-request?source={MARK}-service"]
    return [(each, each.replace(MARK, ABSENT)) for each in found]


def direct(ids: dict[str, str], own: dict[str, str]) -> list[tuple[str, str]]:
    """Addresses with what is theirs in them, with the same of what is not there."""
    absent = {
        name: "9" * 8 if value.isdigit() else value.translate(str.maketrans("0123456789", "1" * 10))
        for name, value in ids.items()
        if name not in {"day", "month"}
    }
    absent["key"], absent["token"] = "fk_absent00", "ft_absent00"
    paths = [row.path for row in TABLE.values()]
    pairs = [(each.format(**own, **ids), each.format(**own, **{**ids, **absent})) for each in paths]
    return [(path, twin) for path, twin in pairs if path != twin]
