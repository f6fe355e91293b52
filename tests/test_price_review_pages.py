"""What the Prices desk puts first and what it leaves out: held prices in use, runs of nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desks import reader
from page_texts import text_of

from finops import ledger
from finops.demo.setup import prepare
from finops.models import AuditRecord, Price, PriceHold, RatingRun
from finops.rerating import AUTOMATIC
from tests import usage

pytestmark = pytest.mark.django_db


def test_a_held_price_of_a_model_in_use_comes_first_and_says_that_it_has_none() -> None:
    now = datetime.now(UTC)
    at = now - timedelta(hours=1)
    ledger.sync_catalog(now)
    PriceHold.objects.all().delete()
    for model in ("gpt-4o", "a-model", "z-model"):
        PriceHold.objects.create(
            fingerprint=model,
            provider="openai",
            model=model,
            described=f"openai/{model}",
            source="a test",
            findings=[],
            has_predecessor=False,
            seen_at=now,
        )
    Price.objects.filter(provider="openai", model="gpt-4o").update(superseded_at=now)
    usage.record([usage.event(at)], now=now)
    finance = reader("finance")
    held = text_of(finance.get("/prices/holds").text)
    assert "1 of them is of models that requests came for" in held
    assert held.index("openai/gpt-4o in use, unpriced") < held.index("openai/a-model")
    queue = finance.get("/prices/unpriced").text
    assert "its price is held" in queue
    assert 'href="/prices/holds?q=gpt-4o"' in queue


def test_runs_that_began_by_themselves_and_changed_nothing_are_counted_not_listed() -> None:
    now = datetime.now(UTC)
    for changed in (0, 0, 7):
        RatingRun.objects.create(
            start=now, end=now, requested_by=AUTOMATIC, events_changed=changed, finished_at=now
        )
    asked = RatingRun.objects.create(start=now, end=now, requested_by="ada", finished_at=now)
    finance = reader("finance")
    page = text_of(finance.get("/prices/ratings").text)
    assert page.count("price ledger") == 1
    assert f"#{asked.pk}," in page
    assert "2 runs that began by themselves and changed nothing are not listed" in page
    assert text_of(finance.get("/prices/ratings?show=all").text).count("price ledger") == 3


def test_the_prices_of_the_demo_are_in_the_audit_log(tmp_path: Path) -> None:
    prepare(tmp_path / "demo.json", datetime.now(UTC), 30)
    lines = Price.objects.filter(author="demo")
    records = AuditRecord.objects.filter(action="price.add", actor="manage.py load_demo")
    assert {record.subject.split()[0] for record in records} == {f"#{line.pk}" for line in lines}
    assert "h100-eu" in {record.after.get("fleet") for record in records}
