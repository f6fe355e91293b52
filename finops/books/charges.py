"""A month's allocation charge by charge: requests by price, shares, corrections. See finops.focus.

What was closed is read as it was closed; of an open month usage, shares and adjustments are of one
moment. Together the rows come to the allocation's total cost, to the last digit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from finops import costs, exchange_rates, ledger
from finops.allocation import Adjustment, Line, Share
from finops.books import drafts, frozen, months, usage
from finops.books.lines import lines_of_statement
from finops.cost_items import MonthAllocation
from finops.cost_items.table import plain
from finops.exchange import Fixing
from finops.focus import metadata
from finops.focus.months import Month, Row
from finops.focus.prices import Lines
from finops.focus.shares import Item, borne_rows, correction_rows, share_rows
from finops.focus.usage import Detail, PricedUsage
from finops.models import StatementVersion
from finops.pricing.lines import PriceLine
from finops.requests.streaming import PATIENCE_MILLISECONDS


@dataclass(frozen=True, slots=True)
class Parts:
    """What a month's rows are made of. Who sees some teams is told no shares, but what lines bear
    of them."""

    used: Iterable[PricedUsage]
    lines: Iterable[Line]
    shares: tuple[Share, ...]
    adjustments: tuple[Adjustment, ...]
    items: Mapping[str, Item]


def rows(
    month: date, *, now: datetime, reader_teams: Collection[str] | None = None
) -> Iterator[Row]:
    """Raises as cost_items.of_month, before the first row or while rows are read. Until the first
    is read no transaction is open, so that whoever answers may still write."""
    if statement := closed_as(month):
        own = month_of(month, statement.currency, statement)
        return rows_of(own, closed_parts(statement, reader_teams), reader_teams)
    drafts.of_month(month, now=now, reader_teams=reader_teams)
    return rows_of_draft(month, now, reader_teams)


def rows_of_draft(month: date, now: datetime, teams: Collection[str] | None) -> Iterator[Row]:
    with costs.snapshot() as database:
        database.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [str(PATIENCE_MILLISECONDS)],
        )
        found = drafts.of_month(month, now=now, reader_teams=teams)
        own = month_of(month, found.currency)
        yield from rows_of(own, open_parts(own, found, teams), teams)


def rows_of(month: Month, parts: Parts, teams: Collection[str] | None) -> Iterator[Row]:
    detail = Detail(month, Ledger().lines_of)
    yield from detail.rows(parts.used)
    for line in parts.lines:
        yield from detail.rest(line)
        if teams is not None:
            yield from borne_rows(month, line)
    yield from share_rows(month, parts.shares, parts.items)
    yield from correction_rows(month, parts.adjustments)


def open_parts(month: Month, found: MonthAllocation, teams: Collection[str] | None) -> Parts:
    whole = found.allocation
    kinds = {key: each.draft.kind for key, each in found.items.items()}
    uses = {
        each.item: Item(each.kind, each.name, each.unit, each.utilization)
        for each in found.capacity
    }
    return Parts(
        usage.of_month(month.first, month.zone, teams),
        whole.lines,
        whole.shares,
        whole.adjustments,
        {key: Item(kind) for key, kind in kinds.items()} | uses,
    )


def closed_parts(statement: StatementVersion, teams: Collection[str] | None) -> Parts:
    adjustments = frozen.adjustments_of(statement)
    return Parts(
        usage.frozen(statement, teams),
        lines_of_statement(statement, teams),
        tuple(frozen.shares_of(statement)) if teams is None else (),
        tuple(each for each in adjustments if teams is None or each.key.team in teams),
        items_of(statement),
    )


def items_of(statement: StatementVersion) -> dict[str, Item]:
    return {key: Item(kind) for key, kind in statement.kinds.items()} | {
        each.item: Item(each.kind, each.name, each.unit, each.utilization)
        for each in frozen.uses_of(statement)
    }


def about(
    month: date, *, now: datetime, reader_teams: Collection[str] | None = None
) -> dict[str, Any]:
    """The metadata of the file. Raises as cost_items.of_month."""
    with costs.snapshot():
        statement = closed_as(month)
        found = drafts.of_month(month, now=now, reader_teams=reader_teams)
    until = found.freshness.rolled_up_to
    return metadata.metadata(
        month_of(month, found.currency, statement),
        made_at=statement.closed_at if statement else now,
        x_StatementChecksum=statement.checksum if statement else None,
        x_EffectiveCost=plain(found.allocation.totals.total_cost),
        x_PricedRequests=found.coverage.priced_requests,
        x_UnpricedRequests=found.coverage.unpriced_requests,
        x_IsNarrowed=found.is_narrowed,
        x_RolledUpTo=until and until.isoformat(),
        x_PendingEvents=found.freshness.pending_events,
    )


def closed_as(month: date) -> StatementVersion | None:
    held = months.closed_as(month)
    return frozen.statement_of(month, held.version) if held else None


def month_of(month: date, currency: str, statement: StatementVersion | None = None) -> Month:
    version = statement.version if statement else None
    return Month(month, settings.REPORTING_ZONE, currency, version)


class Ledger:
    """Price lines and exchange rates by id, each looked up once: a month has few of thousands."""

    def __init__(self) -> None:
        self._lines: dict[int, PriceLine | None] = {}
        self._fixings: dict[int, Fixing] = {}

    def lines_of(self, used: PricedUsage) -> Lines | None:
        listed = self._line(used.price_id)
        contract = self._line(used.contract_price_id) if used.contract_price_id else None
        fixing = self._fixing(used.fixing_id) if used.fixing_id else None
        return Lines(listed, contract, fixing) if listed else None

    def _line(self, key: int) -> PriceLine | None:
        if key not in self._lines:
            self._lines[key] = ledger.lines_by_id([key]).get(key)
        return self._lines[key]

    def _fixing(self, key: int) -> Fixing:
        if key not in self._fixings:
            self._fixings[key] = exchange_rates.by_id([key]).by_id(key)
        return self._fixings[key]
