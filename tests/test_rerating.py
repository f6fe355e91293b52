"""Rating again: previewed, exact, on record, and by itself where a price arrives."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from finops import ledger, rerating, rollups, tasks
from finops.models import Price, RatingRun
from finops.pricing.formula import Quantities, rate
from ingest import partitions
from ingest.rating import Rate

pytestmark = pytest.mark.django_db

KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 10, 5, tzinfo=UTC)
COSTS = "input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost"
ARGUMENTS = (
    "uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens, "
    "cache_creation_1h_input_tokens, input_audio_tokens, text_output_tokens, "
    "reasoning_output_tokens, output_audio_tokens"
)

Record = Callable[..., str]


@pytest.fixture
def record() -> Record:
    """Stores one event, rated as ingest would with the ledger of that moment, in a folded batch."""
    numbers = iter(range(1_000_000))

    def record(
        at: datetime,
        used: Quantities,
        *,
        provider: str = "acme",
        model: str = "m",
        fold: bool = True,
    ) -> str:
        number = next(numbers)
        partitions.make(connection.connection, [at.date()])
        card = rerating._current_card()
        found = card.resolve(
            provider=provider,
            model=model,
            service_tier="standard",
            cache="none",
            fleet="",
            at=at,
            input_tokens=sum(used[:5]),
        ) or Rate(None, None)  # type: ignore[arg-type]
        key = str(uuid.uuid4())
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO attribution (fingerprint, provider, model, operation, service, feature,
                    team, environment, region, latency_tier, service_tier, status, cache, fleet,
                    variant)
                VALUES (%s, %s, %s, 'chat', 's', '', '', '', '', '', 'standard', 'ok', 'none',
                    '', '')
                RETURNING id
                """,
                [str(uuid.uuid4()), provider, model],
            )
            (attribution,) = cursor.fetchone()
            cursor.execute(
                """
                INSERT INTO ingest_batch (key_id, source, format, received_at, committed_at,
                    accepted, duplicates, first_started_at, last_started_at)
                VALUES (1, 's', 'json', %(at)s, %(at)s, 1, 0, %(at)s, %(at)s) RETURNING id
                """,
                {"at": at},
            )
            (batch,) = cursor.fetchone()
            cursor.execute(
                f"""
                INSERT INTO usage_event (event_key, started_at, batch_id, day, attribution_id,
                    user_id, price_id, contract_price_id, {ARGUMENTS}, normalised, event_id,
                    {COSTS}, effective_cost, list_cost)
                SELECT %s, %s, %s, %s, %s, 0, list.id, contract.id,
                    {", ".join(["%s"] * 8)}, false, %s, cost.*
                FROM (SELECT 1) AS one
                LEFT JOIN price AS list ON list.id = %s
                LEFT JOIN price AS contract ON contract.id = %s
                CROSS JOIN LATERAL rate_usage(
                    {", ".join(["%s"] * 8)}, NULL, list, contract) AS cost
                """,
                [
                    *(key, at, batch, at.date(), attribution, *used[:8], str(number)),
                    *(*found, *used[:8]),
                ],
            )
        if fold:
            fold_pending()
        return key

    return record


def fold_pending() -> None:
    with connection.cursor() as cursor:
        # A fold's temporary rows live until the commit, which within a test never comes.
        cursor.execute("DROP TABLE IF EXISTS fresh_event, fresh_hour, fresh_user_day")
    rollups.fold_pending(END, KOLKATA)


def add(**terms: object) -> Price:
    return ledger.add({"kind": "contract", "provider": "acme"} | terms, author="ada", zone=UTC)


def priced(text_output: str = "0.00001", **terms: object) -> Price:
    return add(uncached_input_price="0.000001", text_output_price=text_output, **terms)


def events() -> dict[str, tuple[Decimal | None, Decimal | None, int | None]]:
    """Event → effective cost, list cost, price line."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_key, effective_cost, list_cost, price_id FROM usage_event")
        return {str(key): tuple(rest) for key, *rest in cursor.fetchall()}


def rolled_up() -> list[tuple[int, int, Decimal]]:
    """(requests, unpriced, cost) of the hours, the days and the users' days."""
    totals = []
    with connection.cursor() as cursor:
        for table in ("rollup_hour", "rollup_day", "rollup_user_day"):
            cursor.execute(
                "SELECT coalesce(sum(requests), 0)::int, coalesce(sum(unpriced_requests), 0)::int,"
                f" coalesce(sum(effective_cost), 0) FROM {table}"
            )
            totals.append(cursor.fetchone())
    return totals


USED = Quantities(uncached_input=1000, text_output=100)
COST = Decimal("0.002")


def test_a_preview_changes_nothing(record: Record) -> None:
    record(START, USED)
    priced()
    before = events(), rolled_up()

    difference = rerating.preview(START, END, KOLKATA)

    assert (events(), rolled_up()) == before
    assert not RatingRun.objects.exists()
    total = difference.total
    assert (total.examined, total.changed) == (1, 1)
    assert (total.cost_before, total.cost_after, total.difference) == (0, COST, COST)
    assert (total.unpriced_before, total.unpriced_after) == (1, 0)


def test_applying_writes_events_rollups_and_the_run(record: Record) -> None:
    key = record(START, USED)
    record(START + timedelta(days=2), USED, model="other")
    assert events()[key] == (None, None, None)
    line = priced(model="m")

    done = rerating.apply(START, END, KOLKATA, requested_by="ada", reason="new contract")

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


def test_applying_again_changes_nothing_more(record: Record) -> None:
    record(START, USED)
    priced()
    rerating.apply(START, END, KOLKATA, requested_by="ada")
    before = events(), rolled_up()
    assert rerating.apply(START, END, KOLKATA, requested_by="ada").total.changed == 0
    assert (events(), rolled_up()) == before


def test_history_stays_until_someone_asks(record: Record) -> None:
    old = priced()
    key = record(START, USED)
    ledger.supersede(old.pk, END)
    new = priced("0.00003")
    rerating.rerate_unpriced(KOLKATA)
    assert events()[key] == (COST, COST, old.pk)
    rerating.apply(START, END, KOLKATA, requested_by="ada", only_unpriced=True)
    assert events()[key] == (COST, COST, old.pk)
    rerating.apply(START, END, KOLKATA, requested_by="ada")
    assert events()[key] == (Decimal("0.004"), Decimal("0.004"), new.pk)


def test_only_the_range_is_rated_again(record: Record) -> None:
    # 18:30 UTC is midnight in Kolkata: both lie in one UTC day.
    midnight = datetime(2026, 10, 1, 18, 30, tzinfo=UTC)
    before = record(midnight - timedelta(microseconds=1), USED)
    after = record(midnight, USED)
    priced()
    rerating.apply(midnight, END, KOLKATA, requested_by="ada")
    assert events()[before][0] is None
    assert events()[after][0] == COST
    assert rolled_up() == [(2, 1, COST)] * 3


def test_a_new_price_rates_the_unpriced_events_it_covers_by_itself(record: Record) -> None:
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


def test_the_scheduled_task_does_that(record: Record, settings: Settings) -> None:
    settings.REPORTING_ZONE = KOLKATA
    key = record(START, USED)
    priced()
    tasks.rerate_unpriced()
    assert events()[key][0] == COST


def test_without_a_change_of_the_ledger_nothing_is_rated_again(record: Record) -> None:
    record(START, USED)
    Price.objects.update(recorded_at=START)
    assert rerating.rerate_unpriced(KOLKATA) is not None
    assert rerating.rerate_unpriced(KOLKATA) is None


def test_right_after_a_change_the_card_of_before_may_still_be_in_use(record: Record) -> None:
    priced()
    rerating.rerate_unpriced(KOLKATA)
    record(START, USED)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET effective_cost = NULL, price_id = NULL")
    done = rerating.rerate_unpriced(KOLKATA)
    assert done is not None
    assert done.total.changed == 1


def test_an_event_that_is_not_folded_yet_is_rated_and_counted_once(record: Record) -> None:
    record(START, USED)
    record(START, USED, fold=False)
    priced()
    rerating.rerate_unpriced(KOLKATA)
    assert rolled_up() == [(1, 0, COST)] * 3
    fold_pending()
    assert rolled_up() == [(2, 0, 2 * COST)] * 3


def test_rating_again_follows_dates_windows_and_context_lengths(record: Record) -> None:
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
    recorded = {
        record(at, used, provider=provider, model=model, fold=False): (provider, model, at, used)
        for provider, model, at, used in requests
    }
    expected = events()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_event SET price_id = NULL, contract_price_id = NULL, "
            "effective_cost = NULL, list_cost = NULL"
        )
    rerating.apply(START, END, KOLKATA, requested_by="ada")
    assert events() == expected
    lines = {line.id: line for line in ledger.current_lines()}
    card = rerating._current_card()
    for key, (provider, model, at, used) in recorded.items():
        found = card.resolve(
            provider=provider,
            model=model,
            service_tier="standard",
            cache="none",
            fleet="",
            at=at,
            input_tokens=sum(used[:5]),
        )
        rating = rate(
            used,
            lines[found.price_id] if found else None,
            lines[found.contract_price_id] if found and found.contract_price_id else None,
        )
        assert expected[key][:2] == (rating.effective_cost, rating.list_cost)


def test_the_command_previews_and_applies(record: Record, settings: Settings) -> None:
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
