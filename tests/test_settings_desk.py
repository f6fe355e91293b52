"""The Settings desk: who reads it, who changes it, and what the audit log says of that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from desks import reader
from django.test import Client

from finops.access import RULES
from finops.models import AuditRecord, Operation, Setting

pytestmark = pytest.mark.django_db

# Erasing is not among them: its own tests say who may.
SECTIONS = ("tiers", "tags", "limits", "retention", "calendar")
PAGES = ("/settings", *(f"/settings/{name}" for name in SECTIONS))


@pytest.mark.parametrize(
    ("role", "reads", "changes"),
    [
        ("administrator", True, True),
        ("finance", True, False),
        ("engineer", False, False),
        ("viewer", False, False),
    ],
)
def test_administrators_change_what_finance_may_read(role: str, reads: bool, changes: bool) -> None:
    browser = reader(role, "search")
    for path in PAGES:
        assert browser.get(path).status_code == (200 if reads else 403)
        assert (browser.post(path).status_code != 403) == changes
    assert ('href="/settings"' in browser.get("/").text) == reads
    assert not Setting.objects.exists()


def test_a_page_that_asks_again_by_itself_brings_what_asks(signed_in: Client) -> None:
    path = "/settings/operations"
    assert "htmx-2" not in signed_in.get(path).text, "nothing is under way"
    Operation.objects.create(
        kind="rerate", what="a day", terms={}, requested_by="ada", created_at=datetime.now(UTC)
    )
    page = signed_in.get(path).text
    assert 'hx-trigger="every 2s"' in page
    assert "htmx-2" in page


def test_nobody_is_sent_to_sign_in(client: Client, administrator: object) -> None:
    for path in PAGES:
        assert client.get(path)["Location"].startswith("/sign-in")


def test_no_page_of_the_desk_offers_finance_a_form() -> None:
    browser = reader("finance")
    for path in PAGES:
        text = browser.get(path).text
        assert 'method="post"' not in text.partition("<main")[2]


def test_the_first_page_says_what_holds_now(signed_in: Client) -> None:
    text = signed_in.get("/settings").text
    assert "Now: realtime, interactive, standard, batch" in text
    assert "Now: the defaults" in text
    assert "Now: 400 days" in text
    signed_in.post("/settings/limits", {"feature": "600", "user": "2000000"})
    signed_in.post("/settings/retention", {"days": "1"})
    text = signed_in.get("/settings").text
    assert "Now: not the default: feature, user" in text
    assert "Now: 1 day<" in text


def test_every_address_of_the_desk_needs_an_ability() -> None:
    named = [name for name in RULES if name.startswith("settings")]
    assert named
    for name in named:
        needed = RULES[name].read.name
        assert needed.endswith(("_SETTINGS", "_BOOKS"))


def test_the_fiscal_year_begins_in_the_month_chosen(signed_in: Client) -> None:
    response = signed_in.post("/settings/calendar", {"month": "4"}, follow=True)
    assert "The fiscal year begins in April." in response.text
    [record] = AuditRecord.objects.filter(action="settings.change")
    assert (record.subject, record.actor, record.address) == ("Fiscal year", "ada", "127.0.0.1")
    assert (list(record.before.values()), list(record.after.values())) == ([1], [4])
    signed_in.post("/settings/calendar", {"month": "4"})
    assert AuditRecord.objects.filter(action="settings.change").count() == 1
    signed_in.post("/settings/calendar", {"month": "1"})
    assert not Setting.objects.exists()


def test_pages_and_api_count_fiscal_periods_from_that_month(signed_in: Client) -> None:
    this_month = datetime.now(UTC).month
    signed_in.post("/settings/calendar", {"month": str(this_month)})
    first = datetime.now(UTC).strftime("%Y-%m-01")
    for label in ("fqtd", "fytd"):
        answer = signed_in.get("/api/v1/costs", {"period": label, "granularity": "total"}).json()
        assert answer["query"]["start"] == f"{first}T00:00:00Z"
        assert answer["query"]["period"] == label
        text = signed_in.get("/explore", {"period": label}).text
        assert f'value="{first}"' in text
        assert f'name="period" value="{label}"' in text
    assert "Fiscal quarter" in text
    assert "Fiscal year" in text


@pytest.mark.parametrize("month", ["", "0", "13", "May", "4.5"])
def test_a_month_is_one_of_twelve(signed_in: Client, month: str) -> None:
    response = signed_in.post("/settings/calendar", {"month": month})
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.text
    assert not Setting.objects.exists()


def test_zone_and_currency_say_where_they_come_from(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "the default of <code>FARTHING_TIME_ZONE" in signed_in.get("/settings/calendar").text
    monkeypatch.setenv("FARTHING_TIME_ZONE", "UTC")
    assert "from <code>FARTHING_TIME_ZONE" in signed_in.get("/settings/calendar").text
