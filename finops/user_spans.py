"""All users of a settled day, week or month in one row of arrays, which user_sums.py adds up.

Whoever settles days holds the lock on folding, and calls this in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor
from psycopg.sql import SQL

from finops.sql import statement
from finops.user_sums import STORED, Amounts, UserSums

# One row: rows of user_id, requests, unpriced_requests and effective_cost, joined as PostgreSQL
# sends them, which takes it a fifth of the time of adding them up.
JOINED = SQL(
    """
SELECT
    coalesce(string_agg(int4send(user_id), ''), ''),
    coalesce(string_agg(int8send(requests), ''), ''),
    coalesce(string_agg(int8send(unpriced_requests), ''), ''),
    coalesce(string_agg(int4send(length(cost)), ''), ''),
    coalesce(string_agg(cost, ''), '')
FROM (
    SELECT
        user_id, requests::bigint AS requests, unpriced_requests::bigint AS unpriced_requests,
        numeric_send(coalesce(effective_cost, 0)) AS cost
    FROM (
{usage}
    ) AS used
) AS person
"""
)
OF_SPAN = SQL(
    """    SELECT user_id, requests, unpriced_requests, effective_cost
    FROM rollup_user_total
    WHERE span = %(span)s AND start = %(start)s AND requests > 0"""
)


def joined(
    users: bytes, requests: bytes, unpriced: bytes, lengths: bytes, costs: bytes
) -> UserSums:
    """Of a row of JOINED."""
    return UserSums(
        np.frombuffer(users, dtype=">i4").astype(np.int32),
        signed_integers(requests),
        signed_integers(unpriced),
        Amounts.of_numerics(lengths, costs),
    )


def signed_integers(values: bytes) -> Amounts:
    numbers = np.frombuffer(values, dtype=">i8").astype(np.int64)
    size, sign = Amounts.of_integers(np.abs(numbers)), np.sign(numbers)
    return size.times(sign)


def stored(users: bytes, requests: bytes, unpriced: bytes, costs: bytes, lowest: int) -> UserSums:
    """Of a row of rollup_user_span."""
    numbers = np.frombuffer(users, dtype=STORED)
    count = len(numbers)
    return UserSums(
        numbers,
        Amounts.stored(0, requests, count),
        Amounts.stored(0, unpriced, count),
        Amounts.stored(lowest, costs, count),
    )


def settle(cursor: CursorWrapper, days: Sequence[date]) -> None:
    """Make the spans that hold these days again of rollup_user_total."""
    cursor.execute(statement("user_spans_of_days"), {"days": list(days)})
    spans = [{"span": span, "start": start} for span, start in cursor.fetchall()]
    with Cursor(connection.connection) as binary:
        for span in spans:
            [row] = binary.execute(JOINED.format(usage=OF_SPAN), span, binary=True).fetchall()
            sums = joined(*row)
            written = {
                "users": sums.users.astype(STORED).tobytes(),
                "requests": sums.requests.to_bytes(),
                "unpriced_requests": sums.unpriced_requests.to_bytes(),
                "effective_cost": sums.effective_cost.to_bytes(),
                "lowest": sums.effective_cost.lowest,
            }
            binary.execute(statement("write_user_span"), {**span, **written})
