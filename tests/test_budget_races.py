"""Two who change one budget at once: nobody's change is taken back unseen."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from budgeting import budget
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from finops.models import Budget

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


def patch(client: Client, made: Budget) -> int:
    try:
        body = json.dumps({"note": "Asked for by cx."})
        path = f"/api/v1/budgets/{made.pk}"
        return client.patch(path, body, content_type="application/json").status_code
    finally:
        connection.close()


def wait_for_a_lock() -> None:
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
                """
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits for the budget")


def test_a_note_takes_no_amount_back_that_came_meanwhile(signed_in: Client) -> None:
    made = budget(NOW, amount=100)
    with ThreadPoolExecutor(1) as others:
        with transaction.atomic():
            Budget.objects.select_for_update().get(pk=made.pk)
            answer = others.submit(patch, signed_in, made)
            wait_for_a_lock()
            Budget.objects.filter(pk=made.pk).update(amount=500, version=F("version") + 1)
        assert answer.result(20) == 409
    assert Budget.objects.get(pk=made.pk).amount == 500
