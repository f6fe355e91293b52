"""What has changed in the rollups since they were read, so that answers may be kept until then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.backends.utils import CursorWrapper

from finops.costs.results import Freshness
from finops.costs.snapshots import read_freshness, snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """How fresh the rollups are, and which days have changed lately: day → the transaction that
    changed it last. A night's check takes a day off, so nothing is to be kept for long. `naming`
    is another one as soon as what rollups hold goes by other names."""

    freshness: Freshness
    changed: Mapping[date, int]
    naming: str = ""

    def is_same(self, days: Collection[date], horizon: int) -> bool:
        """Whether none of these days has changed since a snapshot of this horizon was read."""
        return all(self.changed.get(day, -1) < horizon for day in days)


def look() -> Look:
    with snapshot() as cursor:
        freshness = read_freshness(cursor)
        cursor.execute("SELECT day, changed_by::text::bigint FROM rollup_unchecked")
        return Look(freshness, dict(cursor.fetchall()), naming(cursor))


def naming(cursor: CursorWrapper) -> str:
    """A digest of what is looked up while rollups are read: which cost center pays for a team
    or by which rules, which tags are dimensions, which users' names were erased or hashed."""
    cursor.execute(
        """
        SELECT md5(concat_ws(
            ' ',
            (
                SELECT jsonb_agg(team_owner ORDER BY team, from_day)
                FROM team_owner
                WHERE cost_center <> ''
            ),
            (SELECT version FROM ownership_state),
            (SELECT jsonb_agg(key ORDER BY key) FROM activated_tag),
            (SELECT jsonb_build_array(count(*), sum(done), count(finished_at)) FROM erasure),
            (SELECT jsonb_agg(jsonb_build_array(state, converted_to)) FROM name_hashing)
        ))
        """
    )
    [(found,)] = cursor.fetchall()
    return str(found)


def horizon(cursor: CursorWrapper) -> int:
    """Every transaction of a lower number has ended and is in this snapshot."""
    cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    [(found,)] = cursor.fetchall()
    return int(found)
