"""Values in the database: what is sent again takes the place of what was said, which stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from django.db import connection

from finops.business_metrics.files import Line
from finops.models import BusinessMetric, BusinessMetricValue
from finops.periods import add_months
from finops.unit_economics import Value

STAGE = """
CREATE TEMPORARY TABLE staged_metric_value (
    day date, is_month boolean, keys varchar(200)[], value numeric
) ON COMMIT DROP
"""
COPY = "COPY staged_metric_value (day, is_month, keys, value) FROM STDIN"
# To take back what was never said is nothing.
DROP_NOTHING = """
DELETE FROM staged_metric_value AS staged
WHERE staged.value IS NULL
    AND NOT EXISTS (
        SELECT 1
        FROM business_metric_value AS held
        WHERE held.metric_id = %(metric)s
            AND held.superseded_by_id IS NULL
            AND held.day = staged.day
            AND held.is_month = staged.is_month
            AND held.keys = staged.keys
    )
"""
# What is in force and says another number.
SUPERSEDE = """
UPDATE business_metric_value AS held
SET superseded_by_id = %(import)s
FROM staged_metric_value AS staged
WHERE held.metric_id = %(metric)s
    AND held.superseded_by_id IS NULL
    AND held.day = staged.day
    AND held.is_month = staged.is_month
    AND held.keys = staged.keys
    AND held.value IS DISTINCT FROM staged.value
"""
# What nothing in force says.
INSERT = """
INSERT INTO business_metric_value (metric_id, made_by_id, day, is_month, keys, value)
SELECT %(metric)s, %(import)s, staged.day, staged.is_month, staged.keys, staged.value
FROM staged_metric_value AS staged
ON CONFLICT (metric_id, day, is_month, keys) WHERE superseded_by_id IS NULL DO NOTHING
"""
# Months that have both a value as a whole and days with one.
TWICE = """
SELECT DISTINCT whole.day
FROM business_metric_value AS whole
JOIN business_metric_value AS part
    ON part.metric_id = whole.metric_id
    AND part.superseded_by_id IS NULL
    AND part.value IS NOT NULL
    AND NOT part.is_month
    AND part.day >= whole.day
    AND part.day < whole.day + interval '1 month'
WHERE whole.metric_id = %(metric)s
    AND whole.superseded_by_id IS NULL
    AND whole.value IS NOT NULL
    AND whole.is_month
ORDER BY whole.day
LIMIT 5
"""


class Written(NamedTuple):
    """Lines that nothing said before, and that said another number."""

    added: int
    replaced: int


def write(metric: BusinessMetric, made: int, lines: Sequence[Line]) -> Written:
    """Call it under Lock.BUSINESS_METRICS, in a transaction. `made` is the number of the import."""
    given = {"metric": metric.pk, "import": made}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_metric_value")
        cursor.execute(STAGE)
        with cursor.copy(COPY) as copy:
            for line in lines:
                copy.write_row((line.day, line.is_month, list(line.keys), line.value))
        cursor.execute("ANALYZE staged_metric_value")
        # Of values that have just come in the planner knows nothing: it would look at all of them
        # for each line.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(DROP_NOTHING, given)
        cursor.execute(SUPERSEDE, given)
        replaced = cursor.rowcount
        cursor.execute(INSERT, given)
        added = cursor.rowcount - replaced
        cursor.execute("SET LOCAL enable_nestloop = on")
        return Written(added, replaced)


def months_twice(metric: BusinessMetric) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(TWICE, {"metric": metric.pk})
        return [day for (day,) in cursor.fetchall()]


def values(
    metric: BusinessMetric, first: date, end: date, teams: Collection[str] | None = None
) -> Iterator[Value]:
    """Those in force of the days from `first` until before `end`, and of months that lie within
    them; `teams` are those that are seen, where that is not all."""
    at = metric.dimensions.index("team") if "team" in metric.dimensions else None
    rows = BusinessMetricValue.objects.filter(
        metric=metric, superseded_by=None, value__isnull=False, day__gte=first, day__lt=end
    )
    for row in rows.order_by("day", "is_month", "keys").iterator(10_000):
        if row.is_month and add_months(row.day, 1) > end:
            continue
        if teams is None or at is None or row.keys[at] in teams:
            assert row.value is not None
            yield Value(row.day, row.is_month, tuple(row.keys), row.value)


def count(metric: BusinessMetric) -> int:
    return BusinessMetricValue.objects.filter(
        metric=metric, superseded_by=None, value__isnull=False
    ).count()


def reach(metric: BusinessMetric) -> tuple[date, date] | None:
    """The first and the last day that a value is of or begins on."""
    rows = BusinessMetricValue.objects.filter(
        metric=metric, superseded_by=None, value__isnull=False
    )
    first = rows.order_by("day").values_list("day", flat=True).first()
    last = rows.order_by("-day").values_list("day", flat=True).first()
    return None if first is None or last is None else (first, last)
