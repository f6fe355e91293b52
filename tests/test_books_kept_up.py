"""What closed months came to is kept, and is what reading them anew says, whatever has happened."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from finops import cost_items, ledger, rollup_checks, rollups, teams
from finops.books import changes, closing, drafts, frozen
from finops.models import ClosedMonthChange, Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from tests import figures, operating, ownership, usage
from tests.fact_tables import forget_facts

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 4, 12, tzinfo=UTC)
ZONE = settings.REPORTING_ZONE
ALL = ("unpriced", "unattributed", "unchecked", "beginning")


@pytest.fixture
def act(administrator: User) -> Iterator[Act]:
    """October and November are closed, with a commitment in both of them."""
    figures.price_models()
    ownership.make_centers("CC-1", "CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    usage.record(figures.random_events(7, 40, START, START + timedelta(days=60)), now=NOW)
    by = Act(administrator, NOW)
    ptu = {
        "kind": "commitment", "name": "PTU", "hour_price": "0.01", "effective_from": "2026-10-01",
        "capacity_unit": "requests", "capacity_per_hour": "10", "filters": {"team": ["cx"]},
    }  # fmt: skip
    cost_items.make(cost_items.read(ptu), by)
    for month in (OCTOBER, NOVEMBER):
        closing.close(month, by, acknowledged=ALL)
    yield by
    forget_facts()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE rollup_unchecked, rollup_checked")


def anew() -> dict[date, Any]:
    return {each.month: changes.look(each, NOW) for each in frozen.newest()}


def price() -> None:
    """Another price of a model that has none, and October rated with it."""
    buckets = ("uncached_input", "cache_read_input", "text_output", "reasoning_output")
    terms = {f"{each}_price": "0.00001" for each in buckets}
    given = {"kind": "contract", "provider": "openai", "model": "mystery-model", **terms}
    ledger.add(given, author="ada", zone=UTC)
    operating.rerate(START, START + timedelta(days=31), ZONE)


def reopen(act: Act) -> None:
    bob = User.objects.create_superuser("bob", "bob@example.org", "correct horse battery")
    closing.ask_reopening(OCTOBER, "A rule was wrong.", act)
    closing.reopen(OCTOBER, Act(bob, NOW))
    rules.make(RuleEntry({"team": "cx"}, "CC-2", Days(OCTOBER, NOVEMBER)), act)
    closing.close(OCTOBER, act, acknowledged=ALL)


def correct(event: dict[str, Any]) -> None:
    usage.record([{**event, "id": "fixed", "input_tokens": 4, "corrects": event["id"]}], now=NOW)
    usage.settle(NOW + timedelta(days=1))


def everything(act: Act) -> list[Callable[[], object]]:
    """All that may change what a closed month comes to, and some that may not."""
    late = usage.event(START + timedelta(days=9), team="cx", user="ann")
    seats = {"kind": "fixed", "name": "Seats", "amount": "9", "effective_from": "2026-12-01"}
    gpus = {
        "kind": "commitment", "name": "GPUs", "hour_price": "1", "effective_from": "2026-12-01",
        "capacity_unit": "gpu_seconds", "capacity_per_hour": "3600", "filters": {"team": ["ads"]},
    }  # fmt: skip
    return [
        lambda: usage.record([late], now=NOW),
        lambda: correct(late),
        price,
        lambda: usage.record([usage.event(START + timedelta(days=40), team="new")], now=NOW),
        lambda: rules.make(RuleEntry({"team": "ads"}, "CC-2", Days(DECEMBER)), act),
        lambda: rules.make(RuleEntry({"user": "ann"}, "CC-2", Days(DECEMBER)), act),
        lambda: teams.make("ads", "CC-1", by=act.by, at=NOW),
        lambda: cost_items.make(cost_items.read(seats), act),
        lambda: cost_items.make(cost_items.read(gpus), act),
        lambda: operating.finished(
            operating.rebuild(START + timedelta(days=8), START + timedelta(days=11), ZONE)
        ),
        lambda: usage.record([usage.event(NOW - timedelta(hours=1), team="cx")], now=NOW),
        lambda: reopen(act),
    ]  # fmt: skip


def test_what_is_kept_is_what_reading_anew_says_whatever_has_happened(act: Act) -> None:
    assert changes.keep_up(NOW) == 2
    dice, acts = random.Random(11), everything(act)
    for each in acts:
        each()
        rollups.fold_waiting(NOW, ZONE)
        closed = frozen.newest()
        assert changes.of(closed, NOW) == anew()
        if dice.random() < 0.7:
            changes.keep_up(NOW)
            assert changes.keep_up(NOW) == 0
            assert changes.of(closed, NOW) == anew()
    assert any(each.direct for each in anew().values())


def test_closed_months_are_not_read_again_where_nothing_has_changed(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage.record([usage.event(START + timedelta(days=9), team="cx")], now=NOW)
    changes.keep_up(NOW)
    due = drafts.due(DECEMBER, NOW)
    assert due
    # Comparing a day with its events changes nothing of it, and no mark is lost by it.
    rollup_checks.check_day(date(2026, 10, 10), ZONE)
    usage.record([usage.event(NOW - timedelta(hours=1), team="cx")], now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(changes, "today", lambda month, now: pytest.fail(f"{month} is read again"))
        assert drafts.due(DECEMBER, NOW) == due
        assert changes.keep_up(NOW) == 0
    # One late event has its month read again, and no other.
    usage.record([usage.event(START + timedelta(days=9), team="cx")], now=NOW)
    assert drafts.due(DECEMBER, NOW) != due
    assert changes.keep_up(NOW) == 1
    ClosedMonthChange.objects.all().delete()
    assert changes.keep_up(NOW) == 2
