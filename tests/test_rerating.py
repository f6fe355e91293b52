"""Rating again: previewed, exact, and on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from finops import ledger, rating_previews, rerating
from finops.models import RatingRun
from finops.pricing.formula import Quantities, rate
from ingest.rating import Rate
from tests import operating
from tests.rated_events import (
    COST,
    END,
    KOLKATA,
    START,
    USED,
    add,
    events,
    priced,
    record,
    rolled_up,
)

pytestmark = pytest.mark.django_db


def test_a_preview_changes_nothing() -> None:
    record(START, USED)
    priced()
    before = events(), rolled_up()

    difference = rating_previews.preview(START, END, KOLKATA)

    assert (events(), rolled_up()) == before
    assert not RatingRun.objects.exists()
    total = difference.total
    assert (total.examined, total.changed) == (1, 1)
    assert (total.cost_before, total.cost_after, total.difference) == (0, COST, COST)
    assert (total.unpriced_before, total.unpriced_after) == (1, 0)


def test_applying_writes_events_rollups_and_the_run() -> None:
    key = record(START, USED)
    record(START + timedelta(days=2), USED, model="other")
    assert events()[key] == (None, None, None)
    line = priced(model="m")

    done = operating.rerate(START, END, KOLKATA, reason="new contract")

    assert events()[key] == (COST, COST, line.pk)
    assert rolled_up() == [(2, 1, COST)] * 3
    run = RatingRun.objects.get()
    assert (run.requested_by, run.reason) == ("ada", "new contract")
    assert (run.events_examined, run.events_changed) == (2, 1)
    assert (run.cost_before, run.cost_after) == (0, COST)
    assert (run.unpriced_before, run.unpriced_after) == (2, 1)
    assert run.finished_at is not None
    assert done.by_model["acme", "other"].changed == 0
    assert done.by_rate[Rate(line.pk, None)].cost_after == COST
    assert done.by_rate[None].unpriced_after == 1


def test_applying_again_changes_nothing_more() -> None:
    record(START, USED)
    priced()
    operating.rerate(START, END, KOLKATA)
    before = events(), rolled_up()
    assert operating.rerate(START, END, KOLKATA).total.changed == 0
    assert (events(), rolled_up()) == before


def test_only_the_range_is_rated_again() -> None:
    # 18:30 UTC is midnight in Kolkata: both lie in one UTC day.
    midnight = datetime(2026, 10, 1, 18, 30, tzinfo=UTC)
    before = record(midnight - timedelta(microseconds=1), USED)
    after = record(midnight, USED)
    priced()
    operating.rerate(midnight, END, KOLKATA)
    assert events()[before][0] is None
    assert events()[after][0] == COST
    assert rolled_up() == [(2, 1, COST)] * 3


def test_a_preview_counts_each_cost_that_is_not_what_its_lines_give() -> None:
    priced()
    keys = [record(START + timedelta(hours=1), USED) for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = 7 WHERE event_key = %s", keys[:1])
    found = rating_previews.preview(START, END, KOLKATA).total
    assert (found.examined, found.changed, found.cost_before) == (3, 1, 7 + 2 * COST)
    assert found.cost_after == 3 * COST


def test_rating_again_follows_dates_windows_and_context_lengths() -> None:
    """What SQL joins is what the rate card resolves, and what the reference computes."""
    ledger.sync_catalog(START)
    add(
        provider="anthropic",
        discount_percent="7.5",
        effective_from=(START + timedelta(days=1)).isoformat(),
    )
    requests = [
        (provider, model, START + timedelta(hours=hours), Quantities(tokens, 50, 3, 2, 0, 70, 9, 0))
        for provider, model in [
            ("anthropic", "claude-sonnet-4-5"),
            ("deepseek", "deepseek-v4-flash"),
            ("openai", "gpt-5"),
            ("nobody", "knows"),
        ]
        for hours in (0, 2, 5, 24, 26, 71)
        for tokens in (10, 199_945, 199_946)
    ]
    card = rerating._current_card()
    recorded = {
        record(at, used, provider=provider, model=model, fold=False, card=card): (
            provider,
            model,
            at,
            used,
        )
        for provider, model, at, used in requests
    }
    expected = events()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_event SET price_id = NULL, contract_price_id = NULL, "
            "effective_cost = NULL, list_cost = NULL"
        )
    foreseen = rating_previews.preview(START, END, KOLKATA)
    done = operating.rerate(START, END, KOLKATA)
    assert (foreseen.total, foreseen.by_model) == (done.total, done.by_model)
    assert foreseen.by_rate == done.by_rate
    assert foreseen.lacking == {("nobody", "knows"): {"": 18}}
    assert events() == expected
    lines = {line.id: line for line in ledger.current_lines()}
    for key, (provider, model, at, used) in recorded.items():
        found = card.rates(
            provider=provider, model=model, service_tier="standard", cache="none", fleet=""
        ).at(at, sum(used[:5]))
        rating = rate(
            used,
            lines[found.price_id] if found else None,
            lines[found.contract_price_id] if found and found.contract_price_id else None,
        )
        assert expected[key][:2] == (rating.effective_cost, rating.list_cost)


def test_the_command_previews_and_applies(settings: Settings) -> None:
    settings.REPORTING_ZONE = KOLKATA
    key = record(START, USED)
    line = priced(model="m")
    out = StringIO()
    call_command("rerate", start="2026-10-01", end="2026-10-05", stdout=out)
    assert events()[key][0] is None
    assert "acme/m" in out.getvalue()
    assert f"#{line.pk} acme/m" in out.getvalue()
    assert out.getvalue().rstrip().endswith("Run again with --apply to write it.")
    call_command("rerate", start="2026-10-01", end="2026-10-05", apply=True, stdout=out)
    assert events()[key][0] == COST


def test_the_command_refuses_a_range_that_is_none() -> None:
    with pytest.raises(CommandError, match="end"):
        call_command("rerate", start="2026-10-05", end="2026-10-01")
