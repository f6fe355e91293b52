"""A file of rules in the place of all rules: looked at first, then all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import costs, locks
from finops.locks import Lock
from finops.models import CostCenter, OwnershipRule, OwnershipUpload
from finops.organisation.stored import Act, log
from finops.ownership import closed, mapping, rules
from finops.ownership.conditions import FIRST, LAST, Days
from finops.ownership.files import Beginning, FileRule, Read, beginning, read
from finops.periods import days, local_day
from finops.query import CostQuery

# What comes through the door in one body.
MOST_BYTES = 16 * 2**20
# What a rule says, so that it can be compared with others.
_Said = tuple[tuple[tuple[str, str], ...], str, date, date]


@dataclass(frozen=True, slots=True)
class Moved:
    """One cost center in the days of a preview; costs are those of requests with a price."""

    cost_center: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change: how many rules are new, gone and the same, and what each cost
    center bears of the days from `first` to `last` now and then."""

    added: int
    removed: int
    kept: int
    first: date
    last: date
    moved: Sequence[Moved]

    @property
    def amount(self) -> Decimal:
        """What goes from one cost center to another."""
        return sum((max(each.difference, Decimal(0)) for each in self.moved), Decimal(0))


def read_file(file: BinaryIO) -> Read:
    """Raises csv_lines.NotReadable."""
    centers = dict(CostCenter.objects.values_list("code", "is_active"))
    standing = {beginning_of(rule) for rule in rules.every()}
    return read(file, centers, rules.activated(), rules.storing(), standing)


def beginning_of(rule: OwnershipRule) -> Beginning:
    return beginning(rule.conditions, rule.cost_center, rules.days_of(rule))


def preview(found: Read, now: datetime, zone: ZoneInfo) -> Preview:
    """Raises ValidationError where a closed month would change, and costs.QueryTooSlow."""
    said = [said_of(each) for each in found.rules]
    held = [said_by(rule) for rule in rules.every()]
    refuse_closed(held, said)
    last = local_day(now, zone)
    first = (last.replace(day=1) - timedelta(days=1)).replace(day=1)
    query = CostQuery.from_params({}, now=now, zone=zone).replace(
        period=days(first, last + timedelta(days=1), zone),
        granularity="total",
        group_by=("cost_center",),
    )
    with transaction.atomic():
        locks.hold(Lock.OWNERSHIP)  # or the worker and this would both look up what is new
        before = costs_of(query)
        _replace(found.rules)
        after = costs_of(query)
        transaction.set_rollback(True)
    moved = [
        Moved(code, before.get(code, Decimal(0)), after.get(code, Decimal(0)))
        for code in {**before, **after}
    ]
    same = set(held) & set(said)
    return Preview(
        added=len(set(said) - same),
        removed=len(set(held) - same),
        kept=len(same),
        first=first,
        last=last,
        moved=sorted(moved, key=lambda each: (-abs(each.difference), each.cost_center)),
    )


def costs_of(query: CostQuery) -> dict[str, Decimal]:
    rows = costs.run(query).rows
    return {row.keys[0]: Decimal(row.values["effective_cost"] or 0) for row in rows}


def keep(text: str, act: Act) -> OwnershipUpload:
    """Until its maker applies it or uploads another one."""
    upload, _ = OwnershipUpload.objects.update_or_create(
        made_by=act.by, defaults={"text": text, "made_at": act.at}
    )
    return upload


def apply_kept(act: Act) -> int:
    """How many rules there are now. Raises ValidationError where the file does not hold any more,
    and OwnershipUpload.DoesNotExist."""
    with transaction.atomic():
        upload = OwnershipUpload.objects.select_for_update().get(made_by=act.by)
        count = apply(read_file(BytesIO(upload.text.encode())), act)
        upload.delete()
    return count


def apply(found: Read, act: Act) -> int:
    """How many rules there are now. Raises ValidationError where a line is wrong, or a closed month
    would change."""
    if found.problems:
        raise ValidationError({"file": [str(each) for each in found.problems]})
    with mapping.changing():
        if closed.spans():
            held = [said_by(rule) for rule in rules.every()]
            refuse_closed(held, [said_of(each) for each in found.rules])
        before, after = {"rules": rules.every().count()}, {"rules": len(found.rules)}
        _replace(found.rules)
        log("ownership.import", "all rules", act, before=before, after=after)
    return len(found.rules)


def refuse_closed(held: Sequence[_Said], said: Sequence[_Said]) -> None:
    """Raises ValidationError unless both say the same, in the same order, of what is closed."""
    for span in closed.spans():
        if closed_part(held, span) != closed_part(said, span):
            raise ValidationError(
                {
                    "file": f"It says otherwise of days {span}, whose books are closed. Keep the "
                    "rules of those days as the export has them, in their order, and change what "
                    "they say from an open day on."
                }
            )


def closed_part(said: Sequence[_Said], span: Days) -> list[_Said]:
    first, last = span.start or FIRST, span.end or LAST
    return [
        (conditions, code, max(start, first), min(end, last))
        for conditions, code, start, end in said
        if start < last and end > first
    ]


def said_of(rule: FileRule) -> _Said:
    return _said(rule.conditions, rule.cost_center, rule.days)


def said_by(rule: OwnershipRule) -> _Said:
    return _said(rule.conditions, rule.cost_center, rules.days_of(rule))


def _said(conditions: Mapping[str, str], code: str, held: Days) -> _Said:
    return tuple(sorted(conditions.items())), code, held.start or FIRST, held.end or LAST


def _replace(found: Sequence[FileRule]) -> None:
    mapping.replace(
        (each.conditions, each.cost_center, each.days.start, each.days.end) for each in found
    )
