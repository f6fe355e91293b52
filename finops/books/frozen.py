"""Statements: written once, read as they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, Sum

from finops.allocation import Adjustment, Allocation, Line, LineKey, Share, add_up
from finops.allocation.capacity import Utilization
from finops.books.adjusting import Charged, Direct, Frozen, charged_by
from finops.books.lines import SUMS, line_of, lines_of_statement
from finops.books.months import State
from finops.cells import csv_pieces, text_cell
from finops.cost_items import CapacityUse, ChargeSum, MonthAllocation
from finops.cost_items.months import Status, coverage_of, kept, seen_by
from finops.cost_items.table import HEADER, money, plain, row_of, rows
from finops.costs import Freshness
from finops.models import BooksMonth, CostCenter, StatementLine, StatementVersion

DIGESTED = (
    *("month", "version", "closed_at", "closed_by", "checksum", "currency", "rolled_up_to"),
    *("totals", "warnings", "capacity", "adjustments", "charges", "shares", "kinds", "centers"),
)
AT_ONCE = 2_000
Held = TypeVar("Held")


def rows_of_file(found: MonthAllocation) -> Iterator[list[str]]:
    """A closed month's file says closed, whether it was sent or not: it stays the same."""
    status: Status = "draft" if found.status == "draft" else "closed"
    return rows(replace(found, status=status), text_cell)


def checksum_of(held: Iterable[list[str]]) -> str:
    """Of the file of these rows, in hex."""
    digest = hashlib.sha256()
    for piece in csv_pieces(HEADER, held):
        digest.update(piece.encode())
    return digest.hexdigest()


def write(statement: StatementVersion, found: MonthAllocation) -> None:
    """The statement, which says already who closed it, with all that it froze."""
    whole = found.allocation
    statement.checksum = checksum_of(rows_of_file(found))
    statement.currency = found.currency
    statement.rolled_up_to = found.freshness.rolled_up_to
    statement.totals = totals_of(whole.totals)
    statement.capacity = {
        each.item: capacity_json(each, place) for place, each in enumerate(found.capacity)
    }
    statement.adjustments = [{**each.key._asdict(), **as_text(each)} for each in whole.adjustments]
    statement.charges = [as_text(each) for each in found.charges]
    statement.shares = [as_text(each) for each in whole.shares]
    statement.kinds = {key: each.draft.kind for key, each in found.items.items()}
    statement.centers = centers_of(whole)
    statement.digest = digest_of(statement)
    statement.save(force_insert=True)
    StatementLine.objects.bulk_create(
        (stored(statement, line) for line in whole.lines), batch_size=AT_ONCE
    )


def digest_of(statement: StatementVersion) -> str:
    """SHA-256 of what is not in the file, and what later months are computed from; the number
    before it says of which columns."""
    held = {name: getattr(statement, name) for name in DIGESTED}
    text = json.dumps(held, sort_keys=True, default=same_instant)
    return f"1:{hashlib.sha256(text.encode()).hexdigest()}"


def same_instant(value: date | datetime) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def centers_of(whole: Allocation) -> dict[str, dict[str, str]]:
    """What statements say of who bears something, besides figures."""
    names = ("name", "gl_account", "owner_email")
    known = CostCenter.objects.filter(code__in=whole.by_cost_center())
    return {each.code: {name: getattr(each, name) for name in names} for each in known}


def stored(statement: StatementVersion, line: Line) -> StatementLine:
    return StatementLine(
        statement=statement,
        **line.key._asdict(),
        **asdict(line.usage),
        shared_cost=line.shared_cost,
        idle_cost=line.idle_cost,
        adjustment=line.adjustment,
    )


def totals_of(line: Line) -> dict[str, str]:
    counts = {name: str(value) for name, value in asdict(line.usage).items()}
    return counts | {name: plain(amount) for name, amount in money(line).items()}


def capacity_json(use: CapacityUse, place: int) -> dict[str, Any]:
    own = {name: getattr(use, name) for name in ("name", "kind", "unit", "unpriced_requests")}
    more = {"until": use.until.isoformat(), "place": place, "factor": plain(use.factor)}
    return {**own, **as_text(use.utilization), **more}


def as_text(held: Any) -> dict[str, Any]:
    """Its own values, those that JSON has not as text."""
    return {
        each.name: value if isinstance(value := getattr(held, each.name), int) else shown(value)
        for each in fields(held)
        if each.name != "key"
    }


def shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def of_text(kind: type[Held], given: dict[str, Any], **more: Any) -> Held:
    """What `as_text` wrote."""
    read: dict[str, Callable[[Any], Any]] = {
        "Decimal": Decimal,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
    }
    own = {
        each.name: read.get(str(each.type), same)(given[each.name])
        for each in fields(kind)  # type: ignore[arg-type]
        if each.name in given
    }
    return kind(**own, **more)


def same(value: Any) -> Any:
    return value


def statement_of(month: date, version: int) -> StatementVersion:
    """Raises StatementVersion.DoesNotExist."""
    return StatementVersion.objects.get(month=month, version=version)


def allocation_of(
    statement: StatementVersion, status: Status = "closed", teams: Collection[str] | None = None
) -> MonthAllocation:
    """The month as it was closed, as far as a reader of these teams (None: of all) sees it."""
    found = Allocation(
        lines=tuple(lines_of_statement(statement)),
        shares=tuple(shares_of(statement)),
        adjustments=tuple(adjustments_of(statement)),
    )
    whole = MonthAllocation(
        month=statement.month,
        allocation=found,
        charges=tuple(of_text(ChargeSum, each) for each in statement.charges),
        capacity=uses_of(statement),
        items={each.key: each for each in kept()},
        freshness=Freshness(statement.rolled_up_to, 0),
        coverage=coverage_of(found),
        currency=statement.currency,
        is_running=False,
        status=status,
    )
    return seen_by(teams, whole)


def shares_of(statement: StatementVersion) -> Iterator[Share]:
    for each in statement.shares:
        yield of_text(Share, each)


def adjustments_of(statement: StatementVersion) -> Iterator[Adjustment]:
    for each in statement.adjustments:
        yield of_text(Adjustment, each, key=LineKey(*(each[name] for name in LineKey._fields)))


def uses_of(statement: StatementVersion) -> tuple[CapacityUse, ...]:
    """In the order in which they were used."""
    places = places_of(statement)
    return tuple(
        of_text(CapacityUse, held, item=item, utilization=of_text(Utilization, held))
        for item, held in sorted(statement.capacity.items(), key=lambda pair: places[pair[0]])
    )


def places_of(statement: StatementVersion) -> dict[str, int]:
    return {item: held.get("place", 0) for item, held in statement.capacity.items()}


def newest() -> list[Frozen]:
    """What each closed month's statements say of others."""
    closed = BooksMonth.objects.exclude(state=State.DRAFT)
    latest = closed.filter(month=OuterRef("month"), version=OuterRef("version"))
    found = StatementVersion.objects.filter(Exists(latest)).order_by("month")
    return [
        Frozen(
            month=each.month,
            version=each.version,
            adjustments=tuple(adjustments_of(each)),
        )
        for each in found.only("month", "version", "adjustments")
    ]


def direct_of(month: date, version: int) -> Iterator[tuple[LineKey, Direct]]:
    """What its lines say of requests, one by one."""
    lines = StatementLine.objects.filter(statement__month=month, statement__version=version)
    columns = lines.values_list(*LineKey._fields, "requests", "direct_cost")
    for *names, requests, cost in columns.iterator(AT_ONCE):
        if requests or cost:
            yield LineKey(*names), Direct(requests, cost)


def capacity_of(statement: StatementVersion) -> Charged:
    """What each of its commitments and fleets gave."""
    shares = shares_of(statement)
    return charged_by(each for each in shares if each.item in statement.capacity)


def problems_of(statement: StatementVersion) -> list[str]:
    """What is not as it was written; nothing, if all is well."""
    problems = []
    held = (
        row_of(line, statement.month, statement.currency, "closed", text_cell)
        for line in lines_of_statement(statement)
    )
    if (checksum := checksum_of(held)) != statement.checksum:
        problems.append(f"its lines have the checksum {checksum}, and not {statement.checksum}")
    whole = sums_of(statement)
    if (totals := totals_of(whole)) != statement.totals:
        names = [name for name in totals if totals[name] != statement.totals.get(name)]
        problems.append(f"its lines do not add up to its totals: {', '.join(names)}")
    if add_up(each.amount for each in adjustments_of(statement)) != whole.adjustment:
        problems.append("the adjustments it names do not add up to those of its lines")
    if statement.digest and digest_of(statement) != statement.digest:
        problems.append(
            "what it says beside its lines, such as shares or who closed it, was changed"
        )
    return problems


def sums_of(statement: StatementVersion) -> Line:
    """Of its lines' columns, of no key."""
    lines = StatementLine.objects.filter(statement_id=statement.pk)
    sums = lines.aggregate(**{name: Sum(name, default=0) for name in SUMS})
    return line_of((*LineKey("", "", "", "", ""), *(sums[name] for name in SUMS)))
