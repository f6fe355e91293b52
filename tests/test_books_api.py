"""The month's books through the API: what stands against a close, the acts, and every version."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from finops import api_tokens
from finops.models import Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from finops.periods import add_months, local_day, start_of_day
from tests import figures, ownership, usage

pytestmark = pytest.mark.django_db

ALL = ["unpriced", "unattributed", "unchecked", "beginning"]
NOW = timezone.now()
LAST = add_months(local_day(NOW, settings.REPORTING_ZONE).replace(day=1), -1)
MONTH = f"{LAST:%Y-%m}"
AT = start_of_day(LAST, settings.REPORTING_ZONE) + timedelta(days=3)
BOOKS = f"/api/v1/books/{MONTH}"


class Caller:
    """Somebody with an API token."""

    def __init__(self, user: User) -> None:
        self.user = user
        token = api_tokens.create_token(user, now=NOW, by=user, name=user.username)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, body: object = None) -> Any:
        given = {} if body is None else body
        return self.client.post(path, given, content_type="application/json")


@pytest.fixture
def ada(administrator: User) -> Caller:
    """With usage of a team with a cost center, of one without, and of a model without a price."""
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    events = [usage.event(AT, team=team, feature="chat") for team in ("cx", "hr")]
    usage.record([*events, usage.event(AT, team="cx", model="mystery-model")], now=NOW)
    return Caller(administrator)


@pytest.fixture
def bob(db: None) -> Caller:
    return Caller(User.objects.create_superuser("bob", "bob@example.org", "correct horse battery"))


def refused(answer: Any, field: str) -> str:
    assert answer.status_code == 400, answer.content
    assert answer["content-type"] == "application/problem+json"
    [*errors] = answer.json()["errors"]
    assert {each["field"] for each in errors} == {field}
    return " ".join(each["message"] for each in errors)


def test_a_month_is_closed_sent_and_reopened_by_two_people_through_the_api(
    ada: Caller, bob: Caller
) -> None:
    draft = ada.get(BOOKS).json()
    assert (draft["state"], draft["version"], draft["may_close"]) == ("draft", 0, True)
    assert [each["name"] for each in draft["warnings"]] == ["unpriced", "unattributed", "unchecked"]
    assert "Acknowledge “unpriced”" in refused(ada.post(f"{BOOKS}/close"), "acknowledged")
    seen = draft["draft"]["total_cost"]
    usage.record([usage.event(AT, team="cx")], now=NOW)
    terms = {"acknowledged": ALL, "total_cost": seen}
    assert f"not to {seen} as it was looked at" in refused(
        ada.post(f"{BOOKS}/close", terms), "total_cost"
    )
    terms["total_cost"] = ada.get(BOOKS).json()["draft"]["total_cost"]
    closed = ada.post(f"{BOOKS}/close", terms)
    assert (closed.status_code, closed.json()["closed_by"]) == (201, "ada")
    file = ada.get(f"{BOOKS}/versions/1.csv").getvalue()
    assert hashlib.sha256(file).hexdigest() == closed.json()["checksum"]
    assert "closed already" in refused(ada.post(f"{BOOKS}/close", {"acknowledged": ALL}), "month")

    sent = ada.post(f"{BOOKS}/sent", {"sent_to": "owners@example.com"}).json()
    assert (sent["state"], sent["sent"]["to"]) == ("sent", "owners@example.com")
    assert "Nobody has asked" in refused(ada.post(f"{BOOKS}/reopening/agreement"), "month")
    asked = ada.post(f"{BOOKS}/reopening", {"reason": "Wrong owner."})
    assert (asked.status_code, asked.json()["reopening"]["asked_by"]) == (201, "ada")
    assert "decide that first" in refused(ada.post(f"{BOOKS}/sent", {"sent_to": "me"}), "month")
    # Another token of the same person is not another person.
    again = Caller(ada.user)
    assert "Another person" in refused(again.post(f"{BOOKS}/reopening/agreement"), "month")
    assert ada.client.delete(f"{BOOKS}/reopening").json()["reopening"] is None
    ada.post(f"{BOOKS}/reopening", {"reason": "Wrong owner."})
    assert bob.post(f"{BOOKS}/reopening/agreement").json()["state"] == "draft"

    act = Act(ada.user, NOW)
    rules.make(RuleEntry({"team": "hr"}, "CC-2", Days(LAST, add_months(LAST, 1))), act)
    assert ada.post(f"{BOOKS}/close", {"acknowledged": ALL}).json()["version"] == 2
    assert ada.get(f"{BOOKS}/versions/1.csv").getvalue() == file
    moved = ada.get(f"{BOOKS}/versions/2/differences").json()
    assert moved["total_difference"] == "0"
    amounts = {each["cost_center"]: Decimal(each["total_cost"]) for each in moved["cost_centers"]}
    assert set(amounts) == {"CC-2", "Unattributed"}
    assert amounts["CC-2"] == -amounts["Unattributed"] > 0
    second = ada.get(f"{BOOKS}/versions/2.json").json()
    assert {row["cost_center"] for row in second["rows"]} == {"CC-1", "CC-2"}
    assert second["statement"]["version"] == 2
    whole = ada.get(BOOKS).json()
    assert [each["version"] for each in whole["versions"]] == [2, 1]
    assert [(each["act"], each["by"]) for each in whole["acts"]] == [
        ("close", "ada"), ("reopen", "bob"), ("ask_reopening", "ada"), ("keep_closed", "ada"),
        ("ask_reopening", "ada"), ("send", "ada"), ("close", "ada"),
    ]  # fmt: skip
    [listed] = ada.get("/api/v1/books").json()["months"]
    assert listed["latest"]["checksum"] == second["statement"]["checksum"]
    page = ada_page(ada.user)
    assert "Agreed: opened again" in page
    assert "bob" in page


def ada_page(user: User) -> str:
    browser = Client()
    browser.force_login(user)
    version = browser.get(f"/statements?month={MONTH}&version=2").text
    assert "Since version 1" in version
    assert "CC-2" in version
    return browser.get(f"/close?month={MONTH}").text


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("close", [], "body", "JSON object"),
        ("close", {"acknowledged": "unpriced"}, "acknowledged", "list of warnings' names"),
        ("close", {"acknowledged": ["all"]}, "acknowledged", "unpriced, rates, unattributed"),
        ("close", {"acknowledge": []}, "acknowledge", "known are acknowledged"),
        ("close", {"total_cost": 12.5}, "total_cost", "as it was read"),
        ("close", {"total_cost": "1e999999"}, "total_cost", "as it was read"),
        ("sent", {}, "sent_to", "Say whom"),
        ("sent", {"sent_to": "me"}, "month", "is not closed"),
        ("reopening", {"reason": 7}, "reason", "Write text"),
        ("reopening", {"reason": " "}, "reason", "Say why"),
        ("reopening", {"reason": "x" * 2001}, "reason", "at most 2,000"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    ada: Caller, path: str, body: object, field: str, words: str
) -> None:
    assert words in refused(ada.post(f"{BOOKS}/{path}", body), field)


def test_versions_that_are_not_there_are_none(ada: Caller) -> None:
    for path in (
        "versions/1.csv",
        "versions/1.json",
        "versions/2/differences",
        "versions/99999999999.csv",
    ):
        assert ada.get(f"{BOOKS}/{path}").status_code == 404
    ada.post(f"{BOOKS}/close", {"acknowledged": ALL})
    assert ada.get(f"{BOOKS}/versions/1/differences").status_code == 404
    wrong = ada.get(f"{BOOKS}/versions/1/differences?since=1")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "since")
