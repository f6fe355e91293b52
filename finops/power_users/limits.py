"""What a limit for each user would have saved: of round amounts, each exactly, from what was used.

The saving is what users cost beyond the amount, day by day or month by month, as if the calls
beyond it had been refused and nobody had called again on another day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal, InvalidOperation, localcontext

from finops import costs
from finops.costs import Excess, Freshness
from finops.periods import InvalidQuery, Period, add_months, days, local_day
from finops.power_users.concentration import DIGITS, share
from finops.query import CostQuery

DAY, MONTH = "day", "month"
# Whole days or months before the running one, the shorter look first.
SPANS = {DAY: (30, 90), MONTH: (1, 3)}
# Round amounts from the most that anybody cost down to about a hundredth of it.
STEPS = (5, 2, 1)
AMOUNTS = 7
# A limit is proposed that so many percent of the users ever reach, at least one of them.
TOUCHED_PERCENT = 1
LEAST, MOST = Decimal("1e-12"), Decimal(10) ** 12
NOBODY = "No user cost anything then."
EVEN = "No amount of these would touch just a few users: they cost much alike."


@dataclass(frozen=True, slots=True)
class Saving:
    """What one amount would have kept from one look back; shares are of all users' cost and
    requests in it, None where there were none."""

    excess: Excess
    cost_share: Decimal | None
    request_share: Decimal | None


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount per day or month, with its saving over each look back of SPANS."""

    amount: Decimal
    savings: tuple[Saving, ...]
    is_proposed: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """`periods` are the looks back. `limits` are in descending order, the chosen ones among them;
    `reason` says why none of them is proposed, or is ""."""

    span: str
    periods: tuple[Period, ...]
    users: int
    limits: tuple[Limit, ...]
    reason: str
    freshness: Freshness

    @property
    def proposed(self) -> Limit | None:
        return next((each for each in self.limits if each.is_proposed), None)


def limits(query: CostQuery, span: str, now: datetime, chosen: Sequence[Decimal] = ()) -> Limits:
    """Of the query's filters, whatever its period, with the amounts `chosen` beside the round ones.

    Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    periods = looks_back(query, span, now)
    asked = [
        query.replace(period=each, granularity=span, group_by=(), limit=None, compare=False)
        for each in periods
    ]
    with costs.snapshot() as cursor:
        freshness = costs.read_freshness(cursor, query.reader_teams)
        longest = asked[-1]
        amounts = sorted({*round_amounts(costs.largest_step(longest)), *chosen}, reverse=True)
        wholes = [whole_of_users(each) for each in asked]
        found = [costs.excesses(each, amounts) for each in asked]
    listed = [
        Limit(
            amount,
            tuple(
                Saving(
                    each[n],
                    share(each[n].cost, whole.cost),
                    share(each[n].requests, whole.requests),
                )
                for each, whole in zip(found, wholes, strict=True)
            ),
        )
        for n, amount in enumerate(amounts)
    ]
    users = wholes[-1].users
    return with_proposal(Limits(span, periods, users, tuple(listed), "", freshness))


def read_span(text: str) -> str:
    """Raises InvalidQuery."""
    if text not in SPANS:
        raise InvalidQuery("span", f"{text[:80]!r} is unknown; write {' or '.join(SPANS)}")
    return text


def read_amount(text: str) -> list[Decimal]:
    """The amount that somebody asks about, or none. Raises InvalidQuery."""
    if not text:
        return []
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        amount = Decimal(0)
    is_money = amount.is_finite() and LEAST <= amount <= MOST
    if not is_money or amount != amount.quantize(LEAST, context=Context(prec=DIGITS)):
        raise InvalidQuery("amount", "must be above 0, with at most 12 decimals")
    return [amount]


def looks_back(query: CostQuery, span: str, now: datetime) -> tuple[Period, ...]:
    today = local_day(now, query.zone)
    if span == DAY:
        return tuple(days(today - timedelta(days=n), today, query.zone) for n in SPANS[DAY])
    this_month = today.replace(day=1)
    return tuple(days(add_months(this_month, -n), this_month, query.zone) for n in SPANS[MONTH])


def round_amounts(most: Decimal) -> list[Decimal]:
    """1, 2 and 5 times powers of ten below the most, descending."""
    if most <= 0:
        return []
    exponent = most.adjusted()
    found: list[Decimal] = []
    while len(found) < AMOUNTS:
        found += [amount for step in STEPS if (amount := Decimal(step).scaleb(exponent)) < most]
        exponent -= 1
    return found[:AMOUNTS]


@dataclass(frozen=True, slots=True)
class Whole:
    users: int
    cost: Decimal
    requests: Decimal


def whole_of_users(query: CostQuery) -> Whole:
    """All that users cost, without what is nobody's."""
    total = query.replace(granularity="total", metrics=("effective_cost", "requests", "users"))
    everything = costs.run(total).totals
    cost, requests = costs.usage_of_nobody(query)
    with localcontext(prec=DIGITS):
        return Whole(
            int(everything["users"] or 0),
            Decimal(everything["effective_cost"] or 0) - cost,
            Decimal(everything["requests"] or 0) - requests,
        )


def with_proposal(found: Limits) -> Limits:
    """The lowest amount that only few users ever reach."""
    few = max(1, found.users * TOUCHED_PERCENT // 100)
    fitting = [
        each.amount
        for each in found.limits
        if 0 < each.savings[-1].excess.users <= few and each.savings[-1].excess.cost > 0
    ]
    if not fitting:
        return replace(found, reason=NOBODY if not found.limits else EVEN)
    listed = [replace(each, is_proposed=each.amount == fitting[-1]) for each in found.limits]
    return replace(found, limits=tuple(listed))
