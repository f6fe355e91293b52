"""The journal of a month: whole, or what has changed since a version that is booked already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from finops.allocation import add_up
from finops.allocation.splitting import differences
from finops.books import drafts, frozen
from finops.books.lines import SUMS
from finops.books.months import State
from finops.cost_items import CapacityUse, ChargeSum
from finops.exports import accounts
from finops.exports.journal import Costs, Heading, Place, postings, rows
from finops.exports.months import of_statement
from finops.models import BooksMonth, StatementLine, StatementVersion
from finops.organisation.stored import Act
from finops.periods import InvalidQuery
from finops.pricing.formula import EXACT

MONEY = SUMS[-4:]


def of_month(month: date, since: str, act: Act) -> Iterator[list[str]]:
    """Its rows, as journal.HEADER names them. `since` is the version that is booked: 0 is none,
    '' is not said, which will do where the month was closed once at most.

    Raises InvalidQuery, MissingAccounts, and as drafts.of_month.
    """
    held = BooksMonth.objects.filter(month=month).first()
    is_closed = held is not None and held.state != State.DRAFT
    earlier = held.version - (1 if is_closed else 0) if held else 0
    booked = read_since(since, earlier, month)
    before = of_version(frozen.statement_of(month, booked), act) if booked else {}
    if held and is_closed:
        statement = frozen.statement_of(month, held.version)
        now, currency = of_version(statement, act), statement.currency
        name = f"v{held.version}-{statement.checksum[:8]}"
    else:
        found = drafts.of_month(month, now=act.at)
        sums = found.allocation.by_cost_center()
        costs = Costs(
            {code: line.total_cost for code, line in sums.items()},
            given(found.charges, found.capacity),
        )
        now, currency, name = postings(costs, accounts.of_draft(costs)), found.currency, "draft"
    reference = f"{month:%Y-%m}-{name}" + (f"-since-v{booked}" if booked else "")
    heading = Heading(month, currency, reference, "closed" if is_closed else "draft")
    return rows(differences(now, before), heading)


def read_since(since: str, earlier: int, month: date) -> int:
    """Raises InvalidQuery."""
    if not since and not earlier:
        return 0
    if since.isascii() and since.isdigit() and len(since) < 9 and int(since) <= earlier:
        return int(since)
    if not earlier:
        raise InvalidQuery("since", f"{month:%B %Y} has no earlier version: leave it out")
    raise InvalidQuery(
        "since",
        f"{month:%B %Y} was closed before: write the version that is booked, 1 to {earlier}, and "
        "the journal has what changed since; or 0, if nothing of the month is booked",
    )


def of_version(statement: StatementVersion, act: Act) -> dict[Place, Decimal]:
    costs = costs_of(statement)
    return postings(costs, accounts.of_statement(statement, costs, act))


def costs_of(statement: StatementVersion) -> Costs:
    lines = StatementLine.objects.filter(statement_id=statement.pk)
    sums = lines.values_list("cost_center").annotate(*(Sum(name) for name in MONEY)).order_by()
    head = of_statement(statement).head
    return Costs(
        {code: add_up(amounts) for code, *amounts in sums}, given(head.charges, head.capacity)
    )


def given(charges: Iterable[ChargeSum], capacity: Iterable[CapacityUse]) -> Mapping[str, Decimal]:
    """What each cost item was billed: of capacity with the direct cost that its fee paid for."""
    found: dict[str, Decimal] = {}
    billed = [(each.item, each.amount) for each in charges]
    billed += [(each.item, each.utilization.covered) for each in capacity]
    for item, amount in billed:
        found[item] = EXACT.add(found.get(item, Decimal(0)), amount)
    return found
