"""Files and answers of providers, taken in: each once, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.bills import storing
from finops.locks import Lock
from finops.models import BillImport
from finops.organisation.stored import Act, log
from finops.query import is_text
from finops.reconciliation import BillLine, ColumnMapping, UnreadableBill, read

MOST_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Taken:
    """`is_new` is False where the same file was taken before and all of it still holds."""

    made: BillImport
    is_new: bool


def take(
    content: bytes,
    name: str,
    act: Act,
    *,
    mapping: ColumnMapping | None = None,
    day: date | None = None,
) -> Taken:
    """Raises ValidationError of `file`, with a message for each line that is wrong, or `name`."""
    if not is_text(name) or not name.strip():
        raise ValidationError({"name": "Write the name of the file, at most 200 characters."})
    if len(content) > MOST_BYTES:
        raise ValidationError({"file": f"It is larger than {MOST_BYTES // 2**20} MiB: part it."})
    try:
        report = read(content, mapping=mapping, day=day)
    except UnreadableBill as error:
        raise ValidationError({"file": list(error.problems)}) from error
    digest, terms = sha256(content).hexdigest(), terms_of(mapping, day)
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        held = BillImport.objects.filter(sha256=digest, terms=terms).first()
        if held is not None and not storing.superseded(held):
            return Taken(held, is_new=False)
        made = BillImport.objects.create(
            file_name=name.strip()[:200],
            sha256=digest,
            terms=terms,
            format=format_of(report.lines),
            lines=len(report.lines),
            has_more=report.has_more,
            created_at=act.at,
            created_by=act.by.get_username(),
        )
        storing.add(made, report.lines)
        after = {"format": made.format, "lines": made.lines, "sha256": digest}
        log("bill.import", made.file_name, act, after=after)
    return Taken(made, is_new=True)


def terms_of(mapping: ColumnMapping | None, day: date | None) -> dict[str, object]:
    found: dict[str, object] = {"day": day.isoformat()} if day else {}
    if mapping is not None:
        found["columns"] = dict(mapping.columns)
        found |= {"provider": mapping.provider, "currency": mapping.currency}
        found["unit"] = str(mapping.unit)
    return found


def format_of(lines: tuple[BillLine, ...]) -> str:
    """Whose reports of which kind are in it."""
    return ", ".join(sorted({line.source for line in lines}))[:200]


def everything() -> list[tuple[BillImport, int]]:
    """Imports, the latest first, each with how many of its lines still hold."""
    holding = storing.remaining()
    return [(each, holding.get(each.pk, 0)) for each in BillImport.objects.all()[:200]]
