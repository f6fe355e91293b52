"""One consistent look at the database: rows, totals and freshness of an answer belong together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

from finops.costs.results import UNATTRIBUTED, Freshness
from finops.query import CostQuery
from ingest.user_names import hashed

TIMEOUT_MILLISECONDS = 15_000


class QueryTooSlow(RuntimeError):
    """The question reads more than can be answered while somebody waits."""

    def __init__(self) -> None:
        super().__init__(
            f"This takes longer than {TIMEOUT_MILLISECONDS / 1000:g} s. "
            "Choose a shorter period, whole days, or add a filter."
        )


@contextmanager
def snapshot(milliseconds: int | None = None) -> Iterator[CursorWrapper]:
    """A cursor that sees one moment, reads only and gives up after some seconds, or after so many
    milliseconds.

    Inside a caller's transaction it sees what that sees. Raises QueryTooSlow.
    """
    is_outermost = not connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Compiling a query takes longer than these run.
            cursor.execute(
                """
                SELECT
                    set_config('statement_timeout', %s, true),
                    set_config('jit', 'off', true),
                    set_config('work_mem', '64MB', true)
                """,
                [str(milliseconds or TIMEOUT_MILLISECONDS)],
            )
            yield cursor
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise QueryTooSlow from error
        raise


def read_freshness(cursor: CursorWrapper, teams: Collection[str] | None = None) -> Freshness:
    """What waits of keys of these teams (None: of all), and up to when all is in the figures.

    Uses the partial index ingest_batch_unfolded, and the key of rollup_hour for its first.
    """
    cursor.execute(
        """
        SELECT
            coalesce(min(batch.committed_at), transaction_timestamp()),
            coalesce(
                sum(batch.accepted) FILTER (
                    WHERE %(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[])
                ),
                0
            ),
            EXISTS (SELECT 1 FROM ingest_batch),
            (SELECT min(hour) FROM rollup_hour)
        FROM ingest_batch AS batch
        LEFT JOIN ingest_key AS key ON key.id = batch.key_id
        WHERE batch.folded_at IS NULL
        """,
        {"teams": None if teams is None else list(teams)},
    )
    row = cursor.fetchone()
    assert row is not None
    since = row[3].astimezone(UTC) if row[3] else None
    return Freshness(row[0] if row[2] else None, int(row[1]), since)


def find_users(cursor: CursorWrapper, query: CostQuery) -> dict[str, int]:
    """The numbers of the users that filters name, who may be stored by a hash of the name; who is
    unknown has none."""
    return user_numbers(
        cursor, [name for each in query.filters if each.dimension == "user" for name in each.values]
    )


def user_numbers(cursor: CursorWrapper, names: Collection[str]) -> dict[str, int]:
    """The same of names."""
    if not names:
        return {}
    forms = {name: (name, hashed(settings.USER_HASH_KEY, name)) for name in names}
    wanted = [form for each in forms.values() for form in each]
    cursor.execute("SELECT name, id FROM end_user WHERE name = ANY(%s)", [wanted])
    stored = dict(cursor.fetchall())
    found = {
        name: stored[form] for name, each in forms.items() for form in each[::-1] if form in stored
    }
    return {**found, **({UNATTRIBUTED: 0} if UNATTRIBUTED in names else {})}
