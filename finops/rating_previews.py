"""What rating events again would change, worked out without writing anything.

Events that are rated alike and use the same buckets cost together what their sums cost, to the last
digit: so PostgreSQL adds them up and the formula is asked once a group, not once an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops import exchange_rates, ledger
from finops.pricing.formula import Quantities, Rating, rate
from finops.pricing.lines import PriceLine
from finops.pricing.resolution import RateCard, Request, Table
from finops.rating_changes import Change, Rerating
from finops.rating_spans import Span, days_with_events
from finops.rerating import rate_again
from finops.sql import statement
from ingest.rating import Rate

OVERFLOW = "(overflow)"


@dataclass(frozen=True, slots=True)
class Supposed:
    """A line that is not saved, with an id of its own, and the one in force that it replaces."""

    line: PriceLine
    replaces: int | None


class Group(NamedTuple):
    """One row of group_rerated.sql."""

    request: int
    price_before: int | None
    contract_before: int | None
    fixing_before: int | None
    price_id: int | None
    contract_price_id: int | None
    fixing_id: int | None
    is_unpriced: bool
    is_skipped: bool
    effective_cost: Decimal
    list_cost: Decimal
    used: Quantities
    rows: int  # of which reversals take requests away

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Group:
        *tokens, gpu_seconds, requests, rows = row[11:]
        used = Quantities._make([*map(int, tokens), gpu_seconds, requests])
        return cls._make([*row[:11], used, rows])

    @property
    def is_rated_alike(self) -> bool:
        before = (self.price_before, self.contract_before, self.fixing_before)
        return before == (self.price_id, self.contract_price_id, self.fixing_id)

    @property
    def rate(self) -> Rate | None:
        if self.price_id is None:
            return None
        return Rate(self.price_id, self.contract_price_id, self.fixing_id)


def preview(
    start: datetime, end: datetime, zone: ZoneInfo, *, only_unpriced: bool = False
) -> Rerating:
    """What rating [start, end) again would change. Writes nothing."""
    rerating = Rerating()
    for _, part in preview_days(start, end, zone, only_unpriced=only_unpriced):
        rerating.merge(part)
    return rerating


def preview_days(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    only_unpriced: bool = False,
    supposed: Supposed | None = None,
) -> Iterator[tuple[datetime, Rerating]]:
    """The same day by day, each with where it ends.

    With a line that is supposed, just the requests that are rated otherwise because of it. Raises
    Price.DoesNotExist where the line it replaces is not in force.
    """
    lines = {line.id: line for line in ledger.current_lines()}
    exchange = exchange_rates.load()
    card = RateCard(lines.values(), ledger.version(), exchange)
    former = None
    if supposed is not None:
        former = card
        if supposed.replaces is not None:
            ledger.refuse_gone(supposed.replaces)
            del lines[supposed.replaces]
        lines[supposed.line.id] = supposed.line
        card = RateCard(lines.values(), card.version, exchange)
    with connection.cursor() as cursor:
        requests = _prepare(cursor, card, former)
        try:
            for span in days_with_events(start, end, zone) if requests else ():
                parameters = span.parameters(only_unpriced=only_unpriced)
                cursor.execute(statement("group_rerated"), parameters)
                groups = [Group.of(row) for row in cursor.fetchall()]
                if supposed is None and not all(_is_stored(each, card) for each in groups):
                    yield span.end, _event_by_event(span, card, only_unpriced)
                else:
                    yield span.end, _rated(groups, requests, card)
        finally:
            cursor.execute("DROP TABLE IF EXISTS rated_request, rate_window")


def _prepare(cursor: CursorWrapper, card: RateCard, former: RateCard | None) -> list[Request]:
    """Fill rated_request and rate_window with what the card is asked for: all requests there are,
    or those that the former card rates with other lines. Returns them by their number."""
    cursor.execute("SELECT id, provider, model, service_tier, cache, fleet FROM attribution")
    numbers: dict[Request, int] = {}
    rows = []
    for attribution, *names in cursor.fetchall():
        request = Request(*names)
        if former is None or _ids(card.table(request)) != _ids(former.table(request)):
            number = numbers.setdefault(request, len(numbers))
            rows.append((attribution, number, OVERFLOW in request))
    cursor.execute(statement("rated_requests"))
    with cursor.copy("COPY rated_request FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(statement("rate_windows"))
    with cursor.copy("COPY rate_window FROM STDIN") as copy:
        for request, number in numbers.items():
            for window in card.table(request).windows():
                copy.write_row((number, *window[:-1], *window.rate, *card.factors(window.rate)))
    cursor.execute("ANALYZE rated_request, rate_window")
    return list(numbers)


def _ids(table: Table) -> set[int | None]:
    return {pk for rate in table.rates if rate is not None for pk in rate[:2]}


def _is_stored(group: Group, card: RateCard) -> bool:
    """Whether events that keep their lines hold the costs that these give. Where they do not, each
    event has to be looked at, because a sum does not tell how many differ."""
    if group.is_skipped or not group.is_rated_alike:
        return True
    rating = _rating(group, card)
    costs = (rating.effective_cost or 0, rating.list_cost or 0)
    return costs == (group.effective_cost, group.list_cost)


def _rated(groups: Sequence[Group], requests: Sequence[Request], card: RateCard) -> Rerating:
    found = Rerating()
    for group in groups:
        count = group.used.requests
        if group.is_skipped:
            found.skipped += count
            continue
        rating = _rating(group, card)
        after = group.effective_cost if group.is_rated_alike else rating.effective_cost
        is_unpriced = group.is_unpriced if group.is_rated_alike else after is None
        change = Change(
            examined=count,
            changed=0 if group.is_rated_alike else count,
            cost_before=group.effective_cost,
            cost_after=after or Decimal(0),
            unpriced_before=count if group.is_unpriced else 0,
            unpriced_after=count if is_unpriced else 0,
            rows_changed=0 if group.is_rated_alike else group.rows,
        )
        request = requests[group.request]
        model = (request.provider, request.model)
        new = group.rate and group.rate._replace(fixing_id=None)
        found.add(model, new, change)
        if is_unpriced:
            found.add_lacking(model, ("",) if new is None else rating.lacking, count)
    return found


def _rating(group: Group, card: RateCard) -> Rating:
    return rate(group.used, *(card.lines(group.rate) if group.rate else (None, None)))


def _event_by_event(span: Span, card: RateCard, only_unpriced: bool) -> Rerating:
    part = Rerating()
    with transaction.atomic(), connection.cursor() as cursor:
        # It makes its own; the one that all days share is back after the rollback.
        cursor.execute("DROP TABLE rate_window")
        rate_again(cursor, card, span, part, only_unpriced=only_unpriced)
        transaction.set_rollback(True)
    return part
