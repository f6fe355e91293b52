"""Why costs differ between two periods: what is compared, what of it is known, and the bridge."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from finops import costs
from finops.compared_periods import Against, elapsed_days
from finops.costs import CostResult
from finops.costs.drivers import Drivers, Name, drivers
from finops.costs.metrics import Sums
from finops.periods import InvalidQuery
from finops.query import CostQuery
from finops.root_cause import Cause
from finops.root_cause import explanations as localized
from finops.variance_bridge import (
    BY_BUCKET,
    BY_TOKEN,
    DIGITS,
    Bridge,
    Group,
    Leaf,
    Side,
    bridge,
    proportional,
    together,
)

# Among which groups requests shift, whatever the answer is grouped by: those that have their own
# prices first.
MIXED = (
    *("provider", "model", "service_tier"),
    *("cache", "fleet", "operation", "team", "feature", "variant"),
)
MOST_USERS = 100
MOST_ROWS = 1_000
# Prices have 18 decimals, discounts some more.
MOST_PLACES, PLACES = 40, 12
TOTALS = (
    *("effective_cost", "requests", "cost_per_request"),
    *("input_tokens", "output_tokens", "unpriced_requests"),
)
ADDED_UP = tuple(name for name in TOTALS if name != "cost_per_request")
COMPARED = ("effective_cost", "billed_cost")
OTHER_KEY = "\x00other"  # which no text of the database can hold


@dataclass(frozen=True, slots=True)
class Causes:
    """What a localization found, the surest first; `unexplained` is what they leave of the
    `difference`, None where it could not be looked for, which the notes say. Where the periods are
    of unlike lengths the difference is that of like ones."""

    causes: tuple[Cause, ...] = ()
    difference: Decimal | None = None
    unexplained: Decimal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`result` is the later period's total, with that of the other one as its `previous`; `days`
    are how many days of each had gone by. `bridge` is by the query's group_by, and `mixed` names
    the dimensions among which its mix is."""

    query: CostQuery
    against: Against
    result: CostResult
    days: tuple[Decimal, Decimal]
    bridge: Bridge
    causes: Causes
    mixed: tuple[str, ...]
    has_buckets: bool

    @property
    def before(self) -> CostResult:
        assert self.result.previous is not None
        return self.result.previous


def explain(query: CostQuery, against: Against, now: datetime) -> Explanation:
    """The query's period set against the other one. Raises InvalidQuery, QueryTooSlow, or
    rollups.ZoneChanged."""
    if query.metrics[0] not in COMPARED:
        raise InvalidQuery("metrics", "the effective cost is what is explained; write no other")
    sides = [query.replace(period=against.period), query]
    times = against.times
    with costs.snapshot():
        before, after = (costs.run(total_of(each)) for each in sides)
        expected = None
        if times is not None:
            before = taken(before, times)
            expected = Decimal(before.totals["effective_cost"] or 0)
        found = drivers([limited(each) for each in sides], MIXED)
        causes = causes_of(sides[0], sides[1], expected)
    upto = after.freshness.rolled_up_to or now
    passed = tuple(elapsed_days(each.period, upto, query.zone) for each in sides)
    days = (passed[0] if times is None else passed[1], passed[1])
    return Explanation(
        query=query,
        against=against,
        result=dataclasses.replace(after, previous=before),
        days=days,
        bridge=bridged(query, found, days, times),
        causes=causes,
        mixed=found.group_by,
        has_buckets=found.has_buckets,
    )


def taken(before: CostResult, times: Decimal) -> CostResult:
    """What was before so many times, as what was expected of a whole."""
    totals = dict(before.totals)
    with localcontext(prec=DIGITS):
        for name in ADDED_UP:
            if (value := totals[name]) is not None:
                amount = Decimal(value) * times
                is_money = name == "effective_cost"
                totals[name] = round(amount, PLACES) if is_money else round(amount)
    return dataclasses.replace(before, totals=totals)


def causes_of(before: CostQuery, after: CostQuery, expected: Decimal | None = None) -> Causes:
    """Where most of the difference happened, whatever the answer is grouped by."""
    try:
        found = localized.explain(before, after, expected=expected)
    # The bridge stands without them.
    except InvalidQuery as error:
        return Causes(notes=(f"Not looked for: {error.message}.",))
    except costs.QueryTooSlow:
        return Causes(notes=("Not found in time; choose a shorter period, or add a filter.",))
    return as_written(Causes(found.causes, found.difference, found.unexplained, found.notes))


def as_written(found: Causes) -> Causes:
    """The same in digits that somebody can read, where what was before is taken for another length
    of time: a sum of such parts does not end."""
    whole = found.difference
    if whole is None or -int(whole.as_tuple().exponent) <= MOST_PLACES:
        return found
    causes = tuple(
        dataclasses.replace(
            each,
            difference=round(each.difference, PLACES),
            expected=None if each.expected is None else round(each.expected, PLACES),
        )
        for each in found.causes
    )
    whole = round(whole, PLACES)
    left = whole - sum((each.difference for each in causes), Decimal(0))
    return dataclasses.replace(found, causes=causes, difference=whole, unexplained=left)


@dataclass(frozen=True, slots=True)
class Row:
    """One group of the answer, or all the others together."""

    keys: tuple[str, ...]
    group: Group
    is_other: bool = False


def rows(found: Explanation, limit: int) -> list[Row]:
    """The groups that changed most, and Other: they add up to the whole, part by part."""
    named = [each for each in found.bridge.groups if OTHER_KEY not in each.keys]
    named.sort(key=lambda each: (-abs(each.difference), each.keys))
    others = [each for each in found.bridge.groups if OTHER_KEY in each.keys] + named[limit:]
    shown = [Row(each.keys, each) for each in named[:limit]]
    if others:
        keys = (costs.OTHER,) * len(found.query.group_by)
        shown.append(Row(keys, together(keys, others, found.bridge.scheme), is_other=True))
    return shown


def total_of(query: CostQuery) -> CostQuery:
    return query.replace(
        metrics=TOTALS, group_by=(), granularity="total", limit=None, compare=False
    )


def limited(query: CostQuery) -> CostQuery:
    """There may be very many users."""
    return query.replace(limit=min(query.limit or MOST_USERS, MOST_USERS))


def bridged(
    query: CostQuery, found: Drivers, days: tuple[Decimal, Decimal], times: Decimal | None
) -> Bridge:
    before, after = found.periods
    names = dict.fromkeys((*before, *after))
    leaves = [
        Leaf(
            keys_of(name),
            side_of(before.get(name), found.has_buckets),
            side_of(after.get(name), found.has_buckets),
        )
        for name in names
    ]
    if times is not None:
        leaves = proportional(leaves, times, PLACES)
    count = len(query.group_by)
    return bridge(
        leaves,
        days=days,
        scheme=BY_BUCKET if found.has_buckets else BY_TOKEN,
        group_of=lambda keys: keys[:count],
    )


def keys_of(name: Name) -> tuple[str, ...]:
    is_other, keys = name
    return (OTHER_KEY,) * len(keys) if is_other else keys


def side_of(sums: Sums | None, has_buckets: bool) -> Side:
    if sums is None:
        return Side()
    tokens, costs = (by_bucket if has_buckets else by_token)(sums)
    return Side(
        requests=sums.count("requests"),
        unpriced_requests=sums.count("unpriced_requests"),
        tokens=tokens,
        unpriced_tokens=sums.count("unpriced_tokens"),
        costs=costs,
        per_request=sums.sums.get("request_cost", Decimal(0)),
        effective_cost=sums.sums["effective_cost"],
        list_cost=sums.sums["list_cost"],
    )


def by_bucket(sums: Sums) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Tokens, of which the input is told in whole, and costs."""
    read, written = (sums.count(f"cache_{kind}_input_tokens") for kind in ("read", "creation"))
    tokens = {
        "uncached_input": sums.count("input_tokens") - read - written,
        "cache_read_input": read,
        "cache_creation_input": written,
        "output": sums.count("output_tokens"),
    }
    return tokens, {
        "uncached_input": sums.sums["input_cost"],
        "cache_read_input": sums.sums["cache_read_cost"],
        "cache_creation_input": sums.sums["cache_creation_cost"],
        "output": sums.sums["output_cost"],
    }


def by_token(sums: Sums) -> tuple[dict[str, int], dict[str, Decimal]]:
    tokens = sums.count("input_tokens") + sums.count("output_tokens")
    return {"tokens": tokens}, {"tokens": sums.sums["effective_cost"]}
