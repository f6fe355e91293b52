"""The weekly summary: once a week, to whoever wants it, of what they may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import usage
from desks import reader
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from page_texts import price_gpt_4o
from telling import Mails, channel, emptied
from telling import mails as mails

from finops import alerts, costs
from finops.alerts import summaries
from finops.models import Alert, Channel

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("UTC")
MONDAY = datetime(2026, 10, 12, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def two_weeks(db: None) -> None:
    """Of two teams: 1,000 tokens in and 200 out each day, search twice as much in the last week."""
    price_gpt_4o()
    events = []
    for day in range(1, 15):
        at = MONDAY.replace(hour=12) - timedelta(days=day)
        for team in ("search", "ads"):
            count = 2 if team == "search" and day <= 7 else 1
            events += [usage.event(at, team=team, feature=f"{team}-answers") for _ in range(count)]
    usage.record(events, now=MONDAY)


def test_it_is_raised_once_a_week_on_monday_morning() -> None:
    channel("email", "cfo@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    channel("email", "other@example.org", MONDAY - timedelta(days=30))
    assert alerts.raise_summaries(MONDAY - timedelta(seconds=1), ZONE) == []
    [made] = alerts.raise_summaries(MONDAY, ZONE)
    assert made.title.startswith("Spend of the week 5–11 Oct: $")
    assert alerts.raise_summaries(MONDAY + timedelta(days=2), ZONE) == []
    assert len(alerts.raise_summaries(MONDAY + timedelta(days=7), ZONE)) == 1


def test_who_asks_on_wednesday_waits_for_monday() -> None:
    channel("email", "cfo@example.org", MONDAY + timedelta(days=2), wants_summary=True)
    assert alerts.raise_summaries(MONDAY + timedelta(days=2), ZONE) == []
    assert len(alerts.raise_summaries(MONDAY + timedelta(days=7), ZONE)) == 1


def test_its_figures_are_those_of_the_api(signed_in: Client, mails: Mails) -> None:
    channel("email", "cfo@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    [made] = alerts.raise_summaries(MONDAY, ZONE)
    asked = "/api/v1/costs?start=2026-10-05&end=2026-10-12&granularity=total&group_by=team"
    answer = signed_in.get(asked).json()
    assert made.facts["total"] == answer["totals"]["effective_cost"]
    groups = {each["dimension"]: each["rows"] for each in made.facts["groups"]}
    assert [row["name"] for row in groups["team"]] == ["search", "ads"]
    cost = Decimal(groups["team"][0]["cost"])
    assert cost == Decimal(answer["rows"][0]["effective_cost"])
    assert made.facts["requests"] == 21
    assert len(made.facts["series"]) == 7
    emptied(MONDAY)
    [mail] = mails.received
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "By team" in text
    assert "(+100.0" in text


def test_a_channel_of_a_team_hears_of_that_team() -> None:
    channel(
        "email", "ads@example.org", MONDAY - timedelta(days=30), wants_summary=True, teams=("ads",)
    )
    [made] = alerts.raise_summaries(MONDAY, ZONE)
    assert made.facts["requests"] == 7
    assert "search" not in str(made.facts)


def test_a_person_gets_what_they_may_see_until_they_may_not(mails: Mails) -> None:
    browser = reader("engineer", "ads")
    assert ">off<" in browser.get("/account").text.partition("Weekly summary")[2][:100]
    browser.post("/account/summary", {"wanted": "yes"})
    assert ">on<" in browser.get("/account").text.partition("Weekly summary")[2][:100]
    Channel.objects.update(summary_since=MONDAY - timedelta(days=30))
    [made] = alerts.raise_summaries(MONDAY, ZONE)
    assert made.facts["requests"] == 7
    emptied(MONDAY)
    assert mails.recipients == ["engineer-ads@example.org"]
    user = User.objects.get()
    user.email = "new@example.org"
    user.save()
    alerts.raise_summaries(MONDAY + timedelta(days=7), ZONE)
    emptied(MONDAY + timedelta(days=7))
    assert mails.recipients[1:] == ["new@example.org"]
    user.team_members.all().delete()  # type: ignore[attr-defined]
    assert alerts.raise_summaries(MONDAY + timedelta(days=14), ZONE) == []
    browser.post("/account/summary", {"wanted": "no"})
    assert Alert.objects.count() == 2


def test_who_has_no_address_is_told_so() -> None:
    browser = reader("viewer", "ads")
    User.objects.update(email="")
    response = browser.post("/account/summary", {"wanted": "yes"}, follow=True)
    assert "no e-mail address" in response.text


def test_it_waits_a_day_for_the_rest_of_the_weeks_figures() -> None:
    channel("email", "cfo@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    waiting = "UPDATE ingest_batch SET folded_at = NULL, committed_at = %s"
    with connection.cursor() as cursor:
        cursor.execute(waiting, [MONDAY - timedelta(days=1)])
    assert alerts.raise_summaries(MONDAY, ZONE) == []
    assert len(alerts.raise_summaries(MONDAY + timedelta(hours=17), ZONE)) == 1


def test_one_that_cannot_be_made_keeps_none_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = channel("email", "a@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    channel("email", "b@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    make = summaries.summarise

    def too_slow(of: Channel, *given: Any) -> Alert | None:
        if of == slow:
            raise costs.QueryTooSlow
        return make(of, *given)

    monkeypatch.setattr(summaries, "summarise", too_slow)
    assert len(alerts.raise_summaries(MONDAY, ZONE)) == 1


def test_one_that_takes_too_long_is_tried_later_each_time_and_after_the_others(
    monkeypatch: pytest.MonkeyPatch, signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    slow = channel("email", "a@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    make, tried = summaries.summarise, []

    def too_slow(of: Channel, *given: Any) -> Alert | None:
        tried.append((of.pk, given[2]))
        if of == slow:
            raise costs.QueryTooSlow
        return make(of, *given)

    monkeypatch.setattr(summaries, "summarise", too_slow)
    for minute in range(60):
        alerts.raise_summaries(MONDAY + timedelta(minutes=minute), ZONE)
    assert [at - MONDAY for _, at in tried] == [timedelta(minutes=n) for n in (0, 5, 15, 35)]
    assert f"the summary of channel {slow.pk} takes too long; again in 5 min" in caplog.text
    assert (
        "took too long 4 times; tried again" in signed_in.get(f"/settings/channels/{slow.pk}").text
    )
    quick = channel("email", "b@example.org", MONDAY - timedelta(days=30), wants_summary=True)
    turns = iter((True, False))
    [made] = alerts.raise_summaries(MONDAY + timedelta(days=1), ZONE, lambda: next(turns))
    assert made.key.startswith(f"summary-{quick.pk}-")
    monkeypatch.setattr(summaries, "summarise", make)
    assert len(alerts.raise_summaries(MONDAY + timedelta(days=1), ZONE)) == 1
    slow.refresh_from_db()
    assert (slow.summary_failures, slow.summary_held_until) == (0, None)


def test_a_person_is_told_that_their_summary_takes_long() -> None:
    browser = reader("engineer", "ads")
    browser.post("/account/summary", {"wanted": "yes"})
    later = timezone.now() + timedelta(hours=1)
    assert "tried again" not in browser.get("/account").text
    Channel.objects.update(summary_failures=1, summary_held_until=later)
    assert "it is tried again" in browser.get("/account").text


def test_mail_goes_to_the_address_of_the_account_and_to_none_before_it(mails: Mails) -> None:
    browser = reader("engineer", "ads")
    browser.post("/account/summary", {"wanted": "yes"})
    Channel.objects.update(summary_since=MONDAY - timedelta(days=30))
    for week, address in enumerate(("a@example.org", "b@example.org", "a@example.org")):
        User.objects.update(email=address)
        alerts.raise_summaries(MONDAY + timedelta(days=7 * week), ZONE)
        emptied(MONDAY + timedelta(days=7 * week))
    assert mails.recipients == ["a@example.org", "b@example.org", "a@example.org"]
