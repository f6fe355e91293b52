"""How what a test committed is forgotten: of all the tables only those are emptied that hold
something, as a few of them do. To truncate every table takes longer than most tests.

The tables of facts and of what is made of them are no models: whoever commits facts forgets them,
with `forget_facts`. Tables of models are emptied after each transactional test.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

FACT_TABLES = """
    usage_event, event_alias, settlement, ingest_batch, attribution, rollup_hour, rollup_day,
    rollup_user_day, rollup_user_total, rollup_user_span, rollup_day_users, rollup_unsettled,
    rollup_state, rollup_minute, minute_key, attribution_owner
"""
# Nobody writes there while it is looked what is filled, and who is writing still is waited for.
# PostgreSQL truncates what foreign keys refer to only together with all that refer to it; they are
# checked at the end, when everything is gone.
EMPTY = """
    DO $$
    DECLARE
        each regclass;
        is_filled boolean;
    BEGIN
        -- What is never changed or emptied in use, such as the audit log, is forgotten here too.
        PERFORM set_config('session_replication_role', 'replica', true);
        LOCK TABLE {tables} IN EXCLUSIVE MODE;
        FOR each IN
            SELECT coalesce(leaf.relid, root)
            FROM unnest('{{{tables}}}'::regclass[]) AS root
            LEFT JOIN LATERAL (SELECT relid FROM pg_partition_tree(root) WHERE isleaf) AS leaf
                ON true
        LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || each || ')' INTO is_filled;
            IF is_filled AND EXISTS (SELECT FROM pg_constraint WHERE confrelid = each) THEN
                EXECUTE 'DELETE FROM ' || each;
            ELSIF is_filled THEN
                EXECUTE 'TRUNCATE ' || each;
            END IF;
        END LOOP;
    END $$
"""
FORGET = (
    EMPTY.format(tables=FACT_TABLES),
    "DELETE FROM end_user WHERE id <> 0",
)
# As migrations left them, and no test writes there.
KEPT = {ContentType._meta.db_table, Permission._meta.db_table}


def forget_facts() -> None:
    with connection.cursor() as cursor:
        for statement in FORGET:
            cursor.execute(statement)


def forget_models() -> None:
    """As `manage.py flush`, which makes all permissions anew besides."""
    names = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    with connection.cursor() as cursor:
        cursor.execute(EMPTY.format(tables=", ".join(sorted(names))))
