"""A month as it stands: as it was closed, or computed, with what closed months came to since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import cast

from finops import cost_items, costs
from finops.allocation import Adjustment
from finops.books import changes, frozen, months
from finops.books.adjusting import adjustments
from finops.cost_items import MonthAllocation
from finops.cost_items.months import Status


def of_month(
    month: date, *, now: datetime, reader_teams: Collection[str] | None = None
) -> MonthAllocation:
    """Raises as cost_items.of_month."""
    with costs.snapshot():
        held = months.closed_as(month)
        if held:
            statement = frozen.statement_of(month, held.version)
            return frozen.allocation_of(statement, cast(Status, held.state), reader_teams)
        return cost_items.of_month(
            month, now=now, reader_teams=reader_teams, adjustments=due(month, now)
        )


def due(month: date, now: datetime) -> tuple[Adjustment, ...]:
    """What closed months came to since: the first month after them that is open bears it."""
    borne = months.closed_before(month)
    closed = frozen.newest() if borne else []
    return adjustments(closed, changes.of([each for each in closed if each.month in borne], now))
