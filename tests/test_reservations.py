"""What is held of budgets for calls under way: no more than there is, and no longer than needed."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from enforcing import AUTHORIZE, Gateway, beside, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops.models import Budget, Reservation, ReservationHold

pytestmark = [pytest.mark.django_db(transaction=True)]


def reserve(gateway: Gateway, cost: object, **question: Any) -> str:
    answer = gateway.ask(estimated_cost=str(cost), reserve=True, **question)
    assert answer["decision"] == "allow", answer
    reservation: str = answer["reservation"]
    return reservation


def end(gateway: Gateway, reservation: str, verb: str, **body: Any) -> int:
    return gateway.post(f"{AUTHORIZE}/{reservation}/{verb}", body).status_code


def remaining(gateway: Gateway, **question: Any) -> str:
    left: str = gateway.ask(**question)["remaining"]
    return left


async def _at_once(gateways: list[Gateway], count: int, question: dict[str, Any]) -> list[Any]:
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(timeout=30, limits=limits) as http:

        async def one(gateway: Gateway) -> Any:
            headers = {"x-api-key": gateway.door.key}
            url = gateway.door.url + AUTHORIZE
            return (await http.post(url, json=question, headers=headers)).json()

        return await asyncio.gather(*(one(gateways[n % len(gateways)]) for n in range(count)))


def at_once(gateways: list[Gateway], count: int, **question: Any) -> Counter[tuple[str, str]]:
    """What so many concurrent questions are answered: decision and first code."""
    answers = asyncio.run(_at_once(gateways, count, question))
    return Counter((each["decision"], each["reasons"][0]["code"]) for each in answers)


def test_two_hundred_at_once_share_the_last_dollar_exactly(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    gateway.spend(9)
    said = at_once([gateway], 200, estimated_cost="0.04", reserve=True)
    assert said == {("allow", "within_budget"): 25, ("block", "budget_reserved"): 175}
    assert ReservationHold.objects.count() == 25


def test_two_processes_share_it_exactly_too(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.budget(3, for_each="user")
    with beside(gateway) as second:
        gateway.refresh()
        gateway.spend(9, user="bob")
        said = at_once([gateway, second], 200, estimated_cost="0.04", reserve=True, user="ann")
    assert said[("allow", "within_budget")] == 25
    assert sum(said.values()) == 200


def test_far_from_every_limit_all_are_held_and_none_waits_for_it(gateway: Gateway) -> None:
    held = gateway.budget(1000)
    gateway.refresh()
    said = at_once([gateway], 100, estimated_cost="1", reserve=True)
    assert said == {("allow", "within_budget"): 100}
    assert remaining(gateway) == "900"  # known at once
    gateway.refresh()
    assert remaining(gateway) == "900"
    assert ReservationHold.objects.filter(budget=held).count() == 100


def test_from_far_away_to_the_limit_nothing_is_lost_between(gateway: Gateway) -> None:
    gateway.budget(100)
    gateway.refresh()
    said = at_once([gateway], 200, estimated_cost="1", reserve=True)
    assert said[("allow", "within_budget")] == 100
    assert ReservationHold.objects.count() == 100


def test_a_killed_client_leaves_nothing_behind_after_expiry(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reserve(gateway, 9, ttl_seconds=60)
    gateway.refresh()
    assert gateway.decided(estimated_cost=2) == ("block", "budget_reserved")
    clock.now += 59
    gateway.refresh()
    assert remaining(gateway) == "1"
    clock.now += 1
    gateway.refresh()
    assert remaining(gateway) == "10"
    assert not Reservation.objects.exists()
    assert not ReservationHold.objects.exists()


def test_a_released_one_is_free_at_once_for_who_reserves(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 10)
    assert gateway.decided(estimated_cost=1, reserve=True) == ("block", "budget_reserved")
    assert end(gateway, reservation, "release") == 200
    assert gateway.decided(estimated_cost=10, reserve=True) == ("allow", "within_budget")
    assert end(gateway, reservation, "release") == 404
    assert end(gateway, str(uuid4()), "settle", cost=1) == 404


def test_nobody_ends_the_reservation_of_another_service(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 10)
    mine, gateway.door.key = gateway.door.key, gateway.door.new_key("another-service")
    assert end(gateway, reservation, "release") == 404
    gateway.door.key = mine
    assert end(gateway, reservation, "release") == 200


def test_a_settled_one_counts_until_its_event_is_in_the_figures_and_no_longer(
    gateway: Gateway,
) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 4, ttl_seconds=30)
    sent = gateway.send(3)
    assert end(gateway, reservation, "settle", event_id=sent) == 200
    gateway.read()
    assert remaining(gateway) == "6"  # held: its event is not folded
    clock.now += 31  # what was settled waits for its event, however short it was to be held
    gateway.read()
    assert remaining(gateway) == "6"
    gateway.refresh()
    assert remaining(gateway) == "7"
    assert not Reservation.objects.exists()


def test_who_says_the_events_id_beforehand_need_not_settle(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 4, event_id="call-1")
    gateway.spend(3, id="call-1")
    assert remaining(gateway) == "7"
    assert end(gateway, reservation, "settle", event_id="call-1") == 404


def test_a_response_that_others_tell_of_ends_it(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    response = f"resp_{uuid4().hex}"
    reservation = reserve(gateway, 4)
    assert end(gateway, reservation, "settle", response_id=response) == 200
    gateway.spend(3, response_id=response)
    gateway.refresh()  # it was there once already, so what was committed then is folded
    assert remaining(gateway) == "7"


def test_one_settled_by_its_cost_holds_that_until_events_can_have_come(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 4)
    assert end(gateway, reservation, "settle", cost="1.5") == 200
    gateway.refresh()
    assert remaining(gateway) == "8.5"
    Reservation.objects.update(settled_at=datetime.fromtimestamp(clock.now - 11, UTC))
    gateway.refresh()
    assert remaining(gateway) == "10"


def test_figures_are_made_again_when_all_of_enforcement_is_lost(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    gateway.spend(3)
    gateway.door.database.execute(
        "TRUNCATE enforcement_state, enforcement_plan, enforcement_standing, reservation,"
        " reservation_hold"
    )
    gateway.refresh()
    assert remaining(gateway) == "7"


def test_a_reservation_counts_in_the_period_in_which_it_was_made(gateway: Gateway) -> None:
    gateway.budget(10, period=Budget.Span.DAILY)
    midnight = (gateway.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    clock.now = midnight.timestamp() - 60
    gateway.refresh()
    reserve(gateway, 10, ttl_seconds=3600)
    assert remaining(gateway) == "0"
    clock.now += 120
    gateway.refresh()
    assert ReservationHold.objects.exists()
    assert remaining(gateway) == "10"


def test_a_call_is_held_of_every_budget_that_it_touches(gateway: Gateway) -> None:
    gateway.budget(100)
    gateway.budget(5, for_each="user")
    gateway.refresh()
    reserve(gateway, 5, user="ann")
    assert gateway.decided(estimated_cost=1, user="ann", reserve=True)[0] == "block"
    assert gateway.decided(estimated_cost=5, user="bob", reserve=True)[0] == "allow"
    gateway.refresh()
    assert remaining(gateway) == "90"
