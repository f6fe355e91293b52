"""The lines of bills in the database: what an import says takes the place of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from django.db import connection
from django.db.models import Max

from finops.models import BillImport
from finops.models import BillLine as StoredLine
from finops.reconciliation import BillLine

# As `reconciliation.kept`: what says the same, and all that a report by other things said of a day.
SUPERSEDE_DAYS = """
UPDATE bill_line
SET superseded_by_id = %(import)s
FROM unnest(
    %(providers)s::text[], %(sources)s::text[], %(days)s::date[], %(groupings)s::text[],
    %(slots)s::text[]
) AS fresh (provider, source, day, grouping, slot)
WHERE bill_line.superseded_by_id IS NULL
    AND bill_line.day = fresh.day
    AND bill_line.provider = fresh.provider
    AND bill_line.source = fresh.source
    AND bill_line.grouping <> fresh.grouping
    AND (starts_with(bill_line.slot, fresh.slot) OR starts_with(fresh.slot, bill_line.slot))
"""
SUPERSEDE_SAME = """
UPDATE bill_line
SET superseded_by_id = %(import)s
FROM unnest(%(identities)s::text[]) AS fresh (identity)
WHERE bill_line.superseded_by_id IS NULL AND bill_line.identity = fresh.identity
"""
WITHDRAW = """
UPDATE bill_line SET superseded_by_id = %(import)s WHERE bill_import_id = %(import)s
"""
# What the import had taken the place of: in force again, or superseded by the next one that says
# the same or says its part of the day by other things.
RESTORE = """
WITH place AS MATERIALIZED (
    SELECT DISTINCT
        bill_line.bill_import_id, bill_line.provider, bill_line.source, bill_line.day,
        bill_line.grouping, bill_line.slot
    FROM bill_line
    JOIN bill_import ON bill_import.id = bill_line.bill_import_id
    WHERE bill_import.withdrawn_at IS NULL
        AND bill_line.day IN (SELECT day FROM bill_line WHERE superseded_by_id = %(import)s)
)
UPDATE bill_line
SET superseded_by_id = least(
    (
        SELECT min(later.bill_import_id)
        FROM bill_line AS later
        JOIN bill_import ON bill_import.id = later.bill_import_id
        WHERE later.identity = bill_line.identity
            AND later.bill_import_id > bill_line.bill_import_id
            AND bill_import.withdrawn_at IS NULL
    ),
    (
        SELECT min(place.bill_import_id)
        FROM place
        WHERE place.bill_import_id > bill_line.bill_import_id
            AND place.provider = bill_line.provider
            AND place.source = bill_line.source
            AND place.day = bill_line.day
            AND place.grouping <> bill_line.grouping
            AND (
                starts_with(bill_line.slot, place.slot) OR starts_with(place.slot, bill_line.slot)
            )
    )
)
WHERE superseded_by_id = %(import)s AND bill_import_id <> %(import)s
"""
COPY = """
COPY bill_line (
    bill_import_id, identity, provider, source, day, account, model, kind, detail, quantity,
    amount, currency, category, grouping, slot
) FROM STDIN
"""
APART = "\x1f"


def identity_of(line: BillLine) -> str:
    return sha256(APART.join(line.identity).encode(errors="surrogatepass")).hexdigest()


def grouping_of(line: BillLine) -> str:
    return ",".join(line.grouping)


def add(made: BillImport, lines: Sequence[BillLine]) -> int:
    """How many lines of earlier imports these take the place of. Call it under Lock.BILLS, in a
    transaction."""
    places = sorted({(*line.place, grouping_of(line), line.slot) for line in lines})
    providers, sources, days, groupings, slots = map(list, zip(*places, strict=True))
    identities = [identity_of(line) for line in lines]
    with connection.cursor() as cursor:
        cursor.execute(
            SUPERSEDE_DAYS,
            {
                "import": made.pk,
                "providers": providers,
                "sources": sources,
                "days": days,
                "groupings": groupings,
                "slots": slots,
            },
        )
        replaced: int = cursor.rowcount
        cursor.execute(SUPERSEDE_SAME, {"import": made.pk, "identities": identities})
        replaced += cursor.rowcount
        with cursor.copy(COPY) as copy:
            for identity, line in zip(identities, lines, strict=True):
                copy.write_row(
                    (made.pk, identity, line.provider, line.source, line.day, line.account,
                     line.model, line.kind, line.detail, line.quantity, line.amount,
                     line.currency, line.category, grouping_of(line), line.slot)
                )  # fmt: skip
    return replaced


def withdraw(made: BillImport) -> int:
    """How many lines of earlier imports are in force again. `made` says already that it is
    withdrawn; call it under Lock.BILLS, in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW, {"import": made.pk})
        cursor.execute(RESTORE, {"import": made.pk})
        restored: int = cursor.rowcount
    return restored


def empty_days(first: date, end: date) -> set[tuple[str, date]]:
    """Providers and days of which the costs that hold say that nothing was billed."""
    held = BillImport.objects.filter(withdrawn_at=None).exclude(empty_days={})
    found = {
        (provider, date.fromisoformat(day))
        for each in held.values_list("empty_days", flat=True)
        for provider, days in each.items()
        for day in days
    }
    return {(provider, day) for provider, day in found if first <= day < end}


def in_force(first: date, end: date) -> list[BillLine]:
    """What is billed of the days from the first until before the end."""
    rows = StoredLine.objects.filter(superseded_by=None, day__gte=first, day__lt=end)
    return [read(row) for row in rows.order_by("pk").iterator(10_000)]


def read(row: StoredLine) -> BillLine:
    return BillLine(
        row.provider,
        row.source,
        row.day,
        model=row.model,
        kind=row.kind,
        account=row.account,
        detail=row.detail,
        quantity=row.quantity,
        amount=row.amount,
        currency=row.currency,
        category=row.category,
        grouping=tuple(row.grouping.split(",")) if row.grouping else (),
        slot=row.slot,
    )


def superseded(made: BillImport) -> bool:
    """Whether a later import has taken the place of anything of this one."""
    return StoredLine.objects.filter(bill_import=made).exclude(superseded_by=None).exists()


def remaining(imports: Sequence[int]) -> dict[int, int]:
    """How many lines of each of these imports are in force."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bill_import_id, count(*) FROM bill_line WHERE superseded_by_id IS NULL"
            " AND bill_import_id = ANY(%s) GROUP BY bill_import_id",
            [list(imports)],
        )
        return dict(cursor.fetchall())


def last_day(made: BillImport | None = None) -> date | None:
    """The last day that is billed, of one import or of all; None where nothing is."""
    rows = StoredLine.objects.filter(superseded_by=None)
    if made is not None:
        rows = rows.filter(bill_import=made)
    found: date | None = rows.aggregate(last=Max("day"))["last"]
    return found
