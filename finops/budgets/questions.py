"""What is asked for a budget: of its present period, of the days before, of the last hours."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from finops.budgets.drafts import Draft
from finops.budgets.figures import METRICS
from finops.budgets.spans import Span
from finops.budgets.thresholds import DAY, HOURLY, ThresholdDraft
from finops.costs import UNATTRIBUTED
from finops.forecasts import MOST_DAYS
from finops.models import Budget, Threshold
from finops.periods import Period, days, start_of_hour
from finops.query import CostQuery, Filter
from ingest.cardinality import OVERFLOW

HOUR = timedelta(hours=1)
ONE_DAY = timedelta(days=1)
# Of a budget for each value: how many are read at first, and as many by day in one question; of
# how many the forecast is made whether or not it may reach a threshold.
VALUES = 1_000
FORECAST_VALUES = 200
# What is no value of a dimension: requests without one, and many that were folded together.
NO_VALUES = frozenset({UNATTRIBUTED, OVERFLOW})


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one budget about one period, of which `today` is the last day to look at.

    A budget without for_each is read by day: `recent` are yesterday and today, `older` the days
    before that. One with it is read in all, `current`, and by `unpriced` requests where those
    count; by day only the values that lead.
    """

    draft: Draft
    span: Span
    before: Span
    today: date
    zone: ZoneInfo

    def query(
        self,
        period: Period,
        granularity: str,
        *,
        limit: int | None = None,
        rank: str = "",
        values: Collection[str] = (),
    ) -> CostQuery:
        draft = self.draft
        first = rank or draft.cost
        kept = (Filter(draft.for_each, tuple(sorted(values))),) if values else ()
        return CostQuery(
            period=period,
            granularity=granularity,
            group_by=(draft.for_each,) if draft.for_each else (),
            filters=(*draft.filters, *kept),
            metrics=(first, *(name for name in METRICS if name != first)),
            limit=limit if draft.for_each else None,
            compare=False,
            zone=self.zone,
        )

    @property
    def is_by_last(self) -> bool:
        """Whether each value has an amount of its own."""
        return self.draft.amount_kind == Budget.AmountKind.LAST_PERIOD

    @property
    def limit(self) -> int | None:
        """Of how many values; where each has an amount of its own, little may be too much."""
        return None if self.is_by_last else VALUES

    @property
    def window_limit(self) -> int | None:
        """Estimates are not ranked by."""
        return None if self.draft.unpriced == Budget.Unpriced.ESTIMATE else self.limit

    @property
    def previous(self) -> CostQuery:
        return self.query(self.before.period(self.zone), "total", limit=self.limit)

    def current(self) -> CostQuery:
        return self.query(self.span.period(self.zone), "total", limit=self.limit)

    def everything(self) -> CostQuery:
        """All values, where the first of them do not show that the rest is below every line."""
        return self.query(self.span.period(self.zone), "total")

    @property
    def unpriced(self) -> CostQuery | None:
        """The values with most unpriced usage, where a budget for each counts it."""
        if not self.draft.for_each or self.draft.unpriced == Budget.Unpriced.IGNORE:
            return None
        is_estimate = self.draft.unpriced == Budget.Unpriced.ESTIMATE
        rank = "unpriced_tokens" if is_estimate else "unpriced_requests"
        return self.query(self.span.period(self.zone), "total", limit=VALUES, rank=rank)

    def recent(self, values: Collection[str] = ()) -> CostQuery:
        return self.query(
            self._days(self.today - ONE_DAY, self.today + ONE_DAY), "day", values=values
        )

    def older(self, values: Collection[str] = ()) -> CostQuery:
        """Of values only as far back as forecasts go, of which there may be very many."""
        known = self.today - timedelta(days=MOST_DAYS)
        first = known if self.draft.for_each else min(self.span.first, known)
        return self.query(self._days(first, self.today - ONE_DAY), "day", values=values)

    def window(self, limit: int | None) -> CostQuery:
        """What values cost in all the days that forecasts are made of."""
        known = self.today - timedelta(days=MOST_DAYS)
        return self.query(self._days(known, self.today), "total", limit=limit)

    def totals(self, values: Collection[str]) -> CostQuery:
        """What these have spent in the period."""
        return self.query(self.span.period(self.zone), "total", values=values)

    def all_of(self, burnt: CostQuery) -> CostQuery:
        """All values in all the steps of a question about burn rates together."""
        return burnt.replace(granularity="total", limit=None)

    def some_of(self, burnt: CostQuery, values: Collection[str]) -> CostQuery:
        """These values by its steps."""
        kept = Filter(self.draft.for_each, tuple(sorted(values)))
        return burnt.replace(limit=None, filters=(*burnt.filters, kept))

    def _days(self, first: date, end: date) -> Period:
        return days(first, end, self.zone)

    def windows(self) -> Iterator[int]:
        """The hours of the windows of burn rates, each once."""
        found = (each.window_hours for each in self.draft.thresholds if is_burn(each))
        return iter(sorted({hours for hours in found if hours}))

    def by_day(self, hours: int) -> bool:
        """Whether a window is read by days: users are kept so, and long ones are."""
        return self.draft.is_of_users or hours > HOURLY

    def burnt(self, as_of: datetime) -> list[CostQuery]:
        """Usage by hour, and by day, for every window and the step before it, part of which is in
        the window too."""
        asked = []
        hours = [each for each in self.windows() if not self.by_day(each)]
        if hours:
            present = start_of_hour(as_of, self.zone)
            period = Period(present - max(hours) * HOUR, present + HOUR)
            asked.append(self.query(period, "hour", limit=VALUES))
        if by_day := [each for each in self.windows() if self.by_day(each)]:
            first = self.today - timedelta(days=max(by_day) // DAY)
            asked.append(self.query(self._days(first, self.today + ONE_DAY), "day", limit=VALUES))
        return asked

    @property
    def has_forecasts(self) -> bool:
        """Whether forecasts are made: of a budget for each value only where a threshold asks."""
        wanted = any(each.basis == Threshold.Basis.FORECAST for each in self.draft.thresholds)
        return wanted or not self.draft.for_each

    def first_round(self, as_of: datetime) -> list[CostQuery]:
        """What can be asked without knowing which values lead."""
        found = [self.previous, *self.burnt(as_of)]
        if not self.draft.for_each:
            return [*found, self.recent(), self.older()]
        unpriced = self.unpriced
        found += [self.current(), *([unpriced] if unpriced else [])]
        return [*found, self.window(self.window_limit)] if self.has_forecasts else found


def is_burn(each: ThresholdDraft) -> bool:
    return each.basis == Threshold.Basis.BURN_RATE
