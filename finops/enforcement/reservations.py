"""Which reservations are in the figures, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from finops.sql import statement

# Clients send their events some seconds after they say what a call has cost.
GRACE = timedelta(seconds=10)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """`counted` are in the figures; of `seen` the event is there, but maybe not folded yet."""

    counted: Sequence[UUID]
    seen: Sequence[UUID]


def judge(cursor: CursorWrapper, now: datetime, rolled_up_to: datetime) -> Judged:
    """In the snapshot of the figures: what is in these counts no more beside them."""
    cursor.execute("SELECT min(created_at) FROM reservation")
    [oldest] = cursor.fetchone()
    if oldest is None:
        return Judged((), ())
    cursor.execute(
        statement("counted_reservations"),
        {
            "now": now,
            "rolled_up_to": rolled_up_to,
            "settled_before": rolled_up_to - GRACE,
            # An event may have begun a little before it was asked for.
            "first_day": (oldest.astimezone(UTC) - DAY).date(),
            "last_day": (now.astimezone(UTC) + DAY).date(),
        },
    )
    rows = cursor.fetchall()
    return Judged([id for id, counts in rows if counts], [id for id, counts in rows if not counts])


def end(judged: Judged, now: datetime) -> int:
    """Take away those that are over; how many. In the transaction that hands the figures over."""
    with connection.cursor() as cursor:
        if judged.seen:
            cursor.execute(
                "UPDATE reservation SET seen_at = %s WHERE id = ANY(%s)", [now, list(judged.seen)]
            )
        cursor.execute(
            statement("remove_reservations"), {"counted": list(judged.counted), "now": now}
        )
        [ended] = cursor.fetchone()
    return int(ended)
