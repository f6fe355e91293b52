"""A month's cost and who bears it: usage through CostQuery, and the cost items in their order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from django.conf import settings

from finops import costs
from finops.allocation import Adjustment, Allocation, Charge, LineKey, Usage, add_up, allocate
from finops.allocation.capacity import Utilization
from finops.cost_items.capacity import HourLeft, left_of, paid_hours, reckon, unit_of
from finops.cost_items.charging import (
    Placed,
    Span,
    UseOfCapacity,
    capacity_charges,
    plain_charge,
    span_of,
)
from finops.cost_items.converting import converted, in_words
from finops.cost_items.drafts import draft_of
from finops.cost_items.keeping import every
from finops.cost_items.scopes import scope_of
from finops.costs import Coverage, Freshness, Together
from finops.exchange import Conversion
from finops.periods import Period, add_months, days, local_day, start_of_hour
from finops.query import CostQuery, Filter

LINE = ("cost_center", "team", "feature", "provider", "model")
METRICS = ("effective_cost", "requests", "unpriced_requests", "input_tokens", "output_tokens")
# A month is whole or it is nothing: more than any answer that a person asks for may have.
MOST_LINES = 2_000_000
Status = Literal["draft", "closed", "sent"]


@dataclass(frozen=True, slots=True)
class ChargeSum:
    """What one charge of an item came to."""

    item: str
    name: str
    column: str
    amount: Decimal
    converted: str = ""  # by which exchange rates, where the item is in another currency


@dataclass(frozen=True, slots=True)
class CapacityUse:
    """A commitment or fleet in the month, or until `until` where that is not over."""

    item: str
    name: str
    kind: str
    unit: str
    utilization: Utilization
    until: datetime
    # Whose cost the fee is, whether they have a price or not.
    unpriced_requests: int = 0
    # What its amounts were multiplied by, as they are in another currency.
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class MonthAllocation:
    """Who bears what of the month. Where its reader sees some teams, the lines are those of these
    teams, and what was shared out is told only as far as they bear it."""

    month: date
    allocation: Allocation
    charges: tuple[ChargeSum, ...]
    capacity: tuple[CapacityUse, ...]
    items: Mapping[str, Placed]
    freshness: Freshness
    coverage: Coverage
    currency: str
    is_running: bool
    is_narrowed: bool = False
    status: Status = "draft"


@dataclass(slots=True)
class Month:
    """What is asked of one month, in one snapshot, each question once. `until` is the hour up to
    which usage is known."""

    asked: Together
    first: date
    zone: ZoneInfo
    until: datetime
    lines_of: dict[tuple[tuple[Filter, ...], Span], dict[LineKey, Usage]] = field(
        default_factory=dict
    )
    hours_of: dict[tuple[frozenset[Filter], str], dict[datetime, HourLeft]] = field(
        default_factory=dict
    )

    @property
    def whole(self) -> Span:
        return Span(self.first, add_months(self.first, 1))

    def lines(
        self, filters: tuple[Filter, ...] = (), span: Span | None = None
    ) -> dict[LineKey, Usage]:
        wanted = (filters, span or self.whole)
        if wanted not in self.lines_of:
            period = days(wanted[1].first, wanted[1].end, self.zone)
            self.lines_of[wanted] = usage_by_line(self.asked, self.query(period, filters))
        return self.lines_of[wanted]

    def query(self, period: Period, filters: tuple[Filter, ...]) -> CostQuery:
        return CostQuery(
            period=period,
            granularity="total",
            group_by=LINE,
            filters=filters,
            metrics=METRICS,
            limit=None,
            compare=False,
            zone=self.zone,
        )

    def capacity(self, item: Placed, span: Span) -> tuple[CapacityUse, UseOfCapacity] | None:
        """None before the first hour of it."""
        known = days(span.first, span.end, self.zone)
        known = Period(known.start, min(known.end, self.until))
        paid = paid_hours(item.draft, known, self.zone)
        if not paid:
            return None
        unit, filters = unit_of(item.draft), scope_of(item.draft)
        held, covered = reckon(item.draft, paid, self.hours(filters, unit))
        rows, unpriced = self.asked.use(self.query(known, filters), unit, covered)
        lines = {LineKey(*keys): each for keys, each in rows.items()}
        held = replace(held, covered=add_up(each.covered for each in lines.values()))
        draft = item.draft
        return (
            CapacityUse(item.key, draft.name, draft.kind, unit, held, known.end, unpriced),
            UseOfCapacity(
                held,
                {key: each.fee for key, each in lines.items()},
                {key: each.covered for key, each in lines.items() if each.covered},
            ),
        )

    def hours(self, filters: tuple[Filter, ...], unit: str) -> dict[datetime, HourLeft]:
        """What items so far have left of this usage."""
        key = (frozenset(filters), unit)
        if key not in self.hours_of:
            whole = days(self.first, self.whole.end, self.zone)
            period = Period(whole.start, min(whole.end, self.until))
            used = self.asked.hours(self.query(period, filters))
            self.hours_of[key] = {hour: left_of(use, unit) for hour, use in used.items()}
        return self.hours_of[key]


def usage_by_line(asked: Together, query: CostQuery) -> dict[LineKey, Usage]:
    found = {}
    for row in asked.run(query).rows:
        cost, requests, unpriced, read, written = (row.values[name] for name in METRICS)
        found[LineKey(*row.keys)] = Usage(
            int(requests or 0),
            int(unpriced or 0),
            int(read or 0),
            int(written or 0),
            # Nothing is known of requests of which none has a price.
            cost if isinstance(cost, Decimal) else Decimal(0),
        )
    return found


def of_month(
    month: date,
    *,
    now: datetime,
    reader_teams: Collection[str] | None = None,
    adjustments: Sequence[Adjustment] = (),
    items: Sequence[Placed] | None = None,
) -> MonthAllocation:
    """The month that begins on this day, of everything that is rolled up. `items` stand in for
    those that are kept. Of a month that runs, capacity is that of its hours so far. Inside a
    caller's transaction it sees what that sees.

    Raises InvalidQuery where it has too many lines, QueryTooSlow and rollups.ZoneChanged.
    """
    zone = settings.REPORTING_ZONE
    with costs.together(zone, reader_teams, MOST_LINES) as asked:
        kept_items = kept() if items is None else items
        reached = min(now, asked.freshness.rolled_up_to or now)
        end = days(month, add_months(month, 1), zone).end
        is_running = now < end
        held = Month(asked, month, zone, start_of_hour(reached, zone) if is_running else end)
        placed, conversions = converted(kept_items, held.whole, known_until(month, now, zone))
        charges, uses = charged(placed, held)
        found = allocate(held.lines().items(), charges, adjustments)
    return seen_by(reader_teams, MonthAllocation(
        month=month,
        allocation=found,
        charges=summed(charges, found, conversions),
        capacity=tuple(
            replace(use, factor=conversions[use.item].factor) if use.item in conversions else use
            for use in uses
        ),
        items={each.key: each for each in kept_items},
        freshness=asked.freshness,
        coverage=coverage_of(found),
        currency=settings.CURRENCY,
        is_running=is_running,
    ))  # fmt: skip


def known_until(month: date, now: datetime, zone: ZoneInfo) -> date:
    """The day after the last of which rates are asked for: at least one of the month is."""
    day = timedelta(days=1)
    return max(month + day, min(add_months(month, 1), local_day(now, zone) + day))


def kept() -> list[Placed]:
    return [Placed(str(row.pk), draft_of(row)) for row in every()]


def charged(placed: Sequence[Placed], held: Month) -> tuple[list[Charge], tuple[CapacityUse, ...]]:
    charges: list[Charge] = []
    capacity: list[CapacityUse] = []
    for item in placed:
        span = span_of(item.draft, held.whole)
        if span is None:
            continue
        if not item.draft.is_capacity:
            is_whole = span == held.whole and not item.draft.filters
            scope = None if is_whole else held.lines(item.draft.filters, span)
            charges.append(plain_charge(item, held.whole, scope))
        elif found := held.capacity(item, span):
            use, by_line = found
            capacity.append(use)
            scope = held.lines(scope_of(item.draft), span)
            charges += capacity_charges(item, by_line, scope)
    return charges, tuple(capacity)


def summed(
    charges: Sequence[Charge], found: Allocation, conversions: Mapping[str, Conversion]
) -> tuple[ChargeSum, ...]:
    amounts: dict[tuple[str, str], list[Decimal]] = {}
    for share in found.shares:
        amounts.setdefault((share.item, share.column), []).append(share.amount)
    return tuple(
        ChargeSum(
            each.item,
            each.name,
            each.column,
            add_up(amounts.get((each.item, each.column), ())),
            in_words(conversions.get(each.item)),
        )
        for each in charges
    )


def coverage_of(found: Allocation) -> Coverage:
    usage = found.totals.usage
    return Coverage(usage.requests - usage.unpriced_requests, usage.unpriced_requests)


def seen_by(teams: Collection[str] | None, found: MonthAllocation) -> MonthAllocation:
    """The part of it that is of these teams."""
    if teams is None:
        return found
    whole = found.allocation
    own = Allocation(
        lines=tuple(line for line in whole.lines if line.key.team in teams),
        adjustments=tuple(each for each in whole.adjustments if each.key.team in teams),
    )
    return MonthAllocation(
        month=found.month,
        allocation=own,
        charges=(),
        capacity=(),
        items={},
        freshness=found.freshness,
        coverage=coverage_of(own),
        currency=found.currency,
        is_running=found.is_running,
        is_narrowed=True,
        status=found.status,
    )
