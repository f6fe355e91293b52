"""The tables of facts and of what is made of them. They are not models, so the flush after a
transactional test leaves them."""

from __future__ import annotations

from django.db import connection

FACT_TABLES = """
    usage_event, event_alias, settlement, ingest_batch, attribution, rollup_hour, rollup_day,
    rollup_user_day, rollup_user_total, rollup_user_span, rollup_day_users, rollup_unsettled,
    rollup_state, rollup_minute, minute_key, attribution_owner
"""
FORGET = (f"TRUNCATE {FACT_TABLES}", "DELETE FROM end_user WHERE id <> 0")


def forget_facts() -> None:
    with connection.cursor() as cursor:
        for statement in FORGET:
            cursor.execute(statement)
