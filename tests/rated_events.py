"""Events for tests of rating: stored one by one, rated as the ledger of that moment says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from finops import ledger, rerating, rollups
from finops.models import Price
from finops.pricing.formula import Quantities
from finops.pricing.resolution import RateCard
from ingest import partitions
from ingest.rating import Rate
from tests import usage

KOLKATA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 10, 5, tzinfo=UTC)
COSTS = "input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost"
ARGUMENTS = (
    "uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens, "
    "cache_creation_1h_input_tokens, input_audio_tokens, text_output_tokens, "
    "reasoning_output_tokens, output_audio_tokens"
)

USED = Quantities(uncached_input=1000, text_output=100)
COST = Decimal("0.002")


def record(
    at: datetime,
    used: Quantities,
    *,
    provider: str = "acme",
    model: str = "m",
    fold: bool = True,
    card: RateCard | None = None,
) -> str:
    """Stores one event, rated with `card` or the ledger of that moment, in a folded batch."""
    partitions.make(usage.begun(), [at.date()])
    card = card or rerating._current_card()
    found = card.rates(
        provider=provider, model=model, service_tier="standard", cache="none", fleet=""
    ).at(at, sum(used[:5])) or Rate(None, None)  # type: ignore[arg-type]
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
                user_id, price_id, contract_price_id, fixing_id, {ARGUMENTS}, normalised, event_id,
                {COSTS}, effective_cost, list_cost)
            SELECT %s, %s, %s, %s, %s, 0, list.id, contract.id, %s,
                {", ".join(["%s"] * 8)}, false, %s, cost.*
            FROM (SELECT 1) AS one
            LEFT JOIN price AS list ON list.id = %s
            LEFT JOIN price AS contract ON contract.id = %s
            CROSS JOIN LATERAL rate_usage(
                {", ".join(["%s"] * 8)}, NULL, list, contract, %s, %s) AS cost
            """,
            [
                *(key, at, batch, at.date(), attribution, found.fixing_id, *used[:8], key),
                *(*found[:2], *used[:8], *card.factors(found)),
            ],
        )
    if fold:
        fold_pending()
    return key


def fold_pending() -> None:
    with connection.cursor() as cursor:
        # A fold's temporary rows live until the commit, which within a test never comes.
        cursor.execute("DROP TABLE IF EXISTS fresh_event, fresh_hour, fresh_user_day")
    rollups.fold_waiting(END, KOLKATA)


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
