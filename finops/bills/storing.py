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
FROM unnest(%(providers)s::text[], %(sources)s::text[], %(days)s::date[], %(groupings)s::text[])
    AS fresh (provider, source, day, grouping)
WHERE bill_line.superseded_by_id IS NULL
    AND bill_line.day = fresh.day
    AND bill_line.provider = fresh.provider
    AND bill_line.source = fresh.source
    AND bill_line.grouping <> fresh.grouping
"""
SUPERSEDE_SAME = """
UPDATE bill_line
SET superseded_by_id = %(import)s
FROM unnest(%(identities)s::text[]) AS fresh (identity)
WHERE bill_line.superseded_by_id IS NULL AND bill_line.identity = fresh.identity
"""
COPY = """
COPY bill_line (
    bill_import_id, identity, provider, source, day, account, model, kind, detail, quantity,
    amount, currency, category, grouping
) FROM STDIN
"""
APART = "\x1f"


def identity_of(line: BillLine) -> str:
    return sha256(APART.join(line.identity).encode(errors="surrogatepass")).hexdigest()


def grouping_of(line: BillLine) -> str:
    return ",".join(line.grouping)


def add(made: BillImport, lines: Sequence[BillLine]) -> None:
    """Call it under Lock.BILLS, in a transaction."""
    by = {(line.provider, line.source, line.day): grouping_of(line) for line in lines}
    with connection.cursor() as cursor:
        places = list(by)
        cursor.execute(
            SUPERSEDE_DAYS,
            {
                "import": made.pk,
                "providers": [provider for provider, _, _ in places],
                "sources": [source for _, source, _ in places],
                "days": [day for _, _, day in places],
                "groupings": list(by.values()),
            },
        )
        identities = [identity_of(line) for line in lines]
        cursor.execute(SUPERSEDE_SAME, {"import": made.pk, "identities": identities})
        with cursor.copy(COPY) as copy:
            for identity, line in zip(identities, lines, strict=True):
                copy.write_row(
                    (made.pk, identity, line.provider, line.source, line.day, line.account,
                     line.model, line.kind, line.detail, line.quantity, line.amount,
                     line.currency, line.category, grouping_of(line))
                )  # fmt: skip


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
    )


def superseded(made: BillImport) -> bool:
    """Whether a later import has taken the place of anything of this one."""
    return StoredLine.objects.filter(bill_import=made).exclude(superseded_by=None).exists()


def remaining() -> dict[int, int]:
    """How many lines of each import are in force."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bill_import_id, count(*) FROM bill_line WHERE superseded_by_id IS NULL"
            " GROUP BY bill_import_id"
        )
        return dict(cursor.fetchall())


def last_day(made: BillImport | None = None) -> date | None:
    """The last day that is billed, of one import or of all; None where nothing is."""
    rows = StoredLine.objects.filter(superseded_by=None)
    if made is not None:
        rows = rows.filter(bill_import=made)
    found: date | None = rows.aggregate(last=Max("day"))["last"]
    return found
