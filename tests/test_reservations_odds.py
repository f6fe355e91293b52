"""Reservations where something goes otherwise: said twice, too late, or too large."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import psycopg
import pytest
from enforcing import AUTHORIZE, DOLLAR, Gateway, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops.conninfo import conninfo
from finops.models import Reservation, ReservationHold
from ingest.enforcement import books
from ingest.enforcement.books import Figures, _lock
from ingest.enforcement.terms import Place

pytestmark = [pytest.mark.django_db(transaction=True)]


def reserve(gateway: Gateway, cost: object, **question: object) -> str:
    reservation: str = gateway.ask(estimated_cost=str(cost), reserve=True, **question)[
        "reservation"
    ]
    assert reservation
    return reservation


def end(gateway: Gateway, reservation: str, verb: str, **body: object) -> int:
    return gateway.post(f"{AUTHORIZE}/{reservation}/{verb}", body).status_code


def remaining(gateway: Gateway) -> str:
    gateway.read()
    left: str = gateway.ask()["remaining"]
    return left


def test_a_call_larger_than_its_budget_is_told_that_waiting_is_of_no_use(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    answer = gateway.ask(estimated_cost="10.01")
    assert (answer["decision"], answer["retry_after"]) == ("block", None)
    assert answer["reasons"][0]["code"] == "over_amount"
    assert "waiting is of no use" in answer["reasons"][0]["detail"]
    gateway.spend(1)
    fits_later = gateway.ask(estimated_cost="10")
    assert fits_later["reasons"][0]["code"] == "budget_spent"
    assert fits_later["retry_after"] > 0
    asked = {"x-api-key": gateway.door.key, "x-farthing-estimated-cost": "11"}
    blocked = gateway.door.http.get(f"{AUTHORIZE}/gate", headers=asked)
    assert (blocked.status_code, "retry-after" in blocked.headers) == (403, False)


def test_a_settled_one_is_not_released(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 4)
    assert end(gateway, reservation, "settle", event_id="call-1") == 200
    assert end(gateway, reservation, "release") == 404
    assert remaining(gateway) == "6"
    gateway.spend(3, id="call-1")
    assert remaining(gateway) == "7"


def test_one_settled_again_names_its_event_and_is_held_no_longer(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 4)
    assert end(gateway, reservation, "settle", cost="3") == 200
    first = Reservation.objects.get()
    clock.now += 300
    assert end(gateway, reservation, "settle", event_id="call-1", cost="2") == 200
    again = Reservation.objects.get()
    assert (again.settled_at, again.expires_at) == (first.settled_at, first.expires_at)
    assert again.event_key is not None
    hold = ReservationHold.objects.get()
    assert (hold.amount, hold.expires_at) == (Decimal(2), first.expires_at)
    clock.now += 301
    assert remaining(gateway) == "10"


def test_a_cost_above_the_estimate_is_held_and_blocks_others(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 9)
    assert end(gateway, reservation, "settle", cost="12.5") == 200
    assert remaining(gateway) == "-2.5"
    assert gateway.decided(estimated_cost="0.01", reserve=True) == ("block", "budget_reserved")


def test_two_that_name_the_same_event_both_end_with_it(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    for reservation in (reserve(gateway, 2), reserve(gateway, 2)):
        assert end(gateway, reservation, "settle", event_id="call-1") == 200
    assert remaining(gateway) == "6"
    gateway.spend(1, id="call-1")
    assert remaining(gateway) == "9"
    assert not Reservation.objects.exists()


def test_an_amount_below_what_is_held_lets_nobody_in_and_takes_nothing_away(
    gateway: Gateway,
) -> None:
    held = gateway.budget(10)
    gateway.refresh()
    reservation = reserve(gateway, 8)
    held.amount = Decimal(5)
    held.save()
    gateway.refresh()
    assert remaining(gateway) == "-3"
    assert gateway.decided(estimated_cost="0.01", reserve=True) == ("block", "budget_reserved")
    assert end(gateway, reservation, "release") == 200
    assert gateway.decided(estimated_cost=5, reserve=True) == ("allow", "within_budget")


def test_a_budget_that_is_removed_meanwhile_leaves_no_hold_behind(gateway: Gateway) -> None:
    gone = gateway.budget(10)
    stays = gateway.budget(20)
    gateway.refresh()
    first, second = reserve(gateway, 1, ttl_seconds=60), reserve(gateway, 1, ttl_seconds=60)
    gone.removed_at = gateway.now
    gone.save()
    gateway.refresh()
    assert [each["budget"] for each in gateway.ask()["reasons"]] == [stays.pk]
    assert end(gateway, first, "settle", cost=2) == 200
    assert end(gateway, second, "release") == 200
    assert remaining(gateway) == "18"
    clock.now += timedelta(minutes=11).total_seconds()
    gateway.refresh()
    assert not ReservationHold.objects.exists()


def test_near_one_limit_nobody_waits_for_budgets_that_are_far_from_theirs(
    gateway: Gateway,
) -> None:
    far = gateway.budget(1_000_000)
    gateway.budget(10)
    gateway.refresh()
    gateway.spend("9.5")
    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_lock(Place(far.pk, ""))])
        said = gateway.ask(estimated_cost="0.4", reserve=True)
        assert (said["decision"], said["reservation"] is not None) == ("allow", True)
        assert gateway.decided(estimated_cost="0.4", reserve=True) == ("block", "budget_reserved")
    assert ReservationHold.objects.filter(budget=far).count() == 1


def test_while_figures_are_read_others_are_decided_and_none_counts_twice(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.budget(10)
    gateway.refresh()
    gateway.spend(9)
    read, has_begun, may_end = books.read, Event(), Event()

    def slowly(*given: Any) -> Figures:
        has_begun.set()
        assert may_end.wait(20)
        return read(*given)

    monkeypatch.setattr(books, "read", slowly)
    assert has_begun.wait(20)
    reserve(gateway, "0.4")  # near the limit the database decides
    assert gateway.decided(estimated_cost="0.7", reserve=True) == ("block", "budget_reserved")
    assert gateway.ask()["remaining"] == "0.6"
    may_end.set()
    for _ in range(2):  # the reading that began before it, and one that holds it
        gateway.read()
        assert gateway.ask()["remaining"] == "0.6"


def test_nothing_is_held_where_a_budget_that_the_call_costs_nothing_says_no(
    gateway: Gateway,
) -> None:
    full = gateway.budget(1)
    gateway.budget(1000, unpriced="estimate", unpriced_rate=1)
    gateway.refresh()
    reserve(gateway, 1, ttl_seconds=60)
    said = gateway.ask(model="nobody-knows", input_tokens=DOLLAR, reserve=True)
    assert (said["decision"], said["reservation"]) == ("block", None)
    assert (said["reasons"][0]["budget"], said["reasons"][0]["code"]) == (
        full.pk,
        "budget_reserved",
    )
    gateway.read()
    assert Reservation.objects.count() == 1
