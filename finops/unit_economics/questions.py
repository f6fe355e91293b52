"""What is asked of a business metric: a CostQuery over dimensions that the metric has too, and
which cost it is set against."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from finops.periods import JANUARY, InvalidQuery, Period, add_months, single, whole_day
from finops.query import CostQuery, Filter, merged, unknown

DIRECT, FULLY_LOADED = "direct", "fully_loaded"
BASES = (DIRECT, FULLY_LOADED)
OWN_PARAMETERS = ("metric", "basis")
METRICS = ("effective_cost", "requests", "unpriced_requests")
MOST_MONTHS = 24


@dataclass(frozen=True, slots=True)
class Terms:
    """A business metric, as models.BusinessMetric says. `currency` is '' of counts."""

    key: str
    name: str
    unit: str
    currency: str
    adds_up: bool
    absent_is_zero: bool
    dimensions: tuple[str, ...]
    filters: tuple[Filter, ...]

    @property
    def is_money(self) -> bool:
        return bool(self.currency)


@dataclass(frozen=True, slots=True)
class Value:
    """Of a day, or of the month that begins on it; `keys` follow the metric's dimensions."""

    day: date
    is_month: bool
    keys: tuple[str, ...]
    value: Decimal


@dataclass(frozen=True, slots=True)
class Question:
    """`query` has what was asked and what its reader sees, without the metric's own filters."""

    terms: Terms
    query: CostQuery
    basis: str = DIRECT

    @property
    def usage(self) -> CostQuery:
        """All usage that the metric is about, as Explore shows it."""
        filters = together((*self.terms.filters, *self.query.filters))
        return self.query.replace(filters=filters, metrics=METRICS, compare=False)

    @property
    def is_loaded(self) -> bool:
        return self.basis == FULLY_LOADED

    @property
    def by_group(self) -> Question:
        """The same over the whole period at once."""
        return self._changed(granularity="total")

    @property
    def by_step(self) -> Question:
        """The same of all groups together."""
        return self._changed(group_by=())

    def over(self, period: Period) -> Question:
        return self._changed(period=period, compare=False)

    def _changed(self, **changes: object) -> Question:
        return dataclasses.replace(self, query=self.query.replace(**changes))

    def to_params(self) -> list[tuple[str, str]]:
        """The canonical URL parameters."""
        own = [("metric", self.terms.key)]
        if self.basis != DIRECT:
            own.append(("basis", self.basis))
        return sorted([*own, *self.query.to_params()])


def together(filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """What all of them keep, one filter for each dimension, as an address can say it."""
    kept: dict[str, set[str]] = {}
    for each in filters:
        if not each.exclude:
            values = set(each.values)
            kept[each.dimension] = kept.get(each.dimension, values) & values
    rest = [each for each in filters if each.exclude]
    # Where nothing is kept by all of them, nothing is: no filter of an address says so.
    if not all(kept.values()):
        return tuple(filters)
    return (*merged(rest), *(Filter(name, tuple(sorted(kept[name]))) for name in sorted(kept)))


def parse(
    params: Mapping[str, Sequence[str]],
    terms: Terms,
    *,
    now: datetime,
    zone: ZoneInfo,
    fiscal_month: int = JANUARY,
) -> Question:
    """Raises InvalidQuery naming the parameter that is wrong."""
    basis = single(params, "basis") or DIRECT
    if basis not in BASES:
        raise InvalidQuery("basis", unknown("basis", basis, BASES))
    for name in ("metrics", "limit"):
        if single(params, name):
            raise InvalidQuery(name, "is no parameter of unit economics; leave it out")
    rest = {name: values for name, values in params.items() if name not in OWN_PARAMETERS}
    query = CostQuery.from_params(rest, now=now, zone=zone, fiscal_month=fiscal_month)
    if not single(params, "granularity"):
        query = query.replace(granularity=grain(query, basis))
    refuse_parts_of_days(query)
    refuse_other_dimensions(terms, query)
    refuse_granularity(terms, query, basis)
    return Question(terms, query, basis)


def grain(query: CostQuery, basis: str) -> str:
    if basis == FULLY_LOADED:
        return "month"
    return "day" if query.granularity == "hour" else query.granularity


def refuse_parts_of_days(query: CostQuery) -> None:
    for field, at in (("start", query.period.start), ("end", query.period.end)):
        if whole_day(at, query.zone) is None:
            name = "period" if query.period.label else field
            raise InvalidQuery(name, "values are of whole days: ask for days, such as 7d")


def refuse_other_dimensions(terms: Terms, query: CostQuery) -> None:
    known = ", ".join(terms.dimensions) or "none"
    for field, names in (
        ("group_by", query.group_by),
        *((each.dimension, (each.dimension,)) for each in query.filters),
    ):
        if wrong := [name for name in names if name not in terms.dimensions]:
            raise InvalidQuery(
                field,
                f"{terms.name} has no values by {wrong[0]}; its dimensions: {known}",
            )
    if not terms.adds_up and set(query.group_by) != set(terms.dimensions):
        raise InvalidQuery(
            "group_by",
            f"{terms.name} does not add up over {known}: group by all of these",
        )


def refuse_granularity(terms: Terms, query: CostQuery, basis: str) -> None:
    if query.granularity == "hour":
        raise InvalidQuery("granularity", "values are of days and months: ask for day or coarser")
    if not terms.adds_up and query.granularity == "week":
        raise InvalidQuery(
            "granularity",
            f"{terms.name} does not add up over days, so that a week has no value: ask for day or "
            "month",
        )
    if not terms.adds_up and query.granularity == "total" and one_step(query) is None:
        raise InvalidQuery(
            "granularity",
            f"{terms.name} does not add up over days: ask for day or month, or a period of one",
        )
    if basis != FULLY_LOADED:
        return
    if query.granularity not in {"month", "total"} or months_of(query) is None:
        raise InvalidQuery(
            "basis",
            "what is shared out is known of whole months: ask for months, such as period=12m, or "
            "for the direct cost",
        )
    if len(months_of(query) or ()) > MOST_MONTHS:
        raise InvalidQuery("period", f"has more than {MOST_MONTHS} months to share out")


def one_step(query: CostQuery) -> bool | None:
    """Whether the period is one month (True) or one day (False); None where it is neither."""
    first, end = (whole_day(each, query.zone) for each in (query.period.start, query.period.end))
    if first is None or end is None:
        return None
    if first.day == 1 and end == add_months(first, 1):
        return True
    return False if (end - first).days == 1 else None


def months_of(query: CostQuery) -> list[date] | None:
    """The whole months that the period is made of; None where it is not."""
    first, end = (whole_day(each, query.zone) for each in (query.period.start, query.period.end))
    if first is None or end is None or not first.day == end.day == 1:
        return None
    found = [first]
    while (month := add_months(found[-1], 1)) < end:
        found.append(month)
    return found
