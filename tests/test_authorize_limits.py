"""Who may ask how often, about whom, and for how many calls a key may hold something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from enforcing import AUTHORIZE, Gateway, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops.models import Reservation
from ingest.enforcement import authority

pytestmark = [pytest.mark.django_db(transaction=True)]

GATE = f"{AUTHORIZE}/gate"


def limit(gateway: Gateway, per_minute: int) -> None:
    gateway.door.database.execute(
        "UPDATE ingest_key SET events_per_minute = %s WHERE service = %s",
        [per_minute, gateway.door.source],
    )
    gateway.door.application.configuration.reload()


def too_many(response: httpx.Response) -> int:
    """The seconds after which to ask again."""
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    return int(response.headers["retry-after"])


def gate(gateway: Gateway, query: str = "", **headers: str) -> httpx.Response:
    given = {f"x-farthing-{name.replace('_', '-')}": value for name, value in headers.items()}
    return gateway.door.http.get(GATE + query, headers={"x-api-key": gateway.door.key, **given})


def test_a_key_asks_about_as_many_calls_as_it_may_send(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    limit(gateway, 3)
    reservation = gateway.ask(estimated_cost=1, reserve=True)["reservation"]
    gateway.send(1)  # events have an allowance of their own
    assert gate(gateway).status_code == 204
    gateway.ask(estimated_cost=1)
    refused = gateway.post(AUTHORIZE, {"estimated_cost": 1})
    assert too_many(refused) == 20
    assert "may ask about 3 calls a minute" in refused.json()["detail"]
    assert too_many(gate(gateway)) == 20
    assert gate(gateway, "?throttled=403").status_code == 403  # proxies let errors through
    assert gateway.post(f"{AUTHORIZE}/{reservation}/release", {}).status_code == 200
    gateway.send(1)
    gateway.send(1)
    clock.now += 20
    gateway.ask(estimated_cost=1)


def test_what_the_limit_refuses_is_counted_as_no_event(gateway: Gateway) -> None:
    limit(gateway, 1)
    gateway.read()
    gateway.ask()
    too_many(gateway.post(AUTHORIZE, {}))
    gateway.door.application.configuration.save_use(datetime.now(UTC))
    saved = gateway.door.database.execute(
        "SELECT requests, refused.events FROM ingest_key_refusal AS refused"
        " JOIN ingest_key ON ingest_key.id = key_id WHERE service = %s",
        [gateway.door.source],
    ).fetchall()
    assert [(row["requests"], row["events"]) for row in saved] == [(1, 0)]


def test_one_key_cannot_hold_something_for_calls_without_end(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "MOST_HELD", 3)
    gateway.budget(1000)
    gateway.refresh()
    question = {"estimated_cost": 1, "reserve": True, "ttl_seconds": 60}
    held = [gateway.ask(**question)["reservation"] for _ in range(3)]
    refused = gateway.post(AUTHORIZE, question)
    assert too_many(refused) == authority.ROOM_SECONDS
    assert "for 3 calls already" in refused.json()["detail"]
    gateway.read()  # by what is written too
    too_many(gateway.post(AUTHORIZE, question))
    assert gateway.ask(estimated_cost=1)["decision"] == "allow"  # without holding anything
    mine, gateway.door.key = gateway.door.key, gateway.door.new_key(gateway.door.source)
    assert gateway.ask(**question)["reservation"]
    gateway.door.key = mine
    assert gateway.post(f"{AUTHORIZE}/{held[0]}/release", {}).status_code == 200
    gateway.read()
    assert gateway.ask(**question)["reservation"]
    assert Reservation.objects.count() <= 4
    assert 'reservations_total{outcome="limited"}' in gateway.door.http.get("/metrics").text


@pytest.mark.parametrize(("closes", "decision"), [(False, "allow"), (True, "block")])
def test_who_holds_much_while_nothing_is_refreshed_is_answered_by_the_budget(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, closes: bool, decision: str
) -> None:
    monkeypatch.setattr(authority, "MOST_HELD", 1)
    gateway.budget(10, fail_closed=closes)
    gateway.refresh()
    question = {"estimated_cost": 1, "reserve": True}
    assert gateway.ask(**question)["reservation"]
    too_many(gateway.post(AUTHORIZE, question))
    clock.now += authority.STALE.total_seconds() + 60
    said = gateway.ask(**question)
    assert (said["decision"], said["reasons"][0]["code"]) == (decision, "figures_stale")
    assert said["reservation"] is None
    gateway.read()
    assert Reservation.objects.count() == 1


@pytest.mark.parametrize("asked", [{"reserve": True}, {}])
def test_a_teams_key_asks_about_its_own_team_alone(gateway: Gateway, asked: Any) -> None:
    gateway.budget(10, filters={"team": ["hr"]})
    gateway.refresh()
    gateway.door.key = gateway.door.new_key(gateway.door.source, team="cx")
    refused = gateway.post(AUTHORIZE, {"team": "hr", "estimated_cost": 1, **asked})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    said = refused.json()
    assert [each["field"] for each in said["errors"]] == ["team"]
    assert "of the team cx" in said["detail"]
    assert "one of no team" in said["detail"]
    assert gate(gateway, team="hr").status_code == 403
    assert not Reservation.objects.exists()
    for own in ({"team": "cx"}, {"team": ""}, {}):
        assert gateway.ask(estimated_cost=1, **asked, **own)["decision"] == "allow"
