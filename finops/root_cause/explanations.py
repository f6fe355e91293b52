"""Why usage of one period differs from that of another: read from the rollups, and localized."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from django.conf import settings

from finops.costs import Coverage, Freshness, snapshot
from finops.costs.leaf_sums import Both, Sides, activated_tags, begin, read_leaves
from finops.costs.owners import COST_CENTER
from finops.periods import Period
from finops.query import CostQuery, InvalidQuery
from finops.root_cause.evidence import COUNTS
from finops.root_cause.findings import Cause, Localization
from finops.root_cause.leaves import ADDITIVE, EXACT_DIGITS, RATIO, Leaves
from finops.root_cause.localization import Search, examine
from finops.root_cause.measures import Measure, measure_named
from finops.root_cause.tables import Table, totals
from finops.root_cause.unpriced import told_apart as unpriced_told_apart
from finops.root_cause.user_parts import EVERYONE_ELSE, parted_by_user
from finops.root_cause.wording import Tell, Words

# Of dimensions that part usage alike the one named first is told.
DIMENSIONS = (
    "feature",
    "model",
    "team",
    "service",
    "variant",
    "operation",
    "environment",
    "region",
    "status",
    "cache",
    "service_tier",
    "latency_tier",
    "fleet",
    "provider",
    "cost_center",
)
# What holds less than that of all changes is no explanation.
LEAST_SHARE = 0.02
# Periods are compared as they are up to that difference of their lengths, as months are.
ALIKE = Decimal("0.125")
# What is taken in proportion has so many decimals.
SCALED = Decimal("1e-18")
SEARCH = Search(least_share=LEAST_SHARE, nameless={"user": EVERYONE_ELSE})
# Where nothing stands out, at least where most of it was: weighed by the amount.
LARGEST = dataclasses.replace(SEARCH, power=COUNTS, most_causes=3, least_share=0.1)
AT_LEAST = "These hold much of it, by no more than usage differs anyway."


@dataclass(frozen=True, slots=True)
class Explanation:
    """`actual` is of `after`, `expected` of `before`: taken by day where the periods are not of
    like length, or as a baseline has it. The differences of the causes and `unexplained` sum to
    `difference`. Coverage is of both periods: (before, after)."""

    measure: Measure
    currency: str
    before: Period
    after: Period
    actual: Decimal | None
    expected: Decimal | None
    difference: Decimal | None
    causes: tuple[Cause, ...]
    unexplained: Decimal | None
    notes: tuple[str, ...]
    freshness: Freshness
    coverage: tuple[Coverage, Coverage]


def explain(
    before: CostQuery,
    after: CostQuery,
    measure: str = "effective_cost",
    *,
    expected: Decimal | None = None,
) -> Explanation:
    """Which combinations of dimensions explain how `after` differs from `before`.

    Both are the same question (filters, and what its reader may see) of two periods; grouping and
    granularity do not matter. `expected` is what a baseline says of the whole: then the leaves of
    `before` are taken in proportion. Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    asked = measure_named(measure)
    if (before.filters, before.reader_teams) != (after.filters, after.reader_teams):
        raise InvalidQuery("filters", "must be the same for both periods")
    with snapshot() as cursor:
        sides = begin(cursor, before, after)
        if asked.per_user is False and sides.reading.known.needs_users(after):
            raise InvalidQuery("measure", f"{asked.title.lower()} is not kept per user")
        names = (*told_apart(sides), *activated_tags(cursor))
        dimensions = tuple(name for name in names if name not in asked.without)
        table = Table(dimensions, read_leaves(sides, dimensions, asked.columns))
        upto = sides.freshness.rolled_up_to
        past = [passed(each.period, upto) for each in (before, after)]
        scale, notes = scaling(table, asked, past, expected)
        leaves, found, who = table, localized(table, asked, scale), ""
        if asked.per_user and found.difference:
            parted = parted_by_user(sides, table, asked, scale, found.difference)
            if parted.table is not None:
                leaves, found = parted.table, localized(parted.table, asked, scale)
            who = parted.told(users_of(found), found.difference or Decimal(0), tell(asked))
        found = unpriced_told_apart(found, leaves, asked)
    return Explanation(
        measure=asked,
        currency=settings.CURRENCY,
        before=before.period,
        after=after.period,
        actual=found.actual,
        expected=found.expected,
        difference=found.difference,
        causes=found.causes,
        unexplained=found.unexplained,
        notes=tuple(each for each in (who, found.note, *notes, *unpriced(table, asked)) if each),
        freshness=sides.freshness,
        coverage=(coverage(table, asked, 0), coverage(table, asked, 1)),
    )


def told_apart(sides: Sides) -> tuple[str, ...]:
    """The dimensions of leaves. Cost centers of users are left out where users are not read."""
    known = sides.reading.known
    if known.owned.by_user and not known.needs_users(sides.after):
        return tuple(name for name in DIMENSIONS if name != COST_CENTER)
    return DIMENSIONS


def passed(period: Period, upto: datetime | None) -> Period:
    """The part of the period that the figures go up to; all of it where they tell nothing."""
    if upto is None or not period.start < upto < period.end:
        return period
    return Period(period.start, upto)


def scaling(
    table: Table, asked: Measure, past: Sequence[Period], expected: Decimal | None
) -> tuple[Decimal, list[str]]:
    """What the figures of before are multiplied by, and why."""
    before, after = past
    with localcontext(prec=EXACT_DIGITS):
        if expected is not None:
            was = total(table, asked, 0)
            if not was:
                return Decimal(1), ["There was no usage before to part the expected figure by."]
            return expected / was, ["Expected is what the baseline says, parted as it was before."]
        if asked.denominator is not None:
            return Decimal(1), []
        now, then = seconds(after), seconds(before)
        if abs(now - then) > ALIKE * max(now, then):
            lengths = f"{told(before)} are set against {told(after)}"
            return now / then, [f"{lengths}: what was before is taken for as long a time."]
    if round(then / 86_400) != round(now / 86_400):
        return Decimal(1), [f"{told(before)} are set against {told(after)}, as they are."]
    return Decimal(1), []


def seconds(period: Period) -> Decimal:
    return Decimal(str((period.end - period.start).total_seconds()))


def told(period: Period) -> str:
    length = period.end - period.start
    if length < timedelta(days=2):
        return f"{length / timedelta(hours=1):.3g} hours"
    return f"{length / timedelta(days=1):.3g} days"


def total(table: Table, asked: Measure, side: int) -> Decimal:
    """The sum of one side, or its ratio; 0 of nothing."""
    figures = [asked.figures(asked.columns, both[side]) for both in table.leaves.values()]
    sums = [sum(column, Decimal(0)) for column in zip(*figures, strict=True)] or [Decimal(0)]
    if asked.denominator is None:
        return sums[0]
    return sums[0] / sums[1] if sums[1:] and sums[1] else Decimal(0)


def users_of(found: Localization) -> set[str]:
    """Whom its causes name."""
    told = [elements for each in found.causes for elements in (each.elements, *each.same)]
    return {value for elements in told for name, value in elements if name == "user"}


def tell(asked: Measure) -> Tell:
    return asked.tell(settings.CURRENCY)


def localized(table: Table, asked: Measure, scale: Decimal) -> Localization:
    words = Words(tell(asked), asked.of)
    with localcontext(prec=EXACT_DIGITS):
        figures_of = {keys: figures(asked, both, scale) for keys, both in table.leaves.items()}
    measure = ADDITIVE if asked.denominator is None else RATIO
    leaves = Leaves.of(figures_of, table.dimensions, measure)
    found = examine(leaves, search=SEARCH, words=words)
    if found.causes or not found.difference:
        return found
    largest = examine(leaves, search=LARGEST, words=words)
    if not largest.causes:
        return found
    return dataclasses.replace(largest, note=f"{found.note} {AT_LEAST}")


def figures(asked: Measure, both: Both, scale: Decimal) -> tuple[object, object]:
    """Actual and expected of a leaf."""
    then, now = (asked.figures(asked.columns, side) for side in both)
    if scale != 1:
        then = ((then[0] * scale).quantize(SCALED), *then[1:])
    return (now[0], then[0]) if asked.denominator is None else (now, then)


def coverage(table: Table, asked: Measure, side: int) -> Coverage:
    held = dict(zip(asked.columns, totals(table, asked)[side], strict=True))
    missing = int(held["unpriced_requests"])
    return Coverage(int(held["requests"]) - missing, missing)


def unpriced(table: Table, asked: Measure) -> Sequence[str]:
    if asked.kind != "money":
        return ()
    counts = [coverage(table, asked, side).unpriced_requests for side in (0, 1)]
    if not any(counts):
        return ()
    return (
        f"Requests without a price, whose cost is unknown: {counts[0]:,} before, "
        f"{counts[1]:,} after.",
    )
