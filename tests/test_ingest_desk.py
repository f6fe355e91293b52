"""The ingest desk: what came in and what did not, for whom it concerns, and how to send."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from desks import reader
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from ingest_server import serve
from playwright.sync_api import expect

from finops import intake, rate_cards, rollups
from finops.conninfo import conninfo
from finops.intake import Scope
from finops.models import AuditRecord, CardinalityOverflow, IngestKey, RejectedExample
from ingest import app, keys
from ingest.rejections import MENDS, REASONS
from tests.browser import SCREENS, Visit
from tests.fact_tables import forget_facts
from tests.page_texts import price_gpt_4o

NOW = datetime.now(UTC)


def key_of(team: str, service: str) -> IngestKey:
    made = keys.generate()
    return IngestKey.objects.create(
        prefix=made.prefix, digest=made.digest, service=service, team=team
    )


def batch(key: IngestKey, accepted: int = 10, rejected: str = "{}", at: datetime = NOW) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ingest_batch (key_id, source, format, received_at, committed_at, accepted,
                duplicates, rejected, unknown_fields, unknown_names, clients, folded_at)
            VALUES (%s, %s, 'json', %s, %s, %s, 1, %s, 2, %s, %s, %s)
            """,
            [
                *(key.pk, key.service, at, at, accepted, rejected),
                *(f'["promt-{key.team}"]', f'{{"agent-{key.team}/1": [{accepted}, 1, 3]}}', at),
            ],
        )


@pytest.fixture
def two_teams(db: None) -> dict[str, IngestKey]:
    """Two teams with a key each: something accepted, refused, misspelt and overflowed of both."""
    made = {}
    for team in ("search", "hush"):
        key = made[team] = key_of(team, f"{team}-bot")
        batch(key, rejected='{"empty_model": 3}')
        RejectedExample.objects.create(
            key_id=key.pk,
            received_at=NOW,
            format="json",
            client=f"agent-{team}/1",
            reason="empty_model",
            field="model",
            id_prefix=f"{team}…",
            shape={"model": "text of 0 characters", f"extra-{team}": "(not a field)"},
        )
        CardinalityOverflow.objects.create(
            dimension="feature",
            team=team,
            first_at=NOW,
            last_at=NOW,
            times=7,
            examples={f"feature-{team}": 7},
        )
    return made


@pytest.mark.usefixtures("two_teams")
@pytest.mark.parametrize("role", ["administrator", "finance"])
def test_who_sees_all_sees_every_key_reason_and_overflow(role: str) -> None:
    everybody = reader(role)
    page = everybody.get("/ingest").text
    for team in ("search", "hush"):
        for name in (f"{team}-bot", f"promt-{team}", f"extra-{team}", f"feature-{team}"):
            assert name in page
    assert "the model is an empty string" in page.lower()
    assert MENDS["empty_model"] in page
    for view in ("key", "service", "client"):
        assert "hush" in everybody.get(f"/ingest?by={view}&period=7d").text


def test_an_engineer_sees_the_own_team_and_nothing_of_another(
    two_teams: dict[str, IngestKey],
) -> None:
    engineer = reader("engineer", "search")
    for view in ("key", "service", "client"):
        for period in ("3h", "24h", "7d"):
            page = engineer.get(f"/ingest?by={view}&period={period}").text
            assert "search" in page
            assert "hush" not in page
    assert engineer.get("/ingest", {"key": two_teams["search"].prefix}).status_code == 200
    assert engineer.get("/ingest", {"key": two_teams["hush"].prefix}).status_code == 404


def test_a_viewer_and_nobody_see_no_ingest(two_teams: dict[str, IngestKey]) -> None:
    assert reader("viewer", "search").get("/ingest").status_code == 403
    assert Client().get("/ingest").status_code == 302
    assert reader("viewer", "hush").post("/ingest/test").status_code == 403
    assert reader("finance").post("/ingest/test").status_code == 403


@pytest.mark.parametrize("wrong", ["period=9y", "by=nothing"])
def test_a_wrong_choice_is_told_and_the_page_stands(signed_in: Client, wrong: str) -> None:
    response = signed_in.get(f"/ingest?{wrong}")
    assert response.status_code == 400
    assert "write " in response.text


def test_the_steps_add_up_and_old_batches_are_outside(two_teams: dict[str, IngestKey]) -> None:
    now = datetime.now(UTC)
    batch(two_teams["search"], accepted=1000, at=now - timedelta(hours=4))
    for name, accepted in (("3h", 20), ("24h", 1020), ("7d", 1020)):
        found = intake.read(Scope(None), intake.window(name, now))
        assert sum(step.accepted for step in found.steps) == accepted
        assert sum(key.accepted for key in found.keys) == accepted
        assert sum(client.accepted for client in found.clients) == accepted
    assert {each.events for each in found.refused} == {3}


def test_an_empty_installation_says_what_to_do_first(signed_in: Client) -> None:
    page = signed_in.get("/ingest").text
    assert "create_ingest_key" in page
    assert "http://testserver/api/v1/events" in page


def test_every_reason_says_how_to_mend_it() -> None:
    assert MENDS.keys() == REASONS.keys()


@pytest.fixture
def at_the_door(transactional_db: None, settings: Any) -> Iterator[str]:
    """A real ingest process at the address that this server takes for its own."""
    price_gpt_4o()
    with serve(app.create(dsn=conninfo(), rate_card_loader=rate_cards.Loader(conninfo()))) as url:
        address = httpx.URL(url)
        settings.HOST, settings.PORT = address.host, address.port
        yield url
    forget_facts()


@pytest.mark.usefixtures("at_the_door")
def test_a_test_event_is_seen_on_its_way_into_the_costs() -> None:
    engineer = reader("engineer", "search")
    sent = engineer.post("/ingest/test", {"team": "search"})
    arrival = sent.headers["Location"]
    page = engineer.get(arrival).text
    assert "done</span> Accepted" in page
    assert "waiting</span> Rolled up" in page
    rollups.fold_waiting(datetime.now(UTC), django_settings.REPORTING_ZONE)
    page = engineer.get(arrival, headers={"HX-Request": "true"}).text
    assert "It arrived" in page
    assert "hx-trigger" not in page
    request_href = page.split('href="')[1].split('"')[0]
    assert "farthing-test" in engineer.get(request_href).text
    costs = engineer.get("/api/v1/costs?period=24h&feature=farthing-test&metrics=requests").json()
    assert costs["totals"]["requests"] == 1
    assert reader("engineer", "hush").get(arrival).status_code == 404
    [key] = IngestKey.objects.all()
    assert (key.team, key.service) == ("search", "farthing-test")
    assert key.revoked_at is not None
    assert AuditRecord.objects.get(action="ingest.test").team == "search"


@pytest.mark.usefixtures("at_the_door")
def test_a_test_event_takes_a_key_or_team_of_ones_own() -> None:
    engineer = reader("engineer", "search")
    theirs = key_of("hush", "hush-bot")
    made = keys.generate()
    IngestKey.objects.create(prefix=made.prefix, digest=made.digest, service="s", team="hush")
    for form in ({"team": "hush"}, {"team": ""}, {"key": "fk_unknown"}, {"key": made.text}):
        response = engineer.post("/ingest/test", form, follow=True)
        assert 'class="alert crit"' in response.text
    assert theirs.revoked_at is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM usage_event")
        assert cursor.fetchone() == (0,)
    IngestKey.objects.filter(prefix=made.prefix).update(team="search")
    assert "/ingest/test/" in engineer.post("/ingest/test", {"key": made.text}).headers["Location"]


def test_a_server_that_does_not_answer_is_told(
    signed_in: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOST, settings.PORT = "127.0.0.1", 9
    monkeypatch.setattr("finops.probes.PATIENCE_SECONDS", 0.0)
    assert "did not take the events" in signed_in.post("/ingest/test", follow=True).text


def test_a_team_whose_name_is_no_text_gets_no_test_event(signed_in: Client) -> None:
    page = signed_in.post("/ingest/test", {"team": "a\0b"}, follow=True)
    assert "Choose one of your teams" in page.text
    assert not IngestKey.objects.exists()


@pytest.mark.parametrize("path", ["2026-13-01", "nonsense", "2026-01-01"])
def test_an_event_that_is_not_there_is_not_found(signed_in: Client, path: str) -> None:
    address = f"/ingest/test/00000000-0000-0000-0000-000000000000/{path}"
    assert signed_in.get(address).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_facts_left")
@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_the_desk_is_sound_on_every_screen(
    visit: Visit, theme: str, width: int, two_teams: dict[str, IngestKey]
) -> None:
    page = visit.page
    engineer = reader("engineer", "search")
    cookie = engineer.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": visit.server}])
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    visit.go("/ingest")
    visit.has_chart()
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/ingest-{theme}-{width}.png", full_page=True)
    visit.is_sound()
    page.get_by_role("link", name="Service", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**by=service**")
    expect(page.get_by_role("columnheader", name="Service", exact=True)).to_be_visible()
