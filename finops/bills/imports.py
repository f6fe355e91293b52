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
from finops.reconciliation import BillLine, ColumnMapping, LeftOut, UnreadableBill, read

# What comes through the front door in one piece; packed with gzip it holds more.
MOST_BYTES = 16 * 2**20
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """`is_new` is False where the same file was taken before and all of it still holds. `replaced`
    are lines of earlier imports that it takes the place of."""

    made: BillImport
    is_new: bool
    replaced: int = 0


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
        most = f"{MOST_BYTES // 2**20} MiB"
        raise ValidationError({"file": f"It is larger than {most}: part it, or pack it with gzip."})
    try:
        report = read(content, mapping=mapping, day=day)
    except UnreadableBill as error:
        raise ValidationError({"file": list(error.problems)}) from error
    digest, terms = sha256(content).hexdigest(), terms_of(mapping, day)
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        said = BillImport.objects.filter(sha256=digest, terms=terms, withdrawn_at=None)
        held = said.first()
        if held is not None and not storing.superseded(held):
            return Taken(held, is_new=False)
        made = BillImport.objects.create(
            file_name=name.strip()[:200],
            sha256=digest,
            terms=terms,
            format=format_of(report.lines),
            lines=len(report.lines),
            has_more=report.has_more,
            empty_days={
                provider: sorted(map(date.isoformat, days))
                for provider, days in report.empty.items()
                if days
            },
            left_out=left_out(report.left_out),
            created_at=act.at,
            created_by=act.by.get_username(),
        )
        replaced = storing.add(made, report.lines)
        after = {"format": made.format, "lines": made.lines, "sha256": digest, "replaced": replaced}
        log("bill.import", made.file_name, act, after=after)
    return Taken(made, is_new=True, replaced=replaced)


def withdraw(number: int, act: Act) -> tuple[BillImport, int]:
    """Take an import back: nothing of it holds, and what it took the place of does again, how many
    lines. It stays on record. Raises BillImport.DoesNotExist, and ValidationError of `import`."""
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        made = BillImport.objects.get(pk=number)
        if made.withdrawn_at is not None:
            raise ValidationError({"import": f"{made.file_name} was withdrawn before."})
        made.withdrawn_at, made.withdrawn_by = act.at, act.by.get_username()
        made.save(update_fields=["withdrawn_at", "withdrawn_by"])
        restored = storing.withdraw(made)
        before = {"sha256": made.sha256, "lines": made.lines}
        log("bill.withdraw", made.file_name, act, before=before, after={"restored": restored})
    return made, restored


def left_out(held: LeftOut) -> dict[str, object]:
    if not held.lines:
        return {}
    amounts = {currency: f"{amount:f}" for currency, amount in sorted(held.amounts.items())}
    return {"lines": held.lines, "amounts": amounts}


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


def everything(most: int = MOST_LISTED) -> list[tuple[BillImport, int]]:
    """The latest imports, the last one first, each with how many of its lines still hold."""
    listed = list(BillImport.objects.all()[:most])
    holding = storing.remaining([each.pk for each in listed])
    return [(each, holding.get(each.pk, 0)) for each in listed]
