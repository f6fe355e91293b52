"""Enforcement beside the rest: budgets as people keep them, names, a database that is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from enforcing import Gateway, application, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app
from ingest_server import Door, serve, until

from finops import enforcement, erasures
from finops.conninfo import conninfo
from finops.enforcement import Kept
from finops.models import AuditRecord, Budget, EnforcementStanding, EnforcementState
from finops.tasks import judging
from ingest.enforcement.authority import STALE
from ingest.enforcement.books import _lock
from ingest.enforcement.terms import Place

pytestmark = [pytest.mark.django_db(transaction=True)]


def terms(gateway: Gateway, **fields: Any) -> dict[str, Any]:
    return {
        "name": "enforced",
        "filters": {"service": [gateway.door.source]},
        "period": "monthly",
        "amount": "10",
        **fields,
    }


def test_the_api_makes_a_budget_enforced_and_it_is_on_record(
    gateway: Gateway, signed_in: Client
) -> None:
    given = terms(gateway, enforcement="block", throttle_percent="80", fail_closed=True)
    made = signed_in.post("/api/v1/budgets", given, "application/json")
    assert made.status_code == 201, made.text
    said = made.json()
    assert (said["enforcement"], said["throttle_percent"], said["fail_closed"]) == (
        *("block", "80"),
        True,
    )
    gateway.refresh()
    assert gateway.decided(estimated_cost=11)[0] == "block"
    assert gateway.decided(estimated_cost=9) == ("allow", "paced")
    assert gateway.decided(estimated_cost=9)[0] == "throttle"
    off = {"enforcement": "none", "throttle_percent": None, "fail_closed": False}
    path = f"/api/v1/budgets/{said['id']}"
    assert signed_in.patch(path, off, "application/json").status_code == 200
    gateway.refresh()
    assert gateway.ask(estimated_cost=11)["reasons"] == []
    record = AuditRecord.objects.get(action="budget.change")
    assert (record.before["enforcement"], record.after["enforcement"]) == ("block", "none")


def test_what_makes_no_sense_is_named(gateway: Gateway, signed_in: Client) -> None:
    wrong = (
        ({"enforcement": "kill"}, {"enforcement"}),
        ({"throttle_percent": 80, "fail_closed": True}, {"throttle_percent", "fail_closed"}),
        (
            {"enforcement": "block", "throttle_percent": -1, "fail_closed": "perhaps"},
            {"throttle_percent", "fail_closed"},
        ),
        ({"enforcement": "throttle", "throttle_percent": "100.5"}, {"throttle_percent"}),
        ({"enforcement": "block", "throttle_percent": 150}, {"throttle_percent"}),
    )
    for more, fields in wrong:
        answer = signed_in.post("/api/v1/budgets", terms(gateway, **more), "application/json")
        assert answer.status_code == 400
        assert {each["field"] for each in answer.json()["errors"]} == fields


def test_an_amount_by_the_last_period_is_each_values_own(gateway: Gateway) -> None:
    gateway.budget(
        1,
        for_each="user",
        period=Budget.Span.DAILY,
        amount_kind=Budget.AmountKind.LAST_PERIOD,
        change_percent=50,
    )
    gateway.refresh()
    gateway.spend(8, user="ann")
    clock.now += 86_400
    gateway.refresh()
    assert gateway.ask(user="ann")["remaining"] == "12"
    assert gateway.ask(user="bob")["remaining"] == "1"


def test_the_worker_hands_over_by_itself(gateway: Gateway) -> None:
    gateway.budget(10)
    judging.refresh_enforcement()
    gateway.read()
    assert gateway.decided(estimated_cost=11)[0] == "block"
    state = EnforcementState.objects.get()
    assert (timezone.now() - state.refreshed_at).total_seconds() < 60


def test_a_refresh_that_takes_long_leaves_no_figures_to_become_stale(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.budget(10)
    moments = iter((100.0, 130.0, 130.0))  # half a minute of one refresh
    monkeypatch.setattr(judging, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr(judging, "REFRESH_AT", 0.0)
    judging.refresh_enforcement()
    until_next = judging.REFRESH_AT - 100
    assert until_next + 2 * 30 < STALE.total_seconds()


def test_what_was_handed_over_is_not_read_again_and_others_may_hand_over_between(
    gateway: Gateway,
) -> None:
    gateway.budget(10, for_each="user")
    kept = Kept()

    def standings() -> dict[str, Decimal]:
        enforcement.refresh(gateway.now, settings.REPORTING_ZONE, kept)
        return dict(EnforcementStanding.objects.values_list("value", "spent"))

    gateway.spend(3, user="ann")
    assert standings() == {"ann": 3}
    with CaptureQueriesContext(connection) as captured:
        done = enforcement.refresh(gateway.now, settings.REPORTING_ZONE, kept)
    assert done.changed == 0
    assert not [each for each in captured if "enforcement_standing" in each["sql"]]
    gateway.spend(2, user="bob")  # by another worker
    gateway.spend(1, user="ann")
    assert standings() == {"ann": 4, "bob": 2}
    EnforcementState.objects.all().delete()
    EnforcementStanding.objects.all().delete()
    assert standings() == {"ann": 4, "bob": 2}


def test_a_name_that_was_erased_does_not_come_back(gateway: Gateway) -> None:
    gateway.budget(10, for_each="user")
    kept = Kept()
    gateway.refresh()
    gateway.spend(3, user="ann.example")
    enforcement.refresh(gateway.now, settings.REPORTING_ZONE, kept)
    assert EnforcementStanding.objects.filter(value="ann.example").exists()
    erasures.begin("ann.example", "ada", timezone.now(), is_everywhere=True)
    assert erasures.proceed(timezone.now() + erasures.SETTLED)
    enforcement.refresh(gateway.now, settings.REPORTING_ZONE, kept)
    assert not EnforcementStanding.objects.filter(value="ann.example").exists()
    gateway.read()
    assert gateway.ask(user="ann.example")["remaining"] == "10"  # somebody new


@pytest.mark.parametrize(("closes", "decision"), [(False, "allow"), (True, "block")])
def test_a_reservation_that_cannot_be_written_goes_by_the_budget(
    gateway: Gateway, elsewhere: tuple[str, Path], closes: bool, decision: str
) -> None:
    gateway.budget(10, fail_closed=closes)
    gateway.refresh()
    cut_conninfo, link = elsewhere
    host, cut_app = link.readlink(), application(clock, cut_conninfo)
    with serve(cut_app) as url, httpx.Client(base_url=url, timeout=10) as http:
        own = gateway.door
        cut = Gateway(Door(url, own.database, cut_app, http, own.source, own.key), clock, [])
        until(lambda: cut.ask(estimated_cost=11)["decision"] == "block")
        link.unlink()
        own.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'farthing enforcement'"
        )
        answer = cut.ask(estimated_cost="9.5", reserve=True)
        assert (answer["decision"], answer["reasons"][0]["code"]) == (decision, "not_reserved")
        assert answer["reservation"] is None
        assert cut.ask(estimated_cost=11)["decision"] == "block"  # as the figures were
        link.symlink_to(host)
        until(lambda: cut.ask(estimated_cost="9.5", reserve=True)["reservation"])


def waiting_since(gateway: Gateway) -> object:
    """When the statement began that waits for a budget's lock; None where none does."""
    row = gateway.door.database.execute(
        "SELECT query_start FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'farthing enforcement' AND wait_event = 'advisory'"
    ).fetchone()
    return row["query_start"] if row else None


def test_another_process_that_decides_for_long_lets_nobody_past(gateway: Gateway) -> None:
    held = gateway.budget(10)
    gateway.refresh()
    gateway.spend("9.5")
    with psycopg.connect(conninfo()) as other, ThreadPoolExecutor(1) as asking:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_lock(Place(held.pk, ""))])
        answer = asking.submit(gateway.ask, estimated_cost="0.4", reserve=True)
        until(lambda: waiting_since(gateway))
        first = waiting_since(gateway)
        until(lambda: waiting_since(gateway) not in {None, first})  # given up, and tried again
        other.rollback()
        said = answer.result(20)
    assert (said["decision"], said["reasons"][0]["code"]) == ("allow", "within_budget")
    assert said["reservation"] is not None
