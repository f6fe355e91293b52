"""What a close looks at in the database besides figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from django.db import connection, transaction

from finops.costs import naming
from finops.periods import Period, add_months
from finops.sql import statement


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that sees one moment. Within a caller's it sees what that sees."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def events_of(period: Period) -> int:
    """Those of batches that wait to be rolled up and reach into it. Uses ingest_batch_unfolded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(accepted), 0) FROM ingest_batch WHERE folded_at IS NULL"
            " AND first_started_at < %s AND last_started_at >= %s",
            [period.end, period.start],
        )
        return int(cursor.fetchall()[0][0])


def unchecked_days(month: date) -> int:
    """How many have changed since they were last compared with their events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM rollup_unchecked WHERE day >= %s AND day < %s",
            [month, add_months(month, 1)],
        )
        return int(cursor.fetchall()[0][0])


def marks_of(months: Sequence[date]) -> tuple[str, dict[date, str]]:
    """Of the names that figures go by; and by month which transactions changed its days last."""
    with connection.cursor() as cursor:
        names = naming(cursor)
        cursor.execute(statement("marks_of_months"), {"months": list(months)})
        return names, dict(cursor.fetchall())
