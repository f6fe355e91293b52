"""What enforcement does about budgets at this moment, and did in their periods: for people to read.

Gateways are answered by ingest; here the same rules look at the same figures, beside what is
reserved and how many calls ingest counted as refused or slowed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from django.db.models import F, Max, Q, QuerySet, Sum

from finops.models import (
    EnforcementPlan,
    EnforcementStanding,
    EnforcementState,
    EnforcementTally,
    ReservationHold,
)
from ingest.enforcement.authority import STALE
from ingest.enforcement.decisions import BLOCK, THROTTLE, Position, judge, stale, throttled_from
from ingest.enforcement.tallies import ROLLING_KEPT
from ingest.enforcement.terms import ALWAYS, Place, Standing, Terms, with_own_amount

ZERO, ONE = Decimal(0), Decimal(1)
# What was refused or slowed within so long, is so now.
LATELY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Acting:
    """Of one budget or one value of it. `reserved` (USD) is for calls under way; `refused` and
    `slowed` count calls of this period, of a rolling budget those of the last 31 days. `is_full`:
    whatever a call costs, it is refused."""

    spent: Decimal = ZERO
    reserved: Decimal = ZERO
    refused: int = 0
    slowed: int = 0
    refused_at: datetime | None = None
    slowed_at: datetime | None = None
    is_refusing: bool = False
    is_slowing: bool = False
    is_full: bool = False
    is_blind: bool = False  # its figures are too old to go by


NOTHING = Acting()


@dataclass(frozen=True, slots=True)
class Acts:
    """`whole` is of all values together. `as_of`: everything committed before is in the figures;
    counts are saved some two seconds after a call."""

    terms: Terms
    as_of: datetime | None
    whole: Acting
    values: Mapping[str, Acting] = field(default_factory=dict)

    def of(self, value: str) -> Acting:
        if not value:
            return self.whole
        return self.values.get(value, NOTHING)


class Count(NamedTuple):
    """Calls of a period, as ingest counted them."""

    refused: int = 0
    slowed: int = 0
    refused_at: datetime | None = None
    slowed_at: datetime | None = None


NO_CALLS = Count()
Key = tuple[int, str]  # a budget and a value


def read(numbers: Iterable[int], now: datetime, values: Collection[str] = ()) -> dict[int, Acts]:
    """Of those of these budgets that are enforced, and of these values of them."""
    plans = EnforcementPlan.objects.filter(budget_id__in=list(numbers))
    terms = [msgspec.convert(each.terms, Terms) for each in plans]
    if not terms:
        return {}
    state = EnforcementState.objects.first()
    as_of = state.as_of if state else None
    names = {"", *values}
    standings = standings_of(terms, names)
    reserved, counted = reserved_of(terms, now), counted_of(terms, now)
    of_values = [each for each in terms if each.each and values]
    reserved |= reserved_of(of_values, now, values)
    counted |= counted_of(of_values, now, values)
    found = {}
    for each in terms:
        acting = {}
        for value in names if each.each else {""}:
            key = each.budget, value
            acting[value] = acting_of(
                *(each, value, standings.get(key), reserved.get(key, ZERO)),
                *(counted.get(key, NO_CALLS), as_of, now),
            )
        found[each.budget] = Acts(each, as_of, acting.pop(""), acting)
    return found


def acting_of(
    terms: Terms,
    value: str,
    standing: Standing | None,
    reserved: Decimal,
    counted: Count,
    as_of: datetime | None,
    now: datetime,
) -> Acting:
    is_current = standing is not None and standing.period == terms.period(now)
    position = Position(standing.spent if standing and is_current else ZERO, reserved)
    decision, is_blind = decided(terms, value, standing, position, as_of, now)
    return Acting(
        spent=position.spent,
        reserved=reserved,
        **counted._asdict(),
        is_refusing=decision == BLOCK or is_lately(counted.refused_at, now),
        is_slowing=decision == THROTTLE or is_lately(counted.slowed_at, now),
        is_full=decision == BLOCK,
        is_blind=is_blind,
    )


def decided(
    terms: Terms,
    value: str,
    standing: Standing | None,
    position: Position,
    as_of: datetime | None,
    now: datetime,
) -> tuple[str, bool]:
    """What a call of no cost is told, and whether that is for want of figures."""
    place = Place(terms.budget, value)
    if terms.is_failing or as_of is None or now - as_of > STALE:
        return stale(terms, place, position, ZERO, "figures_stale").decision, True
    if terms.each and not value:
        return reached(terms, now), False
    own = with_own_amount(terms, standing)
    return (judge(own, place, position, ZERO, now).decision if own else ""), False


def reached(terms: Terms, now: datetime) -> str:
    """The strictest that any value of a budget for each is told, by what it has spent."""
    rows = EnforcementStanding.objects.filter(
        budget_id=terms.budget, period_start=terms.period(now)
    )
    if terms.policy == BLOCK and spent_share(rows, terms, ONE).exists():
        return BLOCK
    share = throttled_from(msgspec.structs.replace(terms, amount=ONE))
    return THROTTLE if share is not None and spent_share(rows, terms, share).exists() else ""


def spent_share(
    rows: QuerySet[EnforcementStanding], terms: Terms, share: Decimal
) -> QuerySet[EnforcementStanding]:
    """The values that have spent such a share of their amounts."""
    own = Q(amount__isnull=False, spent__gte=F("amount") * share)
    usual = Q(amount=None, spent__gte=terms.amount * share)
    return rows.filter(own | usual if terms.has_amount else own)


def is_lately(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment <= LATELY


def standings_of(terms: Iterable[Terms], values: Collection[str]) -> dict[Key, Standing]:
    rows = EnforcementStanding.objects.filter(
        budget_id__in=[each.budget for each in terms], value__in=values
    )
    listed = rows.values_list("budget_id", "value", "period_start", "spent", "amount")
    return {
        (budget, value): Standing(period, spent, amount)
        for budget, value, period, spent, amount in listed
    }


def reserved_of(
    terms: Collection[Terms], now: datetime, values: Collection[str] = ()
) -> dict[Key, Decimal]:
    """What is held for calls under way: of whole budgets, or of these values of them."""
    if not terms:
        return {}
    periods = {each.budget: each.period(now) for each in terms}
    rows = ReservationHold.objects.filter(budget_id__in=periods, expires_at__gt=now)
    names, rows = by_value(rows, values)
    found: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for row in rows.values(*names, "period_start").annotate(held=Sum("amount")).order_by():
        if row["period_start"] == periods[row["budget_id"]]:
            found[row["budget_id"], row.get("value", "")] += row["held"]
    return dict(found)


def counted_of(
    terms: Collection[Terms], now: datetime, values: Collection[str] = ()
) -> dict[Key, Count]:
    """What ingest counted of whole budgets, or of these values of them."""
    if not terms:
        return {}
    rolling = [each.budget for each in terms if each.starts == ALWAYS]
    this = Q(budget_id__in=rolling, period_start__gt=now - ROLLING_KEPT)
    for each in terms:
        if each.starts != ALWAYS:
            this |= Q(budget_id=each.budget, period_start=each.period(now))
    names, rows = by_value(EnforcementTally.objects.filter(this), values)
    sums = rows.values(*names).annotate(
        calls_refused=Sum("refused"),
        calls_slowed=Sum("slowed"),
        last_refused=Max("refused_at"),
        last_slowed=Max("slowed_at"),
    )
    return {
        (row["budget_id"], row.get("value", "")): Count(
            row["calls_refused"], row["calls_slowed"], row["last_refused"], row["last_slowed"]
        )
        for row in sums.order_by()
    }


def by_value(rows: QuerySet[Any], values: Collection[str]) -> tuple[list[str], QuerySet[Any]]:
    """What to add up by, and of what."""
    if not values:
        return ["budget_id"], rows
    return ["budget_id", "value"], rows.filter(value__in=values)
