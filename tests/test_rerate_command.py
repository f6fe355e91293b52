"""What `manage.py rerate` shows: what changes, what it comes to, and why nothing does."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from finops import ledger
from tests import usage

pytestmark = pytest.mark.django_db

START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


def price(model: str, **terms: Any) -> None:
    line = {"kind": "contract", "provider": "acme", "model": model}
    prices = {"uncached_input_price": "0.000001", "text_output_price": "0.00001"}
    ledger.add(line | prices | terms, author="ada", zone=UTC)


def record(*models: str) -> None:
    events = [usage.event(START, provider="acme", model=model) for model in models]
    usage.record(events, now=NOW, zone=ZoneInfo("UTC"))


def rerate(**options: Any) -> str:
    out = StringIO()
    call_command("rerate", start="2026-10-12", end="2026-10-14", stdout=out, **options)
    return out.getvalue()


def test_only_what_changes_is_listed_with_a_total_and_a_count_of_the_rest() -> None:
    price("kept")
    record("kept", "kept", "dearer", "stranger")
    price("dearer")
    said = rerate()
    assert "acme/dearer " in said
    assert "acme/kept" not in said
    assert "acme/stranger" not in said
    (total,) = [line for line in said.splitlines() if line.startswith("all events")]
    assert total.split()[2:4] == ["4", "1"]
    assert "1 events change, 3 do not" in said
    assert "2 models, 2 price lines" in said
    assert "1 events stay unpriced" in said
    assert "Run again with --apply" in said


def test_a_preview_in_which_nothing_changes_says_why_and_offers_no_apply() -> None:
    price("kept")
    record("kept")
    said = rerate()
    assert "Nothing changes: all 1 events are rated as the ledger says now." in said
    assert "--apply" not in said
    assert "Written" not in rerate(apply=True)


def test_a_period_without_events_is_called_so() -> None:
    assert "there are no events between --start and --end" in rerate()
    price("kept")
    record("kept")
    assert "there are no unpriced events" in rerate(only_unpriced=True)
