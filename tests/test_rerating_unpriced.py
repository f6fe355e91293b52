"""Unpriced events are rated again by themselves where a price arrives; nothing else is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from pytest_django import Settings

from finops import ledger, rerating, tasks
from finops.models import Price, RatingRun
from tests import operating
from tests.rated_events import (
    COST,
    END,
    KOLKATA,
    START,
    USED,
    events,
    fold_pending,
    priced,
    record,
    rolled_up,
)

pytestmark = pytest.mark.django_db


def test_history_stays_until_someone_asks() -> None:
    old = priced()
    key = record(START, USED)
    ledger.supersede(old.pk, END)
    new = priced("0.00003")
    rerating.rerate_unpriced(KOLKATA)
    assert events()[key] == (COST, COST, old.pk)
    operating.rerate(START, END, KOLKATA, only_unpriced=True)
    assert events()[key] == (COST, COST, old.pk)
    operating.rerate(START, END, KOLKATA)
    assert events()[key] == (Decimal("0.004"), Decimal("0.004"), new.pk)


def test_a_new_price_rates_the_unpriced_events_it_covers_by_itself() -> None:
    covered = [record(START + timedelta(hours=hour), USED) for hour in (0, 20, 40)]
    stranger = record(START, USED, provider="nobody")
    priced()

    done = rerating.rerate_unpriced(KOLKATA)

    assert done is not None
    assert done.total.changed == 3
    assert [events()[key][0] for key in covered] == [COST] * 3
    assert events()[stranger] == (None, None, None)
    assert rolled_up() == [(4, 1, 3 * COST)] * 3
    run = RatingRun.objects.get()
    assert (run.requested_by, run.only_unpriced) == (rerating.AUTOMATIC, True)


def test_the_scheduled_task_does_that(settings: Settings) -> None:
    settings.REPORTING_ZONE = KOLKATA
    key = record(START, USED)
    priced()
    tasks.rerate_unpriced()
    assert events()[key][0] == COST


def test_without_a_change_of_the_ledger_nothing_is_rated_again() -> None:
    record(START, USED)
    Price.objects.update(recorded_at=START)
    assert rerating.rerate_unpriced(KOLKATA) is not None
    assert rerating.rerate_unpriced(KOLKATA) is None


def test_right_after_a_change_the_card_of_before_may_still_be_in_use() -> None:
    priced()
    rerating.rerate_unpriced(KOLKATA)
    record(START, USED)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = NULL, price_id = NULL")
    done = rerating.rerate_unpriced(KOLKATA)
    assert done is not None
    assert done.total.changed == 1


def test_an_event_that_is_not_folded_yet_is_rated_and_counted_once() -> None:
    record(START, USED)
    record(START, USED, fold=False)
    priced()
    rerating.rerate_unpriced(KOLKATA)
    assert rolled_up() == [(1, 0, COST)] * 3
    fold_pending()
    assert rolled_up() == [(2, 0, 2 * COST)] * 3
