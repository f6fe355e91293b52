"""What people say of an anomaly reaches no further than what they see, and can be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from desks import reader
from django.test import Client

from finops.anomalies.series import Key
from finops.models import Anomaly, PlannedEvent
from tests.made_anomalies import made, send

pytestmark = pytest.mark.django_db

API = "/api/v1/anomalies"
EVENTS = "/api/v1/planned-events"


def say(client: Client, held: Anomaly, verdict: str, status: int = 200, **more: Any) -> Any:
    path = f"{API}/{held.pk}/verdict"
    return send(client, "POST", path, {"verdict": verdict, **more}, status)


def of_all_usage(**more: Any) -> Anomaly:
    return made("", filters={}, series="", **more)


def test_an_engineers_verdict_is_none_on_what_other_teams_use_too() -> None:
    lead = made()
    whole = of_all_usage(lead=lead)
    ours = made(series="ours", lead=lead)
    say(reader("engineer", "cx"), lead, "false", reason="mine")
    for each, verdict in ((whole, ""), (ours, "false")):
        each.refresh_from_db()
        assert each.verdict == verdict
        assert (each.closed_at is None) == (verdict == "")


def test_a_verdict_on_a_part_outlasts_one_on_its_lead() -> None:
    finance, lead = reader("finance"), made()
    said, quiet = made(series="said", lead=lead), made(series="quiet", lead=lead)
    say(finance, said, "real")
    say(finance, lead, "false")
    say(finance, lead, "")
    for each in (said, quiet, lead):
        each.refresh_from_db()
    assert (said.verdict, quiet.verdict, lead.verdict) == ("real", "", "")


def test_what_is_called_planned_is_in_the_calendar_once_and_leaves_with_the_verdict(
    signed_in: Client,
) -> None:
    held = made()
    say(signed_in, held, "planned")
    later = (held.ended_at + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    say(signed_in, held, "planned", until=later)
    [event] = signed_in.get(EVENTS).json()["planned_events"]
    assert event["end"] == later
    say(signed_in, held, "")
    assert signed_in.get(EVENTS).json() == {"planned_events": []}
    say(signed_in, held, "planned")
    say(signed_in, held, "real")
    assert signed_in.get(EVENTS).json() == {"planned_events": []}


def test_a_verdict_that_is_not_named_takes_nothing_back(signed_in: Client) -> None:
    held = made()
    say(signed_in, held, "real")
    path = f"{API}/{held.pk}/verdict"
    for given, named in (({}, {"verdict"}), ({"verdit": "real"}, {"verdict", "verdit"})):
        wrong = send(signed_in, "POST", path, given, 400)["errors"]
        assert {each["field"] for each in wrong} == named
    assert send(signed_in, "GET", f"{API}/{held.pk}", None, 200)["feedback"]["verdict"] == "real"


@pytest.mark.parametrize(
    "filters", [{}, {"feature": "secret-merger-bot"}, {"user": "bob@rival.example"}]
)
def test_a_plan_tells_nobody_of_what_they_do_not_see(filters: dict[str, str]) -> None:
    finance, viewer = reader("finance"), reader("viewer", "ads")
    say(finance, made("", filters=filters, series=Key.of(filters).name), "planned")
    assert PlannedEvent.objects.count() == 1
    assert viewer.get(EVENTS).json() == {"planned_events": []}
    assert "Nothing is planned" in viewer.get("/anomalies/planned").content.decode()


def test_what_is_planned_for_all_usage_is_told_everybody() -> None:
    terms = {"name": "Black Friday", "start": "2026-11-27", "end": "2026-11-28"}
    send(reader("finance"), "POST", EVENTS, terms, 201)
    [event] = reader("viewer", "ads").get(EVENTS).json()["planned_events"]
    assert event["name"] == "Black Friday"


def test_the_form_keeps_what_it_has_no_field_for(signed_in: Client) -> None:
    filters = {"environment": ["staging"], "feature": ["a;b", "c"]}
    terms = {"name": "Test", "start": "2026-10-02", "end": "2026-10-03", "filters": filters}
    event = send(signed_in, "POST", EVENTS, terms, 201)
    path = f"/anomalies/planned/{event['id']}"
    page = signed_in.get(path).content.decode()
    assert "environment staging" in page
    assert "&quot;a;b&quot;;c" in page
    form = {"name": "Renamed", "start": "2026-10-02", "end": "2026-10-03", "feature": '"a;b";c'}
    assert signed_in.post(path, form).status_code == 302
    assert PlannedEvent.objects.get().filters == filters
