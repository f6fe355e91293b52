"""What narrows a reader's view narrows every address, whatever its parameters are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import usage
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.http import urlencode

from finops.access import RULES, Ability, Rule
from finops.query import DIMENSIONS, CostQuery, Filter
from ingest.facts import event_key
from tests.secret_outcomes import count_outcomes

pytestmark = pytest.mark.django_db

SEEN, HIDDEN = "search", "hush"
KEYS = {each: event_key("tests", each).hex() for each in ("ours", "theirs", "theirs-earlier")}


def is_of_books(rule: Rule) -> bool:
    return rule.read in (Ability.SEE_BOOKS, Ability.MANAGE_BOOKS)


# They show nobody's usage, or the sum of all of it to the machines that watch the server.
WITHOUT_USAGE = {
    "audit",
    "people",
    "invitations",
    "invitation-again",
    "invitation-revoke",
    "invitation",
    "person",
    "person-active",
    "teams",
    "team",
    "audit-csv",
    "audit-lines",
    "api-schema",
    "api-docs",
    "api-nothing",
    "healthz",
    "readyz",
    "metrics",
    "setup",
    "sign-in",
    "sign-out",
    # The desks' own tests say who sees what there.
    *("ingest", "ingest-test", "ingest-arrival"),
    *("api-projection", "prices", "prices-model", "prices-line", "prices-calculator"),
    *("prices-holds", "prices-hold", "prices-sources"),
    # Rules, which only who sees everything does.
    *(name for name in RULES if name.startswith("api-ownership")),
    "api-cost-centers",
    # So are the books, but for a month's allocation, of which who sees some teams has their lines:
    # tests/secret_team.py has one of another team.
    *(name for name, rule in RULES.items() if is_of_books(rule)),
    *(name for name in RULES if name.startswith(("allocation", "api-allocation"))),
    # One's own account, which is nobody's usage.
    *(name for name in RULES if name.startswith(("account", "mfa_", "openid_", "socialaccount_"))),
    *("keys", "key-new", "key", "key-rotate", "key-revoke", "token-new", "token-revoke"),
    *("prices-new", "prices-end", "prices-preview", "prices-save", "prices-apply"),
    *("prices-ratings", "prices-unpriced"),
    *(name for name in RULES if name.startswith("settings")),
    "api-operations",  # for those who see everything
    # Of budgets a reader sees whole ones or none: tests/secret_team.py has one of another team, and
    # its alerts.
    *(name for name in RULES if name.startswith(("budget", "api-budget"))),
    *(name for name in RULES if name.startswith(("alert", "api-alert", "channel"))),
    "unsubscribe",
    # And of anomalies and planned events, which are there as well.
    *(name for name in RULES if name.startswith(("anomal", "api-anomal"))),
    *(name for name in RULES if name.startswith(("planned-", "api-planned-"))),
}


FORECASTS = ("group_by=team", "group_by=user", "team=!nobody&group_by=team", "team=x", "model=x")


METRICS = ("group_by=team", "group_by=team&granularity=total&compare=previous", "team=!nobody")


def only_seen(query: CostQuery, user: User) -> CostQuery:
    """Of whatever was asked, the one team's part."""
    return query.replace(filters=(*query.filters, Filter("team", (SEEN,))))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def hidden(now: datetime) -> str:
    """The day on which only the hidden team was at work."""
    day = (now - timedelta(days=40)).date()
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    names = {name: f"{HIDDEN}-{name}" for name in ("model", "feature", "user", "service")}
    theirs = {"team": HIDDEN, "tags": {"kind": HIDDEN}, **names}
    events = [
        usage.event(now - timedelta(hours=1), team=SEEN, id="ours"),
        usage.event(now - timedelta(hours=1), id="theirs", **theirs),
        usage.event(at, id="theirs-earlier", **theirs),
    ]
    usage.record(events, now=now)
    count_outcomes(now, now - timedelta(days=1), {SEEN: 1, HIDDEN: 2})
    return day.isoformat()


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    monkeypatch.setattr("finops.access.narrow", only_seen)


def names_of(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names_of(each.url_patterns)
        elif each.name:
            yield each.name


def addresses(day: str) -> dict[str, list[str]]:
    """Every address that shows usage, with the parameters that ask for more than is seen."""
    asked = ["", "group_by=team", "group_by=user,model&compare=previous", "group_by=feature"]
    asked += [f"start={day}&end=2100-01-01&group_by=team", "team=!nobody&group_by=team", "team=x"]
    queries = [*asked, "model=x", f"period={day[:7]}&model=x"]
    plain = [f"period={day[:7]}", "period=7d", "team=x", "model=x", "team=!nobody"]
    forms = [urlencode({"dimension": name, "page": "explore"}) for name in DIMENSIONS]
    return {
        "overview": [f"/?{each}" for each in plain],
        "explore": [f"/explore?{each}" for each in queries],
        "forecast": [f"/forecast?{each}" for each in queries],
        "requests": [f"/requests?{each}" for each in plain],
        "request": [f"/requests/{each}" for each in KEYS.values()],
        "change": [f"/change?page=explore&{each}" for each in plain],
        "values": [f"/values?{form}{more}" for form in forms for more in ("", "&team=x")],
        "explore-csv": [f"/explore.csv?{each}" for each in queries],
        "api-costs": [f"/api/v1/costs?{each}" for each in queries],
        "api-costs-csv": [f"/api/v1/costs.csv?{each}" for each in queries],
        "explain": [f"/explain?{each}" for each in queries],
        "api-explain": [f"/api/v1/explain?{each}" for each in queries],
        "api-explain-csv": [f"/api/v1/explain.csv?{each}" for each in queries],
        "forecast-csv": [f"/forecast.csv?{each}" for each in ("", *FORECASTS)],
        "api-forecast": [f"/api/v1/forecast?{each}" for each in ("", *FORECASTS)],
        "api-requests": [f"/api/v1/requests?{each}" for each in plain],
        "api-requests-csv": [f"/api/v1/requests.csv?{each}" for each in plain],
        "users": [f"/users?{each}" for each in (*plain, "q=hu", "after=1")],
        "user": [f"/users/profile?{each}&user=x" for each in plain],
        "user-limits": [f"/users/limits?{each}" for each in (*plain, "span=month")],
        "users-csv": [f"/users.csv?{each}" for each in plain],
        "api-users": [f"/api/v1/users?{each}" for each in (*plain, "q=hu", "limit=1000")],
        "api-user": [f"/api/v1/users/x?{each}" for each in plain],
        "api-user-concentration": [f"/api/v1/users/concentration?{each}" for each in plain],
        "unattributed": ["/unattributed", "/unattributed?group_by=team"],
        "api-unattributed": ["/api/v1/ownership/unattributed?group_by=team,user"],
        "unit-economics": [f"/unit-economics?metric=outcomes&{each}" for each in METRICS],
        "api-unit-economics": [
            f"/api/v1/unit-economics?metric=outcomes&{each}" for each in METRICS
        ],
        "api-unit-economics-csv": [
            f"/api/v1/unit-economics.csv?metric=outcomes&{each}" for each in METRICS
        ],
        "api-user-limits": ["/api/v1/users/limits", "/api/v1/users/limits?team=!nobody"],
        "api-request": [f"/api/v1/requests/{each}" for each in KEYS.values()],
    }


def body(response: HttpResponse) -> str:
    return response.getvalue().decode()


def test_every_address_that_shows_usage_is_looked_at(now: datetime) -> None:
    known = set(names_of(get_resolver().url_patterns))
    assert known == set(addresses(now.date().isoformat())) | WITHOUT_USAGE


@pytest.mark.usefixtures("narrowed")
@pytest.mark.parametrize("name", addresses("2026-01-01"))
def test_a_team_that_its_reader_may_not_see_is_nowhere(
    signed_in: Client, hidden: str, name: str
) -> None:
    for address in addresses(hidden)[name]:
        response = signed_in.get(address)
        assert response.status_code < 500, address
        assert HIDDEN not in body(response), address


@pytest.mark.usefixtures("narrowed")
def test_a_request_of_another_team_is_not_found(signed_in: Client) -> None:
    assert signed_in.get(f"/requests/{KEYS['ours']}").status_code == 200
    assert signed_in.get(f"/requests/{KEYS['theirs']}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/explore", "/requests"])
def test_usage_that_its_reader_may_not_see_does_not_change_why_a_page_is_empty(
    signed_in: Client, hidden: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"start": hidden, "end": f"{hidden}T23:00:00Z", "model": "nothing"}
    assert "Nothing matches these filters" in signed_in.get(path, asked).text
    monkeypatch.setattr("finops.access.narrow", only_seen)
    assert "Go to the last usage" in signed_in.get(path, asked).text


@pytest.mark.usefixtures("narrowed")
def test_values_are_offered_of_what_is_seen_whatever_is_filtered(signed_in: Client) -> None:
    offered = signed_in.get("/values?dimension=team&team=nobody").text
    assert offered.strip() == f'<option value="{SEEN}"></option>'
