"""Several questions to one snapshot, and the hours of what is paid by the hour."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.utils import CursorWrapper

from finops.costs.covered_hours import CoveredHour, LineUse, use_statement
from finops.costs.owners import find_known
from finops.costs.reading import Reading, held_segments
from finops.costs.results import CostResult, Freshness
from finops.costs.runs import answer, find_unsettled
from finops.costs.snapshots import read_freshness, snapshot
from finops.costs.statements import MAX_ROWS, sums_statement
from finops.query import CostQuery, InvalidQuery
from finops.rollups import refuse_other_zone

COLUMNS = (
    *("requests", "unpriced_requests", "input_tokens", "output_tokens"),
    *("gpu_seconds", "effective_cost"),
)


@dataclass(frozen=True, slots=True)
class HourOfUse:
    """What was used in one hour; `cost` knows nothing of requests without a price."""

    requests: Decimal = Decimal(0)
    tokens: Decimal = Decimal(0)
    gpu_seconds: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Together:
    """One snapshot; its freshness is for who sees these teams."""

    cursor: CursorWrapper
    freshness: Freshness
    unsettled: frozenset[date]
    most_rows: int | None = None

    def run(self, query: CostQuery) -> CostResult:
        """As costs.run. Raises InvalidQuery and QueryTooSlow."""
        return answer(self._reading(query), query)

    def hours(self, query: CostQuery) -> dict[datetime, HourOfUse]:
        """The hours (UTC) in which the filters keep anything. Users, and cost centers that follow
        from them, are not kept by the hour. Raises as `run`."""
        asked = query.replace(granularity="hour", group_by=(), limit=None, compare=False)
        reading = self._reading(asked)
        parts = held_segments(reading, asked, per_user=reading.known.needs_users(asked))
        rows = reading.fetch(sums_statement(asked, parts, reading.known, COLUMNS, (), None))
        return {
            hour.astimezone(UTC): hour_of_use(sums)
            for is_total, hour, _, *sums in rows
            if not is_total
        }

    def use(
        self, query: CostQuery, unit: str, hours: Sequence[CoveredHour]
    ) -> tuple[dict[tuple[str, ...], LineUse], int]:
        """Of each group what its use of capacity in these hours comes to, in `unit`; and how many
        requests without a price there were in hours of which the whole cost is covered. The query's
        period holds the hours, its filters are known by the hour. Raises QueryTooSlow."""
        reading = self._reading(query)
        rows = reading.fetch(use_statement(query, unit, hours, reading.known))
        found = {tuple(keys): LineUse(fee, covered) for *keys, fee, covered, _ in rows}
        return found, int(rows[0][-1]) if rows else 0

    def sums(
        self, query: CostQuery, columns: Sequence[str]
    ) -> dict[tuple[Any, ...], list[Decimal]]:
        """Of each group of a query of its whole period: what these columns of the rollups add up
        to. Raises as `run`."""
        found = self._sums(query.replace(granularity="total"), columns)
        return {keys: sums for (_, keys), sums in found.items()}

    def sums_by_day(
        self, query: CostQuery, columns: Sequence[str]
    ) -> dict[tuple[date, tuple[Any, ...]], list[Decimal]]:
        """The same by day of the query's zone. Raises as `run`."""
        found = self._sums(query.replace(granularity="day"), columns)
        return {(start, keys): sums for (start, keys), sums in found.items()}

    def _sums(
        self, query: CostQuery, columns: Sequence[str]
    ) -> dict[tuple[Any, tuple[Any, ...]], list[Decimal]]:
        asked = query.replace(limit=None, compare=False)
        reading = self._reading(asked)
        parts = held_segments(reading, asked, per_user=reading.known.needs_users(asked))
        most = MAX_ROWS if self.most_rows is None else self.most_rows
        rows = reading.fetch(
            sums_statement(asked, parts, reading.known, columns, (), None, most_rows=most)
        )
        if len(rows) > most + 1:
            raise InvalidQuery("group_by", f"there are more than {most:,} groups; add a filter")
        groups = len(asked.group_by)
        return {
            (start, tuple(values[:groups])): [Decimal(value) for value in values[groups:]]
            for is_total, start, _, *values in rows
            if not is_total
        }

    def _reading(self, query: CostQuery) -> Reading:
        known = find_known(self.cursor, query)
        return Reading(self.cursor, self.freshness, known, self.unsettled, most_rows=self.most_rows)


def hour_of_use(sums: list[Any]) -> HourOfUse:
    found = {name: Decimal(value) for name, value in zip(COLUMNS, sums, strict=True)}
    return HourOfUse(
        requests=found["requests"],
        tokens=found["input_tokens"] + found["output_tokens"],
        gpu_seconds=found["gpu_seconds"],
        cost=found["effective_cost"],
    )


@contextmanager
def together(
    zone: ZoneInfo, teams: Collection[str] | None = None, most_rows: int | None = None
) -> Iterator[Together]:
    """Raises rollups.ZoneChanged, and what `snapshot` does."""
    with snapshot() as cursor:
        refuse_other_zone(cursor, zone)
        yield Together(cursor, read_freshness(cursor, teams), find_unsettled(cursor), most_rows)
